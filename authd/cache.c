#include "cache.h"

#include <string.h>

#include "base/pack.h"
#include "tls/digest.h"

#define WAYS 4
#define TEXT 424 /* bytes of user and fields that are kept */

/* More than a process may hold would end it. */
#define BYTES_MAX ((size_t)128 << 20)

struct entry {
    uint8_t key[CACHE_KEY];
    int64_t until; /* 0: free */
    uint64_t used; /* higher is later */
    enum check_verdict verdict;
    unsigned which;
    uint16_t user_len, fields_len;
    char text[TEXT];
};

struct cache {
    struct cache_limits limits;
    uint8_t secret[32];
    uint64_t clock;
    size_t sets;
    struct entry *at;
    struct arena *scratch; /* holds a question while its key is made */
};

struct cache *
cache_new(struct arena *life, const struct cache_limits *limits)
{
    struct cache *c = arena_make(life, struct cache);

    c->limits = *limits;
    c->sets = (limits->bytes < BYTES_MAX ? limits->bytes : BYTES_MAX) /
              (WAYS * sizeof(struct entry));
    c->at = arena_alloc(life, (c->sets ? c->sets : 1) * WAYS * sizeof *c->at);
    c->scratch = arena_new("question", (size_t)1 << 20);
    digest_random(c->secret, sizeof c->secret);
    return c;
}

bool
cache_key(const struct cache *c, const struct question *q, struct str stamp,
          uint8_t key[CACHE_KEY])
{
    struct buf b = buf_in(c->scratch);
    uint8_t out[DIGEST_MAX];

    if (q->what != CHECK_HASH && q->what != CHECK_WASTE &&
        q->what != CHECK_PASSWORD)
        return false;
    pack_num(&b, q->what);
    pack_text(&b, q->source);
    pack_text(&b, q->user);
    pack_text(&b, q->secret);
    pack_text(&b, q->stored);
    pack_text(&b, q->service);
    pack_text(&b, q->address);
    pack_text(&b, stamp);
    digest_hmac(DIGEST_SHA256, (struct str){(const char *)c->secret, 32},
                buf_str(&b), out);
    memcpy(key, out, CACHE_KEY);
    explicit_bzero(b.p, b.len);
    arena_reset(c->scratch);
    return true;
}

static struct entry *
set_of(const struct cache *c, const uint8_t key[CACHE_KEY])
{
    uint64_t n;

    memcpy(&n, key, sizeof n);
    return &c->at[n % c->sets * WAYS];
}

bool
cache_get(struct cache *c, const uint8_t key[CACHE_KEY], int64_t now,
          struct answer *a)
{
    if (c->sets == 0)
        return false;
    struct entry *set = set_of(c, key);

    for (int i = 0; i < WAYS; i++) {
        struct entry *e = &set[i];

        if (e->until <= now || memcmp(e->key, key, CACHE_KEY) != 0)
            continue;
        e->used = ++c->clock;
        *a = (struct answer){
            .verdict = e->verdict,
            .which = e->which,
            .user = {e->text,               e->user_len  },
            .fields = {e->text + e->user_len, e->fields_len},
        };
        return true;
    }
    return false;
}

static int64_t
hold(const struct cache *c, enum check_what what, enum check_verdict v)
{
    if (what != CHECK_PASSWORD)
        return INT64_MAX / 2;
    return v == CHECK_YES ? c->limits.ttl : c->limits.negative_ttl;
}

void
cache_put(struct cache *c, const uint8_t key[CACHE_KEY], enum check_what what,
          const struct answer *a, int64_t now)
{
    if (c->sets == 0)
        return;
    struct entry *set = set_of(c, key), *e = &set[0];

    if ((a->verdict != CHECK_YES && a->verdict != CHECK_NO &&
         a->verdict != CHECK_UNKNOWN) ||
        a->user.len + a->fields.len > TEXT)
        return;
    for (int i = 0; i < WAYS; i++) {
        if (memcmp(set[i].key, key, CACHE_KEY) == 0) {
            e = &set[i];
            break;
        }
        if (set[i].until <= now || (e->until > now && set[i].used < e->used))
            e = &set[i];
    }
    memcpy(e->key, key, CACHE_KEY);
    e->until = now + hold(c, what, a->verdict);
    e->used = ++c->clock;
    e->verdict = a->verdict;
    e->which = a->which;
    e->user_len = (uint16_t)a->user.len;
    e->fields_len = (uint16_t)a->fields.len;
    if (a->user.len)
        memcpy(e->text, a->user.p, a->user.len);
    if (a->fields.len)
        memcpy(e->text + a->user.len, a->fields.p, a->fields.len);
}
