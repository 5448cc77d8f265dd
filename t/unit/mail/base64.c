#include "mail/base64.h"

#include "unit/test.h"

static void
strict(void **state)
{
    static const struct {
        const char *text, *plain; /* NULL: refused */
    } rows[] = {
        {"",         ""      },
        {"Zg==",     "f"     },
        {"Zm8=",     "fo"    },
        {"Zm9v",     "foo"   },
        {"Zm9vYg==", "foob"  },
        {"Zm9vYmFy", "foobar"},
        {"Zg=",      NULL    },
        {"Zg",       NULL    },
        {"Zh==",     NULL    },
        {"Zm9=",     NULL    },
        {"Zm9v\n",   NULL    },
        {"Z===",     NULL    },
        {"====",     NULL    },
        {"Zg==Zg==", NULL    },
        {"Zm 9",     NULL    },
        {"Zm9v Zg=", NULL    },
        {"-_-_",     NULL    },
    };
    struct arena *a = arena_new("test", 1 << 16);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = buf_in(a);
        bool ok = base64_decode(&out, str_from(rows[i].text));

        if (ok != (rows[i].plain != NULL))
            fail_msg("%s", rows[i].text);
        if (!ok)
            continue;
        assert_str(buf_str(&out), str_from(rows[i].plain));
        buf_reset(&out);
        base64_encode(&out, str_from(rows[i].plain));
        assert_str(buf_str(&out), str_from(rows[i].text));
    }
    arena_free(a);
}

static void
lenient(void **state)
{
    struct arena *a = arena_new("test", 1 << 16);
    struct buf out = buf_in(a);

    (void)state;
    base64_decode_mail(&out, S("Zm9v\r\n Ym*Fy\r\nZg==Zg=="));
    assert_str(buf_str(&out), S("foobarf"));
    buf_reset(&out);
    base64_decode_mail(&out, S("Zm9vY"));
    assert_str(buf_str(&out), S("foo"));
    arena_free(a);
}

static void
lines(void **state)
{
    struct arena *a = arena_new("test", 1 << 16);
    struct buf out = buf_in(a), back = buf_in(a);
    char bytes[256];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;

    struct str all = {bytes, sizeof bytes}, line, text;

    base64_encode_lines(&out, all);
    text = buf_str(&out);
    base64_decode_mail(&back, text);
    assert_str(buf_str(&back), all);
    while (str_cut(&text, '\n', &line))
        assert_true(line.len <= 76);
    assert_int_equal(text.len, 0);
    arena_free(a);
}

TESTS(TEST(strict), TEST(lenient), TEST(lines))
