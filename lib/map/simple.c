/*
 * Tables without a file that need no search: static, environ, fail, randmap.
 */
#include <stdlib.h>
#include <time.h>

#include "base/hash.h"
#include "base/vec.h"
#include "map/type.h"
#include "map/words.h"

/* The name is the table; map.c keeps it as long as the process lives. */
static enum rc
keep_name(const char *type, const char *name, struct map_table *t,
          struct why *why)
{
    (void)type;
    (void)why;
    t->own = (void *)(uintptr_t)name;
    return OK;
}

static enum rc
static_get(void *own, struct str key, struct arena *a, struct str *value,
           struct why *why)
{
    struct str text = str_from(own);

    (void)key;
    (void)why;
    words_unbrace(&text);
    *value = arena_str(a, text);
    return OK;
}

static enum rc
environ_get(void *own, struct str key, struct arena *a, struct str *value,
            struct why *why)
{
    const char *found = getenv(arena_cstr(a, key));

    (void)own;
    (void)why;
    if (found)
        *value = arena_str(a, str_from(found));
    return OK;
}

static enum rc
fail_get(void *own, struct str key, struct arena *a, struct str *value,
         struct why *why)
{
    (void)key;
    (void)a;
    (void)value;
    return fail(why, "4.3.0", "%s", (const char *)own);
}

struct choice {
    VEC(struct str) of;
};

static void
choice_close(void *own)
{
    struct choice *c = own;

    vec_free(&c->of);
    free(c);
}

static enum rc
randmap_open(const char *type, const char *name, struct map_table *t,
             struct why *why)
{
    struct choice *c = calloc(1, sizeof *c);
    struct str list = str_from(name), word;

    (void)type;
    must(c);
    if (words_unbrace(&list))
        while (words_next(&list, &word))
            *vec_add(&c->of) = word;
    if (c->of.len == 0) {
        choice_close(c);
        return fail(why, "5.3.5",
                    "bad syntax: \"randmap:%s\"; need \"randmap:{value...}\"",
                    name);
    }
    t->own = c;
    return OK;
}

static enum rc
randmap_get(void *own, struct str key, struct arena *a, struct str *value,
            struct why *why)
{
    struct choice *c = own;
    struct timespec now;

    (void)key;
    (void)why;

    /* A keyed hash of the time: no system call, and no two workers alike. */
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t pick = hash_of((struct str){(const char *)&now, sizeof now});

    *value = arena_str(a, c->of.at[pick % c->of.len]);
    return OK;
}

const struct map_type type_static = {.open = keep_name, .get = static_get};
const struct map_type type_environ = {
    .fold = true, .open = keep_name, .get = environ_get};
const struct map_type type_fail = {
    .pattern = true, .open = keep_name, .get = fail_get};
const struct map_type type_randmap = {.pattern = true,
                                      .open = randmap_open,
                                      .get = randmap_get,
                                      .close = choice_close};
