/*
 * settings.h - names and raw values, each with the place it was set.
 *
 * main.cf is one set of settings; the -o of a master.cf row are put on top.
 * A later setting of a name replaces the earlier.
 */
#ifndef CONF_SETTINGS_H
#define CONF_SETTINGS_H

#include "base/arena.h"
#include "base/why.h"

struct setting {
    struct str name, value; /* NUL-terminated */
    const char *file;       /* where it was set, and the line there; 0 is */
    unsigned line;          /* no line: an option, the environment */
    const struct setting *replaced; /* the earlier one of that name, or NULL */
};

struct settings;

struct settings *settings_new(struct arena *life);
/* Frees the index; the texts belong to the arena. */
void settings_free(struct settings *s);

/* A copy that can be changed without changing the old one. */
struct settings *settings_copy(struct arena *life, const struct settings *s);

/* file is not copied. */
void settings_put(struct settings *s, struct str name, struct str value,
                  const char *file, unsigned line);

/* NULL where it is not set. */
const struct setting *settings_get(const struct settings *s, struct str name);

/* In the order of their first appearance. */
size_t settings_count(const struct settings *s);
const struct setting *settings_at(const struct settings *s, size_t i);

/*
 * Cut "name = value" (blanks around both are dropped). False with what is
 * wrong with it in *problem.
 */
bool setting_cut(struct str line, struct str *name, struct str *value,
                 const char **problem) MUST_USE;

/* Add all of a main.cf. PERM with file and line of a line that is none. */
enum rc settings_parse(struct settings *s, struct str text, const char *file,
                       struct why *why) MUST_USE;

#endif
