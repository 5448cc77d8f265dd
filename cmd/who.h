/*
 * who.h - posta who, posta kick: the sessions of mailbox users.
 *
 * argv[0] is the verb; dir is what -c named, or NULL. Each returns an exit
 * status.
 */
#ifndef CMD_WHO_H
#define CMD_WHO_H

int who_main(int argc, char **argv, const char *dir);
int kick_main(int argc, char **argv, const char *dir);

#endif
