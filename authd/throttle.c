#include "throttle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "map/network.h"
#include "tls/digest.h"

#define MAGIC     "POSTA THROTTLE 1"
#define SETS      4096
#define WAYS      8
#define HALF      3600         /* seconds in which a count halves */
#define PAUSE_MAX 900          /* seconds */
#define KNOWN_FOR (30 * 86400) /* seconds that a place stays known */

/* Failures that are free; a network's many users err more often. */
#define FREE_USER    5
#define FREE_NETWORK 50
#define NETWORK_STEP 10 /* failures that double a network's pause */

/*
 * 16 bytes; `key` 0 is free. Two processes that write at once may lose a
 * count, and make nothing worse.
 */
struct entry {
    _Atomic uint64_t key;
    _Atomic uint32_t when; /* of the last change, seconds since 1970 */
    _Atomic uint32_t count;
};

/* Places that are known have a table of their own: guessing cannot displace
 * them. */
enum table { FAILURES, KNOWN, TABLES };

struct file {
    char magic[16];
    uint8_t secret[32]; /* nobody can choose keys that meet */
    char spare[16];
    struct entry at[TABLES][SETS][WAYS];
};

struct throttle {
    struct file *file;
    struct throttle_limits limits;
};

static bool
make_new(int fd)
{
    struct file head = {.magic = MAGIC};

    digest_random(head.secret, sizeof head.secret);
    return ftruncate(fd, 0) == 0 && ftruncate(fd, sizeof head) == 0 &&
           pwrite(fd, head.secret, sizeof head.secret,
                  offsetof(struct file, secret)) == sizeof head.secret &&
           pwrite(fd, head.magic, sizeof head.magic, 0) == sizeof head.magic;
}

static bool
is_ours(int fd)
{
    struct stat st;
    char magic[16];

    return fstat(fd, &st) == 0 && st.st_size == sizeof(struct file) &&
           pread(fd, magic, sizeof magic, 0) == sizeof magic &&
           memcmp(magic, MAGIC, sizeof magic) == 0;
}

enum rc
throttle_open(struct arena *life, int dir, const char *name,
              const struct throttle_limits *limits, struct throttle **t,
              struct why *why)
{
    auto_close int fd =
        openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    *t = NULL;
    if (fd < 0 || (!is_ours(fd) && !make_new(fd)))
        return fail(why, "4.3.0", "cannot make the file %s: %m", name);
    void *map = mmap(NULL, sizeof(struct file), PROT_READ | PROT_WRITE,
                     MAP_SHARED, fd, 0);

    if (map == MAP_FAILED)
        return fail(why, "4.3.0", "cannot map the file %s: %m", name);
    *t = arena_make(life, struct throttle);
    **t = (struct throttle){.file = map, .limits = *limits};
    return OK;
}

void
throttle_close(struct throttle *t)
{
    munmap(t->file, sizeof *t->file);
}

/* ---- keys */

static struct str
network_of(const struct throttle *t, struct str address, unsigned char out[17])
{
    struct network n;

    if (!network_address(address, &n))
        return S("");
    unsigned bits = n.size == 4 ? t->limits.ipv4_bits : t->limits.ipv6_bits;

    out[0] = (unsigned char)n.size;
    memcpy(out + 1, n.bytes, n.size);
    for (unsigned i = 0; i < n.size * 8; i++)
        if (i >= bits)
            out[1 + i / 8] &= (unsigned char)~(0x80u >> i % 8);
    return (struct str){(char *)out, n.size + 1};
}

static uint64_t
key_of(const struct throttle *t, const char *kind, struct str user,
       struct str place)
{
    const struct file *f = t->file;
    const struct str pieces[] = {
        {(const char *)f->secret, sizeof f->secret},
        str_from(kind),
        user,
        {"",                      1               },
        place
    };
    uint8_t hash[DIGEST_MAX];
    uint64_t key;

    digest_of(DIGEST_SHA256, pieces, COUNT(pieces), hash);
    memcpy(&key, hash, sizeof key);
    return key ? key : 1;
}

/* ---- entries */

static struct entry *
find(const struct throttle *t, enum table table, uint64_t key)
{
    struct entry *set = t->file->at[table][key % SETS];

    for (int i = 0; i < WAYS; i++)
        if (set[i].key == key)
            return &set[i];
    return NULL;
}

/* What has become of a count by now. */
static uint32_t
count_of(const struct entry *e, int64_t now)
{
    if (e == NULL)
        return 0;
    int64_t age = now - e->when;

    /* A clock that was put back must not freeze anything. */
    if (age < 0)
        age = 0;
    return age / HALF < 32 ? e->count >> (age / HALF) : 0;
}

static struct entry *
find_or_make(struct throttle *t, enum table table, uint64_t key, int64_t now)
{
    struct entry *set = t->file->at[table][key % SETS], *least = &set[0];
    struct entry *e = find(t, table, key);

    if (e)
        return e;
    for (int i = 0; i < WAYS; i++) {
        uint32_t a = count_of(&set[i], now), b = count_of(least, now);

        if (set[i].key == 0) {
            least = &set[i];
            break;
        }
        if (a < b || (a == b && set[i].when < least->when))
            least = &set[i];
    }
    least->key = key;
    least->count = 0;
    least->when = (uint32_t)now;
    return least;
}

static uint32_t
add(struct throttle *t, uint64_t key, int64_t now)
{
    struct entry *e = find_or_make(t, FAILURES, key, now);
    uint32_t count = count_of(e, now) + 1;

    e->count = count;
    e->when = (uint32_t)now;
    return count;
}

/* ---- who */

static bool
is_known(const struct throttle *t, const struct throttle_client *c, int64_t now)
{
    const struct entry *e =
        c->address.len ? find(t, KNOWN, key_of(t, "known", c->user, c->address))
                       : NULL;

    return e && now - e->when < KNOWN_FOR;
}

/* The key that this user's failures count under. */
static uint64_t
user_key(const struct throttle *t, const struct throttle_client *c, int64_t now)
{
    unsigned char net[17];

    return is_known(t, c, now)
               ? key_of(t, "address", c->user, c->address)
               : key_of(t, "user", c->user, network_of(t, c->address, net));
}

static bool
network_key(const struct throttle *t, const struct throttle_client *c,
            uint64_t *key)
{
    unsigned char net[17];
    struct str network = network_of(t, c->address, net);

    if (c->excepted || network.len == 0)
        return false;
    *key = key_of(t, "network", S(""), network);
    return true;
}

/* Seconds that must have passed since the last failure. */
static int64_t
pause_of(uint32_t count, uint32_t free, uint32_t step)
{
    if (count <= free)
        return 0;
    uint32_t doubled = (count - free) / step;

    return doubled > 9 ? PAUSE_MAX : (int64_t)1 << doubled;
}

static int64_t
wait_for(const struct entry *e, uint32_t free, uint32_t step, int64_t now)
{
    if (e == NULL)
        return 0;
    int64_t age = now - e->when;
    int64_t left = pause_of(count_of(e, now), free, step) - (age > 0 ? age : 0);

    return left > 0 ? left : 0;
}

unsigned
throttle_wait(const struct throttle *t, const struct throttle_client *c,
              int64_t now)
{
    const struct entry *user = find(t, FAILURES, user_key(t, c, now));
    int64_t wait = wait_for(user, FREE_USER, 1, now), also = 0;
    uint64_t key;

    if (!is_known(t, c, now) && network_key(t, c, &key))
        also =
            wait_for(find(t, FAILURES, key), FREE_NETWORK, NETWORK_STEP, now);
    return (unsigned)(wait > also ? wait : also);
}

unsigned
throttle_failed(struct throttle *t, const struct throttle_client *c, bool again,
                int64_t now)
{
    uint64_t user = user_key(t, c, now), network;

    if (again)
        return count_of(find(t, FAILURES, user), now) + 1;
    if (!is_known(t, c, now) && network_key(t, c, &network))
        add(t, network, now);
    return add(t, user, now);
}

void
throttle_succeeded(struct throttle *t, const struct throttle_client *c,
                   int64_t now)
{
    struct entry *failures = find(t, FAILURES, user_key(t, c, now));

    if (failures)
        failures->count = 0;
    if (c->address.len == 0)
        return;
    find_or_make(t, KNOWN, key_of(t, "known", c->user, c->address), now)->when =
        (uint32_t)now;
}
