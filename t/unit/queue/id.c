#include "queue/id.h"

#include "unit/test.h"

#define NOW 1763787600123456ull /* 22 November 2025 */

static void
short_ids(void **state)
{
    char text[QUEUE_ID_MAX];
    struct queue_id id = queue_id_make(NOW, 77, false), back;

    (void)state;
    queue_id_text(id, text);
    assert_int_equal(strlen(text), 10);
    assert_int_equal(strspn(text, "0123456789ABCDEF"), 10);
    assert_true(queue_id_parse(str_from(text), &back));
    assert_true(back.time == id.time && !back.is_long);
    assert_true(queue_id_time(back, NOW + 5000000) == NOW);
    assert_true(queue_id_time(back, NOW - 5000000) == NOW);
    assert_true(queue_id_time(back, NOW + 10ull * 86400 * 1000000) == NOW);
}

static void
long_ids(void **state)
{
    char text[QUEUE_ID_MAX];

    (void)state;
    for (unsigned tail = 0; tail <= UINT16_MAX; tail += 13) {
        struct queue_id id = queue_id_make(NOW + tail, (uint16_t)tail, true);
        struct queue_id back;

        queue_id_text(id, text);
        assert_int_equal(strlen(text), 14);
        assert_int_equal(text[10], 'z');
        assert_true(queue_id_parse(str_from(text), &back));
        assert_true(back.time == NOW + tail && back.tail == tail);
        assert_true(queue_id_time(back, 1) == NOW + tail);
    }
}

static void
names(void **state)
{
    char name[QUEUE_NAME_MAX];
    struct queue_id id = queue_id_make(NOW, 4711, true), back;
    int64_t seal;

    (void)state;
    queue_name(id, -2, name);
    assert_true(queue_name_parse(str_from(name), &back, &seal));
    assert_true(seal == -2 && back.time == NOW && back.tail == 4711);
    assert_true(strlen(name) < QUEUE_NAME_MAX);
}

static void
what_is_no_id(void **state)
{
    static const char *const bad[] = {
        "",
        "ALL",
        "012345678a",
        "012345678",
        "0123456789A",
        "FFFFFFFFFG",
        "../../../..",
        "4YcZ1X0abcz7H",
        "4YcZ1X0000z0000",
        "4YcZ1XzzzzzZZZ",
        "4YcZ1X0000a000",
    };
    struct queue_id id;
    int64_t seal;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (queue_id_parse(str_from(bad[i]), &id))
            fail_msg("%s passes for an id", bad[i]);
    assert_false(queue_name_parse(S("0123456789"), &id, &seal));
    assert_false(queue_name_parse(S("0123456789-12"), &id, &seal));
    assert_false(
        queue_name_parse(S("0123456789-012345678901234g"), &id, &seal));
}

TESTS(TEST(short_ids), TEST(long_ids), TEST(names), TEST(what_is_no_id))
