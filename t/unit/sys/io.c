#include "sys/io.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/test.h"

struct ends {
    struct stream *stream;
    int peer;
};

static struct ends
open_ends(void)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                     0);
    return (struct ends){io_open(fds[0]), fds[1]};
}

static void
close_ends(struct ends *e)
{
    io_close(e->stream);
    if (e->peer >= 0)
        close(e->peer);
}

static void
send_text(struct ends *e, struct str s)
{
    assert_int_equal(write(e->peer, s.p, s.len), (ssize_t)s.len);
}

static void
lines(void **state)
{
    struct ends e = open_ends();
    struct str line;
    bool bare;

    (void)state;
    send_text(&e, S("one\r\ntwo\n\r\na\rb\r\r\nlast"));
    assert_int_equal(io_line(e.stream, 100, &line, &bare), IO_OK);
    assert_str(line, S("one"));
    assert_false(bare);
    assert_int_equal(io_line(e.stream, 100, &line, &bare), IO_OK);
    assert_str(line, S("two"));
    assert_true(bare);
    assert_int_equal(io_line(e.stream, 100, &line, NULL), IO_OK);
    assert_str(line, S(""));
    assert_int_equal(io_line(e.stream, 100, &line, NULL), IO_OK);
    assert_str(line, S("a\rb\r"));
    assert_int_equal(io_waiting(e.stream), 4);
    close(e.peer);
    e.peer = -1;
    assert_int_equal(io_line(e.stream, 100, &line, NULL), IO_EOF);
    assert_int_equal(io_received(e.stream), 21);
    close_ends(&e);
}

static void
long_lines(void **state)
{
    struct ends e = open_ends();
    struct str line;

    (void)state;
    send_text(&e, S("12345\r\n123456\r\n12345\n1234567890\r\n12345"));
    assert_int_equal(io_line(e.stream, 5, &line, NULL), IO_OK);
    assert_str(line, S("12345"));
    assert_int_equal(io_line(e.stream, 5, &line, NULL), IO_LONG);
    assert_int_equal(io_line(e.stream, 5, &line, NULL), IO_OK);
    assert_str(line, S("12345"));
    assert_int_equal(io_line(e.stream, 5, &line, NULL), IO_LONG);
    send_text(&e, S("\r\nend\r\n"));
    assert_int_equal(io_line(e.stream, 5, &line, NULL), IO_OK);
    assert_int_equal(io_line(e.stream, 5, &line, NULL), IO_OK);
    assert_str(line, S("end"));
    close_ends(&e);
}

/* Larger than the buffer, in a process of its own so that nobody blocks. */
static void
endless_line(void **state)
{
    struct ends e = open_ends();
    struct str line;

    (void)state;
    if (fork() == 0) {
        char block[4096];

        close(io_fd(e.stream));
        memset(block, 'x', sizeof block);
        for (int i = 0; i < 100; i++)
            if (write(e.peer, block, sizeof block) < 0)
                _exit(1);
        _exit(write(e.peer, "\r\nend\r\n", 7) != 7);
    }
    assert_int_equal(io_line(e.stream, 1000, &line, NULL), IO_LONG);
    assert_int_equal(io_line(e.stream, 1000, &line, NULL), IO_OK);
    assert_str(line, S("end"));
    close_ends(&e);
}

static void
blocks(void **state)
{
    struct ends e = open_ends();
    struct str bytes, line;

    (void)state;
    send_text(&e, S("CMD\r\nabc"));
    assert_int_equal(io_line(e.stream, 100, &line, NULL), IO_OK);
    assert_int_equal(io_peek(e.stream, &bytes), IO_OK);
    assert_str(bytes, S("abc"));
    send_text(&e, S("defg"));
    assert_int_equal(io_need(e.stream, 6, &bytes), IO_OK);
    assert_true(bytes.len >= 6);
    io_skip(e.stream, 6);
    assert_int_equal(io_peek(e.stream, &bytes), IO_OK);
    assert_str(bytes, S("g"));
    close(e.peer);
    e.peer = -1;
    assert_int_equal(io_need(e.stream, 2, &bytes), IO_EOF);
    assert_int_equal(io_waiting(e.stream), 1);
    close_ends(&e);
}

/* All of the buffer can be asked for, wherever in it the reading stands. */
static void
whole_buffer(void **state)
{
    struct ends e = open_ends();
    struct str bytes;

    (void)state;
    if (fork() == 0) {
        char block[1000];

        close(io_fd(e.stream));
        memset(block, 'x', sizeof block);
        for (int i = 0; i < 200; i++)
            if (write(e.peer, block, sizeof block) < 0)
                _exit(1);
        _exit(0);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(io_need(e.stream, 65536, &bytes), IO_OK);
        assert_int_equal(bytes.len, 65536);
        io_skip(e.stream, 50001);
    }
    close_ends(&e);
}

static struct str
received(struct ends *e, char *room, size_t size)
{
    ssize_t n = recv(e->peer, room, size, MSG_DONTWAIT);

    return (struct str){room, n > 0 ? (size_t)n : 0};
}

/* Output waits for a flush or the next wait for input. */
static void
output(void **state)
{
    struct ends e = open_ends();
    char room[100];
    struct str line;

    (void)state;
    io_put(e.stream, S("250 "));
    io_fmt(e.stream, "%s\r\n", "Ok");
    assert_str(received(&e, room, sizeof room), S(""));
    assert_int_equal(io_flush(e.stream), IO_OK);
    assert_str(received(&e, room, sizeof room), S("250 Ok\r\n"));
    send_text(&e, S("a\r\nb\r\n"));
    io_put(e.stream, S("1"));
    assert_int_equal(io_line(e.stream, 100, &line, NULL), IO_OK);
    io_put(e.stream, S("2"));
    assert_int_equal(io_line(e.stream, 100, &line, NULL), IO_OK);
    assert_str(received(&e, room, sizeof room), S("1"));
    io_set_timeout(e.stream, 10);
    assert_int_equal(io_line(e.stream, 100, &line, NULL), IO_TIMEOUT);
    assert_str(received(&e, room, sizeof room), S("2"));
    assert_int_equal(io_sent(e.stream), 10);
    close_ends(&e);
}

static void
large_output(void **state)
{
    struct ends e = open_ends();
    size_t total = 0;
    char *block = calloc(1, 300000), room[4096];
    ssize_t n;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        close(e.peer);
        for (size_t i = 0; i < 300000; i++)
            block[i] = (char)(i % 251);
        io_put(e.stream, (struct str){block, 100000});
        for (size_t i = 100000; i < 300000; i += 1000)
            io_put(e.stream, (struct str){block + i, 1000});
        _exit(io_flush(e.stream) != IO_OK);
    }
    io_close(e.stream);
    while ((n = read(e.peer, room, sizeof room)) > 0)
        for (ssize_t i = 0; i < n; i++)
            assert_int_equal(room[i], (char)(total++ % 251));
    assert_int_equal(total, 300000);
    close(e.peer);
    free(block);
}

static void
gone_reader(void **state)
{
    struct ends e = open_ends();
    struct str line;

    (void)state;
    close(e.peer);
    e.peer = -1;
    io_put(e.stream, S("x"));
    assert_int_equal(io_flush(e.stream), IO_EOF);
    io_put(e.stream, S("y")); /* goes nowhere */
    assert_int_equal(io_line(e.stream, 100, &line, NULL), IO_EOF);
    close_ends(&e);
}

static void
timeouts(void **state)
{
    struct ends e = open_ends();
    struct str line;

    (void)state;
    io_set_timeout(e.stream, 10);
    send_text(&e, S("half a line"));
    assert_int_equal(io_line(e.stream, 100, &line, NULL), IO_TIMEOUT);
    send_text(&e, S(" and the rest\r\n"));
    assert_int_equal(io_line(e.stream, 100, &line, NULL), IO_OK);
    assert_str(line, S("half a line and the rest"));
    io_set_timeout(e.stream, 0);
    io_set_deadline(e.stream, io_now() - 1);
    assert_int_equal(io_line(e.stream, 100, &line, NULL), IO_TIMEOUT);
    close_ends(&e);
}

static void
stops(void **state)
{
    static volatile sig_atomic_t stop;
    struct ends e = open_ends();
    struct str line;

    (void)state;
    io_set_stop(e.stream, &stop);
    send_text(&e, S("a\r\n"));
    assert_int_equal(io_line(e.stream, 100, &line, NULL), IO_OK);
    stop = 1;
    assert_int_equal(io_line(e.stream, 100, &line, NULL), IO_STOPPED);
    close_ends(&e);
}

static int pauses;

static void
pause_comes(void)
{
    pauses++;
}

static void
tells_of_a_pause(void **state)
{
    struct ends e = open_ends();
    struct str line;

    (void)state;
    io_set_idle(e.stream, 10, pause_comes);
    io_set_timeout(e.stream, 30);
    send_text(&e, S("a\r\n"));
    assert_int_equal(io_line(e.stream, 100, &line, NULL), IO_OK);
    assert_int_equal(pauses, 0);
    for (int i = 1; i <= 2; i++) {
        assert_int_equal(io_line(e.stream, 100, &line, NULL), IO_TIMEOUT);
        assert_int_equal(pauses, i);
    }
    close_ends(&e);
}

/* A carrier that gives one byte a call, in upper case. */
static ssize_t
slow_read(void *self, char *data, size_t len)
{
    const char **text = self;

    (void)len;
    if (**text == '\0')
        return 0;
    *data = to_upper(*(*text)++);
    return 1;
}

static ssize_t
no_write(void *self, const char *data, size_t len)
{
    (void)self, (void)data;
    return (ssize_t)len;
}

static void
count_close(void *self)
{
    const char **text = self;

    *text = "closed";
}

/* What came before the switch is gone: nothing in the clear passes for
 * encrypted. */
static void
switches(void **state)
{
    struct ends e = open_ends();
    struct str line;
    const char *text = "secret\r\n";

    (void)state;
    send_text(&e, S("STARTTLS\r\ninjected\r\n"));
    assert_int_equal(io_line(e.stream, 100, &line, NULL), IO_OK);
    io_switch(e.stream,
              (struct io_carrier){slow_read, no_write, count_close, &text});
    assert_int_equal(io_line(e.stream, 100, &line, NULL), IO_OK);
    assert_str(line, S("SECRET"));
    assert_int_equal(io_line(e.stream, 100, &line, NULL), IO_EOF);
    close_ends(&e);
    assert_string_equal(text, "closed");
}

TESTS(TEST(lines), TEST(long_lines), TEST(endless_line), TEST(blocks),
      TEST(whole_buffer), TEST(output), TEST(large_output), TEST(gone_reader),
      TEST(timeouts), TEST(tells_of_a_pause), TEST(stops), TEST(switches))
