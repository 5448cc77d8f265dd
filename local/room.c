#include "room.h"

#include "auth/client.h"
#include "auth/user_quota.h"
#include "base/hash.h"
#include "base/log.h"
#include "conf/location.h"
#include "daemon/quota_notice.h"
#include "store/maildir.h"
#include "store/quota.h"
#include "sys/io.h"

#define KEEP_MS  5000
#define KEEP_MAX 2000 /* users */

struct limits {
    struct quota_limits quota;
    bool fs; /* folders in folders */
};

static struct {
    struct arena *life, *arena;
    struct hash *known;
    int64_t since;
    struct auth_client *authd;
} room;

void
room_open(struct daemon *d)
{
    room.life = d->life;
    quota_notice_open(d->life, d->conf);
}

static void
forget(void)
{
    if (room.arena == NULL)
        room.arena = arena_new("limits", (size_t)16 << 20);
    hash_free(room.known);
    room.known = hash_new();
    arena_reset(room.arena);
    room.since = io_now();
}

/* Sockets in private/ open for mail_owner, and he may ask. */
static enum rc
ask(struct job *j, struct str user, struct str *fields, struct why *why)
{
    struct priv_user *asker = arena_make(j->arena, struct priv_user);
    enum rc rc;

    *asker = (struct priv_user){.uid = j->set->queue_owner,
                                .gid = j->set->queue_group};
    if (room.authd == NULL)
        room.authd =
            auth_client_new(room.life, j->conf->queue_directory,
                            S("private/authd"), NULL, daemon_stop(), why);
    if (room.authd == NULL)
        return TEMP;
    rc = job_become(j, asker, why);
    if (rc == OK)
        rc =
            auth_client_user(room.authd, j->arena, user, S("lda"), fields, why);
    job_return(j);
    return rc;
}

/* An address with an extension is asked about as it is first. */
static enum rc
ask_any(struct job *j, struct str owner, struct str *fields, struct why *why)
{
    struct who who = who_parse(j->arena, owner, j->conf->recipient_delimiter);
    enum rc rc = ask(j, owner, fields, why);

    if (rc != OK || fields->p || who.extension.len == 0)
        return rc;
    if (who.domain.len)
        owner = str_from(
            arena_fmt(j->arena, "%.*s@%.*s", STR(who.user), STR(who.domain)));
    else
        owner = who.user;
    return ask(j, owner, fields, why);
}

static bool
is_fs(struct job *j, struct str fields)
{
    struct str mail = {0};
    struct location l;
    struct dovecot_word w;
    struct why why;

    while (dovecot_next(j->arena, &fields, &w))
        if (str_eq(w.name, S("mail")) && w.value.len)
            mail = w.value;
    return mail.len && location_parse(mail, &l, &why) == OK ? l.fs : j->set->fs;
}

static enum rc
find(struct job *j, struct str owner, struct limits *limits, struct why *why)
{
    struct limits *found;
    struct str fields;
    struct why cause;

    if (room.known == NULL || hash_count(room.known) >= KEEP_MAX ||
        io_now() - room.since > KEEP_MS)
        forget();
    found = hash_get(room.known, owner);
    if (found) {
        *limits = *found;
        return OK;
    }
    if (ask_any(j, owner, &fields, &cause) != OK)
        return fail(why, "4.3.0", "the quota of %.*s cannot be found out: %s",
                    STR(owner), cause.text);
    if (user_quota(j->arena, str_from(j->conf->quota_rule), fields,
                   &limits->quota, &cause) != OK) {
        log_warn("user %.*s: %s", STR(owner), cause.text);
        return fail(why, "4.3.5", "mail system configuration error");
    }
    limits->fs = is_fs(j, fields);
    found = arena_make(room.arena, struct limits);
    *found = *limits;
    *hash_put(room.known, owner) = found;
    return OK;
}

bool
room_is_fs(const struct job *j, struct str owner)
{
    const struct limits *l = room.known ? hash_get(room.known, owner) : NULL;

    return l ? l->fs : j->set->fs;
}

enum rc
room_check(struct job *j, struct str owner, const struct priv_user *user,
           const char *path, int64_t bytes, struct why *why)
{
    struct limits limits = {0};
    struct why cause;
    enum rc rc;

    if (*j->conf->quota_rule == '\0' || owner.len == 0)
        return OK;
    rc = find(j, owner, &limits, why);
    if (rc == OK)
        rc = job_become(j, user, why);
    if (rc != OK)
        return rc;
    rc = quota_check(maildir_root(j->arena, path, limits.fs), limits.fs,
                     &limits.quota, bytes, 1, &cause);
    if (rc == PERM)
        return fail(why, j->conf->quota_full_tempfail ? "4.2.2" : "5.2.2",
                    "Quota exceeded (mailbox for user is full)");
    if (rc != OK)
        *why = cause;
    return rc;
}
