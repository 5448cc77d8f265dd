#include "store/copy.h"

#include "store/folders.h"
#include "store/ranges.h"
#include "store/uidlist.h"
#include "unit/store/maildir.h"

static struct str
list(struct user *u, struct mailbox *box)
{
    struct mailbox *old = u->box;

    u->box = box;
    struct str s = user_list(u);

    u->box = old;
    return s;
}

static struct mailbox *
other(struct user *u, const char *name)
{
    struct mailbox *box;

    good(folder_create(u->home, str_from(name), (struct str){0}, &u->why));
    good(mailbox_open(u->home, str_from(name), &box, &u->why));
    return box;
}

static struct str
copied(struct user *u, struct mailbox *to, uint32_t first, uint32_t last,
       bool move)
{
    struct uid_range r = {first, last};
    struct uid_set from_uids, to_uids;

    const struct copy_how how = {.move = move, .flags = FLAG_ALL};

    good(copy_messages(u->box, (struct uid_set){&r, 1}, to, &how, u->a,
                       &from_uids, &to_uids, &u->why));
    return str_from(arena_fmt(u->a, "%s > %s", set_text(u->a, from_uids).p,
                              set_text(u->a, to_uids).p));
}

static void
copies(void **state)
{
    struct user *u = user_new();
    struct mailbox *to;
    struct message m, n;
    struct mailbox_blob kept = {2, BLOB_FIELDS, S("envelope")};
    struct str blob;
    int bit;

    (void)state;
    user_login(u);
    user_append(u, u->box, 4);
    to = other(u, "To");
    good(mailbox_keyword(to, S("first"), &bit, &u->why));
    good(mailbox_keyword(u->box, S("work"), &bit, &u->why));
    user_store(u, 2, 2, FLAGS_ADD, FLAG_FLAGGED, 1);
    good(mailbox_keep(u->box, &kept, 1, &u->why));
    assert_str(copied(u, to, 2, 3, false), S("2:3 > 1:2"));
    assert_str(list(u, to), S("1:Fb 2:"));
    assert_str(user_list(u), S("1: 2:Fa 3: 4:"));
    good(mailbox_message(u->box, 2, &m, &u->why));
    good(mailbox_message(to, 1, &n, &u->why));
    assert_memory_equal(m.id, n.id, 16);
    assert_int_equal(m.date, n.date);
    assert_int_equal(m.vsize, n.vsize);
    good(mailbox_blob(to, 1, BLOB_FIELDS, u->a, &blob, &u->why));
    assert_str(blob, S("envelope"));

    assert_str(copied(u, to, 1, 9, true), S("1:4 > 3:6"));
    assert_str(user_list(u), S(""));
    assert_str(list(u, to), S("1:Fb 2: 3: 4:Fb 5: 6:"));
    assert_str(copied(u, to, 1, 9, true), S(" > "));
    mailbox_close(to);
    user_logout(u);

    user_remove_index(u);
    user_login(u);
    good(mailbox_open(u->home, S("To"), &to, &u->why));
    assert_str(list(u, to), S("1:Fb 2: 3: 4:Fb 5: 6:"));
    good(mailbox_message(to, 4, &n, &u->why));
    assert_memory_equal(m.id, n.id, 16);
    assert_int_equal(m.date, n.date);
    mailbox_close(to);
    user_logout(u);
    user_end(u);
}

static void
same_folder(void **state)
{
    struct user *u = user_new();

    (void)state;
    user_login(u);
    user_append(u, u->box, 3);
    assert_str(copied(u, u->box, 1, 2, false), S("1:2 > 4:5"));
    assert_str(copied(u, u->box, 2, 3, true), S("2:3 > 6:7"));
    assert_str(user_list(u), S("1: 4: 5: 6: 7:"));
    user_logout(u);
    user_end(u);
}

/* Files that others rename or remove meanwhile. */
static void
renamed(void **state)
{
    struct user *u = user_new();
    struct mailbox *to;

    (void)state;
    for (int i = 1; i <= 3; i++)
        user_put(u, arena_fmt(u->a, "cur/%d.h:2,", i));
    user_login(u);
    to = other(u, "To");
    user_move(u, "cur/1.h:2,", "cur/1.h:2,S");
    unlink(arena_fmt(u->a, "%s/cur/2.h:2,", u->root));
    assert_str(copied(u, to, 1, 3, true), S("1,3 > 1:2"));
    assert_str(list(u, to), S("1:S 2:"));
    assert_str(user_list(u), S(""));
    mailbox_close(to);
    user_logout(u);
    user_end(u);
}

/* What is found the second time comes last. If that fails, because there is no
 * UID left, the first ones are told of, and have moved. */
static void
second_try(void **state)
{
    struct user *u = user_new();
    struct home_settings s = {.root = arena_fmt(u->a, "%s/Full", u->top)};
    const struct copy_how move = {.move = true, .flags = FLAG_ALL};
    const struct uid_range all = {1, 3};
    struct uid_set from_uids, to_uids;
    struct mailbox *to;
    struct home *home;

    (void)state;
    for (int i = 1; i <= 2000; i++)
        user_put(u, arena_fmt(u->a, "cur/%d.h:2,", i));
    user_login(u);
    to = other(u, "To");
    /* Of a large folder only who misses it looks for it. */
    user_rename_unseen(u, 9, FLAG_FLAGGED, "cur/2.h:2,", "cur/2.h:2,S");
    assert_str(copied(u, to, 1, 3, false), S("1,3,2 > 1:3"));
    mailbox_close(to);

    mkdir(s.root, 0700);
    file_write(arena_fmt(u->a, "%s/dovecot-uidlist", s.root),
               arena_fmt(u->a, "3 V7 N%u G%032d\n", UIDLIST_LAST - 1, 1));
    good(home_open(&s, &home, &u->why));
    good(mailbox_open(home, S("INBOX"), &to, &u->why));
    user_rename_unseen(u, 9, FLAG_SEEN, "cur/2.h:2,S", "cur/2.h:2,");
    assert_int_equal(copy_messages(u->box, (struct uid_set){&all, 1}, to, &move,
                                   u->a, &from_uids, &to_uids, &u->why),
                     PERM);
    assert_str(set_text(u->a, from_uids), S("1,3"));
    assert_int_equal(uid_set_count(to_uids), 2);
    assert_int_equal(user_status(u).messages, 1998);
    mailbox_close(to);
    home_close(home);
    user_logout(u);
    user_end(u);
}

/* A folder that is a link to one of another file system. */
static void
other_file_system(void **state)
{
    struct user *u = user_new();
    char far[] = "/dev/shm/posta-store-XXXXXX";
    struct mailbox *to;

    (void)state;
    assert_non_null(mkdtemp(far));
    assert_int_equal(symlink(far, arena_fmt(u->a, "%s/.Far", u->root)), 0);
    mkdir(arena_fmt(u->a, "%s/cur", far), 0700);
    user_login(u);
    user_append(u, u->box, 3);
    good(mailbox_open(u->home, S("Far"), &to, &u->why));
    assert_str(copied(u, to, 1, 1, false), S("1 > 1"));
    assert_str(copied(u, to, 1, 2, true), S("1:2 > 2:3"));
    mailbox_close(to);
    user_logout(u);
    user_remove_index(u);
    user_login(u);
    assert_str(user_list(u), S("3:"));
    good(mailbox_open(u->home, S("Far"), &to, &u->why));
    assert_str(list(u, to), S("1: 2: 3:"));
    mailbox_close(to);
    user_logout(u);
    folder_remove(u->a, far);
    user_end(u);
}

/* To somebody else's mailbox, or another root's. */
static void
other_home(void **state)
{
    struct user *u = user_new();
    struct home_settings s = {.root = arena_fmt(u->a, "%s/Other", u->top)};
    struct home *home;
    struct mailbox *to;
    struct message m;

    (void)state;
    user_login(u);
    user_append(u, u->box, 3);
    user_store(u, 2, 2, FLAGS_ADD, FLAG_SEEN, 0);
    good(home_open(&s, &home, &u->why));
    good(mailbox_open(home, S("INBOX"), &to, &u->why));
    assert_str(copied(u, to, 2, 3, false), S("2:3 > 1:2"));
    assert_str(copied(u, to, 1, 2, true), S("1:2 > 3:4"));
    assert_str(user_list(u), S("3:"));
    assert_str(list(u, to), S("1:S 2: 3: 4:S"));
    good(mailbox_message(to, 1, &m, &u->why));
    assert_int_equal(m.date, 1700000002);
    mailbox_close(to);
    home_close(home);
    user_logout(u);
    user_end(u);
}

/* Dates that nobody has asked for since the index was made anew. */
static void
undated(void **state)
{
    struct user *u = user_new();
    struct mailbox *to;
    struct message m;

    (void)state;
    user_login(u);
    user_append(u, u->box, 2);
    user_logout(u);
    user_remove_index(u);
    user_login(u);
    to = other(u, "To");
    assert_str(copied(u, to, 1, 1, false), S("1 > 1"));
    assert_str(copied(u, to, 2, 2, true), S("2 > 2"));
    for (uint32_t uid = 1; uid <= 2; uid++) {
        good(mailbox_message(to, uid, &m, &u->why));
        assert_int_equal(m.date, 1700000000 + uid);
        assert_true(m.saved > 1700000002);
    }
    mailbox_close(to);
    user_logout(u);
    user_end(u);
}

TESTS(TEST(undated), TEST(copies), TEST(same_folder), TEST(renamed),
      TEST(second_try), TEST(other_file_system), TEST(other_home))
