#include "store/acl.h"

#include "unit/test.h"

static const struct str groups[] = {S("staff"), S("big team")};

static unsigned
bits(const char *letters)
{
    unsigned rights;
    char wrong;

    assert_true(rights_parse(str_from(letters), &rights, &wrong));
    return rights;
}

/* What Dovecot's acl plugin makes of them. */
static const struct {
    const char *text, *owner, *ben, *eve;
} cases[] = {
    {"",                                                 "lrswipkxtea", "",     ""    },
    {"user=ben lr\n",                                    "lrswipkxtea", "lr",   ""    },
    {"anyone lr\nuser=ben w\n",                          "lrswipkxtea", "w",    "lr"  },
    {"user=ben w\nanyone lr\nauthenticated s\n",         "lrswipkxtea", "w",    "s"   },
    {"group=staff lr\ngroup=big lrx\nanyone i",          "lrswipkxtea", "lr",   "i"   },
    {"group=staff lr\n\"group=big team\" ti\n",          "lrswipkxtea", "lrti", ""    },
    {"group-override=staff\nuser=ben lrw\n",             "lrswipkxtea", "",     ""    },
    {"anyone lrsw\n-user=ben w\n",                       "lrswipkxtea", "lrs",  "lrsw"},
    {"-anyone w\nuser=ben lrw\n",                        "lrswipkxtea", "lr",   ""    },
    {"-anyone w\nuser=ben lrw\n-user=ben r",             "lrswipkxtea", "lw",   ""    },
    {"-anyone w\ngroup=staff lwst\n"
     "-\"group=big team\" s",                       "",            "",     ""    },
    {"-anyone w\ngroup=staff lwst\n"
     "\"-group=big team\" s",                       "lrswipkxtea", "lwt",  ""    },
    {"owner lr\nuser=ben lr\n",                          "lra",         "lr",   ""    },
    {"owner lrw\nuser=anna r\n",                         "lra",         "",     ""    },
    {"-owner ra\n",                                      "lswipkxtea",  "",     ""    },
    {"# c\n\nanonymous :read lookup odd\nuser=ben lr l", "",            "",     ""    },
    {"anonymous :read lookup odd\n",                     "lrswipkxtea", "lr",   "lr"  },
    {"user=ben l :write-seen, write-deleted,delete",     "lrswipkxtea", "lstx", ""    },
    {"somebody lr\n",                                    "",            "",     ""    },
    {"user= lr\n",                                       "",            "",     ""    },
    {"owner=x lr\n",                                     "",            "",     ""    },
    {"user=ben lrq\n",                                   "",            "",     ""    },
    {"user=ben lr\nuser=ben w\n",                        "lrswipkxtea", "lrw",  ""    },
};

static void
evaluated(void **state)
{
    const struct acl_who owner = {S("anna"), true, NULL, 0};
    const struct acl_who ben = {S("ben"), false, groups, 2};
    const struct acl_who eve = {S("eve"), false, NULL, 0};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena *a = arena_new("test", 1 << 20);
        struct acl acl, again;
        struct buf b = buf_in(a);
        struct why why;
        enum rc rc = acl_parse(a, str_from(cases[i].text), &acl, &why);

        if (*cases[i].owner == '\0') {
            assert_int_equal(rc, PERM);
            assert_int_equal(acl.count, 0);
        } else {
            assert_int_equal(rc, OK);
            acl_put(&b, &acl);
            assert_int_equal(acl_parse(a, buf_str(&b), &again, &why), OK);
            assert_int_equal(acl_rights(&again, &owner, 0),
                             bits(cases[i].owner));
            assert_int_equal(acl_rights(&acl, &owner, 0), bits(cases[i].owner));
            assert_int_equal(acl_rights(&acl, &ben, 0), bits(cases[i].ben));
            assert_int_equal(acl_rights(&acl, &eve, 0), bits(cases[i].eve));
        }
        arena_free(a);
    }
}

static void
letters(void **state)
{
    struct arena *a = arena_new("test", 1 << 16);
    struct buf b = buf_in(a);
    unsigned rights;
    char wrong = 0;

    (void)state;
    assert_int_equal(bits("cd"), bits("kxte"));
    assert_false(rights_parse(S("lrQ"), &rights, &wrong));
    assert_int_equal(wrong, 'Q');
    rights_put(&b, bits("xrl"), true);
    rights_put(&b, bits("el"), true);
    rights_put(&b, 0, true);
    rights_put(&b, bits("cl"), false);
    assert_str(buf_str(&b), S("lrxcled\"\"lkx"));
    arena_free(a);
}

/* Written back, it would be ":post". */
static void
with_nul(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct why why;
    struct acl acl;

    (void)state;
    assert_int_equal(
        acl_parse(a, S("anyone l\nuser=z l :post\0;\n"), &acl, &why), PERM);
    assert_int_equal(acl.count, 0);
    arena_free(a);
}

/* Lines of the same id become one, which has to be read again. */
static void
too_long(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct buf b = buf_in(a);
    struct why why;
    struct acl acl;

    (void)state;
    for (int i = 0; i < 60; i++)
        buf_fmt(&b, "anyone l :%0*d\n", 100, i);
    assert_int_equal(acl_parse(a, buf_str(&b), &acl, &why), PERM);
    assert_int_equal(acl.count, 0);
    arena_free(a);
}

static void
changed(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct acl_entry e = {
        .id = {ACL_USER, false, S("new one")},
          .rights = RIGHT_READ
    };
    struct buf b = buf_in(a);
    struct why why;
    struct acl acl;

    (void)state;
    assert_int_equal(acl_parse(a, S("user=z l :odd\nanyone l\n"), &acl, &why),
                     OK);
    assert_int_equal(acl_with(a, &acl, &e, &why), OK);
    e.rights = RIGHT_WRITE;
    e.id.negative = true;
    assert_int_equal(acl_with(a, &acl, &e, &why), OK);
    acl_put(&b, &acl);
    assert_str(buf_str(&b), S("anyone l\n\"user=new one\" r\n"
                              "\"-user=new one\" w\nuser=z l : odd\n"));
    acl_without(&acl, &e.id);
    e.id.negative = false;
    acl_without(&acl, &e.id);
    acl_without(&acl, &e.id);
    assert_int_equal(acl.count, 2);
    arena_free(a);
}

/* An ACL with what cannot be read shuts everybody out: whatever can be added
 * can be read. */
static void
long_names(void **state)
{
    static const char letters[] = {'x', ' ', '"', '\\'};
    size_t refused = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(letters); i++)
        for (size_t len = 1000; len < 5000; len += 31) {
            struct arena *a = arena_new("test", 1 << 20);
            struct str name = {memset(arena_alloc(a, len), letters[i], len),
                               len};
            struct acl_entry e = {
                .id = {ACL_USER, true, name}
            };
            struct buf b = buf_in(a);
            struct acl acl = {0};
            struct why why;

            if (acl_with(a, &acl, &e, &why) == OK) {
                acl_put(&b, &acl);
                assert_int_equal(acl_parse(a, buf_str(&b), &acl, &why), OK);
                assert_true(str_eq(acl.at[0].id.name, name));
            } else {
                assert_string_equal(why.dsn, "5.3.4");
                refused++;
            }
            arena_free(a);
        }
    assert_true(refused > 0);
}

/* Anybody may write such a file, and others' processes read it, with an arena
 * of 4 MiB (acl_file.c). */
static void
same_id_often(void **state)
{
    static const struct {
        const char *line;
        size_t count;
        enum rc rc;
    } files[] = {
        {"anyone :what nobody knows and nobody ever heard of\n", 1000, PERM},
        {"anyone :abc\n",                                        1000, OK  },
        {"anyone l\n",                                           1000, OK  },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        struct arena *a = arena_new("test", 4 << 20);
        struct buf b = buf_in(a);
        struct acl acl;
        struct why why;

        for (size_t n = 0; n < files[i].count; n++)
            buf_add(&b, str_from(files[i].line));
        assert_true(b.len <= (size_t)ACL_MAX);
        assert_int_equal(acl_parse(a, buf_str(&b), &acl, &why), files[i].rc);
        assert_int_equal(acl.count, files[i].rc == OK);
        arena_free(a);
    }
}

TESTS(TEST(evaluated), TEST(letters), TEST(with_nul), TEST(too_long),
      TEST(changed), TEST(same_id_often), TEST(long_names))
