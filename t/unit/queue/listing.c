#include "queue/listing.h"

#include <sys/mman.h>
#include <unistd.h>

#include "queue/journal.h"
#include "queue/writer.h"

#include "unit/scratch.h"

#define SEAL  77
#define RCPTS 1000

/* A message of which every third recipient is done, every other deferred. */
static void
load(struct queue_file *f)
{
    auto_close int fd = memfd_create("queue", MFD_CLOEXEC);
    struct rcpt *rcpts = arena_alloc(scratch, RCPTS * sizeof *rcpts);
    struct queue_result *results =
        arena_alloc(scratch, RCPTS * sizeof *results);
    struct envelope e = {.arrived = 1763787600123456,
                         .sender = S("me@example.org"),
                         .rcpts = rcpts,
                         .nrcpts = RCPTS};
    struct queue_writer *w = queue_write(scratch, fd, SEAL);
    struct why why;

    for (size_t i = 0; i < RCPTS; i++) {
        rcpts[i].addr = str_from(arena_fmt(scratch, "user%zu@example.net", i));
        results[i] = (struct queue_result){
            .index = (int64_t)i,
            .state = i % 3 == 0 ? QUEUE_SENT : QUEUE_DEFERRED,
            .dsn = S("4.4.1"),
            .text = i % 3 ? S("connection refused") : S("")};
    }
    queue_put(w, S("text\n"));
    assert_int_equal(queue_finish(w, &e, &why), OK);
    assert_int_equal(queue_load(scratch, fd, SEAL, f, &why), QUEUE_WHOLE);
    assert_true(queue_add_attempt(scratch, fd, &f->at, 5, results, RCPTS));
    assert_int_equal(queue_load(scratch, fd, SEAL, f, &why), QUEUE_WHOLE);
}

/* In small pieces and in one it is the same list. */
static void
pieces(void **state)
{
    size_t sizes[] = {500, 5000, SIZE_MAX / 2};
    struct queue_file f;

    (void)state;
    load(&f);
    for (size_t s = 0; s < COUNT(sizes); s++) {
        size_t from = 0, seen = 0;
        bool message = false;

        while (from < RCPTS) {
            struct buf b = buf_in(scratch);
            struct listing_record r;

            if (from == 0)
                listing_message(&b, S("ID"), S("deferred"), &f);
            from = listing_rcpts(scratch, &b, &f, from, b.len + sizes[s]);
            for (struct str rest = buf_str(&b); listing_next(&rest, &r);) {
                message |= r.kind == LISTING_MESSAGE &&
                           str_eq(r.message.sender, S("me@example.org"));
                if (r.kind == LISTING_MESSAGE)
                    continue;
                assert_str(r.rcpt.reason, S("connection refused"));
                seen++;
            }
        }
        assert_true(message);
        assert_int_equal(seen, RCPTS - (RCPTS + 2) / 3);
    }
}

static void
malformed(void **state)
{
    struct buf b = buf_in(scratch);
    struct listing_record r;
    struct queue_file f;
    struct str all;

    (void)state;
    load(&f);
    listing_message(&b, S("ID"), S("hold"), &f);
    all = buf_str(&b);
    for (size_t len = 0; len < all.len; len++) {
        struct str cut = str_sub(all, 0, len);

        assert_false(listing_next(&cut, &r));
        assert_int_equal(cut.len, len);
    }
    assert_true(listing_next(&all, &r));
    assert_int_equal(r.message.size, 5);
    assert_str(r.message.queue, S("hold"));
}

TESTS(SCRATCH_TEST(pieces), SCRATCH_TEST(malformed))
