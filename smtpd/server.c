/*
 * What the configuration says, opened once in the template.
 */
#include "smtpd.h"

#include "base/log.h"
#include "conf/networks.h"
#include "daemon/routing.h"
#include "mail/smtp.h"

/* Is this list's parameter in parent_domain_matches_subdomains? */
static bool
subdomains(const struct conf *c, const char *what)
{
    struct str list = str_from(c->parent_domain_matches_subdomains), word;

    while (str_word(&list, " ,\t\r\n", &word))
        if (str_ieq(word, str_from(what)))
            return true;
    return false;
}

static struct match_list *
list(struct server *s, const char *param, const char *text)
{
    struct why why;
    struct match_list *l =
        match_open(param, text, subdomains(s->conf, param), &why);

    if (l == NULL)
        log_fatal("%s", why.text);
    return l;
}

/* Words of smtpd_forbidden_commands that are tables. */
static struct maps *
tables_of(struct arena *life, const char *text)
{
    struct buf b = buf_in(life);
    struct str rest = str_from(text), word;

    while (rules_word(&rest, &word))
        if (str_find(word, ':') > 0) {
            buf_add(&b, word);
            buf_addc(&b, ' ');
        }
    return maps_open(buf_str(&b).p, NULL);
}

static void
check_bare_newline(const struct conf *c)
{
    static const char *const words[] = {"yes", "no", "normalize", "note",
                                        "reject"};

    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(c->smtpd_forbid_bare_newline, words[i]) == 0)
            return;
    log_fatal("smtpd_forbid_bare_newline = %s: write normalize, reject, note "
              "or no",
              c->smtpd_forbid_bare_newline);
}

static void
open_lists(struct server *s)
{
    const struct conf *c = s->conf;
    struct str own =
        networks_default(s->daemon->life, str_from(c->inet_interfaces),
                         str_from(c->inet_protocols), S("host"));

    s->mynetworks = list(s, "mynetworks", c->mynetworks);
    s->own = list(s, "inet_interfaces", arena_cstr(s->daemon->life, own));
    s->xclient = list(s, "smtpd_authorized_xclient_hosts",
                      c->smtpd_authorized_xclient_hosts);
    s->xforward = list(s, "smtpd_authorized_xforward_hosts",
                       c->smtpd_authorized_xforward_hosts);
    s->verp = list(s, "smtpd_authorized_verp_clients",
                   c->smtpd_authorized_verp_clients);
    s->unlimited = list(s, "smtpd_client_event_limit_exceptions",
                        c->smtpd_client_event_limit_exceptions);
    s->bare_lf = list(s, "smtpd_forbid_bare_newline_exclusions",
                      c->smtpd_forbid_bare_newline_exclusions);
    s->flushable = list(s, "fast_flush_domains", c->fast_flush_domains);
    s->mx_backup =
        list(s, "permit_mx_backup_networks", c->permit_mx_backup_networks);
}

void
server_open(struct server *s, struct daemon *d)
{
    const struct conf *c = d->conf;
    const struct dns_options dns = {.servers = c->dns_servers};
    struct why why;

    *s = (struct server){
        .daemon = d,
        .conf = c,
        .lmtp = strcmp(d->role, "lmtpd") == 0,
        .dot_parents = !subdomains(c, "smtpd_access_maps"),
        .discard =
            smtp_extension_list(str_from(c->smtpd_discard_ehlo_keywords)),
    };
    check_bare_newline(c);
    s->router = routing_open(d->life, c, &why);
    if (s->router == NULL)
        log_fatal("%s", why.text);
    s->dns = dns_open(d->life, &dns, &why);
    if (s->dns == NULL)
        log_fatal("%s", why.text);
    open_lists(s);
    s->discard_ehlo =
        maps_open(c->smtpd_discard_ehlo_keyword_address_maps, NULL);
    s->login_senders = maps_open(c->smtpd_sender_login_maps, NULL);
    s->rbl_replies = maps_open(c->rbl_reply_maps, NULL);
    s->command_filter = maps_open(c->smtpd_command_filter, NULL);
    s->forbidden = tables_of(d->life, c->smtpd_forbidden_commands);
    rules_load(s);
    s->rewrite_clients = rules_parse(s, "local_header_rewrite_clients",
                                     c->local_header_rewrite_clients);
    s->login = login_open(s);
    intake_open(&s->intake, d->life, c, s->router);
    tls_open(s);
}
