/*
 * known.h - the rows of known.def as data: what Postfix knows.
 */
#ifndef CONF_KNOWN_H
#define CONF_KNOWN_H

#include "conf/rows.h"

struct known {
    const char *name, *fallback;
    enum conf_type type;
    unsigned since; /* 307: Postfix 3.7 knows it */
};

extern const struct known known_names[];
extern const size_t known_count;

#endif
