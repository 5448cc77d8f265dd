#include "imapd/parse.h"

#include <stdio.h>

#include "unit/test.h"

static struct {
    struct arena *life, *command, *test;
    struct command c;
    const char *error;
} t;

static const struct reader_limits limits = {65536, 1 << 20, 100, UINT64_MAX};

static void
set_up(void)
{
    t.life = arena_new("life", (size_t)1 << 20);
    t.command = arena_new("command", (size_t)16 << 20);
    t.test = arena_new("test", (size_t)16 << 20);
}

static void
tear_down(void)
{
    arena_free(t.life);
    arena_free(t.command);
    arena_free(t.test);
}

/* What a client sends for an example: where "{5}" stands, a line end and so
 * many bytes follow. */
static struct str
on_the_wire(struct str line)
{
    struct buf b = buf_in(t.test);
    struct str part, number;

    while (str_cut(&line, '}', &part)) {
        uint64_t size = 0;
        ssize_t open = str_rfind(part, '{');

        buf_add(&b, part);
        buf_add(&b, S("}\r\n"));
        assert_true(open >= 0);
        number = str_sub(part, (size_t)open + 1, part.len);
        if (str_ends(number, S("+")))
            number.len--;
        assert_true(str_num(number, &size));
        for (; size > 0; size--)
            buf_addc(&b, 'x');
    }
    buf_add(&b, part);
    buf_add(&b, S("\r\n"));
    return buf_str(&b);
}

/* Read and parse in pieces of that size; the literals that are messages are
 * streamed. */
static enum parsed
run(struct str wire, size_t piece)
{
    struct reader *r = reader_new(t.life, t.command, &limits);

    arena_reset(t.command);
    reader_next(r, false);
    for (size_t at = 0; at < wire.len; at += piece) {
        struct str in = str_sub(wire, at, piece);
        enum reader_event event;

        while ((event = reader_put(r, &in)) != READER_MORE) {
            struct command_text text = reader_command(r);
            enum parsed parsed = PARSED;

            if (event == READER_DATA)
                continue;
            assert_true(event == READER_COMMAND || event == READER_LITERAL);
            parsed = command_parse(t.command, &text, &t.c, &t.error);
            assert_true((parsed == PARSED_BAD) == (t.error != NULL));
            if (event == READER_COMMAND || parsed == PARSED_BAD)
                return parsed;
            if (parsed == PARSED_WANTS)
                assert_true(reader_hold(r));
            else
                reader_stream(r);
        }
    }
    fail_msg("\"%.*s\" does not end", STR(wire));
    return PARSED_BAD;
}

static enum parsed
parse(const char *line)
{
    return run(on_the_wire(str_from(line)), SIZE_MAX / 2);
}

static void
examples(void **state)
{
    FILE *f = fopen("t/unit/imapd/examples.txt", "r");
    char text[4096];
    unsigned seen = 0;

    (void)state;
    set_up();
    assert_non_null(f);
    while (fgets(text, sizeof text, f)) {
        struct str line = str_from(text), verdict;

        line.len -= str_ends(line, S("\n"));
        if (str_starts(line, S("#")))
            continue;
        str_cut(&line, ' ', &verdict);

        struct str wire = on_the_wire(line);
        bool good = str_eq(verdict, S("OK"));

        for (size_t piece = 1; piece < 4; piece++)
            if ((run(wire, piece) == PARSED) != good)
                fail_msg("%.*s: %s", STR(line), t.error);
        if ((run(wire, wire.len) == PARSED) != good)
            fail_msg("%.*s: %s", STR(line), t.error);
        arena_reset(t.test);
        arena_reset(t.life);
        seen++;
    }
    fclose(f);
    assert_true(seen > 300);
    tear_down();
}

/* ---- what is in the structs ---- */

static void
put_set(struct buf *b, const struct seq_set *set)
{
    if (set->saved)
        buf_addc(b, '$');
    for (size_t i = 0; i < set->count; i++)
        buf_fmt(b, "%s%u:%u", i ? "," : "", set->at[i].from, set->at[i].to);
}

static void
put_key(struct buf *b, const struct search_key *k)
{
    buf_fmt(b, "(%d", (int)k->kind);
    if (k->flag)
        buf_fmt(b, " flag=%u", k->flag);
    if (k->field.p)
        buf_fmt(b, " field=%.*s", STR(k->field));
    if (k->text.p)
        buf_fmt(b, " text=%.*s", STR(k->text));
    if (k->number)
        buf_fmt(b, " number=%u", (unsigned)k->number);
    if (k->day)
        buf_fmt(b, " day=%d", (int)k->day);
    if (k->set.saved || k->set.count) {
        buf_addc(b, ' ');
        put_set(b, &k->set);
    }
    for (size_t i = 0; i < k->count; i++)
        put_key(b, &k->children[i]);
    buf_addc(b, ')');
}

static void
assert_key(const char *line, const char *want)
{
    struct buf b = buf_in(t.test);
    const char *copy;

    if (parse(line) != PARSED)
        fail_msg("%s: %s", line, t.error);
    put_key(&b, t.c.search.key);
    copy = arena_cstr(t.test, buf_str(&b));
    if (strcmp(copy, want) != 0)
        fail_msg("%s:\n got %s\nwant %s", line, copy, want);
}

static void
searches(void **state)
{
    (void)state;
    set_up();
    assert_key("a SEARCH ALL", "(0)");
    assert_key("a SEARCH 1:*,7 unseen", "(6(9 1:0,7:7)(2 flag=8))");
    assert_key("a SEARCH OR $ NOT (FROM a SUBJECT \"b c\")",
               "(7(9 $)(8(6(26 field=From text=a)(26 field=Subject "
               "text=b c))))");
    assert_key("a SEARCH HEADER X-Y \"\" SINCE 1-Feb-1994 SENTON "
               "\"31-Dec-1969\"",
               "(6(26 field=X-Y text=)(13 day=8797)(15 day=-1))");
    assert_key("a SEARCH KEYWORD $Junk YOUNGER 60 LARGER 7",
               "(6(1 text=$Junk)(24 number=60)(21 number=7))");
    assert_key("a SEARCH BODY {3}", "(27 text=xxx)");
    assert_int_equal(parse("a SEARCH RETURN () ALL"), PARSED);
    assert_int_equal(t.c.search.returns, RETURN_ALL);
    assert_true(t.c.search.extended);
    assert_int_equal(parse("a SEARCH RETURN (PARTIAL -1:-100 SAVE) ALL"),
                     PARSED);
    assert_int_equal(t.c.search.partial.to, 100);
    assert_true(t.c.search.partial.from_end);
    assert_int_equal(parse("a UID SORT (REVERSE DATE FROM) utf-8 ALL"), PARSED);
    assert_true(t.c.uid);
    assert_int_equal(t.c.id, COMMAND_UID_SORT);
    assert_int_equal(t.c.search.criteria_count, 2);
    assert_true(t.c.search.criteria[0].reverse);
    assert_int_equal(t.c.search.criteria[1].key, SORT_FROM);
    assert_str(t.c.search.charset, S("utf-8"));
    tear_down();
}

static void
fetches(void **state)
{
    const struct fetch_item *i;

    (void)state;
    set_up();
    assert_int_equal(parse("a FETCH 1 FULL"), PARSED);
    assert_int_equal(t.c.fetch.count, 5);
    assert_int_equal(
        parse("a FETCH 2:4 (body.peek[1.2.header.fields (a \"b\")]<3.4> "
              "PREVIEW (LAZY) BODY BODY[])"),
        PARSED);
    i = t.c.fetch.items;
    assert_int_equal(t.c.fetch.count, 4);
    assert_int_equal(i[0].kind, FETCH_SECTION);
    assert_true(i[0].peek);
    assert_int_equal(i[0].section.depth, 2);
    assert_int_equal(i[0].section.numbers[1], 2);
    assert_int_equal(i[0].section.text, SECTION_FIELDS);
    assert_str(i[0].section.fields[1], S("b"));
    assert_int_equal(i[0].offset, 3);
    assert_int_equal(i[0].length, 4);
    assert_true(i[1].lazy);
    assert_int_equal(i[2].kind, FETCH_BODY);
    assert_int_equal(i[3].kind, FETCH_SECTION);
    assert_false(i[3].peek);
    assert_int_equal(parse("a FETCH 1 BODY[]<4294967296.9223372036854775807>"),
                     PARSED);
    assert_true(t.c.fetch.items[0].offset == UINT64_C(4294967296));
    assert_true(t.c.fetch.items[0].length == INT64_MAX);
    assert_int_not_equal(parse("a FETCH 1 BODY[]<0.9223372036854775808>"),
                         PARSED);
    assert_int_not_equal(parse("a FETCH 1 BODY[]<0.0>"), PARSED);
    assert_int_equal(parse("a UID FETCH 1:* FLAGS (CHANGEDSINCE 5 VANISHED "
                           "PARTIAL 1:2)"),
                     PARSED);
    assert_int_equal(t.c.fetch.changed_since, 5);
    assert_true(t.c.fetch.vanished);
    assert_true(t.c.fetch.range.asked);
    assert_int_equal(
        parse("a STORE 1 (UNCHANGEDSINCE 0) -FLAGS.SILENT (\\Seen x)"), PARSED);
    assert_true(t.c.store.guarded && t.c.store.silent);
    assert_int_equal(t.c.store.how, STORE_REMOVE);
    assert_int_equal(t.c.store.flags.system, FLAG_SEEN);
    assert_str(t.c.store.flags.keywords[0], S("x"));
    tear_down();
}

static void
mailboxes(void **state)
{
    (void)state;
    set_up();
    assert_int_equal(parse("a LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (a% \"b "
                           "c\") RETURN (CHILDREN STATUS (SIZE))"),
                     PARSED);
    assert_int_equal(t.c.list.patterns.count, 2);
    assert_str(t.c.list.patterns.at[1], S("b c"));
    assert_int_equal(t.c.list.select, LIST_SUBSCRIBED | LIST_RECURSIVEMATCH);
    assert_int_equal(t.c.list.returned, LIST_CHILDREN | LIST_STATUS);
    assert_int_equal(t.c.list.status, STATUS_SIZE);
    assert_int_equal(parse("a SELECT x (QRESYNC (7 9 1:3,5 (1:2 10,12)))"),
                     PARSED);
    assert_true(t.c.select.qresync);
    assert_int_equal(t.c.select.modseq, 9);
    assert_int_equal(t.c.select.known.count, 2);
    assert_int_equal(t.c.select.match_uids.at[1].to, 12);
    assert_int_equal(parse("a APPEND x (\\Seen) \" 1-Jan-1970 01:00:01 +0100\" "
                           "{5} {6}"),
                     PARSED);
    assert_int_equal(t.c.append.count, 2);
    assert_int_equal(t.c.append.messages[0].date, 1);
    assert_int_equal(t.c.append.messages[0].zone, 60);
    assert_false(t.c.append.messages[1].dated);
    assert_int_equal(
        ((const struct literal *)t.c.append.messages[1].pieces->literal)->size,
        6);
    assert_int_equal(parse("a LOGIN \"a \\\"\\\\\" {2+}"), PARSED);
    assert_str(t.c.login.user, S("a \"\\"));
    assert_str(t.c.login.password, S("xx"));
    assert_int_equal(parse("a CREATE x (USE (\\Sent \\Junk))"), PARSED);
    assert_str(t.c.create.uses.at[1], S("\\Junk"));
    assert_int_equal(parse("a CREATE x (USE ())"), PARSED);
    assert_int_equal(parse("a CREATE x (USE (\\Sent ))"), PARSED_BAD);
    assert_int_equal(parse("a ENABLE CONDSTORE QRESYNC "), PARSED);
    assert_int_equal(t.c.words.count, 2);
    assert_int_equal(parse("a ENABLE "), PARSED_BAD);
    tear_down();
}

/* Nesting and numbers are bounded, with a clear text. */
static void
bounds(void **state)
{
    struct buf b;

    (void)state;
    set_up();
    b = buf_in(t.test);
    buf_add(&b, S("a SEARCH "));
    for (int i = 0; i < 10000; i++)
        buf_add(&b, S("NOT "));
    buf_add(&b, S("ALL"));
    assert_int_equal(parse(buf_str(&b).p), PARSED_BAD);
    assert_string_equal(t.error, "Search keys are nested too deep");
    b = buf_in(t.test);
    buf_add(&b, S("a SEARCH "));
    for (int i = 0; i < 10000; i++)
        buf_addc(&b, '(');
    assert_int_equal(parse(buf_str(&b).p), PARSED_BAD);
    b = buf_in(t.test);
    buf_add(&b, S("a SEARCH ALL"));
    for (int i = 0; i < 10000; i++)
        buf_add(&b, S(" 1"));
    assert_int_equal(parse(buf_str(&b).p), PARSED_BAD);
    assert_string_equal(t.error, "Too many search keys");
    tear_down();
}

/* A mistake before a literal is told before its bytes come. */
static void
early(void **state)
{
    (void)state;
    set_up();

    struct reader *r = reader_new(t.life, t.command, &limits);
    struct str in = S("a APPEND x (\\Bogus) {100}\r\n");
    struct command_text text;

    assert_int_equal(reader_put(r, &in), READER_LITERAL);
    text = reader_command(r);
    assert_int_equal(command_parse(t.command, &text, &t.c, &t.error),
                     PARSED_BAD);
    assert_str(t.c.tag, S("a"));
    reader_next(r, false);
    in = S("b APPEND x (\\Seen) {100}\r\n");
    assert_int_equal(reader_put(r, &in), READER_LITERAL);
    text = reader_command(r);
    assert_int_equal(command_parse(t.command, &text, &t.c, &t.error),
                     PARSED_MESSAGE);
    assert_str(t.c.append.mailbox, S("x"));
    assert_int_equal(t.c.append.messages[0].flags.system, FLAG_SEEN);
    tear_down();
}

TESTS(TEST(examples), TEST(searches), TEST(fetches), TEST(mailboxes),
      TEST(bounds), TEST(early))
