/*
 * Tables that are read whole into memory: texthash (a file of "key value") and
 * inline ("{ key = value, { key = long value } }").
 */
#include "base/hash.h"
#include "base/log.h"
#include "map/fold.h"
#include "map/source.h"
#include "map/type.h"
#include "map/words.h"

struct memory {
    struct arena *arena;
    struct hash *values; /* of struct str */
};

static struct memory *
memory_new(void)
{
    struct arena *a = arena_new("table", 4 * MAP_TEXT_MAX);
    struct memory *m = arena_make(a, struct memory);

    m->arena = a;
    m->values = hash_new();
    return m;
}

static void
memory_close(void *own)
{
    struct memory *m = own;

    hash_free(m->values);
    arena_free(m->arena);
}

/* False where the key is there already: the first one stays. */
static bool
memory_put(struct memory *m, struct str key, struct str value)
{
    void **place = hash_put(m->values, map_fold(m->arena, key));
    struct str *kept = arena_make(m->arena, struct str);

    if (*place)
        return false;
    *kept = value;
    *place = kept;
    return true;
}

static enum rc
memory_get(void *own, struct str key, struct arena *a, struct str *value,
           struct why *why)
{
    struct memory *m = own;
    struct str *found = hash_get(m->values, key);

    (void)why;
    if (found)
        *value = arena_str(a, *found);
    return OK;
}

static void
read_lines(struct memory *m, struct source *s)
{
    struct str line, key, value;
    unsigned number;

    while (source_line(s, m->arena, &line, &number)) {
        const char *wrong = source_pair(line, &key, &value);

        if (wrong)
            log_warn("%s, line %u: %s -- ignoring this line", s->name, number,
                     wrong);
        else if (!memory_put(m, key, value))
            log_warn("%s, line %u: duplicate entry: \"%.*s\"", s->name, number,
                     STR(key));
    }
}

static enum rc
texthash_open(const char *type, const char *name, struct map_table *t,
              struct why *why)
{
    struct memory *m = memory_new();
    struct source s;
    enum rc rc = source_read(&s, m->arena, name, why);

    (void)type;
    if (rc != OK) {
        memory_close(m);
        return rc;
    }
    read_lines(m, &s);
    t->own = m;
    return OK;
}

/* "key = value", in braces or not. */
static enum rc
put_word(struct memory *m, struct str word, const char *name, struct why *why)
{
    struct str key;

    words_unbrace(&word);
    if (!str_cut(&word, '=', &key))
        return fail(why, "5.3.5",
                    "missing '=' after attribute name: \"inline:%s\"; need "
                    "\"inline:{name=value...}\"",
                    name);
    key = str_trim(key);
    if (key.len == 0)
        return fail(why, "5.3.5", "missing attribute name: \"inline:%s\"",
                    name);
    if (!memory_put(m, key, str_trim(word)))
        log_warn("inline:%s: duplicate name: \"%.*s\"", name, STR(key));
    return OK;
}

static enum rc
inline_fill(struct memory *m, const char *name, struct why *why)
{
    struct str list = arena_str(m->arena, str_from(name)), word;
    enum rc rc = OK;

    if (!words_unbrace(&list) || list.len == 0)
        return fail(why, "5.3.5",
                    "bad syntax: \"inline:%s\"; need "
                    "\"inline:{name=value...}\"",
                    name);
    while (rc == OK && words_next(&list, &word))
        rc = put_word(m, word, name, why);
    return rc;
}

static enum rc
inline_open(const char *type, const char *name, struct map_table *t,
            struct why *why)
{
    struct memory *m = memory_new();
    enum rc rc = inline_fill(m, name, why);

    (void)type;
    if (rc == OK)
        t->own = m;
    else
        memory_close(m);
    return rc;
}

const struct map_type type_texthash = {
    .suffix = "",
    .fold = true,
    .open = texthash_open,
    .get = memory_get,
    .close = memory_close,
};

const struct map_type type_inline = {
    .fold = true,
    .open = inline_open,
    .get = memory_get,
    .close = memory_close,
};
