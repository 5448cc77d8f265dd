/*
 * cmd.h - what the commands share: their entry points.
 *
 * Each takes its own argv and returns its exit status.
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include "conf/conf.h"

#define COMMAND(name, function, setgid) int function(int argc, char **argv);
#include "commands.def"

/* The folder of the configuration: -c, else MAIL_CONFIG, else the default. */
const char *cmd_config_dir(const char *option);

/*
 * The settings of that folder (as cmd_config_dir chooses it), for a command
 * of that name. Where they are wrong a line says so and the process ends with
 * that status.
 */
const struct conf *cmd_conf(struct arena *life, const char *option,
                            const char *command, int status);

/* A line on standard error, "NAME: ...", behind what was printed before. */
void cmd_say(const char *name, const char *fmt, ...) PRINTF(2, 3);

/* Print "NAME: fatal: ..." and end the process. */
void cmd_fatal(int status, const char *name, const char *fmt, ...)
    PRINTF(3, 4) NORETURN;

/*
 * Run this binary under another name (argv[0]) and wait. Its exit status;
 * 71 where it cannot be run or was killed.
 */
int cmd_run_self(char **argv);

#endif
