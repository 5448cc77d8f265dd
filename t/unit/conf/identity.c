#include "conf/identity.h"

#include "unit/test.h"

static struct str
of(struct arena *a, const char *main_cf, const char *prefix)
{
    struct why why;
    const struct conf *c = conf_from_text(a, main_cf, &why);

    assert_non_null(c);
    return identity_of(a, c, prefix);
}

static void
texts(void **state)
{
    static const struct {
        const char *main_cf, *want;
    } cases[] = {
        {"",                                                           ""                         },
        {"smtpd_tls_cert_file = none\n",                               ""                         },
        {"smtpd_tls_cert_file = /c\n",                                 "pair /c /c\n"             },
        {"smtpd_tls_cert_file = /c\nsmtpd_tls_key_file = /k\n",        "pair /k /c\n"             },
        {"smtpd_tls_cert_file = /c\nsmtpd_tls_eccert_file = /e\n"
         "smtpd_tls_eckey_file = /ek\n",                      "pair /ek /e\npair /c /c\n"},
        {"smtpd_tls_chain_files = /a, /b\nsmtpd_tls_cert_file = /c\n",
         "chain /a /b\n"                                                                          },
    };
    struct arena *a = arena_new("test", 64 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_str(of(a, cases[i].main_cf, "smtpd"), str_from(cases[i].want));
    assert_str(of(a, "smtpd_tls_cert_file = /c\n", "nobody"), S(""));
    arena_free(a);
}

static void
files(void **state)
{
    struct str rest = S("chain /a /b\npair /k /c\n"), file;
    static const char *const want[] = {"/a", "/b", "/k", "/c"};

    (void)state;
    for (size_t i = 0; i < COUNT(want); i++) {
        assert_true(identity_next_file(&rest, &file));
        assert_str(file, str_from(want[i]));
    }
    assert_false(identity_next_file(&rest, &file));
}

TESTS(TEST(texts), TEST(files))
