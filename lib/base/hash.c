#include "base/hash.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/log.h"

struct node {
    struct node *next;
    uint64_t sum;
    void *value;
    size_t len;
    char key[];
};

struct hash {
    struct node **slot;
    size_t slots, count;
};

static uint64_t secret[2];

static uint64_t
rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static void
sip_round(uint64_t v[4])
{
    v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
    v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
}

static void
seed(void)
{
    if (secret[0] | secret[1])
        return;
    if (getrandom(secret, sizeof secret, 0) != sizeof secret)
        log_fatal("getrandom: %m");
    secret[0] |= 1;
}

static uint64_t
sip(const uint64_t by[2], struct str key)
{
    uint64_t v[4] = {by[0] ^ 0x736f6d6570736575, by[1] ^ 0x646f72616e646f6d,
                     by[0] ^ 0x6c7967656e657261, by[1] ^ 0x7465646279746573};
    uint64_t word;
    size_t at;

    for (at = 0; key.len - at >= 8; at += 8) {
        memcpy(&word, key.p + at, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    word = (uint64_t)key.len << 56;
    for (size_t i = 0; at + i < key.len; i++)
        word |= (uint64_t)(unsigned char)key.p[at + i] << (8 * i);
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t
hash_of(struct str key)
{
    seed();
    return sip(secret, key);
}

uint64_t
hash_lasting(struct str key)
{
    static const uint64_t nothing[2];

    return sip(nothing, key);
}

static void *
zeroed(size_t count, size_t size)
{
    void *p = calloc(count, size);

    if (p == NULL)
        log_fatal("out of memory in a hash table");
    return p;
}

struct hash *
hash_new(void)
{
    struct hash *h = zeroed(1, sizeof *h);

    h->slots = 8;
    h->slot = zeroed(h->slots, sizeof *h->slot);
    return h;
}

void
hash_free(struct hash *h)
{
    if (h == NULL)
        return;
    for (size_t i = 0; i < h->slots; i++)
        for (struct node *n = h->slot[i], *next; n; n = next) {
            next = n->next;
            free(n);
        }
    free(h->slot);
    free(h);
}

size_t
hash_count(const struct hash *h)
{
    return h->count;
}

/* The link that points to key's node, or to the NULL where it would hang. */
static struct node **
find(const struct hash *h, struct str key, uint64_t sum)
{
    struct node **at = &h->slot[sum & (h->slots - 1)];

    while (*at && ((*at)->sum != sum ||
                   !str_eq((struct str){(*at)->key, (*at)->len}, key)))
        at = &(*at)->next;
    return at;
}

void *
hash_get(const struct hash *h, struct str key)
{
    struct node *n = *find(h, key, hash_of(key));

    return n ? n->value : NULL;
}

static void
widen(struct hash *h)
{
    size_t slots = h->slots * 2;
    struct node **wide = zeroed(slots, sizeof *wide);

    for (size_t i = 0; i < h->slots; i++)
        for (struct node *n = h->slot[i], *next; n; n = next) {
            next = n->next;
            n->next = wide[n->sum & (slots - 1)];
            wide[n->sum & (slots - 1)] = n;
        }
    free(h->slot);
    h->slot = wide;
    h->slots = slots;
}

void **
hash_put(struct hash *h, struct str key)
{
    uint64_t sum = hash_of(key);
    struct node *n = *find(h, key, sum);

    if (n)
        return &n->value;
    if (h->count >= h->slots)
        widen(h);
    n = zeroed(1, sizeof *n + key.len);
    n->sum = sum;
    n->len = key.len;
    if (key.len)
        memcpy(n->key, key.p, key.len);
    n->next = h->slot[sum & (h->slots - 1)];
    h->slot[sum & (h->slots - 1)] = n;
    h->count++;
    return &n->value;
}

void *
hash_del(struct hash *h, struct str key)
{
    struct node **at = find(h, key, hash_of(key)), *n = *at;

    if (n == NULL)
        return NULL;

    void *value = n->value;

    *at = n->next;
    h->count--;
    free(n);
    return value;
}

bool
hash_next(const struct hash *h, size_t *pos, struct str *key, void **value)
{
    /* pos is slot * 2^20 + depth; chains are short. */
    size_t slot = *pos >> 20, depth = *pos & 0xfffff;

    for (; slot < h->slots; slot++, depth = 0) {
        struct node *n = h->slot[slot];

        for (size_t i = 0; n && i < depth; i++)
            n = n->next;
        if (n == NULL)
            continue;
        if (key)
            *key = (struct str){n->key, n->len};
        if (value)
            *value = n->value;
        *pos = slot << 20 | (depth + 1);
        return true;
    }
    return false;
}
