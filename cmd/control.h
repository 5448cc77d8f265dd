/*
 * control.h - the verbs of posta(8) that act on a configuration.
 *
 * argv[0] is the verb; dir is what -c named, or NULL. Each returns an exit
 * status.
 */
#ifndef CMD_CONTROL_H
#define CMD_CONTROL_H

int control_start(int argc, char **argv, const char *dir);
int control_start_fg(int argc, char **argv, const char *dir);
int control_stop(int argc, char **argv, const char *dir);
int control_abort(int argc, char **argv, const char *dir);
int control_reload(int argc, char **argv, const char *dir);
int control_logrotate(int argc, char **argv, const char *dir);
int control_flush(int argc, char **argv, const char *dir);
int control_status(int argc, char **argv, const char *dir);
int control_check(int argc, char **argv, const char *dir);
int control_set_permissions(int argc, char **argv, const char *dir);
int control_upgrade(int argc, char **argv, const char *dir);

#endif
