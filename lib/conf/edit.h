/*
 * edit.h - main.cf and master.cf changed as text: comments, order and the
 * layout of all that is not asked for stay as they are.
 */
#ifndef CONF_EDIT_H
#define CONF_EDIT_H

#include "base/arena.h"
#include "base/why.h"
#include "conf/pattern.h"

enum edit {
    EDIT_SET,
    EDIT_COMMENT, /* comment out */
    EDIT_REMOVE,
};

struct edit_main {
    struct str name;
    struct str value; /* EDIT_SET */
    size_t found;     /* out: how often the file set it */
};

/* The new text. Names that are not found are appended (EDIT_SET), sorted. */
struct str edit_main(struct arena *a, struct str text, enum edit what,
                     struct edit_main *edits, size_t count);

enum edit_part {
    EDIT_SERVICE, /* a whole row: set, comment, remove */
    EDIT_FIELD,   /* a column: set */
    EDIT_PARAM,   /* an -o: set, remove */
};

struct edit_master {
    struct pattern pattern;
    enum service_column column; /* EDIT_FIELD */
    struct str value; /* EDIT_SET: a row, a column's text, a parameter's */
    size_t found;     /* out: how many rows matched */
};

/*
 * The same for master.cf. Rows that are changed are written in the shape of
 * print_service; a service that is not found is appended. PERM with why where
 * a row is none, in the file or in a value.
 */
enum rc edit_master(struct arena *a, struct str text, const char *file,
                    enum edit_part part, enum edit what,
                    struct edit_master *edits, size_t count, struct str *out,
                    struct why *why) MUST_USE;

#endif
