#include "store/append.h"

#include <sys/wait.h>

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

TESTS(TEST(several), TEST(together))
