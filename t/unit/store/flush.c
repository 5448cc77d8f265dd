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

TESTS(TEST(words), TEST(removed), TEST(removed_after_kill),
      TEST(removed_before_close))
