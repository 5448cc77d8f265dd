#include "box.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "daemon/quota_notice.h"
#include "room.h"
#include "store/maildir.h"
#include "sys/disk.h"

/*
 * Maildirs by path: are they on the queue's file system? The answers are only
 * hints, as linking fails where they are wrong.
 */
#define HINTS_MAX 4096

static struct {
    struct hash *at;
    char near, far; /* their addresses are the values */
} hints;

static void
remember(const char *path, bool is_near)
{
    if (hints.at == NULL || hash_count(hints.at) >= HINTS_MAX) {
        hash_free(hints.at);
        hints.at = hash_new();
    }
    *hash_put(hints.at, str_from(path)) = is_near ? &hints.near : &hints.far;
}

/* NULL: not known. */
static const char *
hint(const char *path)
{
    return hints.at ? hash_get(hints.at, str_from(path)) : NULL;
}

/* If all die now, qmgr takes back what has no name in a mailbox yet. */
static bool
give(struct job *j, const struct priv_user *user)
{
    if (j->given)
        return true;
    job_return(j);
    if (!j->d->unprivileged && fchown(j->msg.fd, user->uid, user->gid) < 0)
        return false;
    j->given = true;
    return true;
}

void
box_expect(struct job *j, const struct account *user, const char *path)
{
    if ((j->msg.flags & DELIVER_CLAIM) && hint(path) == &hints.near)
        (void)!give(j, &user->user);
}

void
box_take_back(struct job *j)
{
    job_return(j);
    if (!j->given)
        return;
    if (!j->d->unprivileged &&
        fchown(j->msg.fd, j->set->queue_owner, j->set->queue_group) < 0)
        log_warn("%.*s: cannot take the queue file back: %m", STR(j->msg.id));
    j->given = false;
}

/* Is the Maildir where a link can lead? Asked as its owner. */
static bool
is_near(struct job *j, const char *path)
{
    struct stat st;

    if (hint(path) == NULL)
        remember(path, fstat(j->msg.fd, &st) == 0 &&
                           maildir_is_on(j->arena, path, st.st_dev));
    return hint(path) == &hints.near;
}

/*
 * The queue file becomes the mailbox file. False: it did not, though it may
 * have lost its footer (j->claimed); a copy can still be made of it.
 */
static bool
claim(struct job *j, const struct box_place *place, const char *root)
{
    struct why why;

    off_t lines = job_lines(j, 0);

    if (!is_near(j, place->path) || !give(j, place->user) ||
        job_become(j, place->user, &why) != OK)
        return false;
    j->claimed = true;
    if (!disk_truncate(j->msg.fd, j->msg.end) ||
        !maildir_link(j->arena, root, place->path, j->msg.fd, j->msg.end,
                      lines)) {
        remember(place->path, false);
        return false;
    }
    j->given = false; /* for good */
    return true;
}

static void
add_lines(const struct job *j, struct store_message *m)
{
    m->lines = job_lines(j, m->from);
    for (size_t i = 0; m->lines >= 0 && i < m->head.len; i++)
        m->lines += m->head.p[i] == '\n';
}

static enum rc
into_maildir(struct job *j, const struct rec_rcpt *rcpt,
             const struct box_place *place, struct why *why)
{
    struct store_message m = job_content(j, rcpt, place->delivered);
    int64_t limit = j->set->size_limit;
    off_t size = (off_t)m.head.len + m.to - m.from;
    bool fits = limit == 0 || size <= limit;

    quota_notice_to(place->owner, NULL);
    enum rc rc =
        room_check(j, place->owner, place->user, place->path, size, why);
    struct why cause;

    /* Before the change of ids, which would have to be undone for it. */
    if (rc == OK && fits && place->claiming && hint(place->path) == &hints.near)
        (void)!give(j, place->user);
    if (rc == OK)
        rc = job_become(j, place->user, why);
    if (rc != OK)
        return rc;

    const char *root =
        maildir_root(j->arena, place->path, room_is_fs(j, place->owner));

    job_say(why, "2.0.0", "delivered to maildir");
    if (fits && place->claiming && claim(j, place, root))
        return OK;
    rc = job_become(j, place->user, &cause);
    if (rc == OK && !fits)
        rc = store_fail(EFBIG, &cause, "error writing message");
    else if (rc == OK) {
        add_lines(j, &m);
        rc = maildir_save(j->arena, root, place->path, &m, &cause);
    }
    if (rc == OK)
        return OK;
    return fail(why, cause.dsn, "maildir delivery failed: %s", cause.text);
}

/* Who makes files and locks in the spool folder: the user with the folder's
 * group, as on Debian, or root (NULL) where users may not write to it. */
static const struct priv_user *
spool_user(struct job *j, const struct box_place *place)
{
    struct priv_user *user = arena_make(j->arena, struct priv_user);
    struct stat st;

    *user = *place->user;
    if (!place->spool || j->d->unprivileged ||
        stat(j->conf->mail_spool_directory, &st) < 0 || st.st_mode & S_IWOTH)
        return user;
    if (!(st.st_mode & S_IWGRP))
        return user->uid ? NULL : user;
    user->gid = st.st_gid;
    return user;
}

static struct mbox_policy
mbox_policy(const struct job *j, const struct box_place *place)
{
    struct mbox_policy p = {
        .lock = j->set->lock,
        .limit = j->set->size_limit,
        .owner = place->user->uid,
        .any_owner = place->named || !j->conf->strict_mailbox_ownership,
        .any_kind = place->named,
    };

    p.lock.dot_may_fail = place->named;
    return p;
}

/* The folder is root's alone: he makes the file and FILE.lock, the user
 * writes. */
static enum rc
append_by_root(struct job *j, const struct box_place *place,
               struct mbox_policy *p, const struct store_message *m,
               struct str from_line, struct why *why)
{
    struct lock_policy dot_only = p->lock;
    bool dot = false;
    enum rc rc;

    job_return(j);
    rc = mbox_make(place->path, place->user->uid, place->user->gid, why);
    dot_only.kinds &= LOCK_DOT;
    p->lock.kinds &= ~(unsigned)LOCK_DOT;
    if (rc == OK)
        rc = lock_take(j->arena, -1, place->path, &dot_only, &dot, why);
    if (rc == OK)
        rc = job_become(j, place->user, why);
    if (rc == OK)
        rc = mbox_append(j->arena, place->path, from_line, m, p, why);
    job_return(j);
    if (dot)
        lock_remove_dot(j->arena, place->path);
    return rc;
}

static enum rc
into_file(struct job *j, const struct rec_rcpt *rcpt,
          const struct box_place *place, struct why *why)
{
    struct store_message m = job_content(j, rcpt, place->delivered);
    struct mbox_policy p = mbox_policy(j, place);
    struct str from_line = job_from_line(j, S("MAILER-DAEMON"));

    job_return(j);
    const struct priv_user *user = spool_user(j, place);

    job_say(why, "2.0.0", "delivered to mailbox");
    if (user == NULL)
        return append_by_root(j, place, &p, &m, from_line, why);

    enum rc rc = job_become(j, user, why);

    if (rc == OK)
        rc = mbox_append(j->arena, place->path, from_line, &m, &p, why);
    return rc;
}

enum rc
box_deliver(struct job *j, const struct rec_rcpt *rcpt,
            const struct box_place *place, struct why *why)
{
    if (str_ends(str_from(place->path), S("/")))
        return into_maildir(j, rcpt, place, why);
    return into_file(j, rcpt, place, why);
}
