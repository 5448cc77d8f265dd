/*
 * Restrictions on sender and recipient addresses: may we relay for them, are
 * they well formed, do their domains exist, do we know the user.
 */
#include "smtpd.h"

#include "base/log.h"
#include "mail/address.h"

static struct str
full(const struct session *s, enum subject subject)
{
    return subject == OF_SENDER ? s->sender_full : s->rcpt_full;
}

static bool
resolve(struct ask *q, struct str addr, struct route *route, enum verdict *v)
{
    struct why why;
    enum rc rc = route_resolve(q->s->server->router, q->s->line,
                               q->s->sender_full, addr, route, &why);

    if (rc != OK)
        *v = rules_lookup_failed(q, &why);
    return rc == OK;
}

static bool
is_final(const struct route *route)
{
    return route->class == CLASS_LOCAL || route->class == CLASS_VIRTUAL_ALIAS ||
           route->class == CLASS_VIRTUAL_MAILBOX;
}

/* Ours, or of a domain that we relay for; and nothing in the local part that
 * leads on from there. */
static bool
is_authorised(const struct conf *c, const struct route *route)
{
    if (route->routed && !c->allow_untrusted_routing)
        return false;
    return is_final(route) || route->class == CLASS_RELAY;
}

/* ---- relaying ---- */

enum verdict
check_auth_destination(struct ask *q, const struct rule *r)
{
    struct route route;
    enum verdict v = DUNNO;

    (void)r;
    if (q->s->rcpt.p == NULL || !resolve(q, q->s->rcpt_full, &route, &v))
        return v;
    return is_authorised(q->s->conf, &route) ? PERMIT : DUNNO;
}

static enum verdict
unauth(struct ask *q, int code, const char *dsn)
{
    struct route route;
    enum verdict v = DUNNO;

    if (q->s->rcpt.p == NULL || !resolve(q, q->s->rcpt_full, &route, &v))
        return v;
    if (is_authorised(q->s->conf, &route))
        return DUNNO;
    return rules_refuse(q, code, dsn, "<%.*s>: Relay access denied",
                        STR(subject_shown(q->s, OF_RCPT)));
}

enum verdict
check_unauth_reject(struct ask *q, const struct rule *r)
{
    (void)r;
    return unauth(q, (int)q->s->conf->relay_domains_reject_code, "5.7.1");
}

enum verdict
check_unauth_defer(struct ask *q, const struct rule *r)
{
    (void)r;
    return unauth(q, 454, "4.7.1");
}

/* Is that mail exchanger this machine? Its networks too, where given. */
static enum rc
judge_exchanger(struct session *s, struct str host, bool *ours, bool *listed,
                struct why *why)
{
    struct dns_answer addrs;
    struct sockaddr_storage sa;
    char text[SOCK_TEXT_MAX];
    unsigned port;
    enum rc rc =
        dns_addresses(s->server->dns, host, DNS_V4 | DNS_V6 | DNS_FROM_DNS,
                      s->line, &addrs, why);

    *ours = *listed = false;
    for (size_t i = 0; rc == OK && i < addrs.count; i++) {
        bool found = false;
        struct str addr;

        dns_to_sockaddr(&addrs.records[i], 0, &sa);
        sock_text((const struct sockaddr *)&sa, text, &port);
        addr = str_from(text);
        rc = match_host(s->server->own, host, addr, &found, why);
        *ours |= rc == OK && found;
        if (rc == OK)
            rc = match_host(s->server->mx_backup, host, addr, &found, why);
        *listed |= rc == OK && found;
    }
    return rc == PERM ? OK : rc;
}

/* A backup is in the list of exchangers, and not among the best of them. */
static enum rc
is_backup(struct session *s, struct str domain, bool *backup, struct why *why)
{
    bool any = *s->conf->permit_mx_backup_networks == '\0';
    bool in_list = false, best = false, primary_listed = any;
    struct dns_answer mx;
    enum rc rc = dns_lookup(s->server->dns, domain, DNS_MX, s->line, &mx, why);

    *backup = false;
    if (rc != OK)
        return rc == PERM ? OK : rc;
    for (size_t i = 0; i < mx.count; i++) {
        bool ours, listed, first = mx.records[i].pref == mx.records[0].pref;

        rc = judge_exchanger(s, mx.records[i].host, &ours, &listed, why);
        if (rc != OK)
            return rc;
        in_list |= ours;
        best |= ours && first;
        primary_listed |= listed && first;
    }
    *backup = in_list && !best && primary_listed;
    return OK;
}

enum verdict
check_mx_backup(struct ask *q, const struct rule *r)
{
    struct session *s = q->s;
    struct route route;
    enum verdict v = DUNNO;
    struct str domain = address_domain(s->rcpt_full);
    struct why why;
    bool backup;

    (void)r;
    if (s->rcpt.p == NULL || !resolve(q, s->rcpt_full, &route, &v))
        return v;
    if (is_authorised(s->conf, &route))
        return PERMIT;
    if (route.routed || domain.len == 0 || domain.p[0] == '[')
        return DUNNO;
    if (is_backup(s, domain, &backup, &why) != OK)
        return rules_defer_if_reject(
            q, 450, "4.4.4",
            "<%.*s>: %s rejected: Unable to look up mail exchanger "
            "information: %s",
            STR(subject_shown(s, OF_RCPT)), CLASS_OF_RECIPIENT, why.text);
    return backup ? PERMIT : DUNNO;
}

/* ---- form and existence ---- */

enum verdict
check_fqdn(struct ask *q, const struct rule *r)
{
    enum subject subject = r->what->subject;
    struct str name = subject_name(q->s, subject);
    struct str domain = address_domain(name);

    if (name.len == 0)
        return DUNNO;
    if (domain.len > 0 && (domain.p[0] == '[' || str_find(domain, '.') >= 0))
        return DUNNO;
    return rules_refuse(q, (int)q->s->conf->non_fqdn_reject_code, "5.5.2",
                        "<%.*s>: %s rejected: need fully-qualified address",
                        STR(subject_shown(q->s, subject)),
                        subject_class(subject));
}

static bool
is_null_mx(const struct dns_answer *mx)
{
    return mx->count == 1 && mx->records[0].host.len == 0;
}

static const char *
dsn_of_domain(enum subject subject, bool temporary)
{
    if (subject == OF_SENDER)
        return temporary ? "4.1.8" : "5.1.8";
    return temporary ? "4.1.2" : "5.1.2";
}

static enum verdict
no_domain(struct ask *q, enum subject subject, enum rc rc)
{
    const struct conf *c = q->s->conf;
    int code = (int)c->unknown_address_reject_code;

    if (rc == TEMP)
        return rules_tempfail(q, c->unknown_address_tempfail_action, 450,
                              dsn_of_domain(subject, true),
                              "<%.*s>: %s rejected: Domain not found",
                              STR(subject_shown(q->s, subject)),
                              subject_class(subject));
    return rules_refuse(q, code, dsn_of_domain(subject, code < 500),
                        "<%.*s>: %s rejected: Domain not found",
                        STR(subject_shown(q->s, subject)),
                        subject_class(subject));
}

static enum verdict
no_mail_there(struct ask *q, enum subject subject, struct str domain)
{
    bool sender = subject == OF_SENDER;

    return rules_refuse(
        q, sender ? 550 : 556, sender ? "5.7.27" : "5.1.10",
        "<%.*s>: %s rejected: Domain %.*s does not accept mail (nullMX)",
        STR(subject_shown(q->s, subject)), subject_class(subject), STR(domain));
}

enum verdict
check_domain_exists(struct ask *q, const struct rule *r)
{
    struct session *s = q->s;
    enum subject subject = r->what->subject;
    struct str addr = full(s, subject), domain = address_domain(addr);
    struct route route;
    struct dns_answer answer;
    struct why why;
    enum verdict v = DUNNO;

    if (addr.len == 0 || domain.len == 0 || domain.p[0] == '[' ||
        !resolve(q, addr, &route, &v) || is_final(&route))
        return v;

    enum rc rc =
        dns_lookup(s->server->dns, domain, DNS_MX, s->line, &answer, &why);

    if (rc == OK && is_null_mx(&answer))
        return no_mail_there(q, subject, domain);
    if (rc == PERM && answer.state == DNS_NODATA)
        rc = dns_addresses(s->server->dns, domain,
                           DNS_V4 | DNS_V6 | DNS_FROM_DNS, s->line, &answer,
                           &why);
    return rc == OK ? DUNNO : no_domain(q, subject, rc);
}

/* ---- known users ---- */

static enum verdict
refuse_user(struct ask *q, enum subject subject, int code,
            const struct why *why)
{
    const char *dsn =
        code < 500 ? arena_fmt(q->s->line, "4%s", why->dsn + 1) : why->dsn;

    return rules_refuse(q, code, dsn, "<%.*s>: %s rejected: %s",
                        STR(subject_shown(q->s, subject)),
                        subject_class(subject), why->text);
}

/* An address that the canonical tables lead elsewhere is known. */
static enum rc
is_mapped(struct session *s, struct str addr, enum route_role role,
          bool *mapped, struct why *why)
{
    struct str out;
    enum rc rc =
        route_rewrite(s->server->router, s->line, addr, role, &out, why);

    *mapped = rc == OK && !str_ieq(out, addr);
    return rc;
}

enum verdict
check_unlisted(struct ask *q, const struct rule *r)
{
    struct session *s = q->s;
    struct router *router = s->server->router;
    enum subject subject = r->what->subject;
    bool sender = subject == OF_SENDER, mapped;
    struct str addr = full(s, subject);
    struct why why;
    int code = 0;

    if (addr.len == 0 || (sender ? s->sender_known : s->rcpt_known))
        return DUNNO;

    enum rc rc =
        is_mapped(s, addr, sender ? ROUTE_ENVELOPE_SENDER : ROUTE_ENVELOPE_RCPT,
                  &mapped, &why);

    if (rc == OK && !mapped)
        rc = sender ? route_known_sender(router, s->line, addr, &code, &why)
                    : route_known(router, s->line, s->sender_full, addr, &code,
                                  &why);
    if (rc == OK) {
        *(sender ? &s->sender_known : &s->rcpt_known) = true;
        return DUNNO;
    }
    return code ? refuse_user(q, subject, code, &why)
                : rules_lookup_failed(q, &why);
}

/* A report to many at once is none (RFC 5321 4.5.5). */
enum verdict
check_bounce_rcpts(struct ask *q, const struct rule *r)
{
    struct session *s = q->s;

    (void)r;
    /* At RCPT the recipient in question comes on top. */
    if (s->sender.p == NULL || s->sender.len > 0 ||
        s->accepted + (q->stage < STAGE_DATA) <= 1)
        return DUNNO;
    return rules_refuse(q, (int)s->conf->multi_recipient_bounce_reject_code,
                        "5.5.3", "<%.*s>: %s rejected: Multi-recipient bounce",
                        STR(q->name), q->class);
}
