/*
 * Access tables: which keys are looked for, and what the answers do
 * (access(5)).
 */
#include "smtpd.h"

#include "base/log.h"
#include "mail/address.h"

/* ---- what is looked for ---- */

struct str
subject_name(const struct session *s, enum subject subject)
{
    switch (subject) {
    case OF_CLIENT:
        return s->client.name;
    case OF_REVERSE:
        return s->client.reverse;
    case OF_HELO:
        return s->helo;
    case OF_SENDER:
        return s->sender;
    case OF_RCPT:
        return s->rcpt;
    case OF_ETRN:
        return s->etrn;
    case OF_LOGIN:
        return s->client.login;
    default:
        return (struct str){0};
    }
}

struct str
subject_domain(const struct session *s, enum subject subject)
{
    struct str none = {0};
    struct str name = subject_name(s, subject);

    switch (subject) {
    case OF_SENDER:
        return address_domain(s->sender_full);
    case OF_RCPT:
        return address_domain(s->rcpt_full);
    case OF_CLIENT:
    case OF_REVERSE:
        return str_eq(name, S("unknown")) ? none : name;
    default:
        return name;
    }
}

const char *
subject_class(enum subject subject)
{
    static const char *const classes[] = {
        [OF_NONE] = "",
        [OF_CLIENT] = CLASS_OF_CLIENT,
        [OF_REVERSE] = CLASS_OF_REVERSE,
        [OF_HELO] = CLASS_OF_HELO,
        [OF_SENDER] = CLASS_OF_SENDER,
        [OF_RCPT] = CLASS_OF_RECIPIENT,
        [OF_ETRN] = CLASS_OF_ETRN,
        [OF_LOGIN] = CLASS_OF_LOGIN,
    };

    return classes[subject];
}

struct str
subject_shown(const struct session *s, enum subject subject)
{
    if (subject == OF_SENDER || subject == OF_RCPT)
        return address_quote(s->line, subject_name(s, subject));
    if (subject == OF_CLIENT)
        return s->client.shown;
    if (subject == OF_REVERSE)
        return str_from(arena_fmt(s->line, "%.*s[%.*s]", STR(s->client.reverse),
                                  STR(s->client.addr)));
    return subject_name(s, subject);
}

/* Name and its parent domains, then address and its networks. */
static enum rc
find_host(struct ask *q, struct maps *maps, struct str name, struct str addr,
          struct str *value, struct why *why)
{
    bool dots = q->s->server->dot_parents;
    enum rc rc = OK;

    *value = (struct str){0};
    if (name.len > 0)
        rc = maps_get_domain(maps, name, dots, q->s->line, value, why);
    if (rc == OK && value->p == NULL && addr.len > 0)
        rc = maps_get_network(maps, addr, q->s->line, value, why);
    return rc;
}

static enum rc
find_address(struct ask *q, struct maps *maps, struct str addr,
             struct str *value, struct why *why)
{
    const struct conf *c = q->s->conf;
    const struct map_order order = {
        .delimiters = c->recipient_delimiter,
        .parents = true,
        .dot_parents = q->s->server->dot_parents,
        .user_at = true,
    };
    struct map_found found = {0};

    if (addr.len == 0)
        return maps_get(maps, str_from(c->smtpd_null_access_lookup_key),
                        q->s->line, value, why);

    enum rc rc = maps_get_address(maps, addr, &order, q->s->line, &found, why);

    *value = found.value;
    return rc;
}

static enum rc
find_subject(struct ask *q, const struct rule *r, struct str *value,
             struct why *why)
{
    const struct session *s = q->s;
    enum subject subject = r->what->subject;
    struct str none = {0};

    *value = none;
    switch (subject) {
    case OF_CLIENT:
    case OF_REVERSE:
        return find_host(q, r->maps, subject_name(s, subject), s->client.addr,
                         value, why);
    case OF_SENDER:
        return s->sender.p
                   ? find_address(q, r->maps, s->sender_full, value, why)
                   : OK;
    case OF_RCPT:
        return s->rcpt.p ? find_address(q, r->maps, s->rcpt_full, value, why)
                         : OK;
    case OF_LOGIN:
        return s->client.login.len > 0
                   ? maps_get(r->maps, s->client.login, q->s->line, value, why)
                   : OK;
    default:
        return find_host(q, r->maps, subject_name(s, subject), none, value,
                         why);
    }
}

/* ---- the hosts behind a domain ---- */

/* The names to look for: the name itself, its mail exchangers, or its name
 * servers (of the zone it is in). */
static enum rc
find_hosts(struct ask *q, struct str domain, enum flavour flavour,
           struct dns_answer *answer, struct why *why)
{
    struct dns *dns = q->s->server->dns;
    enum dns_type type = flavour == BY_MX ? DNS_MX : DNS_NS;
    enum rc rc = PERM;

    *answer = (struct dns_answer){0};
    if (flavour != BY_A)
        rc = dns_lookup(dns, domain, type, q->s->line, answer, why);
    /* Name servers stand at the top of the zone. */
    while (flavour == BY_NS && rc == PERM && str_cut(&domain, '.', NULL) &&
           str_find(domain, '.') >= 0)
        rc = dns_lookup(dns, domain, type, q->s->line, answer, why);
    if (rc != PERM || flavour == BY_NS)
        return rc;

    struct dns_record *self = arena_make(q->s->line, struct dns_record);

    *self = (struct dns_record){.type = type, .host = domain};
    *answer = (struct dns_answer){.count = 1, .records = self};
    return OK;
}

/* One host: by its name, then by each address. */
static enum rc
find_host_of(struct ask *q, const struct rule *r, struct str host,
             struct str *value, struct why *why)
{
    struct dns_answer addrs;
    struct sockaddr_storage sa;
    char text[SOCK_TEXT_MAX];
    unsigned port;

    if (r->what->flavour != BY_A) {
        enum rc rc = find_host(q, r->maps, host, S(""), value, why);

        if (rc != OK || value->p)
            return rc;
    }

    enum rc rc =
        dns_addresses(q->s->server->dns, host, DNS_V4 | DNS_V6 | DNS_FROM_DNS,
                      q->s->line, &addrs, why);

    if (rc != OK)
        return rc == PERM ? OK : rc;
    for (size_t i = 0; i < addrs.count && value->p == NULL; i++) {
        dns_to_sockaddr(&addrs.records[i], 0, &sa);
        sock_text((const struct sockaddr *)&sa, text, &port);
        rc = find_host(q, r->maps, S(""), str_from(text), value, why);
        if (rc != OK)
            return rc;
    }
    return OK;
}

static enum verdict
ask_hosts(struct ask *q, const struct rule *r)
{
    enum subject subject = r->what->subject;
    struct str domain = subject_domain(q->s, subject), value = {0};
    struct dns_answer hosts;
    struct why why;

    if (domain.len == 0 || domain.p[0] == '[')
        return DUNNO;

    enum rc rc = find_hosts(q, domain, r->what->flavour, &hosts, &why);

    for (size_t i = 0; rc == OK && i < hosts.count && value.p == NULL; i++)
        rc = find_host_of(q, r, hosts.records[i].host, &value, &why);
    /* Who cannot be looked up is not in the table, as in Postfix. */
    if (rc != OK)
        log_warn("%s: %s", r->what->name, why.text);
    if (value.p == NULL)
        return DUNNO;
    return access_act(q, r->text.p, value, subject_shown(q->s, subject),
                      subject_class(subject));
}

/* A stranger chooses these names: they may not open doors. */
static enum verdict
forbid_permit(struct ask *q, const struct rule *r, enum verdict v)
{
    if (v != PERMIT)
        return v;
    log_warn("restriction %s returns OK for %.*s; this is not allowed, use "
             "DUNNO to make an exception",
             r->what->name, STR(subject_shown(q->s, r->what->subject)));
    return rules_refuse(q, 451, "4.3.5", "Server configuration error");
}

enum verdict
access_run(struct ask *q, const struct rule *r)
{
    enum subject subject = r->what->subject;
    struct str value;
    struct why why;

    if (r->what->flavour != BY_NAME)
        return forbid_permit(q, r, ask_hosts(q, r));
    if (find_subject(q, r, &value, &why) != OK)
        return rules_lookup_failed(q, &why);
    if (value.p == NULL)
        return DUNNO;

    enum verdict v =
        access_act(q, r->text.p, value, subject_shown(q->s, subject),
                   subject_class(subject));

    return subject == OF_REVERSE ? forbid_permit(q, r, v) : v;
}

enum verdict
access_address_map(struct ask *q, const struct rule *r)
{
    struct str value;
    struct why why;

    if (maps_get(r->maps, q->s->client.addr, q->s->line, &value, &why) != OK) {
        log_warn("%s", why.text);
        return DUNNO;
    }
    return value.p ? PERMIT : DUNNO;
}

/* ---- what the answer does ---- */

/* An answer that is being carried out. */
struct act {
    struct ask *q;
    const char *table;
    struct str text; /* what follows the word */
    struct str name;
    const char *class;
};

static struct actions *
actions_of(struct session *s)
{
    return s->message ? &s->message->actions : &s->actions;
}

static struct arena *
arena_of(struct session *s)
{
    return s->message ? s->mail : s->life;
}

static enum verdict
misconfigured(const struct act *x, const char *what)
{
    log_warn("access table %s entry for \"%.*s\": %s", x->table, STR(x->name),
             what);
    return rules_refuse(x->q, 451, "4.3.5", "Server configuration error");
}

/* "ACTION: what text" */
static void
tell(const struct act *x, const char *action, const char *fallback)
{
    struct str text = x->text.len > 0 ? x->text : str_from(fallback);

    log_decision(x->q->s, action,
                 arena_fmt(x->q->s->line, "<%.*s>: %s %.*s", STR(x->name),
                           x->class, STR(text)));
}

/* "5.7.1 text" may stand for "text". */
static const char *
cut_dsn(struct act *x, int code, const char *fallback)
{
    static const char digits[] = "245";
    struct str t = x->text, word;

    if (t.len < 5 || !strchr(digits, t.p[0]) || t.p[1] != '.' ||
        !str_word(&t, " \t", &word) || word.len > 9)
        return fallback;
    for (size_t i = 0; i < word.len; i++)
        if (!is_digit(word.p[i]) && word.p[i] != '.')
            return fallback;
    x->text = str_trim(t);

    char *dsn = arena_cstr(x->q->s->line, word);

    dsn[0] = (char)('0' + code / 100);
    return dsn;
}

static enum verdict
act_refuse(struct act *x, int code, const char *fallback_dsn,
           const char *fallback)
{
    const char *dsn = cut_dsn(x, code, fallback_dsn);
    struct str text = x->text.len > 0 ? x->text : str_from(fallback);

    return rules_refuse(x->q, code, dsn, "<%.*s>: %s rejected: %.*s",
                        STR(x->name), x->class, STR(text));
}

static enum verdict
act_ok(struct act *x)
{
    (void)x;
    return PERMIT;
}

static enum verdict
act_dunno(struct act *x)
{
    (void)x;
    return DUNNO;
}

static enum verdict
act_reject(struct act *x)
{
    return act_refuse(x, (int)x->q->s->conf->access_map_reject_code, "5.7.1",
                      "Access denied");
}

static enum verdict
act_defer(struct act *x)
{
    return act_refuse(x, (int)x->q->s->conf->access_map_defer_code, "4.7.1",
                      "Access denied");
}

static enum verdict
act_defer_if_permit(struct act *x)
{
    int code = (int)x->q->s->conf->access_map_defer_code;
    const char *dsn = cut_dsn(x, code, "4.7.1");
    struct str text = x->text.len > 0 ? x->text : S("Service unavailable");

    return rules_defer_if_permit(x->q, code, dsn, "<%.*s>: %s rejected: %.*s",
                                 STR(x->name), x->class, STR(text));
}

static enum verdict
act_defer_if_reject(struct act *x)
{
    int code = (int)x->q->s->conf->access_map_defer_code;
    const char *dsn = cut_dsn(x, code, "4.7.1");
    struct str text = x->text.len > 0 ? x->text : S("Service unavailable");

    return rules_defer_if_reject(x->q, code, dsn, "<%.*s>: %s rejected: %.*s",
                                 STR(x->name), x->class, STR(text));
}

static enum verdict
act_hold(struct act *x)
{
    tell(x, "hold", "triggers HOLD action");
    if (!x->q->warn)
        actions_of(x->q->s)->hold = true;
    return DUNNO;
}

static enum verdict
act_discard(struct act *x)
{
    tell(x, "discard", "triggers DISCARD action");
    if (x->q->warn)
        return DUNNO;
    actions_of(x->q->s)->discard = true;
    return PERMIT;
}

static enum verdict
act_filter(struct act *x)
{
    if (str_find(x->text, ':') <= 0)
        return misconfigured(x, "FILTER requires transport:destination");
    tell(x, "filter", "");
    if (!x->q->warn)
        actions_of(x->q->s)->filter = arena_str(arena_of(x->q->s), x->text);
    return DUNNO;
}

static enum verdict
act_redirect(struct act *x)
{
    if (str_find(x->text, '@') <= 0)
        return misconfigured(x, "REDIRECT requires user@domain");
    tell(x, "redirect", "");
    if (!x->q->warn)
        actions_of(x->q->s)->redirect = arena_str(arena_of(x->q->s), x->text);
    return DUNNO;
}

static enum verdict
act_bcc(struct act *x)
{
    struct actions *a = actions_of(x->q->s);

    if (str_find(x->text, '@') <= 0)
        return misconfigured(x, "BCC requires user@domain");
    tell(x, "bcc", "");
    /* As in Postfix, the last one counts. */
    if (!x->q->warn) {
        a->bcc = NULL;
        words_add(&a->bcc, arena_of(x->q->s), x->text);
    }
    return DUNNO;
}

/* A header field's name, a colon, anything. */
static bool
is_field(struct str text)
{
    ssize_t colon = str_find(text, ':');

    for (ssize_t i = 0; i < colon; i++)
        if (text.p[i] <= ' ' || text.p[i] == 127)
            return false;
    return colon > 0;
}

static enum verdict
act_prepend(struct act *x)
{
    struct actions *a = actions_of(x->q->s);

    if (!is_field(x->text))
        return misconfigured(x, "PREPEND requires header: text");
    if (x->q->stage == STAGE_END)
        return misconfigured(x, "PREPEND must be used before "
                                "smtpd_end_of_data_restrictions");
    tell(x, "prepend", "");
    if (!x->q->warn)
        words_add(&a->prepend, arena_of(x->q->s), x->text);
    return DUNNO;
}

static enum verdict
act_info(struct act *x)
{
    tell(x, "info", "triggers INFO action");
    return DUNNO;
}

static enum verdict
act_warn(struct act *x)
{
    tell(x, "warn", "triggers WARN action");
    return DUNNO;
}

static const struct {
    const char *word;
    enum verdict (*run)(struct act *x);
} answers[] = {
    {"OK",              act_ok             },
    {"RELAY",           act_ok             },
    {"DUNNO",           act_dunno          },
    {"REJECT",          act_reject         },
    {"DEFER",           act_defer          },
    {"DEFER_IF_PERMIT", act_defer_if_permit},
    {"DEFER_IF_REJECT", act_defer_if_reject},
    {"HOLD",            act_hold           },
    {"DISCARD",         act_discard        },
    {"FILTER",          act_filter         },
    {"REDIRECT",        act_redirect       },
    {"BCC",             act_bcc            },
    {"PREPEND",         act_prepend        },
    {"INFO",            act_info           },
    {"WARN",            act_warn           },
};

/* "550 5.7.1 text", "450 text" */
static bool
is_code(struct str word, int *code)
{
    uint64_t n;

    if (word.len != 3 || (word.p[0] != '4' && word.p[0] != '5') ||
        !str_num(word, &n))
        return false;
    *code = (int)n;
    return true;
}

static bool
all_digits(struct str value)
{
    for (size_t i = 0; i < value.len; i++)
        if (!is_digit(value.p[i]))
            return false;
    return value.len > 0;
}

enum verdict
access_act(struct ask *q, const char *table, struct str value, struct str name,
           const char *class)
{
    struct str rest = str_trim(value), word = {0};
    int code;

    str_word(&rest, " \t", &word);

    struct act x = {q, table, str_trim(rest), name, class};

    if (word.len == 0)
        return misconfigured(&x, "empty value");
    if (is_code(word, &code) && x.text.len > 0)
        return act_refuse(&x, code, code < 500 ? "4.7.1" : "5.7.1", "");
    for (size_t i = 0; i < COUNT(answers); i++)
        if (str_ieq(word, str_from(answers[i].word)))
            return answers[i].run(&x);
    /* Tables of addresses that have logged in hold times or numbers. */
    if (all_digits(str_trim(value)))
        return PERMIT;
    return rules_run_text(q, table, str_trim(value));
}
