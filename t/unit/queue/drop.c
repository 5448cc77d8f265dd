/* Maildrop files: what is written is read, and nothing else. */
#include "queue/drop.h"

#include "unit/scratch.h"

static struct str
sample(void)
{
    static struct rcpt rcpts[] = {
        {.addr = {"a@example.org", 13}           },
        { .addr = {"b c@example.org", 15},                  .notify = NOTIFY_NEVER},
        { .addr = {"d", 1}, .notify = NOTIFY_FAILURE | NOTIFY_DELAY},
    };
    struct drop d = {
        .envelope = {.sender = S("me@example.org"),
                     .envid = S("id 1"),
                     .verp = S("+="),
                     .flags = ENVELOPE_8BIT | ENVELOPE_RET_HDRS,
                     .rcpts = rcpts,
                     .nrcpts = 3},
        .full_name = S("J. R. \"Me\""),
    };
    struct buf b = buf_in(scratch);

    drop_put(&b, &d);
    buf_add(&b, S("Subject: x\n\nbody\n"));
    return buf_str(&b);
}

static void
what_is_written_is_read(void **state)
{
    (void)state;
    struct str bytes = sample();
    struct drop d;
    struct why why;
    size_t at;

    assert_int_equal(drop_get(scratch, bytes, &d, &at, &why), OK);
    assert_true(str_eq(d.envelope.sender, S("me@example.org")));
    assert_true(str_eq(d.envelope.envid, S("id 1")));
    assert_true(str_eq(d.envelope.verp, S("+=")));
    assert_true(str_eq(d.full_name, S("J. R. \"Me\"")));
    assert_int_equal(d.envelope.flags, ENVELOPE_8BIT | ENVELOPE_RET_HDRS);
    assert_int_equal(d.envelope.nrcpts, 3);
    assert_true(str_eq(d.envelope.rcpts[1].addr, S("b c@example.org")));
    assert_int_equal(d.envelope.rcpts[0].notify, 0);
    assert_int_equal(d.envelope.rcpts[1].notify, NOTIFY_NEVER);
    assert_int_equal(d.envelope.rcpts[2].notify, NOTIFY_FAILURE | NOTIFY_DELAY);
    assert_true(str_starts(str_sub(bytes, at, bytes.len), S("Subject: x\n")));
}

static void
cut_short_is_refused(void **state)
{
    (void)state;
    struct str bytes = sample();
    struct drop d;
    struct why why;
    size_t at = 0, end;

    assert_int_equal(drop_get(scratch, bytes, &d, &end, &why), OK);
    for (size_t len = 0; len < end; len++)
        assert_int_equal(
            drop_get(scratch, str_sub(bytes, 0, len), &d, &at, &why), PERM);
}

static void
control_characters_are_refused(void **state)
{
    (void)state;
    struct rcpt rcpt = {.addr = S("a\nb@example.org")};
    struct drop bad =
                    {
                        .envelope = {.rcpts = &rcpt, .nrcpts = 1}
    },
                d;
    struct buf b = buf_in(scratch);
    struct why why;
    size_t at;

    drop_put(&b, &bad);
    assert_int_equal(drop_get(scratch, buf_str(&b), &d, &at, &why), PERM);
}

static void
flags_of_the_system_are_refused(void **state)
{
    (void)state;
    struct drop bad = {.envelope = {.flags = ENVELOPE_HOLD}}, d;
    struct buf b = buf_in(scratch);
    struct why why;
    size_t at;

    drop_put(&b, &bad);
    assert_int_equal(drop_get(scratch, buf_str(&b), &d, &at, &why), PERM);
}

TESTS_WITHIN(scratch_make, scratch_free, TEST(what_is_written_is_read),
             TEST(cut_short_is_refused), TEST(control_characters_are_refused),
             TEST(flags_of_the_system_are_refused))
