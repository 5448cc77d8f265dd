/*
 * Lists in the DNS of hosts and domains that are bad, or good (RFC 5782).
 */
#include <stdio.h>

#include "smtpd.h"

#include "base/log.h"
#include "conf/expand.h"
#include "mail/address.h"
#include "mail/dsn.h"

/* "list.example=127.0.0.[2..9;11]" */
struct list {
    struct str domain;
    struct str filter; /* empty: any address */
};

static struct list
parse(struct str spec)
{
    struct list l = {.filter = spec};

    if (!str_cut(&l.filter, '=', &l.domain))
        l.filter = S("");
    return l;
}

/* "2..9;11": is n one of them? */
static bool
in_ranges(struct str ranges, uint64_t n)
{
    struct str range;

    while (ranges.len > 0) {
        uint64_t from, to;

        str_cut(&ranges, ';', &range);

        ssize_t dots = str_search(range, S(".."));

        if (dots < 0) {
            if (str_num(range, &from) && from == n)
                return true;
        } else if (str_num(str_sub(range, 0, (size_t)dots), &from) &&
                   str_num(str_sub(range, (size_t)dots + 2, range.len), &to) &&
                   from <= n && n <= to) {
            return true;
        }
    }
    return false;
}

/* One byte of the address against the front of the filter. */
static bool
byte_matches(struct str *filter, unsigned char byte)
{
    struct str part;
    uint64_t n;

    if (str_skip(filter, S("["))) {
        if (!str_cut(filter, ']', &part))
            return false;
        str_skip(filter, S("."));
        return in_ranges(part, byte);
    }
    str_cut(filter, '.', &part);
    return str_num(part, &n) && n == byte;
}

static bool
matches(struct str filter, struct str addr)
{
    if (filter.len == 0)
        return true;
    for (size_t i = 0; i < addr.len; i++)
        if (!byte_matches(&filter, (unsigned char)addr.p[i]))
            return false;
    return filter.len == 0 && addr.len == 4;
}

/* Is the name in the list? OK with *found, or TEMP. */
static enum rc
ask_list(struct session *s, struct str name, const struct list *l, bool *found,
         struct why *why)
{
    struct dns_answer answer;
    enum rc rc = dns_lookup(s->server->dns, name, DNS_A, s->line, &answer, why);

    *found = false;
    for (size_t i = 0; rc == OK && i < answer.count; i++)
        *found |= matches(l->filter, answer.records[i].data);
    return rc == PERM ? OK : rc;
}

/* ---- the reply ---- */

/* What the template may name. */
struct facts {
    const struct session *s;
    struct str what, domain, reason;
    const char *class;
};

static struct str
or_null(struct str addr)
{
    return addr.len > 0 ? addr : S("<>");
}

static struct str
fact(const struct facts *f, struct str name)
{
    const struct session *s = f->s;
    const struct {
        const char *name;
        struct str value;
    } table[] = {
        {"client",                                   s->client.shown         },
        {"client_address",                           s->client.addr          },
        {"client_name",                              s->client.name          },
        {"reverse_client_name",                      s->client.reverse       },
        {"helo_name",                                s->helo                 },
        {"rbl_class",                                str_from(f->class)      },
        {"rbl_code",
         str_from(arena_fmt(s->line,                                           "%lld",
         (long long)s->conf->maps_rbl_reject_code))},
        {"rbl_domain", f->domain                        },
        {"rbl_reason",                                 f->reason                                },
        {"rbl_what", f->what},
        {"recipient",                                   or_null(s->rcpt)                                                                  },
        {"recipient_domain",address_domain(s->rcpt)},
        {"recipient_name",                            or_null(address_local(s->rcpt))                                                                                                      },
        {"sender",or_null(s->sender)},
        {"sender_domain",                                         address_domain(s->sender)                                                                                                                                                               },
        {"sender_name",or_null(address_local(s->sender))},
    };

    for (size_t i = 0; i < COUNT(table); i++)
        if (str_eq(name, str_from(table[i].name)))
            return table[i].value;
    return (struct str){0};
}

/* Values are strangers': what smtpd_expansion_filter does not have becomes
 * "_", and a "$" stays one. */
static bool
get_fact(void *self, struct str name, struct str *raw)
{
    const struct facts *f = self;
    struct str value = fact(f, name);
    struct buf b = buf_in(f->s->line);

    if (value.p == NULL)
        return false;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.p[i];

        if (c < ' ' || c > '~')
            c = '_';
        if (c == '$')
            buf_addc(&b, c);
        buf_addc(&b, c);
    }
    *raw = buf_str(&b);
    return true;
}

static struct str
template_of(struct session *s, struct str domain)
{
    struct str found = {0};
    struct why why;

    if (maps_get(s->server->rbl_replies, domain, s->line, &found, &why) != OK)
        log_warn("%s", why.text);
    return found.p ? found : str_from(s->conf->default_rbl_reply);
}

/* Why it is listed: the list's text records. */
static struct str
reason(struct session *s, struct str name)
{
    struct dns_answer answer;
    struct why why;

    if (dns_lookup(s->server->dns, name, DNS_TXT, s->line, &answer, &why) !=
            OK ||
        answer.count == 0)
        return S("");
    return str_sub(answer.records[0].data, 0, 255);
}

static enum verdict
refuse(struct ask *q, const struct list *l, struct str name, struct str what,
       const char *class)
{
    struct session *s = q->s;
    struct facts facts = {
        .s = s,
        .what = what,
        .domain = l->domain,
        .reason = reason(s, name),
        .class = class,
    };
    const struct expand_names names = {get_fact, &facts};
    struct str text, word;
    struct why why;
    uint64_t code;

    if (expand(s->line, template_of(s, l->domain), &names, &text, &why) != OK ||
        !str_word(&text, " ", &word) || !str_num(word, &code) || code < 400 ||
        code > 599) {
        log_warn("default_rbl_reply or rbl_reply_maps: bad template for %.*s",
                 STR(l->domain));
        return rules_refuse(q, 450, "4.7.1", "Service unavailable");
    }
    text = str_trim(text);

    char dsn[10];

    if (!dsn_cut_code(&text, dsn))
        snprintf(dsn, sizeof dsn, "%c.7.1", word.p[0]);
    return rules_refuse(q, (int)code, dsn, "%.*s", STR(text));
}

/* A list that does not answer stops nobody. */
static enum verdict
unanswered(struct ask *q, struct str name, const struct why *why)
{
    log_warn("%.*s: RBL lookup error: %s", STR(name), why->text);
    return rules_defer_if_reject(q, 450, "4.7.1", "<%.*s>: %s", STR(q->name),
                                 "Service unavailable");
}

/* ---- the restrictions ---- */

/* The client's address, backwards, under the list. Empty: it has none. */
static struct str
client_name(const struct session *s, const struct list *l)
{
    const struct sockaddr *sa = (const struct sockaddr *)&s->client.sa;

    if (sa->sa_family != AF_INET && sa->sa_family != AF_INET6)
        return S("");
    return dns_reverse_name(sa, l->domain, s->line);
}

static struct str
domain_name(const struct session *s, const struct list *l, enum subject subject)
{
    struct str domain = subject_domain(s, subject);

    /* Literals and single words are in no list of domains. */
    if (domain.len == 0 || domain.p[0] == '[' || str_find(domain, '.') < 0)
        return S("");
    return str_from(
        arena_fmt(s->line, "%.*s.%.*s", STR(domain), STR(l->domain)));
}

static enum verdict
block(struct ask *q, const struct list *l, struct str name, struct str what,
      enum subject subject)
{
    struct why why;
    bool found;

    if (name.len == 0)
        return DUNNO;
    if (ask_list(q->s, name, l, &found, &why) != OK) {
        log_warn("%.*s: RBL lookup error: %s", STR(name), why.text);
        return DUNNO;
    }
    return found ? refuse(q, l, name, what, subject_class(subject)) : DUNNO;
}

enum verdict
dnsbl_client(struct ask *q, const struct rule *r)
{
    struct list l = parse(r->text);

    return block(q, &l, client_name(q->s, &l), q->s->client.addr, OF_CLIENT);
}

enum verdict
dnsbl_name(struct ask *q, const struct rule *r)
{
    struct list l = parse(r->text);
    enum subject subject = r->what->subject;

    return block(q, &l, domain_name(q->s, &l, subject),
                 subject_name(q->s, subject), subject);
}

/* A good name does not make us a relay. */
static enum verdict
allow(struct ask *q, const struct list *l, struct str name)
{
    struct why why;
    bool found;

    if (name.len == 0)
        return DUNNO;
    if (ask_list(q->s, name, l, &found, &why) != OK)
        return unanswered(q, name, &why);
    if (!found)
        return DUNNO;
    return q->s->rcpt.p ? check_auth_destination(q, NULL) : PERMIT;
}

enum verdict
dnswl_client(struct ask *q, const struct rule *r)
{
    struct list l = parse(r->text);

    return allow(q, &l, client_name(q->s, &l));
}

enum verdict
dnswl_name(struct ask *q, const struct rule *r)
{
    struct list l = parse(r->text);

    return allow(q, &l, domain_name(q->s, &l, r->what->subject));
}
