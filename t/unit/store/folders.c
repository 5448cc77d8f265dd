#include "store/folders.h"

#include "unit/store/maildir.h"

/* "INBOX A{ch} A/B{s}": names with what the listing says of them. */
static struct str
listed(struct user *u)
{
    struct folder_list list;
    struct buf b = buf_in(u->a);

    good(folders_list(u->home, u->a, &list, &u->why));
    for (size_t i = 0; i < list.len; i++) {
        const struct folder *f = &list.at[i];

        buf_fmt(&b, "%s%.*s", i ? " " : "", STR(f->name));
        if (!(f->bits & FOLDER_SELECTABLE))
            buf_addc(&b, '-');
        if (f->bits & FOLDER_CHILDREN)
            buf_addc(&b, '>');
        if (f->bits & FOLDER_SUBSCRIBED)
            buf_addc(&b, '!');
        if (f->bits & FOLDER_CHILD_SUBSCRIBED)
            buf_addc(&b, '?');
        if (f->use.len)
            buf_fmt(&b, "=%.*s", STR(f->use));
    }
    return buf_str(&b);
}

static void
login(struct user *u, bool fs)
{
    struct home_settings s = {.root = u->root, .fs = fs};

    good(home_open(&s, &u->home, &u->why));
}

static void
make(struct user *u, const char *name)
{
    good(folder_create(u->home, str_from(name), (struct str){0}, &u->why));
}

static const char *
refused(struct user *u, enum rc rc)
{
    assert_int_equal(rc, PERM);
    return u->why.dsn;
}

static void
both(bool fs)
{
    struct user *u = user_new();
    struct mailbox_status before, after;

    login(u, fs);
    assert_str(listed(u), S("INBOX"));
    make(u, "Sent");
    make(u, "A/B/C");
    make(u, "Entw\xc3\xbcrfe");
    assert_str(listed(u), S("INBOX A-> A/B-> A/B/C Entw\xc3\xbcrfe Sent"));
    assert_true(user_has(u, fs ? "A/B/C/cur" : ".A.B.C/cur"));
    assert_true(user_has(u, fs ? "Entw&APw-rfe/cur" : ".Entw&APw-rfe/cur"));
    assert_string_equal(
        refused(u, folder_create(u->home, S("Sent"), (struct str){0}, &u->why)),
        "5.1.4");
    assert_string_equal(refused(u, folder_create(u->home, S("inbox"),
                                                 (struct str){0}, &u->why)),
                        "5.1.4");
    make(u, "A");
    good(folder_create(u->home, S("A/D"), S("\\Drafts \\Junk"), &u->why));
    good(folder_subscribe(u->home, S("A/D"), true, &u->why));
    good(folder_subscribe(u->home, S("Gone/x"), true, &u->why));
    good(folder_subscribe(u->home, S("Inbox"), true, &u->why));
    assert_str(listed(u), S("INBOX! A>? A/B-> A/B/C A/D!=\\Drafts \\Junk "
                            "Entw\xc3\xbcrfe Gone-? Gone/x-! Sent"));
    good(folder_subscribe(u->home, S("Gone/x"), false, &u->why));
    good(folder_subscribe(u->home, S("INBOX"), false, &u->why));

    good(folder_status(u->home, S("A/D"), false, &before, &u->why));
    good(folder_rename(u->home, S("A"), S("Z/A"), &u->why));
    assert_str(listed(u),
               S("INBOX A-? A/D-! Entw\xc3\xbcrfe Sent Z-> Z/A> Z/A/B-> "
                 "Z/A/B/C Z/A/D=\\Drafts \\Junk"));
    good(folder_status(u->home, S("Z/A/D"), false, &after, &u->why));
    assert_int_equal(before.validity, after.validity);
    assert_int_equal(before.modseq, after.modseq);
    assert_memory_equal(before.guid, after.guid, 16);

    assert_string_equal(
        refused(u, folder_rename(u->home, S("Z"), S("Z/A/X"), &u->why)),
        "5.1.1");
    assert_string_equal(
        refused(u, folder_rename(u->home, S("Z"), S("Sent"), &u->why)),
        "5.1.4");
    assert_string_equal(
        refused(u, folder_rename(u->home, S("None"), S("x"), &u->why)),
        "5.2.0");

    good(folder_delete(u->home, S("Z/A"), &u->why));
    assert_str(listed(u),
               S("INBOX A-? A/D-! Entw\xc3\xbcrfe Sent Z-> Z/A-> Z/A/B-> "
                 "Z/A/B/C Z/A/D=\\Drafts \\Junk"));
    good(folder_delete(u->home, S("Z/A/D"), &u->why));
    good(folder_delete(u->home, S("Z/A/B/C"), &u->why));
    assert_true(PERM == folder_delete(u->home, S("Sent/x"), &u->why));
    assert_string_equal(refused(u, folder_delete(u->home, S("INBOX"), &u->why)),
                        "5.1.1");
    good(folder_create(u->home, S("Sent/x"), (struct str){0}, &u->why));
    good(folder_delete(u->home, S("Sent"), &u->why));
    good(folder_subscribe(u->home, S("A/D"), false, &u->why));

    /* Made again it is another one. */
    make(u, "Z/A/D");
    good(folder_status(u->home, S("Z/A/D"), false, &after, &u->why));
    assert_true(after.validity > before.validity);
    home_close(u->home);
    user_end(u);
}

static void
flat(void **state)
{
    (void)state;
    both(false);
}

static void
tree(void **state)
{
    (void)state;
    both(true);
}

static void
names(void **state)
{
    static const struct {
        const char *name, *flat, *tree;
    } cases[] = {
        {"inbox",       ".",            "."      },
        {"INBOX/a",     ".INBOX.a",     "INBOX/a"},
        {"InBox/a",     ".INBOX.a",     "INBOX/a"},
        {"a/b",         ".a.b",         "a/b"    },
        {"a&b",         ".a&-b",        "a&-b"   },
        {"a.b",         NULL,           "a.b"    },
        {"a//b",        NULL,           NULL     },
        {"/a",          NULL,           NULL     },
        {"a/",          NULL,           NULL     },
        {"",            NULL,           NULL     },
        {"..",          NULL,           NULL     },
        {"a/../b",      NULL,           NULL     },
        {"a/.b",        NULL,           NULL     },
        {"a/cur",       ".a.cur",       NULL     },
        {"dovecot",     ".dovecot",     NULL     },
        {"posta-index", ".posta-index", NULL     },
        {"a\nb",        NULL,           NULL     },
        {"\xff",        NULL,           NULL     },
    };
    struct user *u = user_new();

    (void)state;
    for (int fs = 0; fs < 2; fs++) {
        login(u, fs);
        for (size_t i = 0; i < COUNT(cases); i++) {
            const char *path, *want = fs ? cases[i].tree : cases[i].flat;
            enum rc rc = home_path(u->home, u->a, str_from(cases[i].name),
                                   &path, &u->why);

            assert_int_equal(rc, want ? OK : PERM);
            if (want)
                assert_string_equal(path, want);
            if (want && home_name(u->home, u->a, str_from(want)).len == 0)
                fail_msg("no name: %s", want);
        }
        assert_null(home_name(u->home, u->a, S(".a&AGE-")).p);
        home_close(u->home);
    }
    user_end(u);
}

/* Sessions that have the folder open. */
static void
opened(void **state)
{
    struct user *u = user_new();
    struct mailbox *box;
    struct mailbox_status s;

    (void)state;
    user_login(u);
    make(u, "A");
    good(mailbox_open(u->home, S("A"), &box, &u->why));
    user_append(u, box, 3);
    good(folder_rename(u->home, S("A"), S("B"), &u->why));
    user_append(u, box, 1);
    good(folder_status(u->home, S("B"), false, &s, &u->why));
    assert_int_equal(s.messages, 4);
    good(folder_delete(u->home, S("B"), &u->why));
    assert_int_equal(mailbox_status(box, false, &s, &u->why), PERM);
    assert_int_equal(mailbox_sync(box, NULL, &u->why), PERM);
    make(u, "B");
    assert_int_equal(mailbox_status(box, false, &s, &u->why), PERM);
    mailbox_close(box);

    /* INBOX gives what it has. */
    user_append(u, u->box, 2);
    good(folder_rename(u->home, S("INBOX"), S("Old"), &u->why));
    assert_int_equal(user_status(u).messages, 0);
    assert_int_equal(user_status(u).next, 3);
    good(folder_status(u->home, S("Old"), false, &s, &u->why));
    assert_int_equal(s.messages, 2);
    user_logout(u);
    user_end(u);
}

static void
old_subscriptions(void **state)
{
    struct user *u = user_new();
    const char *path = arena_fmt(u->a, "%s/subscriptions", u->root);

    (void)state;
    login(u, false);
    file_write(path, "INBOX\nA.B\nOld.\n\nEntw&APw-rfe\nb\xc3\xa4\n");
    assert_str(listed(u), S("INBOX! A-? A/B-! Entw\xc3\xbcrfe-! Old-!"));
    good(folder_subscribe(u->home, S("New/x"), true, &u->why));
    assert_str(file_text(u->a, path),
               S("INBOX\nA.B\nOld\nEntw&APw-rfe\nb\xc3\xa4\nNew.x\n"));
    unlink(path);
    good(folder_subscribe(u->home, S("New/x"), true, &u->why));
    assert_str(file_text(u->a, path), S("V\t2\n\nNew\tx\n"));
    home_close(u->home);
    user_end(u);
}

/* Another separator, and the same files. */
static void
dots(void **state)
{
    (void)state;
    for (int fs = 0; fs < 2; fs++) {
        struct user *u = user_new();
        const char *path = arena_fmt(u->a, "%s/subscriptions", u->root);
        struct home_settings s = {.root = u->root, .fs = fs, .separator = '.'};

        file_write(path, "V\t2\n\nA\tB\na.b\n");
        good(home_open(&s, &u->home, &u->why));
        make(u, "A.B");
        make(u, "INBOX.x");
        assert_true(user_has(u, fs ? "A/B/cur" : ".A.B/cur"));
        assert_str(listed(u), S("INBOX> A->? A.B! INBOX.x"));
        good(folder_subscribe(u->home, S("INBOX.x"), true, &u->why));
        good(folder_subscribe(u->home, S("A.B"), false, &u->why));
        assert_str(file_text(u->a, path), S("V\t2\n\na.b\nINBOX\tx\n"));
        assert_string_equal(
            refused(u, folder_create(u->home, S("a/b"), S(""), &u->why)),
            "5.1.1");
        assert_string_equal(
            refused(u, folder_create(u->home, S("a..b"), S(""), &u->why)),
            "5.1.1");
        home_close(u->home);
        /* What has a dot in its name is not seen. */
        if (fs) {
            login(u, true);
            make(u, "q.r");
            home_close(u->home);
            good(home_open(&s, &u->home, &u->why));
            assert_str(listed(u), S("INBOX>? A-> A.B INBOX.x!"));
            home_close(u->home);
        }
        user_end(u);
    }
}

/* LIST and whoever opens them agree about folders of which somebody has removed
 * something by hand. */
static void
in_parts(void **state)
{
    static const struct {
        const char *removed; /* of .A */
        bool lost;           /* and the index, before LIST */
        bool is_left;
    } cases[] = {
        {"cur",                          false, true },
        {"cur",                          true,  true },
        {"cur tmp new",                  false, true },
        {"cur tmp new",                  true,  true },
        {"cur tmp new maildirfolder",    true,  true },
        {"cur tmp new maildir* posta-*", false, true },
        {"*",                            false, true },
        {"*",                            true,  false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct user *u = user_new();
        struct mailbox_status st;

        login(u, false);
        make(u, "A");
        home_close(u->home);
        const char *more = cases[i].lost ? "../posta-index" : "";
        const char *command = arena_fmt(u->a, "cd %s/.A && rm -r %s %s",
                                        u->root, cases[i].removed, more);

        assert_int_equal(system(command), 0);
        login(u, false);
        assert_str(listed(u), cases[i].is_left ? S("INBOX A") : S("INBOX A-"));
        enum rc rc = folder_status(u->home, S("A"), false, &st, &u->why);

        assert_int_equal(rc, cases[i].is_left ? OK : PERM);
        assert_int_equal(user_has(u, ".A/cur"), cases[i].is_left);
        assert_str(listed(u), cases[i].is_left ? S("INBOX A") : S("INBOX A-"));
        home_close(u->home);
        user_end(u);
    }
}

TESTS(TEST(flat), TEST(tree), TEST(names), TEST(opened), TEST(in_parts),
      TEST(old_subscriptions), TEST(dots))
