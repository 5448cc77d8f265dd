#include "store/append.h"

#include <sys/wait.h>

#include "store/folders.h"
#include "unit/store/maildir.h"

static void
several(void **state)
{
    struct user *u = user_new();
    struct message m;
    struct append *ap;
    struct uid_set uids;
    int fd;
    char text[100];

    (void)state;
    user_login(u);
    assert_int_equal(user_append(u, u->box, 3), 1);
    assert_str(user_list(u), S("1: 2: 3:"));
    good(mailbox_message(u->box, 2, &m, &u->why));
    assert_int_equal(m.date, 1700000002);
    assert_int_equal(m.size, 11);
    assert_int_equal(m.vsize, 14);
    assert_true(m.saved > 1700000002);

    ap = append_new(u->box);
    good(append_message(ap, FLAG_SEEN, 0, 1, &u->why));
    good(append_write(ap, S("a\r"), &u->why));
    good(append_write(ap, S("\nb\rc\n\r\r\nd\r"), &u->why));
    good(append_commit(ap, u->a, &uids, &u->why));
    assert_str(set_text(u->a, uids), S("4"));
    good(mailbox_file(u->box, 4, &fd, &u->why));
    ssize_t n = read(fd, text, sizeof text);

    close(fd);
    assert_str(((struct str){text, (size_t)n}), S("a\nb\rc\n\r\nd\r"));
    good(mailbox_message(u->box, 4, &m, &u->why));
    assert_int_equal(m.size, n);
    assert_int_equal(m.vsize, n + 3);
    assert_int_equal(m.flags, FLAG_SEEN);

    /* Nothing is left in tmp/. */
    ap = append_new(u->box);
    good(append_message(ap, 0, 0, 1, &u->why));
    good(append_write(ap, S("a"), &u->why));
    append_abort(ap);
    assert_int_equal(rmdir(arena_fmt(u->a, "%s/tmp", u->root)), 0);
    assert_int_equal(user_append(u, u->box, 1), 5);
    user_logout(u);

    user_remove_index(u);
    user_login(u);
    assert_str(user_list(u), S("1: 2: 3: 4:S 5:"));
    good(mailbox_message(u->box, 2, &m, &u->why));
    assert_int_equal(m.date, 1700000002);
    assert_int_equal(m.vsize, 14);
    user_logout(u);
    user_end(u);
}

/* Two processes append at once, a third program delivers. */
static void
together(void **state)
{
    struct user *u = user_new();
    pid_t pids[3];
    int status;

    (void)state;
    for (size_t i = 0; i < COUNT(pids); i++) {
        pids[i] = fork();
        if (pids[i])
            continue;
        if (i == 2) {
            for (int n = 0; n < 40; n++) {
                user_put(u, arena_fmt(u->a, "tmp/%d.M1.h", n));
                user_move(u, arena_fmt(u->a, "tmp/%d.M1.h", n),
                          arena_fmt(u->a, "new/%d.M1.h", n));
                usleep(1000);
            }
            _exit(0);
        }
        user_login(u);
        for (int n = 0; n < 20; n++)
            user_append(u, u->box, 2);
        user_logout(u);
        _exit(0);
    }
    for (size_t i = 0; i < COUNT(pids); i++) {
        waitpid(pids[i], &status, 0);
        assert_int_equal(status, 0);
    }
    user_login(u);
    assert_int_equal(user_status(u).messages, 2 * 40 + 40);
    assert_int_equal(user_status(u).next, 121);

    struct str list = user_list(u);

    user_logout(u);
    user_remove_index(u);
    user_login(u);
    assert_str(user_list(u), list);
    user_logout(u);
    user_end(u);
}

/* Who opens a folder to add to it does not list it for that: what others have
 * made is found before his messages get their UIDs. */
static void
open_to_add(void **state)
{
    struct user *u = user_new();
    struct mailbox_status status;
    const struct keywords *k;
    struct mailbox *box;

    (void)state;
    user_put(u, "cur/1.M1.h:2,");
    user_login(u);
    user_put(u, "cur/2.M1.h:2,S");
    good(mailbox_open_to_add(u->home, S("INBOX"), &box, &u->why));
    assert_str(user_list(u), S("1:"));
    assert_int_equal(user_append(u, box, 1), 3);
    assert_str(user_list(u), S("1: 2:S 3:"));
    mailbox_close(box);

    file_write(arena_fmt(u->a, "%s/dovecot-keywords", u->root), "0 work\n");
    good(mailbox_open_to_add(u->home, S("INBOX"), &box, &u->why));
    good(mailbox_keywords(box, &k, &u->why));
    assert_int_equal(keywords_find(k, S("work")), 0);
    mailbox_close(box);

    /* One that the index does not know is read. */
    good(folder_create(u->home, S("A"), (struct str){0}, &u->why));
    user_put(u, ".A/cur/1.M1.h:2,");
    user_move(u, ".A", ".B");
    assert_int_equal(mailbox_open_to_add(u->home, S("A"), &box, &u->why), PERM);
    good(mailbox_open_to_add(u->home, S("B"), &box, &u->why));
    good(mailbox_status(box, false, &status, &u->why));
    assert_int_equal(status.messages, 1);
    assert_int_equal(user_append(u, box, 1), 2);
    mailbox_close(box);
    user_logout(u);
    user_end(u);
}

TESTS(TEST(several), TEST(together), TEST(open_to_add))
