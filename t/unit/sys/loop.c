#include "sys/loop.h"

#include <unistd.h>

#include "unit/test.h"

static struct {
    struct loop *loop;
    int due[8], count;
} got;

static void
note(void *self)
{
    got.due[got.count++] = (int)(intptr_t)self;
    if (got.count == 3)
        loop_stop(got.loop);
}

/* In the order of their times. */
static void
timers(void **state)
{
    struct timer *gone;

    (void)state;
    got.loop = loop_new();
    got.count = 0;
    loop_after(got.loop, 20, note, (void *)3);
    loop_after(got.loop, 1, note, (void *)1);
    gone = loop_after(got.loop, 5, note, (void *)9);
    loop_after(got.loop, 10, note, (void *)2);
    loop_cancel(gone);
    loop_run(got.loop);
    for (int i = 0; i < 3; i++)
        assert_int_equal(got.due[i], i + 1);
    loop_free(got.loop);
}

static void
stop_now(void *self)
{
    (void)self;
    loop_stop(got.loop);
}

/* A stop that came before the loop ran is not forgotten, and counts once. */
static void
early_stop(void **state)
{
    (void)state;
    got.loop = loop_new();
    loop_stop(got.loop);
    loop_run(got.loop);
    loop_after(got.loop, 1, stop_now, NULL);
    loop_run(got.loop);
    loop_free(got.loop);
}

static void
again(void *rounds)
{
    /* once in each, whatever else is to come */
    assert_int_equal(*(int *)rounds, got.count);
    if (++got.count == 10)
        loop_stop(got.loop);
    loop_after(got.loop, 0, again, rounds);
}

static void
count_round(void *rounds)
{
    ++*(int *)rounds;
}

static void
without_delay(void **state)
{
    int rounds = 0;

    (void)state;
    got.loop = loop_new();
    got.count = 0;
    for (int i = 0; i < 20; i++)
        loop_after(got.loop, 60000, note, NULL);
    loop_each_round(got.loop, count_round, &rounds);
    loop_after(got.loop, 0, again, &rounds);
    loop_run(got.loop);
    assert_int_equal(got.count, 10);
    loop_free(got.loop);
}

static void
readable(void *self, unsigned events)
{
    struct watch **w = self;

    assert_int_equal(events, LOOP_READ);
    loop_unwatch(*w);
    loop_unwatch(*w); /* twice does no harm within a round */
    got.count++;
    loop_stop(got.loop);
}

static void
watches(void **state)
{
    struct watch *w;
    int ends[2];

    (void)state;
    got.loop = loop_new();
    got.count = 0;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    w = loop_watch(got.loop, ends[0], LOOP_READ, readable, &w);
    loop_run(got.loop);
    assert_int_equal(got.count, 1);
    loop_free(got.loop);
    close(ends[0]);
    close(ends[1]);
}

TESTS(TEST(timers), TEST(early_stop), TEST(without_delay), TEST(watches))
