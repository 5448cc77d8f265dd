/*
 * replace.h - a file changed as a whole, or not at all.
 *
 * The new text goes to FILE.tmp, which is renamed; it is locked meanwhile, so
 * that two editors do not lose each other's change. Owner, group and mode stay
 * the old file's.
 */
#ifndef CONF_REPLACE_H
#define CONF_REPLACE_H

#include "base/arena.h"
#include "base/why.h"

struct replace {
    char *path, *tmp;
    int fd; /* of the temporary file */
};

/* Lock, and read the file as it is now. */
enum rc replace_begin(struct arena *a, const char *path, struct replace *r,
                      struct str *text, struct why *why) MUST_USE;

/* Exactly one of these ends it. */
enum rc replace_commit(struct replace *r, struct str text,
                       struct why *why) MUST_USE;
void replace_cancel(struct replace *r);

#endif
