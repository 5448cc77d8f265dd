/*
 * map.h - look-up tables: "type:name" and what they answer.
 *
 * A table is opened once and looked up many times; the same "type:name" is
 * the same table. Tables on disk are immutable files replaced by rename; a
 * look-up notices a new one by itself (its file is looked at once a tick of the
 * clock, some ms, so most look-ups make no system call). Keys are folded to
 * lower case by types that store them so. How to add a type: ARCHITECTURE.md.
 */
#ifndef MAP_MAP_H
#define MAP_MAP_H

#include "base/arena.h"
#include "base/why.h"

struct map;
struct maps;

/*
 * Open one table; lives until the process ends. Never NULL: one that cannot
 * be used (missing, unreadable, unknown type) answers TEMP and is tried again
 * once a second, since the administrator is about to mend it. That has been
 * logged in one line, which also stands in *why; why->text is empty where all
 * is well. why may be NULL.
 */
struct map *map_open(const char *spec, struct why *why);

/*
 * The same for tables whose answers are commands, files or rights: a rule of
 * patterns that puts a piece of the key into its result ($1) is left out, with
 * a line in the log, as the key is a stranger's.
 */
struct map *map_open_fixed(const char *spec, struct why *why);

/*
 * The value of key, in the arena. Absent is OK with value->p == NULL. TEMP
 * where the table cannot answer now.
 */
enum rc map_get(struct map *m, struct str key, struct arena *a,
                struct str *value, struct why *why) MUST_USE;

/* From now on tables that can be used stay as they were opened: for who asks
 * many questions that belong together. */
void map_stay(void);

/* Some table on disk is another than when this process began: one that was
 * started anew would see all of it, also what only root may read. */
bool map_changed(void);

/* The same with the key as it is, whatever its case (postmap -f). */
enum rc map_get_exact(struct map *m, struct str key, struct arena *a,
                      struct str *value, struct why *why) MUST_USE;

/*
 * The file that postmap makes for "type:name" (or "proxy:type:name"): NAME.lmdb
 * for the types that are LMDB files, and *source is NAME. NULL for others.
 */
const char *map_file(struct arena *a, const char *spec, const char **source);

/* "type:name", for messages. */
const char *map_name(const struct map *m);
/* Whose the file behind it is; false where there is none (inline, unix). */
bool map_owner(const struct map *m, uid_t *owner);
/* Types that match patterns (regexp, pcre, cidr) take only whole keys. */
bool map_is_pattern(const struct map *m);

/*
 * A list of tables as in main.cf ("hash:/a, regexp:/b"); empty is none. The
 * first answer counts. Never NULL; trouble of single tables as in map_open.
 * The value is never the empty string: a table that has it is in error (TEMP).
 */
struct maps *maps_open(const char *specs, struct why *why);
/* The same of tables opened with map_open_fixed. */
struct maps *maps_open_fixed(const char *specs, struct why *why);
enum rc maps_get(struct maps *m, struct str key, struct arena *a,
                 struct str *value, struct why *why) MUST_USE;
bool maps_empty(const struct maps *m);

/*
 * The one order in which an address (internal form, mail/address.h) is looked
 * for: user+ext@domain, user@domain, then what the fields ask for, in their
 * order. Pattern tables see only the whole address.
 */
struct map_order {
    const char *delimiters; /* recipient_delimiter, or "" */
    bool own_domain;        /* user+ext, user: the domain is the site's own */
    bool at_domain;         /* @domain */
    bool parents;           /* domain and its parents (access tables) */
    bool dot_parents;       /* parents are looked for as ".parent" */
    bool user_at;           /* user+ext@, user@ (access tables) */
};

struct map_found {
    struct str value;     /* NULL: absent */
    struct str extension; /* "+ext" where the match was without it */
};

enum rc maps_get_address(struct maps *m, struct str address,
                         const struct map_order *order, struct arena *a,
                         struct map_found *found, struct why *why) MUST_USE;

/*
 * One address of a value that was found for `address`: "@other" takes its
 * local part, and the unmatched extension is put back (pass it empty where
 * propagate_unmatched_extensions does not have this table).
 */
struct str map_apply(struct arena *a, struct str address, struct str result,
                     struct str extension);

/* A domain, then its parents ("b.c" or ".b.c" for dot_parents). */
enum rc maps_get_domain(struct maps *m, struct str domain, bool dot_parents,
                        struct arena *a, struct str *value,
                        struct why *why) MUST_USE;

/* An IP address, then its networks: "10.1.2.3", "10.1.2", "10.1", "10". */
enum rc maps_get_network(struct maps *m, struct str addr, struct arena *a,
                         struct str *value, struct why *why) MUST_USE;

/*
 * A list of patterns as in main.cf: words, domains, networks, "/file/name"
 * (read when opened), "type:table" (a key that is there matches); "!" negates;
 * the first match counts. `what` is the parameter, for messages; with
 * subdomains "x.y" also matches below x.y, else only ".x.y" does.
 */
struct match_list;
struct match_list *match_open(const char *what, const char *list,
                              bool subdomains, struct why *why);
/* The whole word, no domains: mydestination, user lists. */
enum rc match_word(struct match_list *l, struct str word, bool *found,
                   struct why *why) MUST_USE;
/* relay_domains and the like. */
enum rc match_domain(struct match_list *l, struct str domain, bool *found,
                     struct why *why) MUST_USE;
/* mynetworks and the like: by name (or "unknown") and address. */
enum rc match_host(struct match_list *l, struct str name, struct str addr,
                   bool *found, struct why *why) MUST_USE;

#endif
