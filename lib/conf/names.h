/*
 * names.h - which parameter names mean something in a configuration.
 *
 *   builtin   a row of parameters.def, or a name of Postfix's (known.def)
 *   service   a transport's name and a suffix: "slow_transport_rate_delay"
 *   user      made up by the site, and used by something (used.h)
 *
 * Any other name is a typing error.
 */
#ifndef CONF_NAMES_H
#define CONF_NAMES_H

#include "base/arena.h"
#include "conf/rows.h"
#include "conf/services.h"

enum {
    NAME_BUILTIN = 1,
    NAME_SERVICE = 2,
    NAME_USER = 4,
    NAME_ALL = 7,
};

struct name {
    struct str text;
    unsigned class;       /* one of NAME_ */
    enum conf_type type;  /* of users' names: CONF_TEXT */
    unsigned since;       /* version of Postfix (307), 0: ours alone */
    bool acts;            /* Posta does something with it */
    const char *fallback; /* raw default; NULL of users' names */
};

struct names;

/* Builtin names, and service names for these rows (NULL: none). */
struct names *names_new(struct arena *life, const struct services *services);
/* Frees the index; the rest belongs to the arena. */
void names_free(struct names *n);

const struct name *names_get(const struct names *n, struct str text);

/* All of them, sorted by name: a copy of the list, in the arena. */
const struct name **names_list(const struct names *n, struct arena *a,
                               size_t *count);

/* Add a name of the site's own; one that is there stays as it is. */
void names_add_user(struct names *n, struct str text);

/* The name most like this one, or NULL where none is near. */
const struct name *names_nearest(const struct names *n, struct str text);

#endif
