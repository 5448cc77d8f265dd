#include "store/view.h"

#include <utime.h>

#include "store/changes.h"
#include "store/expunge.h"
#include "unit/store/maildir.h"

static void
expunge(struct user *u, uint32_t first, uint32_t last)
{
    struct uid_range r = {first, last};
    struct uid_set removed;

    good(expunge_messages(u->box, (struct uid_set){&r, 1}, false, u->a,
                          &removed, &u->why));
}

static struct str
update(struct user *u, struct view *v, bool expunges)
{
    struct buf b = buf_in(u->a);
    struct view_news news;

    assert_true(view_has_news(v) || !expunges);
    good(view_update(v, expunges, u->a, &news, &u->why));
    assert_false(news.replaced);
    buf_fmt(&b, "%u", view_count(v));
    if (news.arrived)
        buf_fmt(&b, " +");
    if (news.changed.len)
        buf_fmt(&b, " ~%s", set_text(u->a, news.changed).p);
    if (news.vanished.len)
        buf_fmt(&b, " -%s", set_text(u->a, news.vanished).p);
    for (size_t i = 0; i < news.expunged_count; i++)
        buf_fmt(&b, " *%u", news.expunged[i]);
    return buf_str(&b);
}

static void
numbers(void **state)
{
    struct user *u = user_new();
    struct view *v, *w;

    (void)state;
    user_login(u);
    user_append(u, u->box, 10);
    expunge(u, 3, 4);
    expunge(u, 8, 8);
    good(view_open(u->box, true, &v, &u->why));
    assert_int_equal(view_count(v), 7);
    assert_int_equal(view_uid(v, 3), 5);
    assert_int_equal(view_uid(v, 7), 10);
    assert_int_equal(view_uid(v, 8), 0);
    assert_int_equal(view_uid(v, 0), 0);
    assert_int_equal(view_seq(v, 5), 3);
    assert_int_equal(view_seq(v, 4), 0);
    assert_int_equal(view_seq(v, 11), 0);
    assert_int_equal(view_rank(v, 4), 2);
    assert_int_equal(view_rank(v, 9), 5);
    assert_int_equal(view_rank(v, 99), 7);
    assert_str(set_text(u->a, view_uids(v, u->a, 2, 6)), S("2,5:7,9"));
    assert_str(set_text(u->a, view_uids(v, u->a, 7, 99)), S("10"));
    assert_str(set_text(u->a, view_uids(v, u->a, 8, 9)), S(""));
    assert_int_equal(view_recent(v), 7);
    good(view_open(u->box, true, &w, &u->why));
    assert_int_equal(view_recent(w), 0);
    view_close(w);
    view_close(v);
    user_logout(u);
    user_end(u);
}

static void
news(void **state)
{
    struct user *u = user_new();
    struct view *v;

    (void)state;
    user_login(u);
    user_append(u, u->box, 5);
    good(view_open(u->box, true, &v, &u->why));
    assert_false(view_has_news(v));
    user_store(u, 2, 3, FLAGS_ADD, FLAG_SEEN, 0);
    expunge(u, 3, 4);
    user_append(u, u->box, 2);

    /* Expunges have to wait. */
    assert_str(update(u, v, false), S("7 + ~2"));
    assert_int_equal(view_uid(v, 3), 3);
    user_store(u, 6, 7, FLAGS_ADD, FLAG_FLAGGED, 0);
    assert_str(update(u, v, true), S("5 ~6:7 -3:4 *3 *3"));
    assert_false(view_has_news(v));
    assert_int_equal(view_uid(v, 3), 5);

    /* Came and went between two looks. */
    user_append(u, u->box, 1);
    expunge(u, 8, 8);
    expunge(u, 1, 1);
    expunge(u, 7, 7);
    assert_str(update(u, v, true), S("3 + -1,7 *1 *4"));

    /* From outside. */
    user_put(u, "new/1.M1.h");
    user_sync(u);
    assert_str(update(u, v, true), S("4 +"));
    assert_int_equal(view_recent(v), 4);
    view_close(v);
    user_logout(u);
    user_end(u);
}

/* What a session did itself it has told of itself. */
static void
own(void **state)
{
    struct user *u = user_new();
    struct uid_range r = {1, 2};
    struct flags_change change = {.flags = FLAG_SEEN};
    struct flags_done done;
    struct view *v, *w;

    (void)state;
    user_login(u);
    user_append(u, u->box, 3);
    good(view_open(u->box, true, &v, &u->why));
    good(view_open(u->box, true, &w, &u->why));
    good(flags_store(u->box, (struct uid_set){&r, 1}, &change, u->a, &done,
                     &u->why));
    assert_str(set_text(u->a, done.changed), S("1:2"));
    view_skip(v, done.before, done.modseq);
    assert_false(view_has_news(v));
    assert_str(update(u, w, true), S("3 ~1:2"));

    change.conditional = true;
    change.unchanged_since = done.before;
    change.flags = FLAG_FLAGGED;
    r.last = 3;
    good(flags_store(u->box, (struct uid_set){&r, 1}, &change, u->a, &done,
                     &u->why));
    assert_str(set_text(u->a, done.changed), S("3"));
    assert_str(set_text(u->a, done.modified), S("1:2"));
    good(flags_store(u->box, (struct uid_set){&r, 1}, &change, u->a, &done,
                     &u->why));
    assert_int_equal(done.modseq, 0);
    view_close(v);
    view_close(w);
    user_logout(u);
    user_end(u);
}

/* The index is lost under a view: nothing is missed, numbers stay right. */
static void
index_lost(void **state)
{
    struct user *u = user_new();
    struct view *v;

    (void)state;
    user_login(u);
    user_append(u, u->box, 5);
    good(view_open(u->box, true, &v, &u->why));
    expunge(u, 2, 2);
    user_remove_index(u);
    user_put(u, "cur/x:2,");
    /* Not in the same tick as we: that is noticed, but not at once. */
    assert_int_equal(utime(arena_fmt(u->a, "%s/cur", u->root),
                           &(struct utimbuf){1000, 1000}),
                     0);
    user_sync(u);
    assert_str(update(u, v, true), S("5 + ~1,3:5 -2 *2"));
    assert_int_equal(view_uid(v, 5), 6);

    /* And replaced by another folder. */
    file_write(arena_fmt(u->a, "%s/dovecot-uidlist", u->root), "3 V1 N100\n");
    user_sync(u);

    struct view_news news;

    good(view_update(v, true, u->a, &news, &u->why));
    assert_true(news.replaced);
    view_close(v);
    user_logout(u);
    user_end(u);
}

/* Changes of many, one, many: each message is told once. */
static void
since(void **state)
{
    struct user *u = user_new();
    struct uid_set set;
    uint64_t start, middle;

    (void)state;
    user_login(u);
    user_append(u, u->box, 3000);
    start = user_status(u).modseq;
    user_store(u, 1, 3000, FLAGS_ADD, FLAG_SEEN, 0);
    for (uint32_t uid = 10; uid < 20; uid += 2)
        user_store(u, uid, uid, FLAGS_ADD, FLAG_FLAGGED, 0);
    middle = user_status(u).modseq;
    user_store(u, 12, 13, FLAGS_ADD, FLAG_DRAFT, 0);
    good(changes_since(u->box, middle, u->a, &set, &u->why));
    assert_str(set_text(u->a, set), S("12:13"));
    good(changes_since(u->box, start, u->a, &set, &u->why));
    assert_str(set_text(u->a, set), S("1:3000"));
    good(changes_since(u->box, start + 1, u->a, &set, &u->why));
    assert_str(set_text(u->a, set), S("10,12:14,16,18"));

    /* So often that the list of changes is made anew. */
    for (int i = 0; i < 8000; i++)
        user_store(u, 100 + (uint32_t)(i % 7), 100 + (uint32_t)(i % 7),
                   i % 2 ? FLAGS_ADD : FLAGS_REPLACE, FLAG_DRAFT,
                   (uint64_t)i % 64);
    good(changes_since(u->box, middle, u->a, &set, &u->why));
    assert_str(set_text(u->a, set), S("12:13,100:106"));
    user_logout(u);
    user_end(u);
}

static void
walks(void **state)
{
    struct user *u = user_new();
    struct uid_range r[] = {
        {2, 3  },
        {4, 4  },
        {6, 100}
    };
    struct mailbox_blob kept = {4, BLOB_FIELDS, S("four")};
    struct changes_walk w;
    struct message m;
    struct buf b;

    (void)state;
    user_login(u);
    user_append(u, u->box, 8);
    expunge(u, 7, 7);
    good(mailbox_keep(u->box, &kept, 1, &u->why));
    b = buf_in(u->a);
    good(changes_begin(&w, u->box, (struct uid_set){r, 3}, &u->why));
    while (changes_next(&w, &m)) {
        struct str blob = changes_blob(&w, m.uid, BLOB_FIELDS);

        buf_fmt(&b, "%u%.*s ", m.uid, STR(blob));
    }
    good(changes_end(&w, &u->why));
    assert_str(buf_str(&b), S("2 3 4four 6 8 "));
    good(changes_begin(&w, u->box, (struct uid_set){r, 1}, &u->why));
    assert_true(changes_next(&w, &m));
    good(changes_end(&w, &u->why));
    user_logout(u);
    user_end(u);
}

/* A session that wants to hear of nothing: its own expunges alone. */
static void
only_expunges(void **state)
{
    struct user *u = user_new();
    struct view_news news;
    struct view *v;

    (void)state;
    user_login(u);
    user_append(u, u->box, 5);
    good(view_open(u->box, true, &v, &u->why));
    assert_int_equal(view_next(v), 6);
    user_append(u, u->box, 2);
    expunge(u, 2, 3);
    expunge(u, 7, 7);
    good(view_expunge(v, u->a, &news, &u->why));
    assert_string_equal(set_text(u->a, news.vanished).p, "2:3");
    assert_int_equal(news.expunged_count, 2);
    assert_false(news.arrived);
    assert_int_equal(view_count(v), 3);
    assert_int_equal(view_next(v), 6);
    good(view_expunge(v, u->a, &news, &u->why));
    assert_int_equal(news.expunged_count, 0);
    assert_string_equal(update(u, v, true).p, "4 +");
    assert_int_equal(view_next(v), 8);
    view_close(v);
    user_logout(u);
    user_end(u);
}

/* Which UIDs a large folder has is kept from view to view. */
static void
large(void **state)
{
    struct user *u = user_new();
    struct uid_range first = {1, 10};
    struct view *v;

    (void)state;
    for (int i = 0; i < 2500; i++)
        user_put(u, arena_fmt(u->a, "cur/%d.M1.h:2,", 1000 + i));
    user_login(u);
    for (int i = 0; i < 3; i++) {
        good(view_open(u->box, true, &v, &u->why));
        assert_int_equal(view_count(v), 2500 - 11 * i);
        assert_int_equal(view_seq(v, 11), 11 - 10 * (i > 0));
        assert_int_equal(view_seq(v, 1000), i ? 0 : 1000);
        assert_int_equal(view_uid(v, view_count(v)), 2500 + i);
        view_close(v);
        user_logout(u); /* nothing of it is left in the process */
        user_login(u);
        if (i == 0) {
            expunge(u, first.first, first.last);
            expunge(u, 1000, 1000);
            expunge(u, 2500, 2500);
        } else {
            expunge(u, 2000, 2011);
        }
        user_append(u, u->box, 1);
    }
    user_logout(u);
    user_end(u);
}

TESTS(TEST(large), TEST(only_expunges), TEST(numbers), TEST(news), TEST(own),
      TEST(index_lost), TEST(since), TEST(walks))
