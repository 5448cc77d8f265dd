/*
 * maildir.h - a user's mail for one test, with what others do to it.
 */
#ifndef UNIT_STORE_MAILDIR_H
#define UNIT_STORE_MAILDIR_H

#include <dirent.h>

#include "store/append.h"
#include "store/flags.h"
#include "store/mailbox.h"
#include "unit/store/folder.h"

struct user {
    struct arena *a;
    const char *top, *root;
    struct home *home;
    struct mailbox *box;
    struct why why;
};

#define good(call)                                                             \
    do {                                                                       \
        if ((call) != OK)                                                      \
            fail_msg("%s: %s %s", #call, u->why.dsn, u->why.text);             \
    } while (0)

static inline void
user_login(struct user *u)
{
    struct home_settings s = {.root = u->root};

    good(home_open(&s, &u->home, &u->why));
    good(mailbox_open(u->home, S("INBOX"), &u->box, &u->why));
}

static inline void
user_logout(struct user *u)
{
    mailbox_close(u->box);
    home_close(u->home);
}

static inline struct user *
user_new(void)
{
    static struct user user;
    struct user *u = &user;

    *u = (struct user){.a = arena_new("user", (size_t)64 << 20)};
    u->top = folder_new(u->a);
    u->root = arena_fmt(u->a, "%s/Maildir", u->top);
    for (const char *const *p =
             (const char *const[]){"", "/tmp", "/new", "/cur", NULL};
         *p; p++)
        assert_int_equal(mkdir(arena_fmt(u->a, "%s%s", u->root, *p), 0700), 0);
    return u;
}

static inline void
user_end(struct user *u)
{
    folder_remove(u->a, u->top);
    arena_free(u->a);
}

/* A message as another program puts it there: "new/NAME", "cur/NAME:2,S". */
static inline void
user_put(struct user *u, const char *file)
{
    file_write(arena_fmt(u->a, "%s/%s", u->root, file), "Subject: x\n\ntext\n");
}

static inline void
user_move(struct user *u, const char *from, const char *to)
{
    assert_int_equal(rename(arena_fmt(u->a, "%s/%s", u->root, from),
                            arena_fmt(u->a, "%s/%s", u->root, to)),
                     0);
}

/* So that a folder does not tell that it was changed. */
static inline void
user_set_time(const struct user *u, const char *folder, struct timespec t)
{
    assert_int_equal(utimensat(AT_FDCWD,
                               arena_fmt(u->a, "%s/%s", u->root, folder),
                               (const struct timespec[]){t, t}, 0),
                     0);
}

static inline bool
user_has(struct user *u, const char *file)
{
    return access(arena_fmt(u->a, "%s/%s", u->root, file), F_OK) == 0;
}

static inline void
user_sync(struct user *u)
{
    good(mailbox_sync(u->box, NULL, &u->why));
}

static inline struct mailbox_status
user_status(struct user *u)
{
    struct mailbox_status s;

    good(mailbox_status(u->box, true, &s, &u->why));
    return s;
}

static inline uint32_t
user_recent(struct user *u)
{
    uint32_t count;

    good(mailbox_recent(u->box, &count, &u->why));
    return count;
}

/* "1:S 2: 3:FTa": UIDs with flags and keywords, as letters. */
static inline struct str
user_list(struct user *u)
{
    struct buf b = buf_in(u->a);
    struct mailbox_status s = user_status(u);

    for (uint32_t uid = 1; uid < s.next; uid++) {
        struct message m;

        if (mailbox_message(u->box, uid, &m, &u->why) != OK)
            continue;
        buf_fmt(&b, "%s%u:", b.len ? " " : "", uid);
        for (int i = 0; i < 5; i++)
            if (m.flags >> i & 1)
                buf_addc(&b, "RFTSD"[i]);
        for (int i = 0; i < 64; i++)
            if (m.keywords >> i & 1)
                buf_fmt(&b, "%c", i < 26 ? 'a' + i : '0' + i - 26);
    }
    return buf_str(&b);
}

static inline void
user_store(struct user *u, uint32_t first, uint32_t last, enum flags_how how,
           unsigned flags, uint64_t keywords)
{
    struct uid_range range = {first, last};
    struct flags_change change = {
        .how = how, .flags = flags, .keywords = keywords};
    struct flags_done done;

    good(flags_store(u->box, (struct uid_set){&range, 1}, &change, u->a, &done,
                     &u->why));
}

/* Another program renames a file in the very tick in which we change the name
 * of a message. */
static inline void
user_rename_unseen(struct user *u, uint32_t uid, unsigned flags,
                   const char *from, const char *to)
{
    const struct timespec old = {.tv_sec = 1700000000, .tv_nsec = 5};
    struct stat st;

    user_set_time(u, "cur", old);
    user_set_time(u, "new", old);
    user_sync(u);
    user_store(u, uid, uid, FLAGS_REPLACE, flags, 0);
    good(flags_flush(u->box, SIZE_MAX, NULL, &u->why));
    assert_int_equal(stat(arena_fmt(u->a, "%s/cur", u->root), &st), 0);
    user_move(u, from, to);
    user_set_time(u, "cur", st.st_mtim);
}

/* Append messages "1", "2" ... to a mailbox; their first UID. */
static inline uint32_t
user_append(struct user *u, struct mailbox *box, int count)
{
    struct append *ap = append_new(box);
    struct uid_set uids;

    for (int i = 1; i <= count; i++) {
        good(append_message(ap, 0, 0, 1700000000 + i, &u->why));
        good(append_write(ap,
                          str_from(arena_fmt(u->a, "X: %d\r\n\r\ntext\r\n", i)),
                          &u->why));
    }
    good(append_commit(ap, u->a, &uids, &u->why));
    assert_int_equal(uids.len, 1);
    return uids.at[0].first;
}

/* "1:3,5": a set as IMAP writes it. */
static inline struct str
set_text(struct arena *a, struct uid_set set)
{
    struct buf b = buf_in(a);

    for (size_t i = 0; i < set.len; i++) {
        buf_fmt(&b, "%s%u", i ? "," : "", set.at[i].first);
        if (set.at[i].last != set.at[i].first)
            buf_fmt(&b, ":%u", set.at[i].last);
    }
    return buf_str(&b);
}

static inline void
user_remove_index(struct user *u)
{
    folder_remove(u->a, arena_fmt(u->a, "%s/posta-index", u->root));
}

#endif
