/* Sessions that are kept to go on with. */
#include "tls/client_cache.h"

#include <unistd.h>

#include "sys/io.h"
#include "unit/test.h"

static struct arena *arena;
static SSL_CTX *ctx;

static SSL_SESSION *
make_session(unsigned char id)
{
    SSL_SESSION *s = SSL_SESSION_new();

    assert_true(SSL_SESSION_set1_id(s, &id, 1));
    assert_true(SSL_SESSION_set_protocol_version(s, TLS1_2_VERSION));
    return s;
}

/* The id of the session that is gone on with; 0: none. */
static unsigned
resume(struct client_cache *c, struct client_entry *e)
{
    SSL *ssl = SSL_new(ctx);
    unsigned len, id = 0;

    client_cache_resume(c, e, ssl);
    if (SSL_get_session(ssl))
        id = SSL_SESSION_get_id(SSL_get_session(ssl), &len)[0];
    SSL_free(ssl);
    return id;
}

static void
keep(struct client_cache *c, const struct client_entry *e, unsigned char id)
{
    SSL_SESSION *s = make_session(id);

    client_cache_put(c, e, s);
    SSL_SESSION_free(s);
}

static void
by_key(void **state)
{
    struct client_cache *c = client_cache_new(arena, 60000);
    struct client_entry e = {.key = S("a"), .met = true, .verified = true};
    struct client_entry a = {.key = S("a")}, b = {.key = S("b")};

    (void)state;
    assert_int_equal(resume(c, &a), 0);
    keep(c, &e, 1);
    keep(c, &e, 2);
    assert_int_equal(resume(c, &b), 0);
    assert_int_equal(resume(c, &a), 2);
    assert_true(a.met && a.verified && !a.trusted);
}

/* The judgement may come before the session or after it. */
static void
what_was_not_met_is_not_kept(void **state)
{
    struct client_cache *c = client_cache_new(arena, 60000);
    struct client_entry e = {.key = S("a")}, a = e;

    (void)state;
    keep(c, &e, 1);
    assert_int_equal(resume(c, &a), 0);
    keep(c, &e, 1);
    e.met = true;
    client_cache_judged(c, &e);
    assert_int_equal(resume(c, &a), 1);
    e.met = false;
    client_cache_judged(c, &e);
    assert_int_equal(resume(c, &a), 0);
}

/* A server that gives a new session each time gets no longer for it. */
static void
age_goes_on(void **state)
{
    struct client_cache *c = client_cache_new(arena, 60000);
    struct client_entry e = {.key = S("a"), .met = true}, a = {.key = S("a")};

    (void)state;
    keep(c, &e, 1);
    assert_int_equal(resume(c, &a), 1);
    int64_t until = a.until;

    assert_true(until > 0);
    usleep(2000);
    keep(c, &a, 2);
    assert_int_equal(resume(c, &a), 2);
    assert_true(a.until == until);
    a.until = io_now() - 1;
    keep(c, &a, 3);
    assert_int_equal(resume(c, &a), 0);
}

static void
many(void **state)
{
    struct client_cache *c = client_cache_new(arena, 60000);

    (void)state;
    for (int i = 0; i < 2000; i++) {
        struct client_entry e = {
            .key = str_from(arena_fmt(arena, "server %d", i)), .met = true};

        keep(c, &e, (unsigned char)(i % 200 + 1));
        assert_int_equal(resume(c, &e), i % 200 + 1);
    }
}

static int
set_up(void **state)
{
    (void)state;
    arena = arena_new("test", 1 << 20);
    ctx = SSL_CTX_new(TLS_client_method());
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    SSL_CTX_free(ctx);
    arena_free(arena);
    return 0;
}

TESTS_WITHIN(set_up, tear_down, TEST(by_key),
             TEST(what_was_not_met_is_not_kept), TEST(age_goes_on), TEST(many))
