/*
 * exits.h - what the exit status of a delivery command means (sysexits.h).
 */
#ifndef LOCAL_EXITS_H
#define LOCAL_EXITS_H

#include "base/base.h"

struct exits {
    int status;
    const char *dsn, *text;
};

/* NULL where the status has no agreed meaning. */
const struct exits *exits_find(int status);

#endif
