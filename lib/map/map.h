/*
 * map.h - look-up tables: "type:name" and what it answers.
 *
 * A table is opened once and looked up many times. Tables on disk are
 * immutable files replaced by rename; map_get notices a new one by itself
 * (checked at most once a second). Keys are folded to lower case by types
 * that store them so. How to add a type: ARCHITECTURE.md.
 */
#ifndef MAP_MAP_H
#define MAP_MAP_H

#include "base/arena.h"
#include "base/why.h"

struct map;
struct maps;

/* Open one table. NULL with *why where it cannot be (it names the table and
 * what to do). Tables live until the process ends. */
struct map *map_open(const char *spec, struct why *why);

/*
 * The value of key, in the arena. Absent is OK with value->p == NULL. TEMP
 * where the table cannot answer now.
 */
enum rc map_get(struct map *m, struct str key, struct arena *a,
                struct str *value, struct why *why) MUST_USE;

/* "type:name", for messages. */
const char *map_name(const struct map *m);
/* Types that match patterns (regexp, pcre, cidr) take only whole keys. */
bool map_is_pattern(const struct map *m);

/* A list of tables as in main.cf ("hash:/a, regexp:/b"); empty is none. The
 * first answer counts. */
struct maps *maps_open(const char *specs, struct why *why);
enum rc maps_get(struct maps *m, struct str key, struct arena *a,
                 struct str *value, struct why *why) MUST_USE;
bool maps_empty(const struct maps *m);

/*
 * The one order in which an address is looked for: user+ext@domain,
 * user@domain, user+ext, user (the last two only where the domain is the
 * site's own: `own`), @domain. Pattern tables see only the whole address.
 * delimiters: recipient_delimiter or "". The extension is put back into the
 * result where `keep_extension` and the match was without it.
 */
struct map_order {
    const char *delimiters;
    bool own_domain;     /* try the bare user too */
    bool at_domain;      /* try @domain */
    bool user_at;        /* try "user@" (access tables) */
    bool parents;        /* access: domain, .parent or parent domains */
    bool dot_parents;    /* parents are looked up as ".parent" */
    bool keep_extension; /* propagate it into the result */
};
enum rc maps_get_address(struct maps *m, struct str address,
                         const struct map_order *order, struct arena *a,
                         struct str *value, struct why *why) MUST_USE;

/* Does the list (patterns, addresses, networks, files, tables; "!" negates)
 * hold it: mynetworks, mydestination, relay_domains ... */
struct match_list;
struct match_list *match_open(const char *what, const char *list,
                              bool subdomains, struct why *why);
enum rc match_host(struct match_list *l, struct str name, struct str addr,
                   bool *found, struct why *why) MUST_USE;
enum rc match_domain(struct match_list *l, struct str domain, bool *found,
                     struct why *why) MUST_USE;

#endif
