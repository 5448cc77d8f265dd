#include "store/expunge.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "store/changes.h"
#include "unit/store/maildir.h"

static struct str
expunged(struct user *u, uint32_t first, uint32_t last, bool deleted)
{
    struct uid_range r = {first, last};
    struct uid_set removed;

    good(expunge_messages(u->box, (struct uid_set){&r, 1}, deleted, u->a,
                          &removed, &u->why));
    return set_text(u->a, removed);
}

/* The folder's time does not tell. */
static void
renamed(void **state)
{
    struct user *u = user_new();

    (void)state;
    user_put(u, "cur/1.h:2,");
    user_put(u, "cur/2.h:2,");
    user_login(u);
    user_rename_unseen(u, 2, FLAG_FLAGGED, "cur/1.h:2,", "cur/1.h:2,S");
    assert_str(expunged(u, 1, 1, false), S("1"));
    assert_str(user_list(u), S("2:F"));
    user_logout(u);
    user_end(u);
}

static void
removed(void **state)
{
    struct user *u = user_new();
    struct uid_set gone;
    uint64_t modseq;

    (void)state;
    for (int i = 1; i <= 9; i++)
        user_put(u, arena_fmt(u->a, "cur/%d.h:2,", i));
    user_login(u);
    modseq = user_status(u).modseq;
    user_store(u, 2, 4, FLAGS_ADD, FLAG_DELETED, 0);
    user_store(u, 7, 7, FLAGS_ADD, FLAG_DELETED, 0);
    assert_str(expunged(u, 8, 9, true), S(""));
    assert_str(expunged(u, 3, 9, true), S("3:4,7"));
    assert_str(user_list(u), S("1: 2:T 5: 6: 8: 9:"));
    assert_int_equal(user_status(u).deleted, 1);
    assert_false(user_has(u, "cur/3.h:2,"));
    assert_false(user_has(u, "cur/7.h:2,T"));
    good(changes_vanished(u->box, modseq, u->a, &gone, &u->why));
    assert_str(set_text(u->a, gone), S("3:4,7"));
    modseq = user_status(u).modseq;

    /* One was renamed, one removed, by others; both unknown to us yet. */
    unlink(arena_fmt(u->a, "%s/cur/5.h:2,", u->root));
    user_move(u, "cur/6.h:2,", "cur/6.h:2,S");
    assert_str(expunged(u, 5, 8, false), S("6,8"));
    assert_str(user_list(u), S("1: 2:T 9:"));
    good(changes_vanished(u->box, modseq, u->a, &gone, &u->why));
    assert_str(set_text(u->a, gone), S("5:6,8"));
    user_logout(u);

    /* Without its index nobody knows what vanished when. */
    user_remove_index(u);
    user_login(u);
    good(changes_vanished(u->box, modseq, u->a, &gone, &u->why));
    assert_str(set_text(u->a, gone), S("3:8"));
    assert_int_equal(user_status(u).next, 10);
    modseq = user_status(u).modseq;
    good(changes_vanished(u->box, modseq, u->a, &gone, &u->why));
    assert_int_equal(gone.len, 0);
    user_logout(u);
    user_end(u);
}

/* dovecot-uidlist does not grow for ever. */
static void
tidied(void **state)
{
    struct user *u = user_new();
    const char *path = arena_fmt(u->a, "%s/dovecot-uidlist", u->root);
    struct stat before, after;

    (void)state;
    user_login(u);
    user_append(u, u->box, 1500);
    stat(path, &before);
    assert_str(expunged(u, 2, 1400, false), S("2:1400"));
    good(flags_flush(u->box, 10, NULL, &u->why));
    stat(path, &after);
    assert_true(after.st_size < before.st_size / 10);
    user_logout(u);
    user_remove_index(u);
    user_login(u);
    assert_int_equal(user_status(u).next, 1501);
    assert_int_equal(user_status(u).messages, 101);
    user_logout(u);
    user_end(u);
}

/* Names that stand in one place of the index: with the same time, or none, and
 * the same 32 bits of hash. Each stays its message's. */
static void
namesakes(void **state)
{
    static const char *const names[] = {"letter298700110", "letter487886601",
                                        "7.M477035919P1.h", "7.M528479103P1.h",
                                        "99999999999999.M1.h"};
    struct user *u = user_new();

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        user_put(u, arena_fmt(u->a, "cur/%s:2,", names[i]));
    user_login(u);
    assert_str(user_list(u), S("1: 2: 3: 4: 5:"));
    for (size_t i = 1; i < COUNT(names); i++)
        user_move(u, arena_fmt(u->a, "cur/%s:2,", names[i]),
                  arena_fmt(u->a, "cur/%s:2,%c", names[i], "RFTSD"[i]));
    user_sync(u);
    assert_str(user_list(u), S("1: 2:F 3:T 4:S 5:D"));
    assert_str(expunged(u, 2, 3, false), S("2:3"));
    user_move(u, "cur/letter298700110:2,", "cur/letter298700110:2,F");
    user_move(u, "cur/7.M528479103P1.h:2,S", "cur/7.M528479103P1.h:2,");
    user_sync(u);
    assert_str(user_list(u), S("1:F 4: 5:D"));
    user_logout(u);
    user_end(u);
}

TESTS(TEST(renamed), TEST(removed), TEST(tidied), TEST(namesakes))
