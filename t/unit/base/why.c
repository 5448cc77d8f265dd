#include "base/why.h"

#include <errno.h>

#include "unit/test.h"

static void
codes(void **state)
{
    (void)state;
    assert_int_equal(rc_of("2.0.0"), OK);
    assert_int_equal(rc_of("4.2.2"), TEMP);
    assert_int_equal(rc_of("5.1.1"), PERM);
    assert_int_equal(rc_of(""), OK);
}

static void
failures(void **state)
{
    struct why why;

    (void)state;
    errno = ENOENT;
    assert_int_equal(fail(&why, "4.3.0", "cannot open %s: %m", "x"), TEMP);
    assert_string_equal(why.dsn, "4.3.0");
    assert_string_equal(why.text, "cannot open x: No such file or directory");

    /* The text may quote the one it replaces. */
    assert_int_equal(fail(&why, "5.1.1", "no: %s", why.text), PERM);
    assert_string_equal(why.text,
                        "no: cannot open x: No such file or directory");
    assert_int_equal(fail(&why, why.dsn, "%s", "same code"), PERM);
    assert_string_equal(why.dsn, "5.1.1");
}

/* What a stranger sent makes no second line of a reply. */
static void
foreign_text(void **state)
{
    struct why why;
    char big[2000];

    (void)state;
    assert_int_equal(fail(&why, "5.0.0", "said: %s", "a\r\nb\x7f\xc3\xbc"),
                     PERM);
    assert_string_equal(why.text, "said: a  b \xc3\xbc");
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    assert_int_equal(fail(&why, "5.0.0", "%s", big), PERM);
    assert_int_equal(strlen(why.text), sizeof why.text - 1);
}

TESTS(TEST(codes), TEST(failures), TEST(foreign_text))
