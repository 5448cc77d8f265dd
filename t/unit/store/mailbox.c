#include "store/mailbox.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include "store/changes.h"
#include "store/view.h"
#include "sys/kv_env.h"

#include "unit/store/maildir.h"

static void
fresh(void **state)
{
    struct user *u = user_new();
    struct mailbox_status s;

    (void)state;
    user_put(u, "new/11.M1.h");
    user_put(u, "new/9.M1.h");
    user_put(u, "cur/10.M1.h:2,FS");
    user_login(u);
    s = user_status(u);
    assert_int_equal(s.messages, 3);
    assert_int_equal(s.unseen, 2);
    assert_int_equal(s.next, 4);
    assert_int_equal(user_recent(u), 3);
    assert_int_equal(s.size, 3 * 20);
    assert_true(s.validity != 0 && s.modseq != 0);
    assert_str(user_list(u), S("1: 2:FS 3:"));
    user_logout(u);

    struct str list =
        file_text(u->a, arena_fmt(u->a, "%s/dovecot-uidlist", u->root));

    assert_true(str_ends(list, S("\n1 :9.M1.h\n2 :10.M1.h\n3 :11.M1.h\n")));
    assert_false(user_has(u, "dovecot-uidlist.lock"));
    user_end(u);
}

/* What the index knew is known again without it. */
static void
index_lost(void **state)
{
    struct user *u = user_new();
    struct mailbox_status before, after;
    int bit;

    (void)state;
    for (int i = 1; i <= 9; i++)
        user_put(u, arena_fmt(u->a, "new/%d.M1.h", i));
    user_login(u);
    for (int i = 0; i < 30; i++)
        good(mailbox_keyword(u->box, str_from(arena_fmt(u->a, "word%d", i)),
                             &bit, &u->why));
    user_store(u, 3, 5, FLAGS_ADD, FLAG_SEEN, 1 | UINT64_C(1) << 29);
    user_store(u, 5, 5, FLAGS_REPLACE, FLAG_FLAGGED, 2);
    user_store(u, 7, 7, FLAGS_ADD, 0, UINT64_C(1) << 26);
    unlink(arena_fmt(u->a, "%s/new/2.M1.h", u->root));
    user_sync(u);
    assert_str(user_list(u), S("1: 3:Sa3 4:Sa3 5:Fb 6: 7:0 8: 9:"));
    before = user_status(u);
    user_logout(u);
    assert_true(user_has(u, "cur/3.M1.h:2,Sa"));
    assert_true(user_has(u, "cur/5.M1.h:2,Fb"));

    user_remove_index(u);
    user_login(u);
    assert_str(user_list(u), S("1: 3:Sa3 4:Sa3 5:Fb 6: 7:0 8: 9:"));
    after = user_status(u);
    assert_int_equal(after.validity, before.validity);
    assert_int_equal(after.next, before.next);
    assert_memory_equal(after.guid, before.guid, 16);
    assert_true(after.modseq > before.modseq);
    assert_true(after.floor > before.modseq);
    good(mailbox_keyword(u->box, S("WORD29"), &bit, &u->why));
    assert_int_equal(bit, 29);
    user_logout(u);
    user_end(u);
}

static struct message
first_record(struct user *u)
{
    struct uid_range all = {1, UINT32_MAX};
    struct changes_walk w;
    struct message m = {0};

    good(changes_begin(&w, u->box, (struct uid_set){&all, 1}, &u->why));
    assert_true(changes_next(&w, &m));
    good(changes_end(&w, &u->why));
    return m;
}

/* Dates that the index has not got are found where the file is by then. */
static void
dates(void **state)
{
    struct timespec times[] = {{.tv_sec = 1500000000}, {.tv_sec = 1500000000}};
    struct user *u = user_new();

    (void)state;
    for (int moved = 0; moved < 2; moved++) {
        struct message m;

        user_put(u, "cur/1600000000.M1.h,S=17,W=20:2,");
        assert_int_equal(
            utimensat(
                AT_FDCWD,
                arena_fmt(u->a, "%s/cur/1600000000.M1.h,S=17,W=20:2,", u->root),
                times, 0),
            0);
        user_login(u);
        m = first_record(u);
        assert_int_equal(m.size, 17);
        assert_int_equal(m.saved, 0);
        if (moved)
            user_move(u, "cur/1600000000.M1.h,S=17,W=20:2,",
                      "cur/1600000000.M1.h,S=17,W=20:2,S");
        good(mailbox_dates(u->box, &m, &u->why));
        assert_int_equal(m.date, 1500000000);
        assert_int_equal(m.saved, 1600000000);
        if (!moved)
            assert_int_equal(first_record(u).date, 1500000000);
        user_logout(u);
        user_remove_index(u);
    }
    user_end(u);
}

/* Another program at the same files. */
static void
others(void **state)
{
    struct user *u = user_new();
    struct mailbox_status before;

    (void)state;
    user_put(u, "new/1.M1.h");
    user_put(u, "cur/2.M1.h:2,");
    user_login(u);
    assert_str(user_list(u), S("1: 2:"));
    before = user_status(u);

    user_move(u, "new/1.M1.h", "cur/1.M1.h:2,S");
    user_put(u, "new/3.M1.h");
    user_sync(u);
    assert_str(user_list(u), S("1:S 2: 3:"));
    assert_true(user_status(u).modseq > before.modseq);

    /* Both change flags of one message: each keeps his. */
    user_store(u, 2, 2, FLAGS_ADD, FLAG_FLAGGED, 0);
    user_move(u, "cur/2.M1.h:2,", "cur/2.M1.h:2,S");
    user_sync(u);
    assert_str(user_list(u), S("1:S 2:FS 3:"));
    good(flags_flush(u->box, 100, NULL, &u->why));
    assert_true(user_has(u, "cur/2.M1.h:2,FS"));

    /* It is renamed while we want to. */
    user_store(u, 2, 2, FLAGS_REMOVE, FLAG_FLAGGED, 0);
    user_move(u, "cur/2.M1.h:2,FS", "cur/2.M1.h:2,FST");
    good(flags_flush(u->box, 100, NULL, &u->why));
    good(flags_flush(u->box, 100, NULL, &u->why));
    assert_true(user_has(u, "cur/2.M1.h:2,ST"));

    unlink(arena_fmt(u->a, "%s/cur/1.M1.h:2,S", u->root));
    user_sync(u);
    assert_str(user_list(u), S("2:TS 3:"));
    user_move(u, "new/3.M1.h", "tmp/x");
    user_sync(u);
    assert_str(user_list(u), S("2:TS"));
    user_move(u, "tmp/x", "new/3.M1.h");
    user_sync(u);
    assert_str(user_list(u), S("2:TS 4:"));
    user_logout(u);
    user_end(u);
}

/* A Maildir that was copied twice while it was in use: some files are there
 * under their old and their new names. */
static void
doubled(void **state)
{
    struct user *u = user_new();
    struct mailbox_status before;

    (void)state;
    user_put(u, "cur/1.M1.h:2,S");
    user_put(u, "new/2.M1.h");
    user_login(u);
    user_put(u, "cur/1.M1.h:2,RS");
    user_put(u, "cur/2.M1.h:2,F");
    user_sync(u);
    assert_str(user_list(u), S("1:S 2:"));
    before = user_status(u);
    for (int i = 3; i < 6; i++) {
        user_put(u, arena_fmt(u->a, "cur/%d.M1.h:2,", i));
        user_sync(u);
    }
    assert_str(user_list(u), S("1:S 2: 3: 4: 5:"));
    assert_int_equal(user_status(u).modseq, before.modseq + 3);

    /* What is known goes: another is there, and of two always the same. */
    user_move(u, "new/2.M1.h", "tmp/x");
    user_move(u, "cur/1.M1.h:2,S", "cur/1.M1.h:2,FS");
    user_sync(u);
    assert_str(user_list(u), S("1:RS 2:F 3: 4: 5:"));
    user_put(u, "cur/6.M1.h:2,");
    user_sync(u);
    assert_str(user_list(u), S("1:RS 2:F 3: 4: 5: 6:"));
    user_logout(u);
    user_end(u);
}

static void
recents(void **state)
{
    struct user *u = user_new();
    uint32_t first;

    (void)state;
    user_put(u, "new/1.M1.h");
    user_put(u, "new/2.M1.h");
    user_login(u);
    assert_int_equal(user_recent(u), 2);
    good(flags_claim_recent(u->box, &first, &u->why));
    assert_int_equal(first, 1);
    assert_int_equal(user_recent(u), 0);
    user_put(u, "new/3.M1.h");
    user_sync(u);
    assert_int_equal(user_recent(u), 1);
    good(flags_claim_recent(u->box, &first, &u->why));
    assert_int_equal(first, 3);
    good(flags_flush(u->box, 2, NULL, &u->why));
    good(flags_flush(u->box, 2, NULL, &u->why));
    assert_true(user_has(u, "cur/1.M1.h:2,"));
    assert_true(user_has(u, "cur/3.M1.h:2,"));
    assert_false(user_status(u).pending);
    user_logout(u);
    user_end(u);
}

/* A process that is killed between a change and the file names. */
static void
killed(void **state)
{
    struct user *u = user_new();
    int status;

    (void)state;
    user_put(u, "cur/1.M1.h:2,");
    user_put(u, "cur/2.M1.h:2,");
    pid_t pid = fork();

    if (pid == 0) {
        user_login(u);
        user_store(u, 1, 1, FLAGS_ADD, FLAG_SEEN, 0);
        user_store(u, 2, 2, FLAGS_ADD, FLAG_DELETED, 0);
        raise(SIGKILL);
    }
    waitpid(pid, &status, 0);
    assert_int_equal(status, SIGKILL);
    assert_true(user_has(u, "cur/1.M1.h:2,"));
    user_login(u);
    assert_str(user_list(u), S("1:S 2:T"));
    user_logout(u);
    assert_true(user_has(u, "cur/1.M1.h:2,S"));
    assert_true(user_has(u, "cur/2.M1.h:2,T"));
    user_end(u);
}

/* dovecot-uidlist as other programs leave it. */
static void
uidlists(void **state)
{
    struct user *u = user_new();
    const char *path = arena_fmt(u->a, "%s/dovecot-uidlist", u->root);
    const char *head = "3 V77 N20 G00112233445566778899aabbccddeeff";

    (void)state;
    user_put(u, "cur/a:2,S");
    user_put(u, "cur/b:2,");
    user_put(u, "cur/c:2,");
    file_write(
        path,
        arena_fmt(u->a, "%s Pformat\n5 :b\n7 Gxyz W40 :a\n9 :gone\n", head));
    user_login(u);
    assert_str(user_list(u), S("5: 7:S 20:"));
    assert_int_equal(user_status(u).validity, 77);
    assert_int_equal(user_status(u).guid[1], 0x11);
    assert_int_equal(user_status(u).size, 20 + 40 + 20);

    /* One more line, then all anew, without one and with other UIDs. */
    user_put(u, "cur/d:2,");
    file_write(
        path, arena_fmt(u->a, "%s\n5 :b\n7 Gxyz W40 :a\n20 :c\n25 :d\n", head));
    user_sync(u);
    assert_str(user_list(u), S("5: 7:S 20: 25:"));
    file_write(path, arena_fmt(u->a, "%s\n5 :b\n30 :a\n", head));
    user_sync(u);
    assert_str(user_list(u), S("5: 20: 25: 30:S"));

    struct str list = file_text(u->a, path);

    assert_true(str_search(list, S("\n20 :c\n25 :d\n30 Gxyz W40 :a\n")) < 0);
    assert_true(str_search(list, S("\n20 :c\n25 :d\n30 ")) > 0);

    /* It is gone: we still know. */
    unlink(path);
    user_sync(u);
    assert_str(user_list(u), S("5: 20: 25: 30:S"));
    assert_int_equal(user_status(u).validity, 77);
    assert_true(user_has(u, "dovecot-uidlist"));

    /* Another folder altogether. */
    file_write(path, "3 V78 N2\n1 :c\n");
    user_sync(u);
    assert_str(user_list(u), S("1: 2:S 3: 4:"));
    assert_int_equal(user_status(u).validity, 78);
    user_logout(u);
    user_end(u);
}

/* Held by another program: new messages come later, the rest at once. */
static void
locked(void **state)
{
    struct user *u = user_new();
    const char *lock = arena_fmt(u->a, "%s/dovecot-uidlist.lock", u->root);
    bool busy;

    (void)state;
    user_put(u, "cur/a:2,");
    user_login(u);
    file_write(lock, "1:nowhere.test");
    user_put(u, "cur/b:2,");
    user_move(u, "cur/a:2,", "cur/a:2,S");
    good(mailbox_sync(u->box, &busy, &u->why));
    assert_true(busy);
    assert_str(user_list(u), S("1:S"));
    unlink(lock);
    good(mailbox_sync(u->box, &busy, &u->why));
    assert_false(busy);
    assert_str(user_list(u), S("1:S 2:"));
    user_logout(u);
    user_end(u);
}

/* The index is removed, or damaged, under an open mailbox. */
static void
index_vanishes(void **state)
{
    struct user *u = user_new();
    uint64_t modseq;

    (void)state;
    user_put(u, "cur/a:2,");
    user_login(u);
    modseq = user_status(u).modseq;
    user_remove_index(u);
    user_put(u, "cur/b:2,");
    user_sync(u);
    user_store(u, 1, 1, FLAGS_ADD, FLAG_SEEN, 0);
    assert_str(user_list(u), S("1:S 2:"));
    assert_true(user_status(u).modseq > modseq + 1);
    user_logout(u);
    assert_true(user_has(u, "cur/a:2,S"));
    user_end(u);
}

/* Names of keywords are those of the index that is there, though its numbers
 * may be the same as the old one's. */
static void
keywords_of_new_index(void **state)
{
    struct user *u = user_new();
    const struct keywords *k;

    (void)state;
    user_put(u, "cur/a:2,a");
    user_login(u);
    good(mailbox_keywords(u->box, &k, &u->why));
    assert_int_equal(keywords_find(k, S("work")), -1);
    user_remove_index(u);
    file_write(arena_fmt(u->a, "%s/dovecot-keywords", u->root), "0 work\n");
    user_sync(u);
    good(mailbox_keywords(u->box, &k, &u->why));
    assert_int_equal(keywords_find(k, S("work")), 0);
    user_logout(u);
    user_end(u);
}

/* Whatever is done to the index, the mailbox is the same afterwards. */
static void
index_damaged(void **state)
{
    static const char *const harm[] = {
        "rm data.mdb",
        "rm lock.mdb",
        "rm state",
        ": > data.mdb",
        ": > state",
        "head -c 9000 data.mdb > x; mv x data.mdb",
        "head -c 40000 /dev/urandom > data.mdb",
        "head -c 4096 /dev/urandom > state",
        "head -c 8192 /dev/urandom | dd of=data.mdb bs=4096 seek=2 "
        "conv=notrunc 2> /dev/null; touch -d @1000 data.mdb",
        "cp data.mdb x; rm data.mdb; mv x data.mdb",
    };
    struct user *u = user_new();
    struct mailbox_status before, after;
    struct str list;
    int bit;

    (void)state;
    for (int i = 1; i <= 300; i++)
        user_put(u, arena_fmt(u->a, "cur/%d.M1.h:2,", i));
    user_login(u);
    good(mailbox_keyword(u->box, S("work"), &bit, &u->why));
    user_store(u, 3, 150, FLAGS_ADD, FLAG_SEEN, 1);
    list = user_list(u);
    before = user_status(u);
    user_logout(u);
    for (size_t i = 0; i < COUNT(harm); i++) {
        if (system(arena_fmt(u->a, "cd %s/posta-index && (%s)", u->root,
                             harm[i])) != 0)
            fail_msg("%s", harm[i]);
        user_login(u);
        if (!str_eq(user_list(u), list))
            fail_msg("%s", harm[i]);
        after = user_status(u);
        assert_int_equal(after.validity, before.validity);
        assert_int_equal(after.next, before.next);
        assert_true(after.modseq >= before.modseq);
        user_logout(u);
        before = after;
    }
    user_end(u);
}

/* Records of a program that had others. */
static void
index_of_others(void **state)
{
    struct user *u = user_new();
    struct kv_env *kv;
    bool fresh;
    uint64_t modseq;

    (void)state;
    user_put(u, "cur/1.h:2,S");
    user_login(u);
    modseq = user_status(u).modseq;
    user_logout(u);
    good(kv_env_open(arena_fmt(u->a, "%s/posta-index", u->root), &kv, &fresh,
                     &u->why));
    assert_false(fresh);
    good(kv_env_write(kv, &u->why));
    kv_env_put(kv, S("Z"), S("another"));
    good(kv_env_commit(kv, &u->why));
    kv_env_close(kv);
    user_login(u);
    assert_str(user_list(u), S("1:S"));
    assert_true(user_status(u).modseq > modseq);
    user_logout(u);
    user_end(u);
}

static void
files(void **state)
{
    struct user *u = user_new();
    int fd;
    char text[10];

    (void)state;
    user_put(u, "cur/a:2,");
    user_login(u);
    good(mailbox_file(u->box, 1, &fd, &u->why));
    assert_int_equal(read(fd, text, 9), 9);
    close(fd);
    user_move(u, "cur/a:2,", "cur/a:2,F");
    good(mailbox_file(u->box, 1, &fd, &u->why));
    close(fd);
    unlink(arena_fmt(u->a, "%s/cur/a:2,F", u->root));
    assert_int_equal(mailbox_file(u->box, 1, &fd, &u->why), PERM);
    user_logout(u);
    user_end(u);
}

static void
blobs(void **state)
{
    struct user *u = user_new();
    struct mailbox_blob kept[] = {
        {1, BLOB_FIELDS,    S("one") },
        {1, BLOB_STRUCTURE, S("two") },
        {9, BLOB_FIELDS,    S("none")}
    };
    struct str got;

    (void)state;
    user_put(u, "cur/a:2,");
    user_login(u);
    good(mailbox_keep(u->box, kept, 3, &u->why));
    good(mailbox_blob(u->box, 1, BLOB_FIELDS, u->a, &got, &u->why));
    assert_str(got, S("one"));
    good(mailbox_kept(u->box, &u->why));
    good(mailbox_blob(u->box, 1, BLOB_STRUCTURE, u->a, &got, &u->why));
    assert_str(got, S("two"));
    good(mailbox_blob(u->box, 9, BLOB_FIELDS, u->a, &got, &u->why));
    assert_null(got.p);
    user_logout(u);
    user_end(u);
}

/* No file may grow beyond that. */
static void
limit_files(rlim_t bytes)
{
    struct rlimit r;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
    r.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

/* What is known can be read, what is new comes when there is room. */
static void
no_room(void **state)
{
    struct user *u = user_new();
    struct view *v;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    user_put(u, "cur/1.a,S=17,W=20:2,S");
    user_put(u, "new/2.b,S=17,W=20");
    user_login(u);
    assert_str(user_list(u), S("1:S 2:"));
    user_logout(u);
    user_put(u, "new/3.c,S=17,W=20");
    user_move(u, "cur/1.a,S=17,W=20:2,S", "cur/1.a,S=17,W=20:2,F");
    limit_files(1);
    user_login(u);
    assert_str(user_list(u), S("1:S 2:"));
    assert_int_not_equal(mailbox_sync(u->box, NULL, &u->why), OK);
    good(view_open(u->box, true, &v, &u->why));
    assert_int_equal(view_count(v), 2);
    assert_int_equal(view_recent(v), 1);
    limit_files(RLIM_INFINITY);
    user_sync(u);
    assert_str(user_list(u), S("1:F 2: 3:"));
    view_close(v);
    user_logout(u);
    user_end(u);
}

TESTS(TEST(fresh), TEST(index_lost), TEST(dates), TEST(others), TEST(doubled),
      TEST(recents), TEST(killed), TEST(uidlists), TEST(locked),
      TEST(index_vanishes), TEST(keywords_of_new_index), TEST(index_damaged),
      TEST(index_of_others), TEST(files), TEST(blobs), TEST(no_room))
