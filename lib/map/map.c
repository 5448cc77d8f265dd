#include "map/map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/hash.h"
#include "base/log.h"
#include "map/fold.h"
#include "map/type.h"

#define TRY_AGAIN_MS 1000 /* what could not be opened and is what it was */
#define SAY_AGAIN_MS 60000

struct map {
    const struct map_type *type; /* NULL: nobody knows it */
    const char *spec, *type_name, *name;
    const char *path; /* the file behind it, or NULL */
    struct map_table table;
    bool fixed; /* map_open_fixed */
    bool usable;
    int64_t looked, tried, said; /* milliseconds */
    struct stat seen;            /* the file when it was opened */
    struct why why;              /* why it is not usable */
};

static struct {
    struct hash *by_spec, *fixed; /* tables by "type:name" */
    struct arena *life;
    bool changed, stay;
} all;

struct arena *
map_life(void)
{
    if (all.life == NULL)
        all.life = arena_new("tables", (size_t)64 << 20);
    return all.life;
}

static const struct {
    const char *name;
    const struct map_type *type;
} types[] = {
#define TYPE(name, type) {name, &(type)},
#include "map/types.def"
};

static int64_t
now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
say(struct map *m)
{
    m->said = m->tried;
    log_warn("table %s: %s", m->spec, m->why.text);
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev &&
           a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void
shut(struct map *m)
{
    if (m->usable && m->type->close)
        m->type->close(m->table.own);
    m->usable = false;
}

/* A worker without rights cannot read what master could: the table it has is
 * better than none. */
static bool
keep_old(struct map *m, const struct why *why)
{
    if (!m->usable || errno != EACCES)
        return false;
    log_warn("table %s has changed, and this process may not read it: it goes "
             "on with the old contents until it is replaced (%s)",
             m->spec, why->text);
    return true;
}

static void
try_open(struct map *m)
{
    struct map_table fresh = {.pattern = m->type->pattern, .fixed = m->fixed};
    struct why why = {0};
    struct stat st = {0};
    bool was = m->usable, said = m->why.text[0];

    if (m->path && stat(m->path, &st) < 0)
        memset(&st, 0, sizeof st);
    if (m->type->open(m->type_name, m->name, &fresh, &why) == OK) {
        shut(m);
        m->table = fresh;
        m->usable = true;
        if (said)
            log_info("table %s can be used now", m->spec);
        m->why = (struct why){0};
    } else if (!keep_old(m, &why)) {
        bool news = was || strcmp(why.text, m->why.text) != 0;

        shut(m);
        m->why = why;
        if (news)
            say(m);
    }
    m->seen = st;
}

static bool
is_as_seen(const struct map *m)
{
    struct stat st;

    if (m->path == NULL)
        return true;
    if (stat(m->path, &st) < 0)
        memset(&st, 0, sizeof st);
    return same_file(&st, &m->seen);
}

/*
 * The clock's ticks are some ms: the many questions of one session cost one
 * look, and whoever makes a table and then asks gets its answer.
 */
static void
refresh(struct map *m)
{
    int64_t now = now_ms();

    if (now == m->looked || m->type == NULL || (all.stay && m->usable))
        return;
    m->looked = now;
    if (is_as_seen(m) && (m->usable || now - m->tried < TRY_AGAIN_MS))
        return;
    bool was = m->usable;

    m->tried = now;
    try_open(m);
    all.changed = all.changed || was || m->usable;
}

void
map_stay(void)
{
    all.stay = true;
}

bool
map_changed(void)
{
    return all.changed;
}

static const struct map_type *
find_type(struct str name)
{
    for (size_t i = 0; i < COUNT(types); i++)
        if (str_eq(name, str_from(types[i].name)))
            return types[i].type;
    return NULL;
}

static struct str
without_proxy(struct str spec)
{
    while (str_skip(&spec, S("proxy:")))
        ;
    return spec;
}

const char *
map_file(struct arena *a, const char *spec, const char **source)
{
    struct str name = without_proxy(str_from(spec)), type;

    str_cut(&name, ':', &type);
    if (find_type(type) != &type_lmdb)
        return NULL;
    *source = arena_cstr(a, name);
    return arena_fmt(a, "%s%s", *source, type_lmdb.suffix);
}

/* Where the table cannot even be tried, why says so. */
static enum rc
prepare(struct map *m, struct str spec, struct why *why)
{
    struct str type;

    if (!str_cut(&spec, ':', &type) || type.len == 0 || spec.len == 0)
        return fail(why, "5.3.5",
                    "open dictionary: expecting \"type:name\" form instead of "
                    "\"%s\"",
                    m->spec);
    m->type_name = arena_cstr(map_life(), type);
    m->name = arena_cstr(map_life(), spec);
    m->type = find_type(type);
    if (m->type == NULL)
        return fail(why, "5.3.5", "unsupported dictionary type: %s",
                    m->type_name);
    if (m->type->suffix && m->name[0] != '{')
        m->path = arena_fmt(map_life(), "%s%s", m->name, m->type->suffix);
    return OK;
}

static struct map *
make(struct str spec, bool fixed)
{
    struct map *m = arena_make(map_life(), struct map);

    m->fixed = fixed;
    m->spec = arena_cstr(map_life(), spec);
    m->looked = m->tried = now_ms();
    if (prepare(m, spec, &m->why) == OK)
        try_open(m);
    else
        say(m);
    return m;
}

static struct map *
find(const char *spec, bool fixed, struct why *why)
{
    /* What Postfix asks its proxymap server is asked here at once. */
    struct str name = without_proxy(str_from(spec));
    struct hash **known = fixed ? &all.fixed : &all.by_spec;
    struct map *m;

    if (*known == NULL)
        *known = hash_new();
    m = hash_get(*known, name);
    if (m == NULL) {
        m = make(name, fixed);
        *hash_put(*known, name) = m;
    }
    refresh(m);
    if (why)
        *why = m->why;
    return m;
}

struct map *
map_open(const char *spec, struct why *why)
{
    return find(spec, false, why);
}

struct map *
map_open_fixed(const char *spec, struct why *why)
{
    return find(spec, true, why);
}

const char *
map_name(const struct map *m)
{
    return m->spec;
}

bool
map_owner(const struct map *m, uid_t *owner)
{
    *owner = m->seen.st_uid;
    return m->path && m->usable;
}

bool
map_is_pattern(const struct map *m)
{
    return m->usable && m->table.pattern;
}

enum rc
map_get(struct map *m, struct str key, struct arena *a, struct str *value,
        struct why *why)
{
    if (m->type && m->type->fold)
        key = map_fold(a, key);
    return map_get_exact(m, key, a, value, why);
}

enum rc
map_get_exact(struct map *m, struct str key, struct arena *a, struct str *value,
              struct why *why)
{
    enum rc rc;

    *value = (struct str){NULL, 0};
    refresh(m);
    if (!m->usable || m->type == NULL) {
        if (m->tried - m->said >= SAY_AGAIN_MS)
            say(m);
        return fail(why, "4.3.0", "Temporary lookup failure");
    }
    rc = m->type->get(m->table.own, key, a, value, why);
    if (rc != OK) {
        log_warn("table %s: query error: %s", m->spec, why->text);
        return fail(why, "4.3.0", "Temporary lookup failure");
    }
    return OK;
}
