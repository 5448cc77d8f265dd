/*
 * cmd.h - what the commands share: their entry points.
 *
 * Each takes its own argv and returns its exit status.
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include "base/base.h"

#define COMMAND(name, function, setgid) int function(int argc, char **argv);
#include "commands.def"

/* The folder of the configuration: -c, else MAIL_CONFIG, else the default. */
const char *cmd_config_dir(const char *option);

/*
 * Run this binary under another name (argv[0]) and wait. Its exit status;
 * 71 where it cannot be run or was killed.
 */
int cmd_run_self(char **argv);

#endif
