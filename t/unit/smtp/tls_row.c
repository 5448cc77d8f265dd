/* Rows of smtp_tls_policy_maps. */
#include "smtp/tls_row.h"

#include "unit/scratch.h"

static struct tls_row row;
static struct why why;
static size_t ignored;

static void
count_ignored(struct str attribute)
{
    assert_true(attribute.len > 0);
    ignored++;
}

static enum rc
parse(const char *text)
{
    ignored = 0;
    return tls_row_parse(scratch, str_from(text), &row, count_ignored, &why);
}

static void
levels(void **state)
{
    static const enum tls_level all[] = {
        TLS_NONE, TLS_MAY,       TLS_ENCRYPT, TLS_FINGERPRINT,
        TLS_DANE, TLS_DANE_ONLY, TLS_VERIFY,  TLS_SECURE};

    (void)state;
    for (size_t i = 0; i < COUNT(all); i++) {
        assert_int_equal(parse(tls_level_name(all[i])), OK);
        assert_int_equal(row.level, all[i]);
    }
    assert_int_equal(parse("  SECURE ,"), OK);
    assert_int_equal(row.level, TLS_SECURE);
    assert_int_equal(parse("half-dane"), PERM);
    assert_int_equal(parse("secure\nmatch=x"), OK);
}

static void
attributes(void **state)
{
    (void)state;
    assert_int_equal(parse("secure match=nexthop:.x.test, match=y.test "
                           "ciphers=high protocols=>=TLSv1.2 exclude=a:b "
                           "servername=s.test tafile=/a/b tafile=/c "
                           "connection_reuse=YES"),
                     OK);
    assert_int_equal(row.match.count, 3);
    assert_str(row.match.at[1], S(".x.test"));
    assert_str(row.match.at[2], S("y.test"));
    assert_str(row.ciphers, S("high"));
    assert_str(row.protocols, S(">=TLSv1.2"));
    assert_str(row.exclude, S("a:b"));
    assert_str(row.servername, S("s.test"));
    assert_int_equal(row.anchors.count, 2);
    assert_str(row.anchors.at[0], S("/a/b"));
    assert_int_equal(parse("fingerprint match=a:b|c:d"), OK);
    assert_int_equal(row.match.count, 2);
    assert_str(row.match.at[1], S("c:d"));
    assert_int_equal(parse("none match=x wombat"), OK);
    assert_int_equal(ignored, 2);
    assert_int_equal(parse("may protocols= exclude="), OK);
    assert_true(row.protocols.p && row.protocols.len == 0);
}

static void
mistakes(void **state)
{
    static const char *const bad[] = {
        "",
        " , ",
        "best",
        "may ciphers=",
        "may ciphers",
        "may =high",
        "may ciphers=a ciphers=b",
        "may protocols=a protocols=b",
        "may exclude=a exclude=b",
        "secure servername=a servername=b",
        "secure servername=",
        "secure servername=-x.test",
        "secure match=",
        "secure tafile=",
        "encrypt match=x",
        "dane match=x",
        "fingerprint tafile=/x",
        "may connection_reuse=",
        "may colour=blue",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(parse(bad[i]), PERM);
        assert_true(why.text[0] != '\0');
    }
}

TESTS_WITHIN(scratch_make, scratch_free, TEST(levels), TEST(attributes),
             TEST(mistakes))
