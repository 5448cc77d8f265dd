/* GETQUOTA, GETQUOTAROOT, SETQUOTA: RFC 9208. One root has all folders of a
 * home; the administrator sets its limits. */
#include "mail/imap_text.h"
#include "room.h"
#include "space.h"
#include "store/changes.h"
#include "store/folders.h"
#include "store/quota.h"
#include "store/usage.h"

#define ROOT "User quota"

/* One quota root. */
struct root {
    struct home *home;
    struct str name;
    struct quota_limits limits;
};

static bool
is_limited(const struct quota_limits *l)
{
    return l->bytes > 0 || l->messages > 0;
}

static struct quota_limits
limits_of(struct session *s, struct home *home)
{
    bool fs;

    return home == s->imap->home ? s->imap->quota
                                 : quota_limits_of(home_root(home, &fs));
}

static bool
fits(int64_t limit, uint64_t have, uint64_t more)
{
    return limit == 0 ||
           (have <= (uint64_t)limit && more <= (uint64_t)limit - have);
}

enum rc
room_check(struct session *s, struct home *home, struct room *room,
           uint64_t bytes, uint64_t messages, struct why *why)
{
    const struct quota_limits l = limits_of(s, home);
    enum rc rc = OK;

    if (!is_limited(&l))
        return OK;
    if (!room->known)
        rc = home_usage(home, &room->bytes, &room->messages, why);
    if (rc != OK)
        return rc;
    room->known = true;
    if (fits(l.bytes, room->bytes, bytes) &&
        fits(l.messages, room->messages, messages))
        return OK;
    return fail(why, "5.2.2", "There is no room for it in your quota");
}

enum rc
room_check_copy(struct session *s, struct home *home, struct uid_set set,
                struct why *why)
{
    const struct quota_limits l = limits_of(s, home);
    struct changes_walk w;
    struct message m;
    uint64_t bytes = 0, messages = 0;
    struct room room = {0};
    enum rc rc;

    if (!is_limited(&l))
        return OK;
    rc = changes_begin(&w, s->box, set, why);
    if (rc != OK)
        return rc;
    while (changes_next(&w, &m)) {
        bytes += m.size;
        messages++;
    }
    rc = changes_end(&w, why);
    return rc == OK ? room_check(s, home, &room, bytes, messages, why) : rc;
}

/* "* QUOTA "User quota" (STORAGE 10 512)": kibibytes, and what is used of one
 * counts in full, as in DELETED-STORAGE. */
static enum rc
tell(struct session *s, const struct root *r, struct why *why)
{
    const struct quota_limits *l = &r->limits;
    uint64_t bytes, messages;
    struct buf b = buf_in(s->command);
    enum rc rc = home_usage(r->home, &bytes, &messages, why);

    if (rc != OK)
        return rc;
    buf_add(&b, S("* QUOTA "));
    imap_put_string(&b, r->name);
    buf_add(&b, S(" ("));
    if (l->bytes > 0)
        buf_fmt(&b, "STORAGE %llu %lld",
                (unsigned long long)(bytes + 1023) / 1024,
                (long long)l->bytes / 1024);
    if (l->messages > 0)
        buf_fmt(&b, "%sMESSAGE %llu %lld", l->bytes > 0 ? " " : "",
                (unsigned long long)messages, (long long)l->messages);
    buf_add(&b, S(")\r\n"));
    say_wide(s, s->command, buf_str(&b));
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

/* Mail of others has a root where it is limited: "shared/anna", "Public". */
static bool
find_root(struct session *s, struct str name, struct root *r)
{
    struct why why;

    *r = (struct root){.home = s->imap->home, .name = name};
    if (!str_eq(name, S(ROOT)) && space_root(s, name, &r->home, &why) != OK)
        return false;
    r->limits = limits_of(s, r->home);
    return is_limited(&r->limits);
}

void
do_getquota(struct session *s, const struct command *c)
{
    struct root r;
    struct why why;

    if (!find_root(s, c->one.name, &r))
        reply_no(s, "[NONEXISTENT] There is no such quota root");
    else
        finish(s, tell(s, &r, &why), &why);
}

/* RFC 9208 4.1.3: the mailbox need not exist, in one's own mail; 6: what others
 * have is told to who may read there. */
void
do_getquotaroot(struct session *s, const struct command *c)
{
    struct buf b = buf_in(s->command);
    struct spot spot;
    struct root r;
    struct str name;
    struct why why;
    enum rc rc;

    if (!take_mailbox(s, c->one.name, &name)) {
        reply_no(s, "[CANNOT] This is no mailbox name");
        return;
    }
    rc = space_find(s, name, &spot, &why);
    if (rc == OK && spot.kind != SPACE_PRIVATE)
        rc = space_check(&spot, RIGHT_READ, &why);
    if (rc == OK && spot.kind != SPACE_PRIVATE &&
        !folder_is_at(spot.home, spot.path))
        rc = fail(&why, "5.2.0", "there is no folder of that name");
    if (rc != OK) {
        reply_why(s, &why);
        return;
    }
    r = (struct root){spot.home, S(ROOT), limits_of(s, spot.home)};
    if (spot.kind != SPACE_PRIVATE)
        r.name = str_sub(name, 0, name.len - spot.name.len - 1);
    buf_add(&b, S("* QUOTAROOT "));
    put_mailbox(s, &b, name);
    if (is_limited(&r.limits)) {
        buf_addc(&b, ' ');
        imap_put_string(&b, r.name);
    }
    buf_add(&b, S("\r\n"));
    say_wide(s, s->command, buf_str(&b));
    finish(s, is_limited(&r.limits) ? tell(s, &r, &why) : OK, &why);
}

void
do_setquota(struct session *s, const struct command *c)
{
    (void)c;
    reply_no(s, "[NOPERM] The administrator sets quotas");
}
