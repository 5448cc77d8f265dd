#include "store/flags.h"

#include <signal.h>
#include <sys/wait.h>

#include "unit/store/maildir.h"

#define WORD (UINT64_C(1) << 26) /* the first keyword without a letter */

static void
begin_again(struct user *u)
{
    user_logout(u);
    user_remove_index(u);
    user_login(u);
}

/* What posta-state says of a message is taken back, whoever has written it. */
static void
words(void **state)
{
    struct user *u = user_new();
    int bit = 0;

    (void)state;
    user_put(u, "cur/1.h:2,");
    user_login(u);
    for (int i = 0; bit < 26; i++)
        good(mailbox_keyword(u->box, str_from(arena_fmt(u->a, "word%d", i)),
                             &bit, &u->why));
    user_store(u, 1, 1, FLAGS_ADD, 0, WORD);
    begin_again(u);
    assert_str(user_list(u), S("1:0"));
    user_store(u, 1, 1, FLAGS_REMOVE, 0, WORD);
    assert_str(user_list(u), S("1:"));
    begin_again(u);
    assert_str(user_list(u), S("1:"));
    user_logout(u);
    user_end(u);
}

/* What no file name has yet when somebody removes the index. */
static void
removed(void **state)
{
    struct user *u = user_new();
    int bit = 0;

    (void)state;
    user_put(u, "cur/1.h:2,");
    user_put(u, "cur/2.h:2,");
    user_login(u);
    for (int i = 0; bit < 26; i++)
        good(mailbox_keyword(u->box, str_from(arena_fmt(u->a, "word%d", i)),
                             &bit, &u->why));
    user_store(u, 1, 1, FLAGS_ADD, FLAG_SEEN, WORD | 2);
    user_remove_index(u);
    user_store(u, 2, 2, FLAGS_ADD, FLAG_FLAGGED, 0);
    assert_str(user_list(u), S("1:Sb0 2:F"));
    begin_again(u);
    assert_str(user_list(u), S("1:Sb0 2:F"));
    user_logout(u);
    user_end(u);
}

/* Who made a new one before somebody saves the old one takes over what is
 * saved. */
static void
removed_and_made(void **state)
{
    struct user *u = user_new();
    int bit = 0, status, done[2], go[2];
    char c;

    (void)state;
    for (int i = 1; i < 4; i++)
        user_put(u, arena_fmt(u->a, "cur/%d.h:2,", i));
    user_login(u);
    for (int i = 0; bit < 27; i++)
        good(mailbox_keyword(u->box, str_from(arena_fmt(u->a, "word%d", i)),
                             &bit, &u->why));
    user_store(u, 1, 2, FLAGS_ADD, 0, WORD);
    user_logout(u);
    assert_true(pipe(done) == 0 && pipe(go) == 0);

    pid_t pid = fork();

    if (pid == 0) {
        user_login(u);
        user_store(u, 1, 1, FLAGS_REPLACE, FLAG_FLAGGED, WORD << 1);
        user_store(u, 2, 2, FLAGS_REMOVE, 0, WORD);
        must(write(done[1], "x", 1) == 1 && read(go[0], &c, 1) == 1);
        user_logout(u);
        _exit(0);
    }
    assert_int_equal(read(done[0], &c, 1), 1);
    user_remove_index(u);
    user_login(u);
    assert_str(user_list(u), S("1:0 2:0 3:"));
    assert_int_equal(write(go[1], "x", 1), 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    user_sync(u);
    assert_str(user_list(u), S("1:F1 2: 3:"));
    begin_again(u);
    assert_str(user_list(u), S("1:F1 2: 3:"));
    user_logout(u);
    user_end(u);
}

/* Another process changed flags in a folder that we do not have open, and was
 * killed. */
static void
removed_after_kill(void **state)
{
    struct user *u = user_new();
    int status;

    (void)state;
    for (const char *const *p =
             (const char *const[]){"", "/tmp", "/new", "/cur", NULL};
         *p; p++)
        assert_int_equal(
            mkdir(arena_fmt(u->a, "%s/.Other%s", u->root, *p), 0700), 0);
    user_put(u, "cur/1.h:2,");
    user_put(u, ".Other/cur/2.h:2,");
    pid_t pid = fork();

    if (pid == 0) {
        user_login(u);
        good(mailbox_open(u->home, S("Other"), &u->box, &u->why));
        user_store(u, 1, 1, FLAGS_ADD, FLAG_ANSWERED, 0);
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(user_has(u, ".Other/cur/2.h:2,"));
    user_login(u);
    user_remove_index(u);
    user_store(u, 1, 1, FLAGS_ADD, FLAG_FLAGGED, 0);
    assert_true(user_has(u, ".Other/cur/2.h:2,R"));
    assert_str(user_list(u), S("1:F"));
    user_logout(u);
    user_end(u);
}

/* Found by who closes the mailbox. */
static void
removed_before_close(void **state)
{
    struct user *u = user_new();

    (void)state;
    user_put(u, "cur/1.h:2,");
    user_login(u);
    user_store(u, 1, 1, FLAGS_ADD, FLAG_SEEN, 0);
    user_remove_index(u);
    user_logout(u);
    assert_true(user_has(u, "cur/1.h:2,S"));
    user_end(u);
}

TESTS(TEST(words), TEST(removed), TEST(removed_and_made),
      TEST(removed_after_kill), TEST(removed_before_close))
