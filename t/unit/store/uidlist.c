#include "store/uidlist.h"

#include "unit/store/place.h"

#define GUID "5f1e0000000000000000000000000abc"

static void
head(void **state)
{
    static const struct {
        const char *text;
        bool good;
        uint32_t validity, next;
    } cases[] = {
        {"3 V17 N5 G" GUID "\n", true,  17, 5},
        {"3 N5 Px V17\n",        true,  17, 5},
        {"1 17 5\n",             true,  17, 5},
        {"3 V17\n",              false, 0,  0},
        {"3 V0 N5\n",            false, 0,  0},
        {"3 V17 N5",             false, 0,  0},
        {"4 V17 N5\n",           false, 0,  0},
        {"3 V99999999999 N5\n",  false, 0,  0},
        {"",                     false, 0,  0},
    };
    struct uidlist_head h;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str text = str_from(cases[i].text);

        assert_int_equal(uidlist_head(&text, &h), cases[i].good);
        if (!cases[i].good)
            continue;
        assert_int_equal(h.validity, cases[i].validity);
        assert_int_equal(h.next, cases[i].next);
        assert_int_equal(text.len, 0);
    }
}

static void
head_again(void **state)
{
    struct str text = S("3 V17 N5 G" GUID " P%v Zx\n");
    struct uidlist_head h;
    struct buf b = buf_in(scratch);

    (void)state;
    assert_true(uidlist_head(&text, &h));
    assert_true(h.has_guid);
    uidlist_put_head(&b, &h);
    assert_str(buf_str(&b), S("3 V17 N5 G" GUID " P%v Zx\n"));
}

static void
lines(void **state)
{
    struct str text = S("1 :a.b,S=3\n"
                        "nonsense\n"
                        "5 W12 Gx :c:2,S\n"
                        "5 :twice\n"
                        "4 :lower\n"
                        "6 :a/b\n"
                        "7 x :small\n"
                        "0 :zero\n"
                        "8 version-one\n"
                        "9 :cut");
    struct uidlist_line l;
    struct buf b = buf_in(scratch);
    uint32_t last = 0;

    (void)state;
    while (uidlist_next(&text, &last, &l)) {
        uidlist_put(&b, &l);
        if (l.uid == 5) {
            assert_str(uidlist_field(l.fields, 'G'), S("x"));
            assert_str(uidlist_field(l.fields, 'W'), S("12"));
            assert_null(uidlist_field(l.fields, 'S').p);
        }
    }
    assert_str(buf_str(&b), S("1 :a.b,S=3\n5 W12 Gx :c\n8 :version-one\n"));
}

static void
files(void **state)
{
    struct text_stamp made, read, changed;
    struct str text;
    struct why why;

    (void)state;
    assert_int_equal(
        text_read(scratch, place.dir, "x", 0, 100, &text, &read, &why), OK);
    assert_int_equal(text.len, 0);
    assert_int_equal(read.ino, 0);
    assert_int_equal(text_write(place.dir, "x", S("abc\n"), &made, &why), OK);
    assert_int_equal(
        text_read(scratch, place.dir, "x", 1, 100, &text, &read, &why), OK);
    assert_str(text, S("bc\n"));
    assert_true(text_stamp_eq(&made, &read));
    assert_int_equal(
        text_append(place.dir, "x", S("d\n"), true, &changed, &why), OK);
    assert_false(text_stamp_eq(&made, &changed));
    assert_true(text_stat(place.dir, "x", &read));
    assert_true(text_stamp_eq(&changed, &read));
    assert_int_equal(
        text_read(scratch, place.dir, "x", 0, 5, &text, &read, &why), TEMP);
    assert_int_equal(
        text_append(place.dir, "y", S("d\n"), true, &changed, &why), TEMP);
}

TESTS(TEST(head), SCRATCH_TEST(head_again), SCRATCH_TEST(lines),
      PLACE_TEST(files))
