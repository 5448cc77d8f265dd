/*
 * rows.h - the rows of parameters.def as data.
 */
#ifndef CONF_ROWS_H
#define CONF_ROWS_H

#include "base/str.h"

enum conf_type {
    CONF_TEXT,
    CONF_RAW,
    CONF_MAPS,
    CONF_LIST,
    CONF_INT,
    CONF_SIZE,
    CONF_TIME,
    CONF_BOOL,
};

struct conf_row {
    const char *name;
    const char *fallback; /* the raw default */
    enum conf_type type;
    unsigned offset; /* of its field in struct conf */
};

extern const struct conf_row conf_rows[];
extern const size_t conf_row_count;

/* The row of that name, or NULL. */
const struct conf_row *conf_row_find(struct str name);

#endif
