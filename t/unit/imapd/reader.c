#include "imapd/reader.h"

#include "unit/test.h"

static struct arena *life, *command;
static struct reader *reader;

static void
begin(const struct reader_limits *limits)
{
    life = arena_new("life", (size_t)1 << 20);
    command = arena_new("command", (size_t)1 << 20);
    reader = reader_new(life, command, limits);
}

static void
end(void)
{
    arena_free(life);
    arena_free(command);
}

static const struct reader_limits plain = {100, 50, 3, 4096};

static void
lines(void **state)
{
    struct str in = S("a NOOP\r\nb NOOP\nc");
    struct command_text text;

    (void)state;
    begin(&plain);
    assert_int_equal(reader_put(reader, &in), READER_COMMAND);
    text = reader_command(reader);
    assert_str(text.text, S("a NOOP"));
    reader_next(reader, false);
    assert_int_equal(reader_put(reader, &in), READER_COMMAND);
    text = reader_command(reader);
    assert_str(text.text, S("b NOOP"));
    reader_next(reader, false);
    assert_int_equal(reader_put(reader, &in), READER_MORE);
    in = S("\r\n");
    assert_int_equal(reader_put(reader, &in), READER_COMMAND);
    end();
}

static void
literals(void **state)
{
    struct str in = S("a LOGIN {3}\r\n");
    struct command_text text;
    uint64_t left;

    (void)state;
    begin(&plain);
    assert_int_equal(reader_put(reader, &in), READER_LITERAL);
    assert_true(reader_hold(reader));
    in = S("a{b {0+}\r\nx ~{4+}\r\n1\0");
    in.len = sizeof "a{b {0+}\r\nx ~{4+}\r\n1\0" - 1;
    assert_int_equal(reader_put(reader, &in), READER_LITERAL);
    assert_true(reader_hold(reader));
    assert_int_equal(reader_put(reader, &in), READER_LITERAL);
    reader_stream(reader);
    assert_int_equal(reader_put(reader, &in), READER_DATA);
    assert_int_equal(reader_data(reader, &left).len, 2);
    assert_int_equal(left, 2);
    in = S("34\r\n");
    assert_int_equal(reader_put(reader, &in), READER_DATA);
    assert_int_equal(reader_put(reader, &in), READER_COMMAND);
    text = reader_command(reader);
    assert_str(text.text, S("a LOGIN {3}\r\n {0+}\r\nx ~{4+}\r\n"));
    assert_int_equal(text.count, 3);
    assert_str(text.literals[0].data, S("a{b"));
    assert_true(text.literals[0].sync);
    assert_false(text.literals[1].sync);
    assert_true(text.literals[2].binary && text.literals[2].streamed);
    assert_int_equal(text.literals[2].at, 22);
    end();
}

/* What is refused is read to its end where the client does not wait. */
static void
refusals(void **state)
{
    struct str in = S("a X {5+}\r\n12345 {2+}\r\n12 y\r\nb NOOP\r\n");
    struct command_text text;

    (void)state;
    begin(&plain);
    assert_int_equal(reader_put(reader, &in), READER_LITERAL);
    reader_refuse(reader);
    assert_int_equal(reader_put(reader, &in), READER_REFUSED);
    reader_next(reader, false);
    assert_int_equal(reader_put(reader, &in), READER_COMMAND);
    text = reader_command(reader);
    assert_str(text.text, S("b NOOP"));

    reader_next(reader, false);
    in = S("a X {5}\r\nb NOOP\r\n");
    assert_int_equal(reader_put(reader, &in), READER_LITERAL);
    reader_refuse(reader);
    reader_next(reader, false);
    assert_int_equal(reader_put(reader, &in), READER_COMMAND);
    end();
}

/* It is said at the byte too much: the line may have no end. */
static void
lines_end(void **state)
{
    struct str in = S("a ");

    (void)state;
    begin(&plain);
    assert_int_equal(reader_put(reader, &in), READER_MORE);
    for (int i = 0; i < 98; i++) {
        in = S("x");
        assert_int_equal(reader_put(reader, &in), READER_MORE);
    }
    in = S("x");
    assert_int_equal(reader_put(reader, &in), READER_TOO_LONG);
    end();
}

/* LITERAL-: more than 4096 may not come unasked. */
static void
unasked(void **state)
{
    struct str in = S("a LOGIN {4097+}\r\n");

    (void)state;
    begin(&plain);
    assert_int_equal(reader_put(reader, &in), READER_TOO_LONG);
    end();
}

static void
limits_hold(void **state)
{
    struct str in;

    (void)state;
    begin(&plain);

    /* Too much to hold; too large a number; too many. */
    in = S("a LOGIN {51}\r\n");
    assert_int_equal(reader_put(reader, &in), READER_LITERAL);
    assert_false(reader_hold(reader));
    reader_refuse(reader);
    reader_next(reader, false);
    in = S("a LOGIN {99999999999999999999999}\r\n");
    assert_int_equal(reader_put(reader, &in), READER_LITERAL);
    assert_false(reader_hold(reader));
    reader_refuse(reader);
    reader_next(reader, false);
    for (int i = 0; i < 3; i++) {
        in = S("{1}\r\n");
        assert_int_equal(reader_put(reader, &in), READER_LITERAL);
        assert_true(reader_hold(reader));
        in = S("x");
        assert_int_equal(reader_put(reader, &in), READER_MORE);
    }
    in = S("{1}\r\n");
    assert_int_equal(reader_put(reader, &in), READER_TOO_LONG);
    end();
}

static void
raw(void **state)
{
    struct str in = S("{5}\r\n");

    (void)state;
    begin(&plain);
    reader_next(reader, true);
    assert_int_equal(reader_put(reader, &in), READER_COMMAND);
    end();
}

TESTS(TEST(lines), TEST(literals), TEST(refusals), TEST(lines_end),
      TEST(unasked), TEST(limits_hold), TEST(raw))
