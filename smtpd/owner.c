/*
 * Whose address is it? smtpd_sender_login_maps says which logins own a sender
 * address: the one in MAIL (reject_sender_login_mismatch and kin), and those
 * that readers see, in From and Sender
 * (smtpd_reject_header_from_login_mismatch).
 */
#include "smtpd.h"

#include "base/log.h"
#include "mail/address.h"
#include "mail/addrlist.h"

/* Addresses in From and Sender that are looked at. Who needs more cannot have
 * been looked up in good time. */
#define AUTHORS_MAX 50

/* The logins that own it: a list between blanks and commas; NULL: nobody. */
static enum rc
find_owners(struct session *s, struct str addr, struct str *owners,
            struct why *why)
{
    const struct map_order order = {
        .delimiters = s->conf->recipient_delimiter,
        .at_domain = true,
    };
    struct map_found found = {0};
    enum rc rc = maps_get_address(s->server->login_senders, addr, &order,
                                  s->line, &found, why);

    *owners = found.value;
    return rc;
}

static bool
is_among(struct str owners, struct str login)
{
    struct str name;

    while (str_word(&owners, " ,\t\r\n", &name))
        if (str_ieq(name, login))
            return true;
    return false;
}

/* ---- MAIL ---- */

static enum verdict
refuse_stranger(struct ask *q)
{
    return rules_refuse(q, 553, "5.7.1",
                        "<%.*s>: Sender address rejected: not logged in",
                        STR(subject_shown(q->s, OF_SENDER)));
}

static enum verdict
refuse_login(struct ask *q)
{
    return rules_refuse(
        q, 553, "5.7.1",
        "<%.*s>: Sender address rejected: not owned by user %.*s",
        STR(subject_shown(q->s, OF_SENDER)), STR(q->s->client.login));
}

/* For whom a restriction is, and whether a login may use addresses that
 * nobody owns. As in Postfix they do nothing where nobody can log in: so one
 * main.cf does for port 25 and the submission ports. */
enum { STRANGERS = 1, LOGINS = 2, UNOWNED = 4 };

static enum verdict
check_owner(struct ask *q, unsigned whom)
{
    struct session *s = q->s;
    struct str login = s->client.login, owners;
    struct why why;

    if (!s->conf->smtpd_sasl_auth_enable || s->sender_full.len == 0 ||
        maps_empty(s->server->login_senders) ||
        !(whom & (login.len > 0 ? LOGINS : STRANGERS)))
        return DUNNO;
    if (find_owners(s, s->sender_full, &owners, &why) != OK)
        return rules_lookup_failed(q, &why);
    if (login.len == 0)
        return owners.p ? refuse_stranger(q) : DUNNO;
    if (is_among(owners, login) || (owners.p == NULL && whom & UNOWNED))
        return DUNNO;
    return refuse_login(q);
}

enum verdict
check_login_mismatch(struct ask *q, const struct rule *r)
{
    (void)r;
    return check_owner(q, STRANGERS | LOGINS);
}

enum verdict
check_known_login_mismatch(struct ask *q, const struct rule *r)
{
    (void)r;
    return check_owner(q, STRANGERS | LOGINS | UNOWNED);
}

enum verdict
check_stranger_mismatch(struct ask *q, const struct rule *r)
{
    (void)r;
    return check_owner(q, STRANGERS);
}

enum verdict
check_authenticated_mismatch(struct ask *q, const struct rule *r)
{
    (void)r;
    return check_owner(q, LOGINS);
}

/* ---- the header ---- */

/* What a message's header has said so far. */
struct authors {
    struct session *s;
    unsigned count;      /* of addresses in From */
    bool sender;         /* Sender has been seen, */
    struct str stranger; /* and this in it is not theirs */
};

static enum rc
not_owned(struct authors *w, const char *field, struct str addr,
          struct why *why)
{
    struct session *s = w->s;
    enum rc rc = fail(why, "5.7.1",
                      "<%.*s>: %s address rejected: not owned by user %.*s",
                      STR(address_quote(s->line, str_sub(addr, 0, 200))), field,
                      STR(str_sub(s->client.login, 0, 100)));

    log_decision(s, "reject",
                 arena_fmt(s->line, "550 %s %s", why->dsn, why->text));
    return rc;
}

static enum rc
check_author(struct authors *w, struct str addr, bool *owned, struct why *why)
{
    struct session *s = w->s;
    struct str owners;
    enum rc rc = find_owners(
        s, route_complete(s->server->router, s->line, addr), &owners, why);

    *owned = rc == OK && is_among(owners, s->client.login);
    if (rc == OK)
        return OK;
    log_warn("%s", why->text);
    return fail(why, "4.3.0", "temporary lookup failure");
}

/* Every author must be theirs: readers see them all. */
static enum rc
check_from(struct authors *w, const struct header_field *f, struct why *why)
{
    struct addrlist l = {.rest = f->body};
    struct addrlist_entry e;
    unsigned before = w->count;

    while (addrlist_next(w->s->line, &l, &e)) {
        bool owned = false;

        if (++w->count > AUTHORS_MAX || !e.sound)
            return not_owned(w, "From", e.addr, why);

        enum rc rc = check_author(w, e.addr, &owned, why);

        if (rc != OK)
            return rc;
        if (!owned)
            return not_owned(w, "From", e.addr, why);
    }
    /* Readers would show whatever stands there. */
    return w->count > before && !f->cut ? OK : not_owned(w, "From", S(""), why);
}

/* It counts only where there are several authors, which may come later. */
static enum rc
note_sender(struct authors *w, const struct header_field *f, struct why *why)
{
    struct addrlist l = {.rest = f->body};
    struct addrlist_entry e;
    unsigned count = 0;

    w->sender = true;
    while (addrlist_next(w->s->line, &l, &e)) {
        bool owned = false;

        if (++count > AUTHORS_MAX)
            return not_owned(w, "Sender", e.addr, why);

        enum rc rc = check_author(w, e.addr, &owned, why);

        if (rc != OK)
            return rc;
        if (!owned)
            w->stranger = arena_str(w->s->mail, e.addr);
    }
    return OK;
}

static enum rc
on_field(void *self, const struct header_field *f, struct why *why)
{
    struct authors *w = self;

    if (f->id == HEADER_ID_FROM)
        return check_from(w, f, why);
    return f->id == HEADER_ID_SENDER_FIELD ? note_sender(w, f, why) : OK;
}

static enum rc
on_end(void *self, struct why *why)
{
    struct authors *w = self;

    return w->count > 1 && w->stranger.len > 0
               ? not_owned(w, "Sender", w->stranger, why)
               : OK;
}

void
owner_watch(struct session *s)
{
    static const struct header_watch watch = {on_field, on_end};
    struct authors *w;

    /* Where nothing has an owner nobody is held to it, as with the envelope. */
    if (!s->conf->smtpd_reject_header_from_login_mismatch ||
        s->client.login.len == 0 || maps_empty(s->server->login_senders))
        return;
    w = arena_make(s->mail, struct authors);
    w->s = s;
    s->message->watch = &watch;
    s->message->watcher = w;
}
