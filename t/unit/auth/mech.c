#include "auth/mech.h"

#include "auth/binding.h"
#include "unit/test.h"

static void
names(void **state)
{
    (void)state;
    for (size_t i = 0; i < SASL_COUNT; i++) {
        assert_int_equal(sasl_mechs[i].id, i);
        assert_ptr_equal(sasl_mech_find(str_from(sasl_mechs[i].name)),
                         &sasl_mechs[i]);
    }
    assert_int_equal(sasl_mech_find(S("scram-sha-1"))->id, SASL_SCRAM_SHA_1);
    assert_null(sasl_mech_find(S("ANONYMOUS")));
    assert_null(sasl_mech_find(S("")));
}

static void
options(void **state)
{
    static const struct {
        const char *words, *passes;
    } cases[] = {
        {"",                            "EXTERNAL SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN XOAUTH2"},
        {"noanonymous",                 "EXTERNAL SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN XOAUTH2"},
        {"noplaintext, noanonymous",    "EXTERNAL SCRAM-SHA-256 CRAM-MD5"                    },
        {"noactive",                    "EXTERNAL SCRAM-SHA-256"                             },
        {"nodictionary",                "EXTERNAL SCRAM-SHA-256"                             },
        {"mutual_auth",                 "SCRAM-SHA-256"                                      },
        {"noanonymous forward_secrecy", ""                                                   },
    };
    static const char *const mechs[] = {"EXTERNAL", "SCRAM-SHA-256", "CRAM-MD5",
                                        "PLAIN",    "LOGIN",         "XOAUTH2"};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char got[200] = "";
        unsigned bits;
        struct str bad;

        assert_true(sasl_options_parse(str_from(cases[i].words), &bits, &bad));
        for (size_t m = 0; m < COUNT(mechs); m++) {
            unsigned has = sasl_mech_find(str_from(mechs[m]))->properties;

            if (sasl_options_allow(bits, has)) {
                strcat(got, *got ? " " : "");
                strcat(got, mechs[m]);
            }
        }
        assert_string_equal(got, cases[i].passes);
    }
}

static void
unknown_option(void **state)
{
    unsigned bits;
    struct str bad;

    (void)state;
    assert_false(sasl_options_parse(S("noplaintext nonsense"), &bits, &bad));
    assert_str(bad, S("nonsense"));
}

static void
bindings(void **state)
{
    const struct sasl_binding have[SASL_BINDINGS] = {
        {S("tls-exporter"), S("data")},
        {S("tls-unique"),   S("")    },
    };

    (void)state;
    assert_ptr_equal(sasl_binding_find(have, S("tls-exporter")), &have[0]);
    assert_null(sasl_binding_find(have, S("tls-unique")));
    assert_null(sasl_binding_find(have, S("tls-server-end-point")));
}

TESTS(TEST(names), TEST(options), TEST(unknown_option), TEST(bindings))
