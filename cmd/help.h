/*
 * help.h - what the commands say about their use.
 */
#ifndef CMD_HELP_H
#define CMD_HELP_H

/* The whole text of `NAME --help`, or NULL where the command has its own. */
const char *help_text(const char *name);

#endif
