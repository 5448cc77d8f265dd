/*
 * Restrictions on who the client is and how it behaves.
 */
#include "smtpd.h"

#include "base/log.h"
#include "mail/domain.h"
#include "mail/smtp.h"

enum verdict
check_mynetworks(struct ask *q, const struct rule *r)
{
    (void)r;
    return q->s->trusted ? PERMIT : DUNNO;
}

enum verdict
check_login(struct ask *q, const struct rule *r)
{
    (void)r;
    return q->s->client.login.len > 0 ? PERMIT : DUNNO;
}

enum verdict
check_inet_interfaces(struct ask *q, const struct rule *r)
{
    struct session *s = q->s;
    struct why why;
    bool found = false;

    (void)r;
    if (match_host(s->server->own, s->client.name, s->client.addr, &found,
                   &why) != OK)
        log_warn("%s", why.text);
    return found ? PERMIT : DUNNO;
}

enum verdict
check_plaintext(struct ask *q, const struct rule *r)
{
    (void)r;
    if (q->s->tls)
        return DUNNO;
    return rules_refuse(q, (int)q->s->conf->plaintext_reject_code, "4.7.1",
                        "Session encryption is required");
}

/* Has something been sent behind a command that must stand alone, or without
 * PIPELINING having been offered? */
enum verdict
check_pipelining(struct ask *q, const struct rule *r)
{
    struct session *s = q->s;
    bool waiting = io_waiting(s->io) > 0;

    (void)r;
    if (!s->pipelined &&
        (!waiting || (s->offered & SMTP_PIPELINING && q->stage != STAGE_DATA)))
        return DUNNO;
    return rules_refuse(
        q, 503, "5.5.0",
        "<%.*s>: %s rejected: Improper use of SMTP command pipelining",
        STR(q->name), q->class);
}

static int
unknown_code(const struct ask *q, enum rc rc)
{
    return rc == PERM ? (int)q->s->conf->unknown_client_reject_code : 450;
}

enum verdict
check_client_hostname(struct ask *q, const struct rule *r)
{
    const struct client *c = &q->s->client;

    (void)r;
    if (c->name_rc == OK && !str_eq(c->name, S("unknown")))
        return DUNNO;
    return rules_refuse(q, unknown_code(q, c->name_rc), "4.7.25",
                        "Client host rejected: cannot find your hostname, "
                        "[%.*s]",
                        STR(c->addr));
}

enum verdict
check_reverse_hostname(struct ask *q, const struct rule *r)
{
    const struct client *c = &q->s->client;

    (void)r;
    if (c->reverse_rc == OK && !str_eq(c->reverse, S("unknown")))
        return DUNNO;
    return rules_refuse(q, unknown_code(q, c->reverse_rc), "4.7.25",
                        "Client host rejected: cannot find your reverse "
                        "hostname, [%.*s]",
                        STR(c->addr));
}

/* The reverse name must lead to some address, if not back to this one. */
enum verdict
check_forward_hostname(struct ask *q, const struct rule *r)
{
    const struct client *c = &q->s->client;
    struct dns_answer answer;
    struct why why;

    if (c->name_rc == OK || c->reverse_rc != OK)
        return check_reverse_hostname(q, r);

    enum rc rc = dns_addresses(q->s->server->dns, c->reverse,
                               DNS_V4 | DNS_V6 | DNS_FROM_DNS, q->s->line,
                               &answer, &why);

    if (rc == OK)
        return DUNNO;
    return rules_refuse(q, unknown_code(q, rc), "4.7.25",
                        "Client host rejected: cannot find your hostname, "
                        "[%.*s]",
                        STR(c->addr));
}

/* ---- HELO ---- */

/* A literal, or a bare address, which is wrong in form and in use. */
static bool
is_address(struct str name)
{
    return domain_is_literal(name, NULL) || domain_is_ip(name);
}

/* Without a final dot, which some write. */
static struct str
helo_name(const struct ask *q)
{
    struct str name = q->s->helo;

    if (name.len > 1 && name.p[name.len - 1] == '.')
        name.len--;
    return name;
}

enum verdict
check_helo_syntax(struct ask *q, const struct rule *r)
{
    struct str name = helo_name(q);

    (void)r;
    if (name.len == 0 || is_address(name) || domain_is_hostname(name))
        return DUNNO;
    return rules_refuse(q, (int)q->s->conf->invalid_hostname_reject_code,
                        "5.5.2", "<%.*s>: %s rejected: Invalid name",
                        STR(q->s->helo), CLASS_OF_HELO);
}

enum verdict
check_helo_fqdn(struct ask *q, const struct rule *r)
{
    struct str name = helo_name(q);

    (void)r;
    if (name.len == 0 || domain_is_literal(name, NULL) || domain_is_fqdn(name))
        return DUNNO;
    return rules_refuse(q, (int)q->s->conf->non_fqdn_reject_code, "5.5.2",
                        "<%.*s>: %s rejected: need fully-qualified hostname",
                        STR(q->s->helo), CLASS_OF_HELO);
}

enum verdict
check_helo_host(struct ask *q, const struct rule *r)
{
    struct session *s = q->s;
    struct str name = helo_name(q);
    struct dns_answer answer;
    struct why why;

    (void)r;
    if (name.len == 0 || is_address(name))
        return DUNNO;
    if (!dns_valid_host(name))
        return rules_refuse(q, (int)s->conf->unknown_hostname_reject_code,
                            "5.5.2", "<%.*s>: %s rejected: Invalid name",
                            STR(s->helo), CLASS_OF_HELO);

    enum rc rc =
        dns_addresses(s->server->dns, name, DNS_V4 | DNS_V6 | DNS_FROM_DNS,
                      s->line, &answer, &why);

    if (rc == PERM)
        rc = dns_lookup(s->server->dns, name, DNS_MX, s->line, &answer, &why);
    if (rc == OK)
        return DUNNO;
    if (rc == TEMP)
        return rules_tempfail(
            q, s->conf->unknown_helo_hostname_tempfail_action, 450, "4.7.1",
            "<%.*s>: %s rejected: Host not found", STR(s->helo), CLASS_OF_HELO);
    return rules_refuse(q, (int)s->conf->unknown_hostname_reject_code, "4.7.1",
                        "<%.*s>: %s rejected: Host not found", STR(s->helo),
                        CLASS_OF_HELO);
}
