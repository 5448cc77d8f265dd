#include "sys/conn.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/test.h"
#include "unit/turn.h"

/* One end is a connection in a loop, the other a plain socket. */
static struct {
    struct loop *loop;
    struct conn *conn;
    int peer;
    unsigned inputs, ends, sents;
    bool in_good_order, echo, drop, keep;
} t;

static void
input(void *own)
{
    struct str all = conn_input(t.conn);

    (void)own;
    t.inputs++;
    if (t.drop) {
        conn_free(t.conn);
        t.conn = NULL;
        return;
    }
    if (t.echo)
        conn_put(t.conn, all);
    if (!t.keep)
        conn_skip(t.conn, all.len);
}

static void
ended(void *own, bool in_good_order)
{
    (void)own;
    t.ends++;
    t.in_good_order = in_good_order;
}

static void
sent(void *own)
{
    (void)own;
    t.sents++;
}

static void
begin(size_t in_max)
{
    static const struct conn_user user = {input, ended, sent};
    int ends[2];

    memset(&t, 0, sizeof t);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends),
                     0);
    t.loop = loop_new();
    t.peer = ends[1];
    t.conn = conn_new(t.loop, ends[0], in_max, &user, NULL);
}

static void
finish(void)
{
    conn_free(t.conn);
    close(t.peer);
    loop_free(t.loop);
}

static size_t
drain(void)
{
    char data[65536];
    size_t all = 0;
    ssize_t n;

    while ((n = read(t.peer, data, sizeof data)) > 0)
        all += (size_t)n;
    return all;
}

static void
what_comes_is_handed_over(void **state)
{
    char data[16];

    (void)state;
    begin(1000);
    t.echo = true;
    assert_int_equal(write(t.peer, "hello", 5), 5);
    turn_loop(t.loop);
    assert_int_equal(t.inputs, 1);
    assert_int_equal(t.sents, 1);
    assert_int_equal(read(t.peer, data, sizeof data), 5);
    assert_int_equal(conn_received(t.conn), 5);
    assert_int_equal(conn_total_sent(t.conn), 5);
    finish();
}

static void
no_more_is_kept_than_allowed(void **state)
{
    char data[5000] = "";

    (void)state;
    begin(1000);
    t.keep = true;
    assert_int_equal(write(t.peer, data, sizeof data), sizeof data);
    turn_loop(t.loop);
    assert_int_equal(conn_input(t.conn).len, 1000);
    t.keep = false;
    conn_skip(t.conn, 1000);
    turn_loop(t.loop);
    assert_int_equal(conn_received(t.conn), sizeof data);
    finish();
}

static void
output_waits_for_the_peer(void **state)
{
    char data[10000] = "";
    size_t all = 0;

    (void)state;
    begin(1000);
    for (int i = 0; i < 1000; i++)
        conn_put(t.conn, (struct str){data, sizeof data});
    conn_fmt(t.conn, "%d", 12345);
    turn_loop(t.loop);
    assert_true(conn_unsent(t.conn) > 0);
    assert_int_equal(t.sents, 0);
    for (int i = 0; i < 200 && all < 10000005; i++) {
        all += drain();
        turn_loop(t.loop);
    }
    assert_int_equal(all, 10000005);
    assert_int_equal(t.sents, 1);
    finish();
}

static void
an_end_is_told_once(void **state)
{
    (void)state;
    begin(1000);
    assert_int_equal(write(t.peer, "x", 1), 1);
    shutdown(t.peer, SHUT_WR);
    turn_loop(t.loop);
    turn_loop(t.loop);
    assert_int_equal(t.inputs, 1);
    assert_int_equal(t.ends, 1);
    assert_true(t.in_good_order);
    conn_put(t.conn, S("bye"));
    turn_loop(t.loop);
    assert_int_equal(drain(), 3);
    finish();
}

static void
a_callback_may_free(void **state)
{
    (void)state;
    begin(1000);
    t.drop = true;
    assert_int_equal(write(t.peer, "x", 1), 1);
    turn_loop(t.loop);
    assert_null(t.conn);
    finish();
}

static void
held_means_unread(void **state)
{
    (void)state;
    begin(1000);
    conn_hold(t.conn, true);
    assert_int_equal(write(t.peer, "x", 1), 1);
    turn_loop(t.loop);
    assert_int_equal(t.inputs, 0);
    conn_hold(t.conn, false);
    turn_loop(t.loop);
    assert_int_equal(t.inputs, 1);
    conn_hold(t.conn, true);
    close(t.peer);
    turn_loop(t.loop);
    assert_int_equal(t.ends, 1);
    assert_false(t.in_good_order);
    t.peer = dup(0);
    finish();
}

/* A carrier that gives one byte a call of what it has, as TLS may hold more
 * than the socket tells of. */
static struct {
    size_t left;
    bool closed;
} inner;

static enum conn_step
inner_read(void *self, char *data, size_t len, size_t *done)
{
    (void)self;
    (void)len;
    if (inner.left == 0)
        return CONN_WANT_READ;
    inner.left--;
    *data = 'y';
    *done = 1;
    return CONN_DONE;
}

static enum conn_step
inner_write(void *self, const char *data, size_t len, size_t *done)
{
    (void)self;
    (void)data;
    *done = len;
    return CONN_DONE;
}

static void
inner_close(void *self)
{
    (void)self;
    inner.closed = true;
}

static void
a_switch_drops_what_was_read(void **state)
{
    (void)state;
    begin(1000);
    t.keep = true;
    assert_int_equal(write(t.peer, "clear", 5), 5);
    turn_loop(t.loop);
    assert_int_equal(conn_input(t.conn).len, 5);
    inner.left = 100;
    conn_switch(t.conn, (struct conn_carrier){inner_read, inner_write,
                                              inner_close, NULL});
    assert_int_equal(conn_input(t.conn).len, 0);
    t.keep = false;
    assert_int_equal(write(t.peer, "z", 1), 1); /* wakes us once */
    turn_loop(t.loop);
    assert_int_equal(inner.left, 0);
    finish();
    assert_true(inner.closed);
}

static void
a_socket_can_be_given_away(void **state)
{
    (void)state;
    begin(1000);

    int fd = conn_release(t.conn);

    t.conn = NULL;
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(drain(), 1);
    close(fd);
    finish();
}

TESTS(TEST(what_comes_is_handed_over), TEST(no_more_is_kept_than_allowed),
      TEST(output_waits_for_the_peer), TEST(an_end_is_told_once),
      TEST(a_callback_may_free), TEST(held_means_unread),
      TEST(a_switch_drops_what_was_read), TEST(a_socket_can_be_given_away))
