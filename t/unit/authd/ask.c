/* Questions to a checker that says what it is told to, in the same loop. */
#include "authd/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ipc/message.h"
#include "sys/io.h"
#include "sys/sock.h"
#include "unit/test.h"
#include "unit/turn.h"

#define LIMIT_MS 600000

static struct {
    char folder[40], path[64];
    struct arena *a;
    struct loop *loop;
    struct asker *asker;
    int listener;
    struct link link; /* the checker's side */
    struct packet packet;
} test;

struct asked {
    struct ask *ask;
    int answers;
    enum check_verdict verdict;
    struct asked *cancels; /* when it is answered */
};

static void
answered(void *own, const struct answer *answer)
{
    struct asked *k = own;

    k->answers++;
    k->verdict = answer->verdict;
    k->ask = NULL;
    if (k->cancels)
        ask_cancel(k->cancels->ask);
    if (k->cancels)
        k->cancels->ask = NULL;
    k->cancels = NULL;
}

static void
start(struct asked *k, const char *key)
{
    static const struct question question = {
        .what = CHECK_HASH, .user = S("al"), .secret = S("pw")};
    uint8_t bytes[CACHE_KEY] = {0};

    if (key)
        bytes[0] = (uint8_t)*key;
    k->ask = ask_start(test.asker, &question, key ? bytes : NULL, answered, k);
}

/* The checker's next question; false where there is none. */
static bool
question(struct msg_check *m)
{
    if (test.link.fd < 0) {
        int fd = accept4(test.listener, NULL, NULL, SOCK_NONBLOCK);

        test.link =
            (struct link){.fd = fd, .self = SIDE(CHECKER), .peer = SIDE(AUTH)};
    }
    return test.link.fd >= 0 &&
           link_expect(&test.link, &test.packet, MSG_check) == LINK_OK &&
           read_check(&test.packet, m);
}

static void
reply(const struct msg_check *m, enum check_verdict v)
{
    const struct msg_checked out = {.tag = m->tag, .verdict = v};

    assert_true(send_checked(&test.link, &out));
    turn_loop(test.loop);
}

static void
hang_up(void)
{
    if (test.link.fd >= 0)
        close(test.link.fd);
    test.link.fd = -1;
}

static void
open_test(size_t links, int64_t limit)
{
    strcpy(test.folder, "/tmp/posta-unit-XXXXXX");
    assert_non_null(mkdtemp(test.folder));
    snprintf(test.path, sizeof test.path, "%s/checker", test.folder);
    test.listener =
        sock_listen_unix(test.path, SOCK_SEQPACKET | SOCK_NONBLOCK, 0600);
    assert_true(test.listener >= 0);
    test.a = arena_new("test", 1 << 20);
    test.loop = loop_new();
    test.asker = asker_new(test.a, test.loop, test.path, links, limit);
    test.link.fd = -1;
}

static void
close_test(void)
{
    hang_up();
    close(test.listener);
    unlink(test.path);
    rmdir(test.folder);
    arena_free(test.a);
}

/* Those that are the same are asked once, and answered all. */
static void
same_is_asked_once(void **state)
{
    struct asked all[50] = {0}, other = {0};
    struct msg_check m;

    (void)state;
    open_test(1, LIMIT_MS);
    for (size_t i = 0; i < COUNT(all); i++)
        start(&all[i], "k");
    assert_false(ask_has_joined(all[0].ask));
    assert_true(ask_has_joined(all[1].ask));
    start(&other, NULL);
    assert_true(question(&m));
    reply(&m, CHECK_YES);
    for (size_t i = 0; i < COUNT(all); i++) {
        assert_int_equal(all[i].answers, 1);
        assert_int_equal(all[i].verdict, CHECK_YES);
    }
    assert_int_equal(other.answers, 0);
    assert_true(question(&m)); /* the other's: there was one for all */
    reply(&m, CHECK_NO);
    assert_int_equal(other.verdict, CHECK_NO);

    start(&all[0], "k"); /* it is over: this one is asked anew */
    assert_false(ask_has_joined(all[0].ask));
    assert_true(question(&m));
    reply(&m, CHECK_NO);
    assert_int_equal(all[0].verdict, CHECK_NO);
    close_test();
}

/* Who asked first goes away, with the question on its way or in line. */
static void
others_go_on(void **state)
{
    struct asked busy = {0}, a = {0}, b = {0}, c = {0};
    struct msg_check m;

    (void)state;
    open_test(1, LIMIT_MS);
    start(&a, "k");
    start(&b, "k");
    start(&c, "k");
    ask_cancel(a.ask);
    assert_true(question(&m));
    ask_cancel(c.ask);
    reply(&m, CHECK_YES);
    assert_int_equal(a.answers + c.answers, 0);
    assert_int_equal(b.answers, 1);

    start(&busy, NULL);
    start(&a, "k");
    start(&b, "k");
    ask_cancel(a.ask);
    assert_true(question(&m));
    reply(&m, CHECK_NO);
    assert_int_equal(busy.answers, 1);
    assert_true(question(&m));
    reply(&m, CHECK_NO);
    assert_int_equal(b.answers, 2);
    assert_int_equal(a.answers, 0);
    close_test();
}

/* An answer ends another login, whichever of them asked. */
static void
answers_may_cancel(void **state)
{
    (void)state;
    for (int who = 0; who < 3; who++)
        for (int whom = 0; whom < 3; whom++) {
            struct asked all[3] = {0};
            struct msg_check m;

            open_test(1, LIMIT_MS);
            for (int i = 0; i < 3; i++)
                start(&all[i], "k");
            all[who].cancels = &all[whom];
            assert_true(question(&m));
            reply(&m, CHECK_YES);
            for (int i = 0; i < 3; i++) {
                assert_null(all[i].ask);
                assert_true(all[i].answers == 1 || i == whom);
            }
            assert_int_equal(all[who].answers, 1);
            start(&all[0], "k"); /* the link is free again */
            assert_true(question(&m));
            reply(&m, CHECK_YES);
            assert_null(all[0].ask);
            close_test();
        }
}

/* The next question comes from within an answer. */
static void
again(void *own, const struct answer *answer)
{
    struct asked *k = own;

    answered(k, answer);
    if (k->answers == 1)
        start(k, "k");
}

static void
answers_may_ask(void **state)
{
    static const struct question question_again = {
        .what = CHECK_HASH, .user = S("al"), .secret = S("pw")};
    const uint8_t key[CACHE_KEY] = {'k'};
    struct asked a = {0}, b = {0};
    struct msg_check m;

    (void)state;
    open_test(1, LIMIT_MS);
    a.ask = ask_start(test.asker, &question_again, key, again, &a);
    start(&b, "k");
    assert_true(question(&m));
    reply(&m, CHECK_TEMP);
    assert_int_equal(a.answers + b.answers, 2);
    assert_true(question(&m));
    reply(&m, CHECK_YES);
    assert_int_equal(a.verdict, CHECK_YES);
    close_test();
}

/* A checker that dies of it twice is not given it a third time. */
static void
gone_twice(void **state)
{
    struct asked a = {0}, b = {0};
    struct msg_check m;

    (void)state;
    open_test(1, LIMIT_MS);
    start(&a, "k");
    start(&b, "k");
    for (int i = 0; i < 2; i++) {
        assert_true(question(&m));
        assert_int_equal(a.answers + b.answers, 0);
        hang_up();
        turn_loop(test.loop);
    }
    assert_int_equal(a.verdict, CHECK_TEMP);
    assert_int_equal(b.verdict, CHECK_TEMP);
    assert_false(question(&m));
    close_test();
}

/* Is who joined later asked again? Not on a machine so busy that the second's
 * time is over, too. */
static bool
asks_again(int64_t limit)
{
    struct asked a = {0}, b = {0};
    struct msg_check m;

    open_test(1, limit);
    start(&a, "k");
    for (int64_t half = io_now() + limit / 2; io_now() < half;)
        turn_loop(test.loop);
    start(&b, "k");
    assert_true(question(&m));
    while (a.answers == 0)
        turn_loop(test.loop);
    assert_int_equal(a.verdict, CHECK_TEMP);
    hang_up();
    if (b.answers == 0 && question(&m))
        reply(&m, CHECK_YES);
    close_test();
    return b.answers == 1 && b.verdict == CHECK_YES;
}

/* Each has its own time. */
static void
too_late(void **state)
{
    (void)state;
    for (int64_t limit = 100; !asks_again(limit); limit *= 10)
        assert_true(limit < 100000);
}

TESTS(TEST(same_is_asked_once), TEST(others_go_on), TEST(answers_may_cancel),
      TEST(answers_may_ask), TEST(gone_twice), TEST(too_late))
