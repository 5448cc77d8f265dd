#include "store/flags.h"

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

TESTS(TEST(words), TEST(removed))
