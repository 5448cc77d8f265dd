#include "mail/utf7.h"

#include "unit/test.h"

/* Both ways (RFC 3501 5.1.3). */
static const char *const pairs[][2] = {
    {"INBOX",                           "INBOX"},
    {"~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/"
     "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"        },
    {"A&-B",                                 "A&B"                          },
    {"&AOQ-",                                 "\xc3\xa4"       },
    {"&2D3eAA-",                                 "\xf0\x9f\x98\x80"                       },
    {"Entw&APw-rfe",                                 "Entw\xc3\xbcrfe"   },
    {"&AOQA9g-&-",                                 "\xc3\xa4\xc3\xb6&"                         },
    {"",                                 ""             },
};

/* Other forms of names, and what is none. */
static const char *const wrong[] = {
    "&Jjo!",    "&U,BTFw-&ZeVnLIqe-",
    "&AGE-",    "&",
    "&AOQ",     "&AOR-",
    "&AO-",     "&2D0-",
    "&3gA-",    "&2D0AYQ-",
    "\xc3\xa4", "a\nb",
    "&AAo-",    "&AOQ=-",
    "&AOQ/-",
};

static void
both_ways(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct str out;

    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        if (!utf7_decode(a, str_from(pairs[i][0]), &out))
            fail_msg("%s is refused", pairs[i][0]);
        assert_str(out, str_from(pairs[i][1]));
        assert_true(utf7_encode(a, str_from(pairs[i][1]), &out));
        assert_str(out, str_from(pairs[i][0]));
    }
    for (size_t i = 0; i < COUNT(wrong); i++)
        if (utf7_decode(a, str_from(wrong[i]), &out))
            fail_msg("%s is taken", wrong[i]);
    assert_false(utf7_encode(a, S("\xff"), &out));
    assert_false(utf7_encode(a, S("a\nb"), &out));
    arena_free(a);
}

TESTS(TEST(both_ways))
