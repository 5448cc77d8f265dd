/*
 * Tables made of tables: unionmap (all answers, joined) and pipemap (the
 * answer of one is the key of the next).
 */
#include "base/buf.h"
#include "base/vec.h"
#include "map/map.h"
#include "map/type.h"
#include "map/words.h"

struct parts {
    VEC(struct map *) of;
};

static void
parts_close(void *own)
{
    struct parts *p = own;

    vec_free(&p->of);
    vec_release(p);
}

static enum rc
parts_open(const char *type, const char *name, struct map_table *t,
           struct why *why)
{
    size_t none = 0;
    struct parts *p = vec_room(NULL, 0, &none, sizeof *p);
    struct str list = str_from(name), word;
    struct arena *a = arena_new("table names", 1 << 20);

    why->text[0] = '\0';
    if (words_unbrace(&list) && list.len < 1 << 16)
        while (why->text[0] == '\0' && words_next(&list, &word)) {
            const char *spec = arena_cstr(a, word);
            struct map *m =
                t->fixed ? map_open_fixed(spec, why) : map_open(spec, why);

            t->pattern |= map_is_pattern(m);
            *vec_add(&p->of) = m;
        }
    arena_free(a);
    t->own = p;
    if (why->text[0] == '\0' && p->of.len > 0)
        return OK;

    enum rc rc = TEMP;

    if (why->text[0] == '\0')
        rc = fail(why, "5.3.5",
                  "bad syntax: \"%s:%s\"; need \"%s:{type:name...}\"", type,
                  name, type);
    parts_close(p);
    return rc;
}

static enum rc
union_get(void *own, struct str key, struct arena *a, struct str *value,
          struct why *why)
{
    struct parts *p = own;
    struct buf joined = buf_in(a);

    for (size_t i = 0; i < p->of.len; i++) {
        struct str one;

        if (map_get(p->of.at[i], key, a, &one, why) != OK)
            return TEMP;
        if (one.p == NULL)
            continue;
        if (joined.len > 0)
            buf_addc(&joined, ',');
        buf_add(&joined, one);
        *value = buf_str(&joined);
    }
    return OK;
}

static enum rc
pipe_get(void *own, struct str key, struct arena *a, struct str *value,
         struct why *why)
{
    struct parts *p = own;

    for (size_t i = 0; i < p->of.len; i++) {
        if (map_get(p->of.at[i], key, a, value, why) != OK)
            return TEMP;
        if (value->p == NULL)
            return OK;
        key = *value;
    }
    return OK;
}

const struct map_type type_unionmap = {
    .open = parts_open, .get = union_get, .close = parts_close};
const struct map_type type_pipemap = {
    .open = parts_open, .get = pipe_get, .close = parts_close};
