/*
 * check.h - what is wrong with a configuration, one line a problem.
 *
 * Each line names file, line, parameter, value and what to do:
 *
 *     main.cf, line 7: message_size_limit = 10k: write bytes, as 10240000
 *
 * A wrong value of a parameter that Posta reads is fatal: no program could
 * start with it. Unknown names, names without effect and risky combinations
 * are warnings.
 */
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

#include "conf/config.h"

struct check {
    void (*report)(void *own, bool fatal, const char *line);
    void *own;
};

/* How many of the problems found were fatal. */
size_t config_check(const struct config *c, const struct check *check);

#endif
