/* GETQUOTA, GETQUOTAROOT, SETQUOTA: RFC 9208. One root has all folders of a
 * user; the administrator sets its limits. */
#include "mail/imap_text.h"
#include "room.h"
#include "store/changes.h"
#include "store/usage.h"

#define ROOT "User quota"

static bool
is_limited(const struct session *s)
{
    const struct quota_limits *l = &s->imap->quota;

    return l->bytes > 0 || l->messages > 0;
}

static bool
fits(int64_t limit, uint64_t have, uint64_t more)
{
    return limit == 0 ||
           (have <= (uint64_t)limit && more <= (uint64_t)limit - have);
}

enum rc
room_check(struct session *s, struct room *room, uint64_t bytes,
           uint64_t messages, struct why *why)
{
    const struct quota_limits *l = &s->imap->quota;
    enum rc rc = OK;

    if (!is_limited(s))
        return OK;
    if (!room->known)
        rc = home_usage(s->imap->home, &room->bytes, &room->messages, why);
    if (rc != OK)
        return rc;
    room->known = true;
    if (fits(l->bytes, room->bytes, bytes) &&
        fits(l->messages, room->messages, messages))
        return OK;
    return fail(why, "5.2.2", "There is no room for it in your quota");
}

enum rc
room_check_copy(struct session *s, struct uid_set set, struct why *why)
{
    struct changes_walk w;
    struct message m;
    uint64_t bytes = 0, messages = 0;
    struct room room = {0};
    enum rc rc;

    if (!is_limited(s))
        return OK;
    rc = changes_begin(&w, s->box, set, why);
    if (rc != OK)
        return rc;
    while (changes_next(&w, &m)) {
        bytes += m.size;
        messages++;
    }
    rc = changes_end(&w, why);
    return rc == OK ? room_check(s, &room, bytes, messages, why) : rc;
}

/* "* QUOTA "User quota" (STORAGE 10 512)": kibibytes. */
static enum rc
tell(struct session *s, struct why *why)
{
    const struct quota_limits *l = &s->imap->quota;
    uint64_t bytes, messages;
    struct buf b = buf_in(s->command);
    enum rc rc = home_usage(s->imap->home, &bytes, &messages, why);

    if (rc != OK)
        return rc;
    buf_add(&b, S("* QUOTA \"" ROOT "\" ("));
    if (l->bytes > 0)
        buf_fmt(&b, "STORAGE %llu %lld", (unsigned long long)bytes / 1024,
                (long long)l->bytes / 1024);
    if (l->messages > 0)
        buf_fmt(&b, "%sMESSAGE %llu %lld", l->bytes > 0 ? " " : "",
                (unsigned long long)messages, (long long)l->messages);
    buf_add(&b, S(")\r\n"));
    conn_put(s->conn, buf_str(&b));
    return OK;
}

static void
finish(struct session *s, enum rc rc, const struct why *why)
{
    if (rc == OK)
        reply_ok(s, "Quota told");
    else
        reply_why(s, why);
}

void
do_getquota(struct session *s, const struct command *c)
{
    struct why why;

    if (!is_limited(s) || !str_eq(c->one.name, S(ROOT)))
        reply_no(s, "[NONEXISTENT] There is no such quota root");
    else
        finish(s, tell(s, &why), &why);
}

/* RFC 9208 4.1.3: the mailbox need not exist. */
void
do_getquotaroot(struct session *s, const struct command *c)
{
    struct buf b = buf_in(s->command);
    struct str name;
    struct why why;

    if (!take_mailbox(s, c->one.name, &name)) {
        reply_no(s, "[CANNOT] This is no mailbox name");
        return;
    }
    buf_add(&b, S("* QUOTAROOT "));
    put_mailbox(s, &b, name);
    if (is_limited(s))
        buf_add(&b, S(" \"" ROOT "\""));
    buf_add(&b, S("\r\n"));
    conn_put(s->conn, buf_str(&b));
    finish(s, is_limited(s) ? tell(s, &why) : OK, &why);
}

void
do_setquota(struct session *s, const struct command *c)
{
    (void)c;
    reply_no(s, "[NOPERM] The administrator sets quotas");
}
