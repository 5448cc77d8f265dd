#include "dns/cache.h"

#include <time.h>

#include "base/hash.h"
#include "dns/answer.h"

/* It is emptied where a large answer may not fit any more. */
#define ARENA_MAX  ((size_t)2 << 20)
#define ARENA_ROOM ((size_t)256 << 10)
#define LIFE_LEAST 1000 /* ms: one session asks the same a few times */

struct entry {
    int64_t until;
    struct dns_answer answer;
    bool more;
};

struct cache {
    struct arena *arena; /* holds the answers; reset when full */
    struct hash *table;
};

struct key {
    char text[DNS_NAME_MAX + 4];
    size_t len;
};

struct cache *
cache_new(struct arena *life)
{
    struct cache *c = arena_make(life, struct cache);

    c->arena = arena_new("dns cache", ARENA_MAX);
    c->table = hash_new();
    return c;
}

void
cache_free(struct cache *c)
{
    hash_free(c->table);
    arena_free(c->arena);
}

static int64_t
now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct str
make_key(struct key *k, struct str name, enum dns_type type)
{
    k->text[0] = (char)((unsigned)type >> 8);
    k->text[1] = (char)type;
    k->len = 2;
    for (size_t i = 0; i < name.len && k->len < sizeof k->text; i++)
        k->text[k->len++] = to_lower(name.p[i]);
    return (struct str){k->text, k->len};
}

static void
copy(struct dns_answer *to, const struct dns_answer *from, struct arena *a)
{
    *to = *from;
    to->name = arena_str(a, from->name);
    to->records = arena_alloc(a, sizeof *to->records * (from->count + 1));
    for (size_t i = 0; i < from->count; i++) {
        to->records[i] = from->records[i];
        to->records[i].host = arena_str(a, from->records[i].host);
        to->records[i].data = arena_str(a, from->records[i].data);
    }
}

static struct entry *
find(struct cache *c, struct str name, enum dns_type type)
{
    struct key key;
    struct entry *e = hash_get(c->table, make_key(&key, name, type));

    return e && e->until > now_ms() ? e : NULL;
}

bool
cache_find(struct cache *c, struct str name, enum dns_type type,
           struct arena *a, struct dns_answer *answer, bool *more)
{
    struct entry *e = find(c, name, type);

    if (e == NULL)
        return false;
    copy(answer, &e->answer, a);
    *more = e->more;
    return true;
}

bool
cache_has(struct cache *c, struct str name, enum dns_type type)
{
    return find(c, name, type) != NULL;
}

void
cache_keep(struct cache *c, struct str name, enum dns_type type,
           const struct dns_answer *answer, bool more)
{
    int64_t life = (int64_t)answer->ttl * 1000;
    struct key key;

    if (arena_room(c->arena) < ARENA_ROOM) {
        hash_free(c->table);
        c->table = hash_new();
        arena_reset(c->arena);
    }
    struct entry *e = arena_make(c->arena, struct entry);

    copy(&e->answer, answer, c->arena);
    e->more = more;
    e->until = now_ms() + (life > LIFE_LEAST ? life : LIFE_LEAST);
    *hash_put(c->table, make_key(&key, name, type)) = e;
}
