#include "imapd/write.h"

#include "unit/test.h"

static struct arena *arena;
static struct buf b;

static void
begin(void)
{
    arena = arena_new("test", 1 << 20);
    b = buf_in(arena);
}

#define ASSERT_WRITTEN(text)                                                   \
    do {                                                                       \
        assert_str(buf_str(&b), S(text));                                      \
        buf_reset(&b);                                                         \
    } while (0)

static void
dates(void **state)
{
    (void)state;
    begin();
    put_date_time(&b, 837596665, -420);
    ASSERT_WRITTEN("\"17-Jul-1996 02:44:25 -0700\"");
    put_date_time(&b, 0, 330);
    ASSERT_WRITTEN("\"01-Jan-1970 05:30:00 +0530\"");
    put_date_time(&b, INT64_MAX / 2, 0);
    ASSERT_WRITTEN("\"01-Jan-1970 00:00:00 +0000\"");
    arena_free(arena);
}

static void
fetch_names(void **state)
{
    uint32_t numbers[] = {1, 2};
    struct str fields[] = {S("Subject"), S("a b")};
    struct fetch_item i = {
        .kind = FETCH_SECTION,
        .section = {numbers, 2, SECTION_FIELDS, fields, 2},
        .partial = true,
        .offset = 7,
    };

    (void)state;
    begin();
    put_fetch_name(&b, &i);
    ASSERT_WRITTEN("BODY[1.2.HEADER.FIELDS (Subject \"a b\")]<7>");
    i = (struct fetch_item){.kind = FETCH_SECTION};
    put_fetch_name(&b, &i);
    ASSERT_WRITTEN("BODY[]");
    i.section.text = SECTION_TEXT;
    put_fetch_name(&b, &i);
    ASSERT_WRITTEN("BODY[TEXT]");
    i = (struct fetch_item){
        .kind = FETCH_BINARY_SIZE,
        .section = {numbers, 1, SECTION_ALL, NULL, 0}
    };
    put_fetch_name(&b, &i);
    ASSERT_WRITTEN("BINARY.SIZE[1]");
    i = (struct fetch_item){.kind = FETCH_SAVEDATE};
    put_fetch_name(&b, &i);
    ASSERT_WRITTEN("SAVEDATE");
    arena_free(arena);
}

static void
searches(void **state)
{
    static const uint32_t numbers[] = {2, 3, 4, 9};
    struct found found = {.numbers = numbers, .count = 4};
    struct command c = {.tag = S("A1"), .id = COMMAND_SEARCH};

    (void)state;
    begin();
    put_found(&b, &c, &found);
    ASSERT_WRITTEN("* SEARCH 2 3 4 9\r\n");
    found.modseq = 77;
    put_found(&b, &c, &found);
    ASSERT_WRITTEN("* SEARCH 2 3 4 9 (MODSEQ 77)\r\n");
    c.search.extended = c.uid = true;
    c.search.returns = RETURN_MIN | RETURN_MAX | RETURN_COUNT | RETURN_ALL;
    put_found(&b, &c, &found);
    ASSERT_WRITTEN("* ESEARCH (TAG \"A1\") UID MIN 2 MAX 9 COUNT 4 ALL 2:4,9 "
                   "MODSEQ 77\r\n");
    found.count = 0;
    put_found(&b, &c, &found);
    ASSERT_WRITTEN("* ESEARCH (TAG \"A1\") UID COUNT 0\r\n");
    c.search.returns = RETURN_SAVE;
    put_found(&b, &c, &found);
    ASSERT_WRITTEN("");
    found = (struct found){.numbers = numbers, .count = 4};
    c.search.partial = (struct partial){true, false, 2, 3};
    put_found(&b, &c, &found);
    ASSERT_WRITTEN("* ESEARCH (TAG \"A1\") UID PARTIAL (2:3 3:4)\r\n");
    c.search.partial = (struct partial){true, true, 1, 2};
    put_found(&b, &c, &found);
    ASSERT_WRITTEN("* ESEARCH (TAG \"A1\") UID PARTIAL (-1:-2 4,9)\r\n");
    c.search.partial = (struct partial){true, true, 4, 9};
    put_found(&b, &c, &found);
    ASSERT_WRITTEN("* ESEARCH (TAG \"A1\") UID PARTIAL (-4:-9 2)\r\n");
    c.search.partial = (struct partial){true, false, 5, UINT32_MAX};
    put_found(&b, &c, &found);
    ASSERT_WRITTEN("* ESEARCH (TAG \"A1\") UID PARTIAL (5:4294967295 NIL)\r\n");
    c = (struct command){
        .tag = S("t"),
        .id = COMMAND_ESEARCH,
        .search = {.extended = true, .returns = RETURN_ALL}
    };
    found.mailbox = S("\"a b\"");
    found.uidvalidity = 7;
    put_found(&b, &c, &found);
    ASSERT_WRITTEN(
        "* ESEARCH (TAG \"t\" MAILBOX \"a b\" UIDVALIDITY 7) UID ALL "
        "2:4,9\r\n");
    c = (struct command){.id = COMMAND_UID_SORT};
    put_found(&b, &c, &found);
    ASSERT_WRITTEN("* SORT 2 3 4 9\r\n");
    arena_free(arena);
}

TESTS(TEST(dates), TEST(fetch_names), TEST(searches))
