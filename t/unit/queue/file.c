#include "queue/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ipc/message.h"
#include "queue/format.h"
#include "queue/journal.h"
#include "queue/writer.h"

#include "unit/scratch.h"

#define SEAL 0x1234567812345678

static struct rcpt rcpts[] = {
    {.addr = S("one@example.org"),
     .orig = S("uno@example.org"),
     .orcpt = S("rfc822;uno@example.org"),
     .notify = NOTIFY_SUCCESS | NOTIFY_FAILURE,
     .transport = S("smtp"),
     .nexthop = S("example.org")},
    {.addr = S("two@example.org"),
     .transport = S("smtp"),
     .nexthop = S("example.org")},
    {.addr = S("john doe@here"),
     .notify = NOTIFY_NEVER,
     .transport = S("local"),
     .nexthop = S("here")                   },
};

static const struct envelope envelope = {
    .arrived = 1763787600123456,
    .sender = S("me@example.com"),
    .envid = S("QQ314159"),
    .message_id = S("<1@example.com>"),
    .flags = ENVELOPE_8BIT | ENVELOPE_RET_HDRS,
    .origin = {.name = S("unknown"),
               .addr = S("192.0.2.1"),
               .helo = S("x"),
               .proto = S("ESMTP"),
               .port = 2525},
    .rcpts = rcpts,
    .nrcpts = COUNT(rcpts),
};

static int
empty_file(void)
{
    int fd = memfd_create("queue", MFD_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static int
message(struct str content, const struct envelope *e)
{
    struct queue_writer *w;
    struct why why;
    int fd = empty_file();

    w = queue_write(scratch, fd, SEAL);
    queue_put_delivery_block(w, e->sender, e->nrcpts == 1 ? e->rcpts : NULL);
    queue_put(w, content);
    assert_int_equal(queue_size(w), content.len);
    assert_int_equal(queue_finish(w, e, &why), OK);
    return fd;
}

static void
load(int fd, struct queue_file *f)
{
    struct why why;

    if (queue_load(scratch, fd, SEAL, f, &why) != QUEUE_WHOLE)
        fail_msg("not whole: %s", why.text);
}

static void
expect_rcpts(const struct queue_file *f)
{
    struct queue_cursor c = queue_rcpts(f);
    struct rcpt r;

    for (size_t i = 0; i < COUNT(rcpts); i++) {
        assert_true(queue_next(&c, &r));
        assert_str(r.addr, rcpts[i].addr);
        assert_str(r.orig, rcpts[i].orig);
        assert_str(r.orcpt, rcpts[i].orcpt);
        assert_str(r.transport, rcpts[i].transport);
        assert_str(r.nexthop, rcpts[i].nexthop);
        assert_int_equal(r.notify, rcpts[i].notify);
    }
    assert_false(queue_next(&c, &r));
}

static void
round_trip(void **state)
{
    auto_close int fd = message(S("Subject: x\n\ntext\n"), &envelope);
    struct queue_file f;
    char text[100] = "";

    (void)state;
    load(fd, &f);
    assert_true(f.envelope.arrived == envelope.arrived);
    assert_str(f.envelope.sender, envelope.sender);
    assert_str(f.envelope.envid, envelope.envid);
    assert_str(f.envelope.message_id, envelope.message_id);
    assert_int_equal(f.envelope.flags, envelope.flags);
    assert_str(f.envelope.origin.addr, envelope.origin.addr);
    assert_str(f.envelope.origin.login, S(""));
    assert_int_equal(f.envelope.origin.port, 2525);
    assert_int_equal(f.todo, 3);
    assert_false(f.claimable);
    expect_rcpts(&f);
    assert_int_equal(f.at.stop - f.at.start, 17);
    assert_int_equal(pread(fd, text, (size_t)f.at.stop, 0), f.at.stop);
    assert_string_equal(text, "Return-Path: <me@example.com>\n"
                              "Subject: x\n\ntext\n");
}

static void
large_content(void **state)
{
    size_t sizes[] = {16000, 16384, 16385, 131072, 131073, 5000000};

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        char *p = arena_alloc(scratch, sizes[i]), *back;
        struct queue_file f;

        for (size_t k = 0; k < sizes[i]; k++)
            p[k] = (char)('a' + k % 23);

        auto_close int fd = message((struct str){p, sizes[i]}, &envelope);

        load(fd, &f);
        back = arena_alloc(scratch, sizes[i]);
        assert_int_equal(pread(fd, back, sizes[i], f.at.start), sizes[i]);
        assert_memory_equal(p, back, sizes[i]);
        expect_rcpts(&f);
    }
}

/* Content in many small and large pieces is the same content. */
static void
pieces(void **state)
{
    struct queue_writer *w;
    struct queue_file f;
    struct why why;
    char chunk[200000], back[200000];
    auto_close int fd = empty_file();
    off_t at = 0;

    (void)state;
    memset(chunk, 'x', sizeof chunk);
    w = queue_write(scratch, fd, SEAL);
    for (size_t i = 1; i < 400; i++) {
        chunk[0] = (char)('0' + i % 10);
        queue_put(w, (struct str){chunk, i * 7 % 1000 + 1});
        if (i % 50 == 0)
            queue_put(w, (struct str){chunk, sizeof chunk});
    }
    assert_int_equal(queue_finish(w, &envelope, &why), OK);
    load(fd, &f);
    for (size_t i = 1; i < 400; i++) {
        size_t len = i * 7 % 1000 + 1;

        chunk[0] = (char)('0' + i % 10);
        for (int big = 0; big <= (i % 50 == 0); big++) {
            assert_int_equal(pread(fd, back, len, at), len);
            assert_memory_equal(back, chunk, len);
            at += (off_t)len;
            len = sizeof chunk;
        }
    }
    assert_int_equal(at, f.at.stop);
}

static void
restart_forgets(void **state)
{
    struct queue_writer *w;
    struct queue_file f;
    struct why why;
    char big[300000];
    auto_close int fd = empty_file();

    (void)state;
    memset(big, 'x', sizeof big);
    w = queue_write(scratch, fd, SEAL);
    queue_put(w, (struct str){big, sizeof big});
    queue_restart(w);
    queue_put(w, S("short\n"));
    assert_int_equal(queue_finish(w, &envelope, &why), OK);
    load(fd, &f);
    assert_int_equal(f.at.stop, 6);
    assert_false(f.at.torn);
    assert_int_equal(lseek(fd, 0, SEEK_END), f.at.end);
}

/* Whatever is cut off the end of the first write, nothing is believed. */
static void
unfinished(void **state)
{
    auto_close int fd = message(S("Subject: x\n\ntext\n"), &envelope);
    struct queue_file f;
    struct why why;
    off_t size = lseek(fd, 0, SEEK_END);

    (void)state;
    while (size-- > 0) {
        assert_int_equal(ftruncate(fd, size), 0);
        assert_int_equal(queue_load(scratch, fd, SEAL, &f, &why),
                         QUEUE_UNFINISHED);
        arena_reset(scratch);
    }
}

static void
add_attempt(int fd, struct queue_place *at, int64_t index,
            enum queue_state state)
{
    struct queue_result r = {.index = index,
                             .state = state,
                             .dsn = S("4.4.1"),
                             .text = S("connection refused"),
                             .relay = S("none"),
                             .done = S("half")};

    assert_true(queue_add_attempt(scratch, fd, at, 1000 + index, &r, 1));
}

/* A torn event is no event: the state before it counts, at every byte. */
static void
torn_tails(void **state)
{
    auto_close int fd = message(S("text\n"), &envelope);
    struct queue_file f, g;
    off_t before, size;

    (void)state;
    load(fd, &f);
    add_attempt(fd, &f.at, 0, QUEUE_SENT);
    before = f.at.end;
    add_attempt(fd, &f.at, 1, QUEUE_SENT);
    size = f.at.end;
    load(fd, &g);
    assert_int_equal(g.todo, 1);
    while (--size > before) {
        assert_int_equal(ftruncate(fd, size), 0);
        load(fd, &g);
        assert_int_equal(g.todo, 2);
        assert_int_equal(g.at.end, before);
        assert_true(g.at.torn);
    }

    /* What is added next takes the place of the garbage. */
    assert_int_equal(ftruncate(fd, before + 90), 0);
    load(fd, &g);
    add_attempt(fd, &g.at, 2, QUEUE_FAILED);
    assert_int_equal(lseek(fd, 0, SEEK_END), g.at.end);
    load(fd, &g);
    assert_int_equal(g.todo, 1);
    assert_int_equal(queue_state_of(&g, 2), QUEUE_FAILED);
    assert_false(g.at.torn);
}

/* One wrong bit anywhere behind the content is seen. */
static void
damage(void **state)
{
    auto_close int fd = message(S("text\n"), &envelope);
    struct queue_file f;
    struct why why;
    int64_t end, at;

    (void)state;
    load(fd, &f);
    end = f.at.end;
    at = f.at.stop;
    for (; at < end; at++) {
        char c, wrong;

        assert_int_equal(pread(fd, &c, 1, at), 1);
        wrong = (char)(c ^ 4);
        assert_int_equal(pwrite(fd, &wrong, 1, at), 1);
        assert_int_not_equal(queue_load(scratch, fd, SEAL, &f, &why),
                             QUEUE_WHOLE);
        assert_int_equal(pwrite(fd, &c, 1, at), 1);
        arena_reset(scratch);
    }
    load(fd, &f);
    assert_int_equal(pwrite(fd, "?", 1, f.at.stop + 20), 1);
    assert_int_equal(queue_load(scratch, fd, SEAL, &f, &why), QUEUE_DAMAGED);
}

/* Content that is a queue file itself is content. */
static void
forgery(void **state)
{
    struct buf b = buf_in(scratch);
    struct queue_file f;
    struct queue_writer *w;
    struct why why;
    auto_close int fd = empty_file();

    (void)state;
    for (int i = 0; i < 1000; i++) {
        uint64_t at = b.len;

        format_envelope(&b, &envelope, true);
        format_footer(
            &b, at,
            &(struct footer){.seal = SEAL + 1, .content_end = at, .block = at});
    }
    assert_int_equal(pwrite(fd, b.p, b.len, 0), b.len);
    assert_int_equal(queue_load(scratch, fd, SEAL, &f, &why), QUEUE_UNFINISHED);

    assert_int_equal(ftruncate(fd, 0), 0);
    w = queue_write(scratch, fd, SEAL);
    queue_put(w, buf_str(&b));
    assert_int_equal(queue_finish(w, &envelope, &why), OK);
    load(fd, &f);
    assert_int_equal(f.at.stop, b.len);
    expect_rcpts(&f);
}

static void
results_and_reports(void **state)
{
    auto_close int fd = message(S("text\n"), &envelope);
    struct queue_file f;
    struct queue_result *r;

    (void)state;
    load(fd, &f);
    add_attempt(fd, &f.at, 0, QUEUE_DEFERRED);
    add_attempt(fd, &f.at, 0, QUEUE_SENT);
    add_attempt(fd, &f.at, 1, QUEUE_FAILED);
    add_attempt(fd, &f.at, 2, QUEUE_FAILED);
    load(fd, &f);
    r = queue_results(scratch, &f);
    assert_int_equal(f.todo, 0);
    assert_int_equal(r[0].state, QUEUE_SENT);
    assert_int_equal(r[1].state, QUEUE_FAILED);
    assert_int_equal(r[1].when, 1001);
    assert_str(r[1].text, S("connection refused"));
    assert_str(r[1].done, S("half"));

    /* one: SUCCESS and FAILURE; two: nothing said; the third: NEVER */
    assert_true(queue_reports(&f, 0, &rcpts[0], &r[0], REPORT_SUCCESS));
    assert_false(queue_reports(&f, 0, &rcpts[0], &r[0], REPORT_FAILURE));
    assert_true(queue_reports(&f, 1, &rcpts[1], &r[1], REPORT_FAILURE));
    assert_false(queue_reports(&f, 2, &rcpts[2], &r[2], REPORT_FAILURE));
    assert_true(queue_add_mark(scratch, fd, &f.at, 5, QUEUE_REPORTED_FAILURE));
    load(fd, &f);
    assert_false(queue_reports(&f, 1, &rcpts[1], &r[1], REPORT_FAILURE));
    assert_true(queue_reports(&f, 0, &rcpts[0], &r[0], REPORT_SUCCESS));
}

static void
marks(void **state)
{
    auto_close int fd = message(S("text\n"), &envelope);
    struct queue_file f;
    struct queue_result *r;

    (void)state;
    load(fd, &f);
    add_attempt(fd, &f.at, 0, QUEUE_SENT);
    add_attempt(fd, &f.at, 1, QUEUE_DEFERRED);
    assert_true(queue_add_mark(scratch, fd, &f.at, 5, QUEUE_HOLD));
    load(fd, &f);
    assert_true(f.held && !f.forced && !f.warned);
    assert_int_equal(f.tried, 1001);
    assert_true(queue_add_mark(scratch, fd, &f.at, 6, QUEUE_RELEASE));
    assert_true(queue_add_mark(scratch, fd, &f.at, 6, QUEUE_REQUEUE));
    assert_true(queue_add_mark(scratch, fd, &f.at, 6, QUEUE_FORCE));
    load(fd, &f);
    assert_true(!f.held && f.forced && f.anew);
    assert_int_equal(f.tried, 0);
    assert_int_equal(queue_state_of(&f, 1), QUEUE_TODO);
    assert_int_equal(queue_state_of(&f, 0), QUEUE_SENT);
    assert_true(queue_add_mark(scratch, fd, &f.at, 7, QUEUE_EXPIRED));
    load(fd, &f);
    assert_int_equal(f.todo, 0);
    r = queue_results(scratch, &f);
    assert_int_equal(r[1].state, QUEUE_FAILED);
    assert_str(r[1].dsn, S("4.4.1"));
}

static void
copies(void **state)
{
    auto_close int fd = message(S("text\n"), &envelope);
    auto_close int out = empty_file();
    struct queue_file f, g;
    struct queue_place at = {.seal = SEAL};
    struct queue_result *r;

    (void)state;
    load(fd, &f);
    for (int i = 0; i < 300; i++)
        add_attempt(fd, &f.at, 1, QUEUE_DEFERRED);
    add_attempt(fd, &f.at, 0, QUEUE_SENT);
    assert_true(queue_add_mark(scratch, fd, &f.at, 5, QUEUE_HOLD));
    load(fd, &f);
    assert_int_equal(f.nblocks, 303);
    assert_true(queue_copy(scratch, out, fd, &f, &at));
    load(out, &g);
    assert_int_equal(g.nblocks, 3);
    assert_int_equal(g.at.end, at.end);
    assert_int_equal(g.todo, 2);
    assert_true(g.held);
    expect_rcpts(&g);
    r = queue_results(scratch, &g);
    assert_str(r[1].text, S("connection refused"));
}

/* A claim cut the envelope off; the delivery block knows enough. */
static void
claimed(void **state)
{
    struct envelope one = envelope, e;
    struct queue_file f;
    struct queue_place at;
    struct why why;

    (void)state;
    one.rcpts = &rcpts[2];
    one.nrcpts = 1;

    auto_close int fd = message(S("Subject: x\n\ntext\n"), &one);

    load(fd, &f);
    assert_true(f.claimable);
    assert_int_equal(ftruncate(fd, f.at.stop), 0);
    assert_int_equal(queue_load(scratch, fd, SEAL, &f, &why), QUEUE_UNFINISHED);
    at = (struct queue_place){.seal = SEAL};
    assert_true(queue_read_delivery_block(scratch, fd, &at, &e));
    assert_str(e.sender, S("me@example.com"));
    assert_str(e.rcpts[0].addr, S("john doe@here"));
    assert_true(queue_add_envelope(scratch, fd, &at, &e, true));
    load(fd, &f);
    assert_true(f.claimable);
    assert_int_equal(f.at.stop - f.at.start, 17);
    assert_str(f.envelope.sender, S("me@example.com"));
}

static void
many_rcpts(void **state)
{
    size_t n = 20000, seen = 0;
    struct rcpt *list = arena_alloc(scratch, n * sizeof *list), r;
    struct envelope e = envelope;
    struct queue_file f;

    (void)state;
    for (size_t i = 0; i < n; i++)
        list[i] = (struct rcpt){
            .addr = str_from(arena_fmt(scratch, "user%zu@example.org", i)),
            .transport = i % 1000 ? S("smtp") : S("local"),
            .nexthop = S("example.org")};
    e.rcpts = list;
    e.nrcpts = n;

    auto_close int fd = message(S("text\n"), &e);

    load(fd, &f);
    for (struct queue_cursor c = queue_rcpts(&f); queue_next(&c, &r); seen++) {
        assert_str(r.addr, list[seen].addr);
        assert_str(r.transport, list[seen].transport);
    }
    assert_int_equal(seen, n);
}

TESTS(SCRATCH_TEST(round_trip), SCRATCH_TEST(large_content),
      SCRATCH_TEST(pieces), SCRATCH_TEST(restart_forgets),
      SCRATCH_TEST(unfinished), SCRATCH_TEST(torn_tails), SCRATCH_TEST(damage),
      SCRATCH_TEST(forgery), SCRATCH_TEST(results_and_reports),
      SCRATCH_TEST(marks), SCRATCH_TEST(copies), SCRATCH_TEST(claimed),
      SCRATCH_TEST(many_rcpts))
