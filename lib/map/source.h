/*
 * source.h - tables as text: logical lines, and "key value" in them.
 *
 * A line that begins with a blank continues the one before it, with its
 * blanks. Empty lines and those whose first word begins with "#" are skipped,
 * between a line and its continuation too.
 */
#ifndef MAP_SOURCE_H
#define MAP_SOURCE_H

#include "base/arena.h"
#include "base/why.h"

struct source {
    const char *name; /* for messages */
    struct str rest;
    unsigned line; /* of the file, that rest begins with */
};

/* The text itself; name and text stay the caller's. */
struct source source_of(const char *name, struct str text);

/*
 * Read a file into the arena; or, where name is "{ {line} {line} }", take
 * those lines. After a failure errno says EACCES where rights are missing.
 */
enum rc source_read(struct source *s, struct arena *a, const char *name,
                    struct why *why) MUST_USE;

/* The next logical line, without its line end, and the number of its first
 * line. In the arena or in the text. */
bool source_line(struct source *s, struct arena *a, struct str *line,
                 unsigned *number);

/*
 * Split "key value"; a key may hold blanks between double quotes, which stay
 * part of it. NULL, or what is wrong: a text for a warning.
 */
const char *source_pair(struct str line, struct str *key, struct str *value);

#endif
