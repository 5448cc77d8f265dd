#include "mail/structure.h"

#include "mail/imap_text.h"
#include "unit/messages.h"

static struct arena *arena;

static struct structure
structure_of(struct str message)
{
    struct structure s;
    struct str kept = structure_make(arena, message);

    assert_true(structure_read(arena, kept, message.len, &s));
    return s;
}

static struct str
body_of(const struct structure *s, unsigned flags)
{
    struct buf wide = buf_in(arena), b = buf_in(arena);

    structure_put_body(s, flags, &wide);
    imap_put_narrow(&b, buf_str(&wide));
    return escaped(arena, buf_str(&b));
}

/* t/messages/structure.txt is what Dovecot answers, but for what README.md
 * there tells of. */
static void
is_what_others_say(void **state)
{
    struct str list, name, want;
    unsigned seen = 0;

    (void)state;
    arena = arena_new("test", (size_t)64 << 20);
    list = message_file(arena, S("structure.txt"));
    while (next_wanted(&list, &name, &want)) {
        struct structure s = structure_of(message_file(arena, name));
        struct buf b = buf_in(arena);
        struct str got;

        if (str_skip(&want, S("ENVELOPE "))) {
            imap_put_narrow(&b, s.parts[0].envelope);
            got = escaped(arena, buf_str(&b));
        } else if (str_skip(&want, S("BODYSTRUCTURE "))) {
            got = body_of(&s, STRUCTURE_EXTENDED);
        } else if (str_skip(&want, S("BODY "))) {
            got = body_of(&s, 0);
        } else if (str_skip(&want, S("REV2 "))) {
            got = body_of(&s, STRUCTURE_EXTENDED | STRUCTURE_REV2);
        } else {
            assert_true(str_skip(&want, S("SIZE ")));
            buf_fmt(&b, "%zu", s.size + s.bare);
            got = buf_str(&b);
        }
        if (!str_eq(got, want))
            fail_msg("%.*s:\n got %.*s\nwant %.*s", STR(name), STR(got),
                     STR(want));
        seen++;
    }
    assert_true(seen > 100);
    arena_free(arena);
}

/* A kept structure may come from a damaged index: it is refused, or something
 * that can be used. */
static void
damage_is_harmless(void **state)
{
    struct str message, kept;
    struct structure s;

    (void)state;
    arena = arena_new("test", (size_t)1 << 30);
    message = message_file(arena, S("nested"));
    kept = structure_make(arena, message);
    for (size_t len = 0; len < kept.len; len++)
        assert_false(
            structure_read(arena, str_sub(kept, 0, len), message.len, &s));
    assert_false(structure_read(arena, kept, message.len + 1, &s));
    for (size_t i = 0; i < kept.len; i++)
        for (int bit = 0; bit < 8; bit++) {
            struct str copy = arena_str(arena, kept);

            ((char *)copy.p)[i] ^= (char)(1 << bit);
            if (!structure_read(arena, copy, message.len, &s))
                continue;
            for (size_t p = 0; p < s.count; p++) {
                assert_true(s.parts[p].end <= message.len);
                assert_true(s.parts[p].header <= s.parts[p].body);
                assert_true(s.parts[p].body <= s.parts[p].end);
            }
            (void)body_of(&s, STRUCTURE_EXTENDED);
        }
    arena_free(arena);
}

/* What strangers send to break us: it ends, within the memory given. */
static void
limits_hold(void **state)
{
    struct structure s;

    (void)state;
    arena = arena_new("test", (size_t)512 << 20);

    struct buf deep = buf_in(arena);

    for (unsigned i = 0; i < 1000; i++)
        buf_fmt(&deep, "Content-Type: multipart/mixed; boundary=b%u\n\n--b%u\n",
                i, i);
    s = structure_of(buf_str(&deep));
    assert_int_equal(s.count, STRUCTURE_DEPTH_MAX + 1);
    assert_true(str_starts(s.parts[s.count - 1].fields,
                           S("\"application\" \"octet-stream\"")));

    struct buf rfc822 = buf_in(arena);

    for (unsigned i = 0; i < 1000; i++)
        buf_add(&rfc822, S("Content-Type: message/rfc822\n\n"));
    s = structure_of(buf_str(&rfc822));
    assert_int_equal(s.count, STRUCTURE_DEPTH_MAX + 1);

    struct buf many = buf_in(arena);

    buf_add(&many, S("Content-Type: multipart/mixed; boundary=b\n\n"));
    for (unsigned i = 0; i < STRUCTURE_PARTS_MAX + 500; i++)
        buf_add(&many, S("--b\n\nx\n"));
    buf_add(&many, S("--b--\n"));
    s = structure_of(buf_str(&many));
    assert_int_equal(s.count, STRUCTURE_PARTS_MAX);

    struct buf lines = buf_in(arena);

    buf_add(&lines, S("To: "));
    for (unsigned i = 0; i < 300000; i++)
        buf_fmt(&lines, "a%u@b,", i);
    buf_add(&lines, S("\nSubject: "));
    for (unsigned i = 0; i < 1000000; i++)
        buf_add(&lines, S("xy"));
    buf_add(&lines, S("\n\nbody\n"));
    s = structure_of(buf_str(&lines));
    assert_true(s.parts[0].envelope.len < STRUCTURE_TEXTS_MAX);
    assert_int_equal(s.parts[0].end - s.parts[0].body, 5);

    struct buf dashes = buf_in(arena);

    buf_add(&dashes, S("Content-Type: multipart/mixed; boundary=b\n\n"));
    for (unsigned i = 0; i < 100000; i++)
        buf_add(&dashes, S("--\n"));
    s = structure_of(buf_str(&dashes));
    assert_int_equal(s.count, 1);
    arena_free(arena);
}

static void
summary(void **state)
{
    struct str message, kept, envelope;
    uint64_t size;

    (void)state;
    arena = arena_new("test", (size_t)16 << 20);
    message = message_file(arena, S("plain"));
    kept = structure_make(arena, message);
    assert_true(structure_summary(kept, &size, &envelope));
    assert_int_equal(size, 149);
    assert_true(str_starts(envelope, S("(\"Fri, 6 Feb 2026")));
    assert_false(structure_summary(S(""), &size, &envelope));
    arena_free(arena);
}

/* Work of one call does not grow with the message, and what comes of them is
 * the same. */
static void
steps(void **state)
{
    struct structure_maker *m;
    struct str kept;
    size_t calls = 1;

    (void)state;
    arena = arena_new("test", (size_t)256 << 20);

    struct buf in = buf_in(arena);

    buf_add(&in, S("Content-Type: multipart/mixed; boundary=b\n\n"));
    for (unsigned i = 0; i < 400000; i++)
        buf_add(&in, i % 1000 ? S("a line of a text\n") : S("--b\n\n"));
    m = structure_begin(arena, buf_str(&in));
    for (; !structure_step(m, &kept); calls++)
        ;
    structure_drop(m);
    assert_true(calls >= 40);
    assert_true(str_eq(kept, structure_make(arena, buf_str(&in))));
    m = structure_begin(arena, buf_str(&in));
    assert_false(structure_step(m, &kept));
    structure_drop(m); /* nothing is left of it */
    structure_drop(NULL);
    arena_free(arena);
}

TESTS(TEST(is_what_others_say), TEST(damage_is_harmless), TEST(limits_hold),
      TEST(summary), TEST(steps))
