/* The process of a user: his mail is opened once, for all his sessions. */
#include <string.h>

#include "access/mail.h"
#include "base/log.h"
#include "defaults.h"
#include "imapd.h"
#include "indexing.h"
#include "space.h"
#include "sys/charsets.h"

static struct imap imap;

static void
share(struct arena *life)
{
    imap.charsets = charsets_new(life);
    charsets_warm(imap.charsets);
}

static enum rc
prepare(struct user *u, struct user_folders *folders, struct why *why)
{
    enum rc rc = user_quota(u->life, str_from(u->conf->quota_rule), u->fields,
                            &imap.quota, why);

    if (rc == OK)
        rc = user_mail_prepare(u, folders, why);
    return rc == OK ? space_prepare(&imap, u, folders, why) : rc;
}

static enum rc
begin(struct user *u, struct why *why)
{
    imap.user = u;
    u->own = &imap;
    outside_begin(&imap);
    enum rc rc = user_mail_open(u, &imap.home, why);

    if (rc != OK)
        return rc;
    defaults_make(&imap);
    indexing_begin(&imap);
    space_begin(&imap);
    return OK;
}

static struct str
refusal(struct arena *a, const struct user_session *s, const char *why)
{
    return str_from(
        arena_fmt(a, "%.*s NO [UNAVAILABLE] %s\r\n", STR(s->greeting), why));
}

static void
attach(struct user *u, const struct user_session *from)
{
    session_attach(u->own, from);
}

static void
end(struct user *u, unsigned number, const char *why)
{
    struct imap *i = u->own;

    for (size_t k = i->sessions.len; k > 0; k--)
        if (number == 0 || i->sessions.at[k - 1]->number == number)
            session_bye(i->sessions.at[k - 1], why);
}

static void
finish(struct user *u)
{
    flags_end(u->own);
    outside_end(u->own);
}

static void
rest(struct user *u)
{
    const struct imap *i = u->own;

    home_rest(i->home);
}

const struct user_program imap_user = {
    .service = "imap",
    .share = share,
    .prepare = prepare,
    .begin = begin,
    .refusal = refusal,
    .attach = attach,
    .end = end,
    .rest = rest,
    .finish = finish,
};
