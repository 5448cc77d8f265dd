/*
 * A snapshot is a mapped file of NUL-terminated texts: a mark, then name and
 * value of every setting, sorted by name, each pair in turn. Texts of struct
 * conf point into it, so workers share the pages. It goes by names, not by
 * rows: a program that was replaced while its master runs still reads it, and
 * takes defaults of its own for what that master did not know.
 */
#include "conf/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "conf/expand.h"
#include "conf/rows.h"
#include "conf/snapshot.h"
#include "conf/value.h"

static int
pair_order(const void *a, const void *b)
{
    return strcmp(((const struct conf_pair *)a)->name,
                  ((const struct conf_pair *)b)->name);
}

static const char *
pair_get(const struct conf_pairs *pairs, const char *name)
{
    struct conf_pair key = {.name = name};

    if (pairs->count == 0)
        return NULL;
    const struct conf_pair *p =
        bsearch(&key, pairs->at, pairs->count, sizeof *pairs->at, pair_order);

    return p ? p->value : NULL;
}

const char *
conf_get(const struct conf *conf, const char *name)
{
    return pair_get(conf->pairs, name);
}

static const char *
transport_get(const struct conf *conf, const char *transport,
              const char *suffix)
{
    char name[256];

    int len = snprintf(name, sizeof name, "%s_%s", transport, suffix);

    return len < (int)sizeof name ? conf_get(conf, name) : NULL;
}

int64_t
conf_transport_int(const struct conf *conf, const char *transport,
                   const char *suffix, int64_t fallback)
{
    const char *text = transport_get(conf, transport, suffix);
    int64_t value;

    return text && value_int(str_from(text), &value) ? value : fallback;
}

int64_t
conf_transport_time(const struct conf *conf, const char *transport,
                    const char *suffix, int64_t fallback)
{
    const char *text = transport_get(conf, transport, suffix);
    int64_t value;

    return text && value_time(str_from(text), 's', &value) ? value : fallback;
}

/* `fallback` is the expanded default, whose unit a TIME without one has. */
static bool
set_field(struct conf *conf, const struct conf_row *row, const char *value,
          struct str fallback)
{
    char *field = (char *)conf + row->offset;
    struct str text = str_from(value);
    int64_t *number = (int64_t *)(void *)field;

    switch (row->type) {
    case CONF_TEXT:
    case CONF_RAW:
    case CONF_MAPS:
    case CONF_LIST:
        *(const char **)(void *)field = value;
        return true;
    case CONF_INT:
    case CONF_SIZE:
        return value_int(text, number);
    case CONF_TIME:
        return value_time(text, value_unit(fallback), number);
    case CONF_BOOL:
        return value_bool(text, (bool *)field);
    }
    return false;
}

static bool
get_pair(void *self, struct str name, struct str *raw)
{
    const struct conf *conf = self;
    char text[256];

    if (name.len >= sizeof text)
        return false;
    memcpy(text, name.p, name.len);
    text[name.len] = '\0';
    *raw = str_from(conf_get(conf, text));
    return raw->p != NULL;
}

/* Set every field; of names the snapshot lacks, to the default. */
static enum rc
fill(struct arena *life, struct conf *conf, struct why *why)
{
    struct expand_names names = {get_pair, conf};

    for (size_t i = 0; i < conf_row_count; i++) {
        const struct conf_row *row = &conf_rows[i];
        struct str fallback = str_from(row->fallback);
        const char *value = conf_get(conf, row->name);

        if (row->type != CONF_RAW &&
            expand(life, fallback, &names, &fallback, why) != OK)
            return rc_of(why->dsn);
        if (value == NULL)
            value = arena_cstr(life, fallback);
        if (!set_field(conf, row, value, fallback))
            return fail(why, "5.3.5", "bad value of %s: %s", row->name, value);
    }
    return OK;
}

static bool
take_text(struct str *s, const char **text)
{
    const char *end = memchr(s->p, '\0', s->len);

    if (end == NULL)
        return false;
    *text = s->p;
    *s = str_sub(*s, (size_t)(end - s->p) + 1, s->len);
    return true;
}

static enum rc
parse_snapshot(struct arena *life, struct str s, struct conf_pairs *pairs,
               struct why *why)
{
    size_t nuls = 0;

    for (size_t i = 0; i < s.len; i++)
        nuls += s.p[i] == '\0';
    if (!str_skip(&s, S(SNAPSHOT_MARK)) || nuls % 2 != 0)
        return fail(why, "4.3.5", "not a snapshot of settings");
    pairs->at = arena_alloc(life, nuls / 2 * sizeof *pairs->at);
    for (struct conf_pair *p = pairs->at; s.len > 0; p++) {
        if (!take_text(&s, &p->name) || !take_text(&s, &p->value) ||
            (pairs->count > 0 && strcmp(p[-1].name, p->name) >= 0))
            return fail(why, "4.3.5", "a broken snapshot of settings");
        pairs->count++;
    }
    return OK;
}

const struct conf *
conf_make(struct arena *life, const struct conf_pairs *pairs, struct why *why)
{
    struct conf *conf = arena_make(life, struct conf);

    conf->pairs = pairs;
    return fill(life, conf, why) == OK ? conf : NULL;
}

static enum rc
map_file(int fd, struct str *bytes, struct why *why)
{
    struct stat st;
    void *map = MAP_FAILED;

    if (fstat(fd, &st) == 0 && st.st_size > 0)
        map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return fail(why, "4.3.5", "cannot map the snapshot of settings: %m");
    *bytes = (struct str){map, (size_t)st.st_size};
    return OK;
}

const struct conf *
conf_from_snapshot(struct arena *life, int fd, struct why *why)
{
    struct conf_pairs *pairs = arena_make(life, struct conf_pairs);
    struct str bytes = {0};

    if (map_file(fd, &bytes, why) != OK ||
        parse_snapshot(life, bytes, pairs, why) != OK)
        return NULL;
    return conf_make(life, pairs, why);
}
