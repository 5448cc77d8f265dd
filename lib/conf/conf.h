/*
 * conf.h - the configuration as programs read it: conf->name.
 *
 * master reads main.cf and master.cf once, checks them, and hands each child
 * a sealed snapshot of its service's settings (with -o applied and $names
 * expanded); struct conf is made from parameters.def, one field a row.
 *
 *   TEXT, MAPS, LIST   const char *, never NULL
 *   RAW                the same, with its $names left for the reader to fill
 *   INT                int64_t
 *   SIZE               int64_t, bytes
 *   TIME               int64_t, milliseconds
 *   BOOL               bool
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "base/arena.h"
#include "base/why.h"

#define CONF_TYPE_TEXT const char *
#define CONF_TYPE_RAW  const char *
#define CONF_TYPE_MAPS const char *
#define CONF_TYPE_LIST const char *
#define CONF_TYPE_INT  int64_t
#define CONF_TYPE_SIZE int64_t
#define CONF_TYPE_TIME int64_t
#define CONF_TYPE_BOOL bool

struct conf {
#define PARAM(name, type, default, readers, meaning) CONF_TYPE_##type name;
#include "conf/parameters.def"
    const struct conf_pairs *pairs; /* all names; conf_get */
};

/*
 * Any name, also one that is no row: a transport's own
 * ("slow_destination_concurrency_limit") or one the site made up. NULL if
 * main.cf does not set it and it has no default.
 */
const char *conf_get(const struct conf *conf, const char *name);

/*
 * A per-transport setting: TRANSPORT_SUFFIX where set, else `fallback`.
 * conf_transport_time answers in milliseconds.
 */
int64_t conf_transport_int(const struct conf *conf, const char *transport,
                           const char *suffix, int64_t fallback);
int64_t conf_transport_time(const struct conf *conf, const char *transport,
                            const char *suffix, int64_t fallback);

/*
 * The snapshot that master made, from its memory file, which stays mapped (fd
 * may be closed). NULL with why where it is none.
 */
const struct conf *conf_from_snapshot(struct arena *life, int fd,
                                      struct why *why);

/* What this text as main.cf comes to, for tests and tools. NULL with why. */
const struct conf *conf_from_text(struct arena *life, const char *main_cf,
                                  struct why *why);

#endif
