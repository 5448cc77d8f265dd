/*
 * Policy servers (Postfix's SMTPD_POLICY_README): a request is lines of
 * name=value and an empty line, the answer "action=..." and an empty line. A
 * connection is kept for the next request.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "smtpd.h"

#include "base/log.h"
#include "conf/value.h"
#include "mail/xtext.h"
#include "sys/sock.h"
#include "tls/facts.h"

#define ANSWER_MAX 8192
#define LINES_MAX  100

struct policy {
    const char *name; /* as in main.cf, for the log */
    const char *path; /* of a UNIX socket, or NULL */
    struct str host;
    unsigned port;
    struct str default_action, context;
    int64_t timeout, max_idle, max_ttl, request_limit;
    int64_t try_limit, retry_delay;

    /* The connection of this worker. */
    struct stream *io;
    int64_t opened, used, requests;
};

/* ---- the address in main.cf ---- */

static bool
parse_inet(struct arena *life, struct policy *p, struct str where)
{
    ssize_t colon = str_rfind(where, ':');
    struct str host = S("127.0.0.1"), port = where;
    uint64_t n;

    if (colon >= 0) {
        host = str_sub(where, 0, (size_t)colon);
        port = str_sub(where, (size_t)colon + 1, where.len);
    }
    if (str_skip(&host, S("[")) && !(host.len > 0 && host.p[--host.len] == ']'))
        return false;
    p->host = arena_str(life, host);
    if (!str_num(port, &n) || n == 0 || n > 65535)
        return false;
    p->port = (unsigned)n;
    return host.len > 0;
}

static bool
parse_endpoint(struct arena *life, const struct conf *c, struct policy *p,
               struct str spec)
{
    p->name = arena_cstr(life, spec);
    if (str_skip(&spec, S("unix:"))) {
        p->path =
            spec.len > 0 && spec.p[0] == '/'
                ? arena_cstr(life, spec)
                : arena_fmt(life, "%s/%.*s", c->queue_directory, STR(spec));
        return spec.len > 0;
    }
    str_skip(&spec, S("inet:"));
    return parse_inet(life, p, spec);
}

/* "timeout = 10s" and the like, which overrule main.cf for one server. */
static bool
parse_attribute(struct arena *life, struct policy *p, struct str word)
{
    const struct {
        const char *name;
        int64_t *time, *number;
        struct str *text;
    } table[] = {
        {"timeout",        &p->timeout,     NULL,              NULL              },
        {"max_idle",       &p->max_idle,    NULL,              NULL              },
        {"max_ttl",        &p->max_ttl,     NULL,              NULL              },
        {"retry_delay",    &p->retry_delay, NULL,              NULL              },
        {"request_limit",  NULL,            &p->request_limit, NULL              },
        {"try_limit",      NULL,            &p->try_limit,     NULL              },
        {"default_action", NULL,            NULL,              &p->default_action},
        {"policy_context", NULL,            NULL,              &p->context       },
    };
    struct str name;

    if (!str_cut(&word, '=', &name))
        return false;
    name = str_trim(name);
    word = str_trim(word);
    for (size_t i = 0; i < COUNT(table); i++) {
        if (!str_eq(name, str_from(table[i].name)))
            continue;
        if (table[i].text) {
            *table[i].text = arena_str(life, word);
            return true;
        }
        return table[i].time ? value_time(word, 's', table[i].time)
                             : value_int(word, table[i].number);
    }
    return false;
}

/* "{ x }" without its braces. */
static bool
unbrace(struct str *s)
{
    if (s->len < 2 || s->p[0] != '{' || s->p[s->len - 1] != '}')
        return false;
    *s = str_trim(str_sub(*s, 1, s->len - 2));
    return true;
}

/* The rest of a word such as "timeout=10s", also where blanks are around the
 * "=" or braces around it all. */
static bool
next_attribute(struct str *rest, struct str *word)
{
    if (!rules_word(rest, word))
        return false;
    if (unbrace(word) || str_find(*word, '=') >= 0)
        return true;

    /* name = value */
    const char *from = word->p;
    struct str part;

    for (int i = 0; i < 2; i++)
        if (!rules_word(rest, &part))
            return true;
    *word = (struct str){from, (size_t)(part.p + part.len - from)};
    return true;
}

struct policy *
policy_open(struct arena *life, const struct server *server, struct str spec,
            struct why *why)
{
    const struct conf *c = server->conf;
    struct policy *p = arena_make(life, struct policy);
    struct str rest = spec, word;
    bool good;

    *p = (struct policy){
        .default_action = str_from(c->smtpd_policy_service_default_action),
        .context = str_from(c->smtpd_policy_service_policy_context),
        .timeout = c->smtpd_policy_service_timeout,
        .max_idle = c->smtpd_policy_service_max_idle,
        .max_ttl = c->smtpd_policy_service_max_ttl,
        .request_limit = c->smtpd_policy_service_request_limit,
        .try_limit = c->smtpd_policy_service_try_limit,
        .retry_delay = c->smtpd_policy_service_retry_delay,
    };
    unbrace(&rest);
    good = rules_word(&rest, &word) && parse_endpoint(life, c, p, word);
    while (good && next_attribute(&rest, &word))
        good = parse_attribute(life, p, word);
    if (good)
        return p;
    good = fail(why, "4.3.5",
                "check_policy_service %.*s: write unix:path, inet:host:port, "
                "or { inet:host:port, timeout = 10s }",
                STR(spec)) == OK;
    return good ? p : NULL;
}

/* ---- the request ---- */

static struct str
number(struct session *s, int64_t n)
{
    return str_from(arena_fmt(s->line, "%lld", (long long)n));
}

static struct str
instance(struct session *s)
{
    if (s->instance.p == NULL) {
        struct timespec t;

        clock_gettime(CLOCK_REALTIME, &t);
        s->instance = str_from(
            arena_fmt(s->mail, "%x.%llx.%lx.0", (unsigned)getpid(),
                      (unsigned long long)t.tv_sec, (unsigned long)t.tv_nsec));
    }
    return s->instance;
}

/* Whose certificate it is only where that is certain. */
static void
find_encryption(const struct session *s, struct tls_facts *f)
{
    *f = (struct tls_facts){.protocol = "",
                            .cipher = "",
                            .peer_cn = "",
                            .issuer_cn = "",
                            .cert_print = "",
                            .key_print = ""};
    if (s->tls == NULL)
        return;
    *f = *s->tls;
    if (!f->trusted)
        f->peer_cn = f->issuer_cn = "";
}

static struct str
request(struct session *s, const struct ask *q, const struct policy *p)
{
    bool end = q->stage == STAGE_END;
    struct buf b = buf_in(s->line);
    struct tls_facts facts, *f = &facts;

    session_find_server(s);
    find_encryption(s, f);

    const struct {
        const char *name;
        struct str value;
    } table[] = {
        {"request",                              S("smtpd_access_policy")                   },
        {"protocol_state",                       str_from(s->where)                         },
        {"protocol_name",                        str_from(session_proto(s))                 },
        {"client_address",                       s->client.addr                             },
        {"client_name",                          s->client.name                             },
        {"client_port",                          s->client.port                             },
        {"reverse_client_name",                  s->client.reverse                          },
        {"server_address",                       s->server_addr                             },
        {"server_port",                          s->server_port                             },
        {"helo_name",                            s->helo                                    },
        {"sender",                               s->sender                                  },
        {"recipient",                            s->rcpt                                    },
        {"recipient_count",
         number(s,                                                                            q->stage == STAGE_DATA || end ? s->accepted : 0)},
        {"queue_id",                                      s->message ? s->message->id : S("")                                                                       },
        {"instance",                                      instance(s)},
        {"size",                                      number(s,                                                                            end ? s->received : (int64_t)s->size)},
        {"etrn_domain", s->etrn},
        {"stress",                               str_from(s->conf->stress)                                                                                                         },
        {"sasl_method",s->client.method},
        {"sasl_username",                                        s->client.login                                                                                                                                                                  },
        {"sasl_sender",s->sender_login},
        {"ccert_subject",                                        xtext_encode(s->line,                                                                                                                                                                                                                           str_from(f->peer_cn))},
        {"ccert_issuer",xtext_encode(s->line,str_from(f->issuer_cn))},
        {"ccert_fingerprint",                         str_from(f->cert_print)                                                                     },
        {"ccert_pubkey_fingerprint",                                      str_from(f->key_print)                                                              },
        {"encryption_protocol",                                      str_from(f->protocol)},
        {"encryption_cipher",                                      str_from(f->cipher)},
        {"encryption_keysize",                                      number(s,                                                                             f->bits)},
        {"policy_context",                                      p->context                                                               },
    };

    for (size_t i = 0; i < COUNT(table); i++)
        buf_fmt(&b, "%s=%.*s\n", table[i].name, STR(table[i].value));
    buf_addc(&b, '\n');
    return buf_str(&b);
}

/* ---- the conversation ---- */

static void
hang_up(struct policy *p)
{
    io_close(p->io);
    p->io = NULL;
}

/* A connected socket in *fd. */
static enum rc
connect_inet(struct session *s, const struct policy *p, int *fd,
             struct why *why)
{
    unsigned how = DNS_V4 | DNS_V6 | DNS_FROM_HOSTS | DNS_FROM_DNS;
    struct dns_answer answer;
    struct sockaddr_storage sa;

    enum rc rc =
        dns_addresses(s->server->dns, p->host, how, s->line, &answer, why);

    if (rc != OK)
        return rc;
    for (size_t i = 0; i < answer.count; i++) {
        socklen_t len = dns_to_sockaddr(&answer.records[i], p->port, &sa);

        *fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (*fd < 0)
            break;
        sock_timeout(*fd, p->timeout);
        if (connect(*fd, (const struct sockaddr *)&sa, len) == 0)
            return OK;
        base_close_scope(fd);
    }
    return fail(why, "4.3.5", "%m");
}

static enum rc
connect_unix(const struct policy *p, int *fd, struct why *why)
{
    *fd = sock_connect_unix(p->path, SOCK_STREAM);
    return *fd < 0 ? fail(why, "4.3.5", "%m") : OK;
}

static bool
dial(struct session *s, struct policy *p, struct why *why)
{
    int64_t now = io_now();

    if (p->io && (now - p->used > p->max_idle || now - p->opened > p->max_ttl ||
                  (p->request_limit && p->requests >= p->request_limit)))
        hang_up(p);
    if (p->io)
        return true;

    int fd = -1;
    enum rc rc =
        p->path ? connect_unix(p, &fd, why) : connect_inet(s, p, &fd, why);

    if (rc != OK)
        return false;
    p->io = io_open(fd);
    io_set_timeout(p->io, p->timeout);
    p->opened = now;
    p->requests = 0;
    return true;
}

/* "action=..." and whatever else, up to the empty line. */
static bool
read_answer(struct session *s, struct policy *p, struct str *action)
{
    struct str line;

    *action = (struct str){0};
    for (int i = 0; i < LINES_MAX; i++) {
        if (io_line(p->io, ANSWER_MAX, &line, NULL) != IO_OK)
            return false;
        if (line.len == 0)
            return action->p != NULL;
        if (str_skip(&line, S("action=")) && action->p == NULL)
            *action = arena_str(s->line, line);
    }
    return false;
}

static bool
converse(struct session *s, struct policy *p, struct str text,
         struct str *action, struct why *why)
{
    if (!dial(s, p, why))
        return false;
    io_set_deadline(p->io, io_now() + p->timeout);
    io_put(p->io, text);
    if (io_flush(p->io) != IO_OK || !read_answer(s, p, action)) {
        hang_up(p);
        return fail(why, "4.3.5", "no usable answer") == OK;
    }
    p->requests++;
    p->used = io_now();
    return true;
}

static void
wait_a_moment(int64_t ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

/* A connection that was kept may be gone: that is no failure. */
static bool
try(struct session *s, struct policy *p, struct str text, struct str *action,
    struct why *why)
{
    if (p->io && converse(s, p, text, action, why))
        return true;
    for (int64_t i = 0; i < p->try_limit; i++) {
        if (i > 0)
            wait_a_moment(p->retry_delay);
        if (converse(s, p, text, action, why))
            return true;
    }
    return false;
}

enum verdict
policy_run(struct ask *q, const struct rule *r)
{
    struct policy *p = r->policy;
    struct str action = {0};
    struct why why = {.text = "not asked"};

    if (!try(q->s, p, request(q->s, q, p), &action, &why)) {
        log_warn("problem talking to server %s: %s", p->name, why.text);
        action = p->default_action;
    }
    return access_act(q, p->name, action, q->name, q->class);
}
