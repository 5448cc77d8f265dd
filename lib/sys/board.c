#include "sys/board.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RATES 16384u /* a power of two */
#define PROBE 8u     /* places where an address may stand */

/* An IPv6 address in two halves; IPv4 is mapped, none is all zero. */
struct address {
    uint64_t half[2];
};

struct client {
    _Atomic uint64_t half[2];
};

/* One client of one crew: key 0 is nobody. */
struct rate {
    _Atomic uint64_t key;
    _Atomic int64_t since; /* the window began, monotonic ms */
    _Atomic uint32_t count[BOARD_RATES];
};

/* Odd while master writes; whoever reads tries again then. */
struct tickets {
    _Atomic uint32_t turn;
    uint32_t count;
    struct board_ticket_key key[2];
};

struct board {
    uint64_t secret[2];
    _Atomic uint32_t used; /* places ever taken: the end of every search */
    _Atomic uint8_t called[BOARD_CREWS], renewal[BOARD_CREWS];
    _Atomic uint16_t state[BOARD_PLACES]; /* crew * 4 + state */
    struct client client[BOARD_PLACES];
    struct rate rate[RATES];
    _Atomic uint32_t generation;
    struct tickets tickets;
};

static struct board *
map(int fd)
{
    void *p = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE,
                   MAP_SHARED, fd, 0);

    return p == MAP_FAILED ? NULL : p;
}

struct board *
board_make(int *fd)
{
    struct board *b;

    *fd = memfd_create("board", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (*fd < 0)
        return NULL;
    if (ftruncate(*fd, sizeof *b) == 0 &&
        fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) ==
            0 &&
        (b = map(*fd)) != NULL &&
        getrandom(b->secret, sizeof b->secret, 0) == sizeof b->secret)
        return b;
    close(*fd);
    *fd = -1;
    return NULL;
}

struct board *
board_map(int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return NULL;
    if (st.st_size != sizeof(struct board)) {
        errno = EINVAL;
        return NULL;
    }
    return map(fd);
}

void
board_unmap(struct board *b)
{
    must(munmap(b, sizeof *b) == 0);
}

static uint16_t
word(unsigned crew, enum board_state state)
{
    must(crew < BOARD_CREWS);
    return (uint16_t)(crew * 4 + state);
}

/* The end of the search; never beyond the board whatever a worker wrote. */
static unsigned
used(const struct board *b)
{
    uint32_t n = atomic_load(&b->used);

    return n < BOARD_PLACES ? n : BOARD_PLACES;
}

bool
board_take(struct board *b, unsigned crew, unsigned *place)
{
    for (unsigned i = 0; i < BOARD_PLACES; i++) {
        if (atomic_load(&b->state[i]) % 4 != BOARD_FREE)
            continue;
        atomic_store(&b->state[i], word(crew, BOARD_STARTING));
        if (i >= used(b))
            atomic_store(&b->used, i + 1);
        *place = i;
        return true;
    }
    return false;
}

void
board_clear(struct board *b, unsigned place)
{
    must(place < BOARD_PLACES);
    board_client_leave(b, place);
    atomic_store(&b->state[place], BOARD_FREE);
}

void
board_set(struct board *b, unsigned crew, unsigned place,
          enum board_state state)
{
    must(place < BOARD_PLACES);
    atomic_store(&b->state[place], word(crew, state));
}

unsigned
board_count(const struct board *b, unsigned crew, enum board_state state)
{
    uint16_t wanted = word(crew, state);
    unsigned n = 0, end = used(b);

    for (unsigned i = 0; i < end; i++)
        n += atomic_load_explicit(&b->state[i], memory_order_relaxed) == wanted;
    return n;
}

static bool
anyone_free(const struct board *b, unsigned crew)
{
    uint16_t idle = word(crew, BOARD_IDLE);
    uint16_t starting = word(crew, BOARD_STARTING);
    unsigned end = used(b);

    for (unsigned i = 0; i < end; i++) {
        uint16_t w = atomic_load(&b->state[i]);

        if (w == idle || w == starting)
            return true;
    }
    return false;
}

bool
board_must_call(struct board *b, unsigned crew)
{
    return !anyone_free(b, crew) && atomic_exchange(&b->called[crew], 1) == 0;
}

void
board_looked(struct board *b, unsigned crew)
{
    atomic_store(&b->called[crew], 0);
}

bool
board_ask_renewal(struct board *b, unsigned crew)
{
    must(crew < BOARD_CREWS);
    return atomic_exchange(&b->renewal[crew], 1) == 0;
}

bool
board_take_renewal(struct board *b, unsigned crew)
{
    must(crew < BOARD_CREWS);
    return atomic_exchange(&b->renewal[crew], 0) != 0;
}

static bool
address_of(const struct sockaddr *sa, struct address *a)
{
    unsigned char bytes[16] = {[10] = 0xff, [11] = 0xff};

    if (sa->sa_family == AF_INET)
        memcpy(bytes + 12,
               &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
    else if (sa->sa_family == AF_INET6)
        memcpy(bytes,
               &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
    else
        return false;
    memcpy(a->half, bytes, 16);
    return true;
}

static void
client_store(struct client *c, const struct address *a)
{
    atomic_store(&c->half[0], a->half[0]);
    atomic_store(&c->half[1], a->half[1]);
}

unsigned
board_client_enter(struct board *b, unsigned crew, unsigned place,
                   const struct sockaddr *client)
{
    struct address a;
    uint16_t busy = word(crew, BOARD_BUSY);
    unsigned n = 0, end = used(b);

    must(place < BOARD_PLACES);
    if (!address_of(client, &a))
        return 0;
    client_store(&b->client[place], &a);
    atomic_store(&b->state[place], busy);
    for (unsigned i = 0; i < end; i++)
        n += atomic_load(&b->client[i].half[0]) == a.half[0] &&
             atomic_load(&b->client[i].half[1]) == a.half[1] &&
             atomic_load(&b->state[i]) == busy;
    return n;
}

void
board_client_leave(struct board *b, unsigned place)
{
    static const struct address none;

    must(place < BOARD_PLACES);
    client_store(&b->client[place], &none);
}

static uint64_t
stir(const struct board *b, uint64_t h, uint64_t more)
{
    h = (h ^ more) * 0x9e3779b97f4a7c15u;
    h ^= h >> 29;
    h = (h + b->secret[1]) * 0xbf58476d1ce4e5b9u;
    return h ^ h >> 32;
}

/* Strangers choose addresses; the secret keeps them from choosing where they
 * stand in the table. */
static uint64_t
key_of(const struct board *b, unsigned crew, const struct address *a)
{
    uint64_t h = stir(b, b->secret[0] ^ crew, a->half[0]);

    h = stir(b, h, a->half[1]);
    return h ? h : 1;
}

/* No crew has that number. */
static uint64_t
key_of_login(const struct board *b, struct str login)
{
    uint64_t h = b->secret[0] ^ BOARD_CREWS ^ (uint64_t)login.len << 32;

    while (login.len > 0) {
        struct str part = str_sub(login, 0, sizeof h);
        uint64_t bytes = 0;

        memcpy(&bytes, part.p, part.len);
        h = stir(b, h, bytes);
        login = str_sub(login, part.len, login.len);
    }
    return h ? h : 1;
}

static int64_t
clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
window_start(struct rate *r, int64_t now)
{
    atomic_store(&r->since, now);
    for (int i = 0; i < BOARD_RATES; i++)
        atomic_store(&r->count[i], 0);
}

/* The entry of key, or the one that is given up for it: the oldest window
 * among its possible places (one that was never used began at 0). */
static struct rate *
rate_find(struct board *b, uint64_t key, int64_t now)
{
    struct rate *oldest = NULL;

    for (unsigned i = 0; i < PROBE; i++) {
        struct rate *r = &b->rate[(key + i) % RATES];

        if (atomic_load(&r->key) == key)
            return r;
        if (oldest == NULL ||
            atomic_load(&r->since) < atomic_load(&oldest->since))
            oldest = r;
    }
    atomic_store(&oldest->key, key);
    window_start(oldest, now);
    return oldest;
}

static uint32_t
add(struct board *b, uint64_t key, enum board_rate what, uint32_t n,
    int64_t unit)
{
    int64_t now = clock_ms();
    struct rate *r = rate_find(b, key, now);
    int64_t since = atomic_load(&r->since);

    must(what < BOARD_RATES);
    /* One of those who see the old window's end begins the new one. */
    if (now - since >= unit &&
        atomic_compare_exchange_strong(&r->since, &since, now))
        window_start(r, now);
    return atomic_fetch_add(&r->count[what], n) + n;
}

uint32_t
board_rate_add(struct board *b, unsigned crew, const struct sockaddr *client,
               enum board_rate what, uint32_t n, int64_t unit)
{
    struct address a;

    return address_of(client, &a) ? add(b, key_of(b, crew, &a), what, n, unit)
                                  : 0;
}

uint32_t
board_login_add(struct board *b, struct str login, enum board_rate what,
                uint32_t n, int64_t unit)
{
    return add(b, key_of_login(b, login), what, n, unit);
}

/* ---- TLS */

uint32_t
board_generation(const struct board *b)
{
    return atomic_load_explicit(&b->generation, memory_order_relaxed);
}

void
board_next_generation(struct board *b)
{
    atomic_fetch_add(&b->generation, 1);
}

void
board_put_ticket_key(struct board *b, const struct board_ticket_key *key)
{
    struct tickets *t = &b->tickets;

    atomic_fetch_add(&t->turn, 1);
    atomic_thread_fence(memory_order_seq_cst);
    t->key[1] = t->key[0];
    t->key[0] = *key;
    t->count += t->count < 2;
    atomic_fetch_add(&t->turn, 1);
}

void
board_no_tickets(struct board *b)
{
    struct tickets *t = &b->tickets;

    atomic_fetch_add(&t->turn, 1);
    atomic_thread_fence(memory_order_seq_cst);
    t->count = 0;
    atomic_fetch_add(&t->turn, 1);
}

unsigned
board_ticket_keys(const struct board *b, struct board_ticket_key keys[2])
{
    const struct tickets *t = &b->tickets;

    /* A writer that was killed in between leaves it odd: then no tickets. */
    for (int tries = 0; tries < 1000; tries++) {
        uint32_t turn = atomic_load(&t->turn);
        uint32_t count = t->count;

        memcpy(keys, t->key, sizeof t->key);
        atomic_thread_fence(memory_order_seq_cst);
        if (turn % 2 == 0 && atomic_load(&t->turn) == turn)
            return count < 2 ? count : 2;
    }
    return 0;
}
