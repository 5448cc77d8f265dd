#include "table.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cmd.h"

struct table
table_new(struct arena *a)
{
    return (struct table){.arena = a, .places = hash_new()};
}

void
table_free(struct table *t)
{
    hash_free(t->places);
    vec_free(&t->pairs);
}

struct str
table_text(struct str stored)
{
    if (stored.len > 0 && stored.p[stored.len - 1] == '\0')
        stored.len--;
    return stored;
}

/* The pair of a key, made where it is new. */
static struct kv_pair *
place(struct table *t, struct str key, bool *is_new)
{
    void **number = hash_put(t->places, key);

    *is_new = *number == NULL;
    if (*is_new) {
        (void)vec_add(&t->pairs);
        *number = (void *)t->pairs.len;
    }
    return &t->pairs.at[(size_t)*number - 1];
}

bool
table_load(struct table *t, const char *tool, const char *path)
{
    struct kv_pair pair;
    struct why why;
    struct kv *k;
    bool is_new;

    if (kv_open(path, &k, &why) != OK) {
        if (errno == ENOENT)
            return false;
        cmd_fatal(1, tool, "open database %s", why.text);
    }
    for (bool more = kv_first(k, &pair); more; more = kv_next(k, &pair))
        *place(t, table_text(pair.key), &is_new) = (struct kv_pair){
            arena_str(t->arena, pair.key), arena_str(t->arena, pair.value)};
    kv_close(k);
    return true;
}

/* arena_str puts the NUL behind it that may belong to it. */
static struct str
stored(struct table *t, struct str text)
{
    struct str s = arena_str(t->arena, text);

    s.len += !t->without_nul;
    return s;
}

bool
table_put(struct table *t, struct str key, struct str value, enum table_old old)
{
    bool is_new;
    struct kv_pair *pair = place(t, key, &is_new);

    if (is_new || old == TABLE_REPLACE)
        *pair = (struct kv_pair){stored(t, key), stored(t, value)};
    return is_new;
}

/* What was the last pair takes the place that became free. */
bool
table_drop(struct table *t, struct str key)
{
    void *number = hash_del(t->places, key);
    size_t at = (size_t)number - 1;

    if (number == NULL)
        return false;
    vec_drop(&t->pairs, at);
    if (at < t->pairs.len)
        *hash_put(t->places, table_text(t->pairs.at[at].key)) = number;
    return true;
}

static int
by_key(const void *a, const void *b)
{
    return kv_cmp(((const struct kv_pair *)a)->key,
                  ((const struct kv_pair *)b)->key);
}

void
table_save(struct table *t, const char *tool, const char *path,
           const struct stat *like)
{
    struct stat old;
    struct why why;

    /* places is of no use after this. */
    if (t->pairs.len > 0)
        qsort(t->pairs.at, t->pairs.len, sizeof *t->pairs.at, by_key);
    if (stat(path, &old) == 0)
        like = &old;
    if (kv_build(path, t->pairs.at, t->pairs.len, like, &why) != OK)
        cmd_fatal(1, tool, "%s", why.text);
}
