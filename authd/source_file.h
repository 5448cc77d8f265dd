/*
 * source_file.h - the settings of a source that has a file of its own: ldap,
 * oauth. "name = value" lines, as in main.cf.
 */
#ifndef AUTHD_SOURCE_FILE_H
#define AUTHD_SOURCE_FILE_H

#include "base/arena.h"
#include "base/why.h"

struct source_setting {
    const char *name;
    const char **value; /* gets the text, or the default */
    const char *fallback;
};

/* Read the file into the rows. TEMP where it cannot be read, PERM where it
 * says what makes no sense: a name that is no row, a line that is none. */
enum rc source_file_read(struct arena *life, const char *path,
                         const struct source_setting *rows, size_t count,
                         struct why *why) MUST_USE;

#endif
