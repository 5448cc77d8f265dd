/*
 * lines.h - the logical lines of main.cf and master.cf.
 *
 * A line that starts with white space continues the one before. Empty lines,
 * lines of blanks and lines whose first other byte is # are nothing, between
 * the parts of a logical line too.
 */
#ifndef CONF_LINES_H
#define CONF_LINES_H

#include "base/arena.h"

struct lines {
    struct str rest;
    unsigned count; /* physical lines read so far; start with 0 */
};

struct line {
    struct str text; /* parts joined as they stand, without line ends */
    unsigned number; /* of its first physical line */
};

/* The next logical line; false at the end. Joined lines are in the arena. */
bool lines_next(struct lines *l, struct arena *a, struct line *line);

#endif
