#include "mail/surrogate.h"

#include "unit/test.h"

static const struct {
    const char *in, *out;
} cases[] = {
    {"Subject: plain\r\nX:  y\n\n",                                  "Subject: plain\r\nX:  y\n\n"                  },
    {"Subject: Gr\xc3\xbc\xc3\x9f"
     "e an alle\n\n",                                           "Subject: =?utf-8?B?R3LDvMOfZQ==?= an alle\n\n"},
    {"Subject: \xc3\xbc \xc3\xbc x\n",                               "Subject: =?utf-8?B?w7wgw7w=?= x\n"            },
    {"Subject: j\xfcrg\n",                                           "Subject: =?unknown-8bit?B?avxyZw==?=\n"       },
    {"From: \"J\xc3\xbcrgen, X\" <j@x.test>\n",
     "From: =?utf-8?B?SsO8cmdlbiwgWA==?= <j@x.test>\n"                                                              },
    {"To: J\xc3\xbcrgen <j\xc3\xbc@x.test>, b@y.test (B\xc3\xa4)\n",
     "To: =?utf-8?B?SsO8cmdlbg==?= "
     "<invalid@internationalized-address.invalid>, b@y.test "
     "(=?utf-8?B?QsOk?=)\n"                                                                                         },
    {"Content-Type: text/plain; name=\"\xc3\xa4.txt\"\n",
     "Content-Type: text/plain; name=\"=?utf-8?B?w6QudHh0?=\"\n"                                                    },
    {"no field \xc3\xa4\nA: b\n",                                    "no field ??\nA: b\n"                          },
    {"Subject: \xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
     "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4x"
     "\xc3\xa4\xc3\xa4\n",                                      "Subject: =?utf-8?B?"
     "w6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6TDpHg=?=\n "
     "=?utf-8?B?w6TDpA==?=\n"                                                        },
};

static void
headers(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf out = buf_in(a);

        surrogate_put(a, str_from(cases[i].in), &out);
        assert_string_equal(buf_str(&out).p, cases[i].out);
    }
    arena_free(a);
}

TESTS(TEST(headers))
