/*
 * snapshot.h - the settings of one service, expanded and sealed.
 */
#ifndef CONF_SNAPSHOT_H
#define CONF_SNAPSHOT_H

#include "base/arena.h"
#include "base/why.h"
#include "conf/names.h"
#include "conf/settings.h"

struct conf_pair {
    const char *name, *value;
};

struct conf_pairs {
    struct conf_pair *at; /* sorted by name */
    size_t count;
};

/*
 * Every parameter's value for these settings: rows as set or by default, and
 * all other names that are set, expanded (but for RAW). PERM names the
 * setting that cannot be.
 */
enum rc snapshot_resolve(struct arena *a, const struct settings *s,
                         const struct names *names, struct conf_pairs *out,
                         struct why *why) MUST_USE;

/*
 * The same as a sealed memory file for conf_from_snapshot; -1 with why. The
 * caller's to close.
 */
int conf_snapshot(const struct settings *s, const struct names *names,
                  struct why *why);

struct conf;

/* struct conf from pairs that stay; NULL with why where a value is bad. */
const struct conf *conf_make(struct arena *life, const struct conf_pairs *pairs,
                             struct why *why);

/* The bytes of a snapshot begin with these. */
#define SNAPSHOT_MARK "posta settings 1\n"

#endif
