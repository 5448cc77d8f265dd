/*
 * Nothing that a message holds can pass for its end, or for a command: random
 * content of dots, CR, LF and a few letters is sent, and what went over the
 * wire is taken apart again.
 */
#include "smtp/content.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "smtp/session.h"
#include "unit/scratch.h"

static struct settings settings = {.line_length_limit = 998};

static struct str
random_content(size_t len)
{
    static const char letters[] = "..\r\r\n\na";
    struct buf b = buf_in(scratch);

    for (size_t i = 0; i < len; i++)
        buf_addc(&b, letters[(size_t)rand() % (sizeof letters - 1)]);
    return buf_str(&b);
}

struct wire {
    struct session *session;
    struct buf chunks;
};

static enum io
take_chunk(void *self, struct str data, bool last)
{
    struct wire *w = self;

    (void)last;
    buf_add(&w->chunks, data);
    return IO_OK;
}

/* What comes out at the other end of a session. */
static struct str
send_it(struct str text, bool chunks)
{
    int file = memfd_create("content", MFD_CLOEXEC), ends[2];
    struct buf got = buf_in(scratch);
    struct why why;

    assert_int_equal(write(file, text.p, text.len), text.len);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);

    struct session *s = session_over(&settings, ends[0], scratch);
    struct content c = {.fd = file, .end = (int64_t)text.len, .arena = scratch};
    struct wire w = {s, buf_in(scratch)};

    assert_true(content_open(&c, &why));
    if (chunks)
        assert_int_equal(content_send_chunks(&c, s, take_chunk, &w), IO_OK);
    else
        assert_int_equal(content_send(&c, s), IO_OK);
    assert_int_equal(io_flush(s->io), IO_OK);
    session_close(s);
    for (ssize_t n; (n = read(ends[1], buf_space(&got, 65536), 65536)) > 0;)
        got.len += (size_t)n;
    close(ends[1]);
    close(file);
    return chunks ? buf_str(&w.chunks) : buf_str(&got);
}

/* Every CR is followed by LF and every LF follows CR. */
static void
assert_only_crlf(struct str wire)
{
    for (size_t i = 0; i < wire.len; i++) {
        if (wire.p[i] == '\r')
            assert_true(i + 1 < wire.len && wire.p[i + 1] == '\n');
        if (wire.p[i] == '\n')
            assert_true(i > 0 && wire.p[i - 1] == '\r');
    }
}

static void
assert_ends_once(struct str wire)
{
    struct str body = str_sub(wire, 0, wire.len - 3);

    assert_true(str_ends(wire, S(".\r\n")));
    assert_true(body.len == 0 || str_ends(body, S("\r\n")));
    assert_true(str_search(body, S("\n.\r")) < 0);
    assert_false(str_starts(body, S(".\r")));
}

static void
no_smuggling(void **state)
{
    (void)state;
    for (size_t round = 0; round < 3000; round++) {
        struct str wire = send_it(random_content(round % 40), false);

        assert_only_crlf(wire);
        assert_ends_once(wire);
        arena_reset(scratch);
    }
}

static void
no_smuggling_over_pieces(void **state)
{
    (void)state;
    for (size_t round = 0; round < 20; round++) {
        struct str wire = send_it(random_content(32760 + round), false);

        assert_only_crlf(wire);
        assert_ends_once(wire);
        arena_reset(scratch);
    }
}

static void
chunks_have_no_dots_added(void **state)
{
    (void)state;
    assert_str(send_it(S(".\n..\nx"), true), S(".\r\n..\r\nx\r\n"));
    assert_str(send_it(S("a\rb\r\n"), true), S("a b\r\n"));
    for (size_t round = 0; round < 200; round++) {
        arena_reset(scratch);
        assert_only_crlf(send_it(random_content(round), true));
    }
}

static void
sizes(void **state)
{
    (void)state;
    assert_str(send_it(S(""), false), S(".\r\n"));
    assert_str(send_it(S("a\n"), false), S("a\r\n.\r\n"));
    assert_str(send_it(S("a"), false), S("a\r\n.\r\n"));
    assert_str(send_it(S("."), false), S("..\r\n.\r\n"));
}

TESTS_WITHIN(scratch_make, scratch_free, TEST(no_smuggling),
             TEST(no_smuggling_over_pieces), TEST(chunks_have_no_dots_added),
             TEST(sizes))
