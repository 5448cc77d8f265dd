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
 * of that name. Ends the process with a line that says what is wrong.
 */
const struct conf *cmd_conf(struct arena *life, const char *option,
                            const char *command);

/*
 * Run this binary under another name (argv[0]) and wait. Its exit status;
 * 71 where it cannot be run or was killed.
 */
int cmd_run_self(char **argv);

#endif
