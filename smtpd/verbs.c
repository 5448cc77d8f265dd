#include <stdio.h>
#include <time.h>

#include "smtpd.h"

#include "base/log.h"
#include "base/utf8.h"
#include "mail/command.h"
#include "mail/date.h"
#include "mail/lines.h"

enum {
    ALONE = 1,   /* nothing may be sent behind it before its reply (RFC 2920) */
    JUNK = 2,    /* does nothing for a message: too many are an error */
    ESMTP = 4,   /* not spoken in LMTP */
    LMTP = 8,    /* spoken only there */
    FREE = 16,   /* also for clients that are refused */
    CLEAR = 32,  /* also where encryption is demanded (RFC 3207 4) */
    HIDDEN = 64, /* not in the answer to HELP */
};

static void do_helo(struct session *s, struct str args);
static void do_ehlo(struct session *s, struct str args);
static void do_rset(struct session *s, struct str args);
static void do_noop(struct session *s, struct str args);
static void do_help(struct session *s, struct str args);
static void do_quit(struct session *s, struct str args);

/* In the order in which the log counts them. */
static const struct verb {
    const char *name;
    unsigned when; /* STATE_ bits */
    void (*run)(struct session *s, struct str args);
    unsigned flags;
} verbs[] = {
    {"HELO",     STATE_ANY,               do_helo,     ALONE | JUNK | ESMTP | CLEAR  },
    {"EHLO",     STATE_ANY,               do_ehlo,     ALONE | JUNK | ESMTP | CLEAR  },
    {"LHLO",     STATE_ANY,               do_ehlo,     ALONE | JUNK | LMTP | CLEAR   },
    {"STARTTLS", STATE_ANY,               do_starttls, ALONE | ESMTP | HIDDEN | CLEAR},
    {"AUTH",     STATE_ANY,               do_auth,     HIDDEN                        },
    {"MAIL",     STATE_NEW | STATE_READY, do_mail,     0                             },
    {"RCPT",     STATE_MAIL | STATE_RCPT, do_rcpt,     0                             },
    {"DATA",     STATE_RCPT,              do_data,     ALONE                         },
    {"BDAT",     STATE_ANY,               do_bdat,     0                             },
    {"RSET",     STATE_ANY,               do_rset,     JUNK                          },
    {"NOOP",     STATE_ANY,               do_noop,     ALONE | JUNK | FREE | CLEAR   },
    {"VRFY",     STATE_ANY,               do_vrfy,     ALONE | JUNK                  },
    {"ETRN",     STATE_NEW | STATE_READY, do_etrn,     JUNK | ESMTP                  },
    {"QUIT",     STATE_ANY,               do_quit,     FREE | CLEAR                  },
    {"XCLIENT",  STATE_ANY,               do_xclient,  HIDDEN                        },
    {"XFORWARD", STATE_ANY,               do_xforward, HIDDEN                        },
    {"HELP",     STATE_ANY,               do_help,     JUNK | FREE | CLEAR           },
};

_Static_assert(COUNT(verbs) < SESSION_VERBS, "no place to count a verb");

/* What is said when a verb comes at the wrong time. */
static const struct {
    const char *verb;
    unsigned state;
    const char *reply;
} wrong_times[] = {
    {"MAIL", STATE_MAIL | STATE_RCPT,              "503 5.5.1 Error: nested MAIL command"},
    {"MAIL", STATE_BDAT,                           "503 5.5.1 Error: MAIL after BDAT"    },
    {"RCPT", STATE_NEW | STATE_READY,              "503 5.5.1 Error: need MAIL command"  },
    {"RCPT", STATE_BDAT,                           "503 5.5.1 Error: RCPT after BDAT"    },
    {"DATA", STATE_NEW | STATE_READY | STATE_MAIL,
     "503 5.5.1 Error: need RCPT command"                                                },
    {"DATA", STATE_BDAT,                           "503 5.5.1 Error: DATA after BDAT"    },
    {"ETRN", STATE_MAIL | STATE_RCPT | STATE_BDAT,
     "503 5.5.1 Error: MAIL transaction in progress"                                     },
};

static const char *
wrong_time(const struct session *s, const struct verb *v)
{
    /* Recipients were given, none was taken. */
    if (v->run == do_data && s->state == STATE_MAIL && s->tried > 0)
        return "554 5.5.1 Error: no valid recipients";
    for (size_t i = 0; i < COUNT(wrong_times); i++)
        if (s->state & wrong_times[i].state &&
            strcmp(wrong_times[i].verb, v->name) == 0)
            return wrong_times[i].reply;
    return "503 5.5.1 Error: bad sequence of commands";
}

static const struct verb *
find(const struct session *s, struct str name)
{
    for (const struct verb *v = verbs; v < verbs + COUNT(verbs); v++)
        if (str_ieq(name, str_from(v->name)) &&
            !(v->flags & (s->server->lmtp ? ESMTP : LMTP)))
            return v;
    return NULL;
}

/* What stands in replies and logs as the client's name: nothing that has a
 * meaning there. */
static struct str
neuter(struct arena *a, struct str name)
{
    struct str copy = arena_str(a, str_sub(name, 0, 255));
    char *p = (char *)copy.p;

    for (size_t i = 0; i < copy.len; i++)
        if ((unsigned char)p[i] <= ' ' || p[i] == 127 ||
            strchr("<>()\\\";@", p[i]))
            p[i] = '?';
    return utf8_valid(copy) ? copy : S("?");
}

/* HELO and its kin begin anew (RFC 5321 4.1.4). */
static bool
introduce(struct session *s, const char *verb, struct str args)
{
    const char *text;
    struct str name;

    if (!str_word(&args, " \t", &name)) {
        replyf(s, "501 Syntax: %s hostname", verb);
        return false;
    }
    session_reset(s);

    struct str before = s->helo;

    s->helo = neuter(s->life, name);
    if (!s->conf->smtpd_delay_reject &&
        rules_run(s, STAGE_HELO, &text) == REFUSE) {
        s->helo = before;
        reply(s, text);
        return false;
    }
    s->state = STATE_READY;
    s->esmtp = false;
    s->offered = 0;
    return true;
}

static void
do_helo(struct session *s, struct str args)
{
    if (introduce(s, "HELO", args))
        replyf(s, "250 %s", s->conf->myhostname);
}

#define XCLIENT_WORDS                                                          \
    " NAME ADDR PORT PROTO HELO LOGIN REVERSE_NAME DESTADDR DESTPORT"
#define XFORWARD_WORDS " NAME ADDR PORT PROTO HELO IDENT SOURCE"

/* Extensions in the order they are announced, and what follows the word. */
static const struct {
    unsigned bit;
    const char *args;
} extensions[] = {
    {SMTP_PIPELINING,    ""            },
    {SMTP_SIZE,          ""            },
    {SMTP_VRFY,          ""            },
    {SMTP_ETRN,          ""            },
    {SMTP_STARTTLS,      ""            },
    {SMTP_AUTH,          ""            },
    {SMTP_XVERP,         ""            },
    {SMTP_XCLIENT,       XCLIENT_WORDS },
    {SMTP_XFORWARD,      XFORWARD_WORDS},
    {SMTP_ENHANCED,      ""            },
    {SMTP_EIGHT_BIT,     ""            },
    {SMTP_DSN,           ""            },
    {SMTP_UTF8,          ""            },
    {SMTP_LIMITS,        ""            },
    {SMTP_CHUNKING,      ""            },
    {SMTP_FUTURERELEASE, ""            },
};

/* A list of matching clients answers; trouble is no. */
static bool
listed(struct session *s, struct match_list *l)
{
    struct why why;
    bool found = false;

    if (match_host(l, s->client.name, s->client.addr, &found, &why) != OK)
        log_warn("%s", why.text);
    return found;
}

unsigned
verbs_discarded(struct session *s)
{
    struct server *v = s->server;
    unsigned bits = v->discard;
    struct str words = {0};
    struct why why;

    if (maps_empty(v->discard_ehlo))
        return bits;
    if (maps_get(v->discard_ehlo, s->client.addr, s->line, &words, &why) !=
        OK) {
        log_warn("%s", why.text);
        return bits;
    }
    return words.p ? smtp_extension_list(words) : bits;
}

/* Only who has logged in may have mail sent later (RFC 4865 3); that it can
 * be is announced before, as clients ask but once. */
static bool
offers_release(const struct session *s)
{
    return s->conf->smtpd_future_release_limit > 0 &&
           (s->server->login || s->client.login.len > 0);
}

static unsigned
offer(struct session *s, struct str mechs)
{
    unsigned bits = 0;

    for (size_t i = 0; i < COUNT(extensions); i++)
        bits |= extensions[i].bit;
    if (s->conf->disable_vrfy_command)
        bits &= ~(unsigned)SMTP_VRFY;
    if (s->server->lmtp)
        bits &= ~(unsigned)(SMTP_VRFY | SMTP_ETRN | SMTP_STARTTLS);
    if (s->tls || !tls_offered(s->server))
        bits &= ~(unsigned)SMTP_STARTTLS;
    if (!s->conf->smtputf8_enable)
        bits &= ~(unsigned)SMTP_UTF8;
    if (mechs.len == 0)
        bits &= ~(unsigned)SMTP_AUTH;
    if (!offers_release(s))
        bits &= ~(unsigned)SMTP_FUTURERELEASE;
    if (!listed(s, s->server->verp))
        bits &= ~(unsigned)SMTP_XVERP;
    if (!listed(s, s->server->xclient))
        bits &= ~(unsigned)SMTP_XCLIENT;
    if (!listed(s, s->server->xforward))
        bits &= ~(unsigned)SMTP_XFORWARD;
    return bits & ~verbs_discarded(s);
}

/* How long mail may be kept, and until when. */
static void
announce_release(struct session *s, struct buf *b)
{
    int64_t limit = transaction_release_limit(s);
    struct str until = date_format_internet(s->line, time(NULL) + limit);

    buf_fmt(b, " %lld %.*s", (long long)limit, STR(until));
}

static void
announce(struct session *s, struct buf *b, unsigned bit, const char *args,
         struct str mechs)
{
    int64_t limit = s->conf->message_size_limit;
    int number = __builtin_ctz(bit);

    if (bit == SMTP_AUTH && s->conf->broken_sasl_auth_clients)
        buf_fmt(b, "250-AUTH=%.*s\r\n", STR(str_trim(mechs)));
    buf_fmt(b, "250-%s%s", smtp_extension_name((enum smtp_extension)number),
            args);
    if (bit == SMTP_AUTH)
        buf_add(b, mechs);
    if (bit == SMTP_FUTURERELEASE)
        announce_release(s, b);
    if (bit == SMTP_SIZE && limit > 0)
        buf_fmt(b, " %lld", (long long)limit);
    if (bit == SMTP_LIMITS)
        buf_fmt(b, " RCPTMAX=%lld", (long long)s->conf->smtpd_recipient_limit);
    buf_add(b, S("\r\n"));
}

static void
do_ehlo(struct session *s, struct str args)
{
    struct buf b = buf_in(s->line);
    size_t last = 0;

    if (!introduce(s, s->server->lmtp ? "LHLO" : "EHLO", args))
        return;
    s->esmtp = true;

    struct str mechs = login_offer(s);

    s->offered = offer(s, mechs);
    buf_fmt(&b, "250-%s\r\n", s->conf->myhostname);
    for (size_t i = 0; i < COUNT(extensions); i++) {
        if (!(s->offered & extensions[i].bit))
            continue;
        last = b.len;
        announce(s, &b, extensions[i].bit, extensions[i].args, mechs);
    }
    b.p[last + 3] = ' '; /* no "-" in the last line */
    io_put(s->io, buf_str(&b));
}

static void
do_rset(struct session *s, struct str args)
{
    if (args.len > 0) {
        reply(s, "501 5.5.4 Syntax: RSET");
        return;
    }
    session_reset(s);
    reply(s, "250 2.0.0 Ok");
}

static void
do_noop(struct session *s, struct str args)
{
    (void)args;
    reply(s, "250 2.0.0 Ok");
}

static void
do_help(struct session *s, struct str args)
{
    struct buf b = buf_in(s->line);

    (void)args;
    buf_add(&b, S("214 2.0.0 Commands:"));
    for (const struct verb *v = verbs; v < verbs + COUNT(verbs); v++)
        if (!(v->flags & HIDDEN) &&
            !(v->flags & (s->server->lmtp ? ESMTP : LMTP)))
            buf_fmt(&b, " %s", v->name);
    reply(s, buf_str(&b).p);
}

static void
do_quit(struct session *s, struct str args)
{
    (void)args;
    reply_close(s, "", "221 2.0.0 Bye");
}

/* Words of a browser, a proxy, or another protocol. */
static bool
is_foreign(struct session *s, struct str name)
{
    struct str list = str_from(s->conf->smtpd_forbidden_commands), word, value;
    struct why why;

    while (rules_word(&list, &word))
        if (str_ieq(name, word))
            return true;
    if (maps_get(s->server->forbidden, name, s->line, &value, &why) != OK) {
        log_warn("%s", why.text);
        return false;
    }
    return value.p != NULL;
}

static bool
is_noop(const struct session *s, struct str name)
{
    struct str list = str_from(s->conf->smtpd_noop_commands), word;

    while (str_word(&list, " ,\t\r\n", &word))
        if (str_ieq(name, word))
            return true;
    return false;
}

static void
do_unknown(struct session *s, struct str name, struct str line)
{
    s->where = "UNKNOWN";
    s->counts[COUNT(verbs)].all++;
    if (name.len == 0) {
        reply(s, "500 5.5.2 Error: bad syntax");
    } else if (is_noop(s, name)) {
        s->counts[COUNT(verbs)].good++;
        reply(s, "250 2.0.0 Ok");
    } else if (is_foreign(s, name)) {
        log_warn("non-SMTP command from %.*s: %.*s", STR(s->client.shown),
                 STR(session_shown(s, line)));
        reply_close(s, "", "221 2.7.0 Error: I can break rules, too. Goodbye.");
    } else {
        reply(s, "502 5.5.2 Error: command not recognized");
    }
}

/* True if the client did not wait for replies where it must (RFC 2920 3.1),
 * and is to be sent away. */
static bool
out_of_step(struct session *s, const struct verb *v)
{
    struct str more;

    if (!(v->flags & ALONE) || io_waiting(s->io) == 0 ||
        io_peek(s->io, &more) != IO_OK)
        return false;
    log_info("improper command pipelining after %s from %.*s: %.*s", v->name,
             STR(s->client.shown), STR(session_shown(s, more)));
    s->pipelined = true;
    if (!s->conf->smtpd_forbid_unauth_pipelining)
        return false;
    reply_close(s, "", "554 5.5.0 Error: SMTP protocol synchronization");
    return true;
}

static void
count_junk(struct session *s, const struct verb *v)
{
    if (v->flags & JUNK && s->junk++ > s->conf->smtpd_junk_command_limit)
        s->errors++;
}

static void
run(struct session *s, const struct verb *v, struct str args)
{
    int64_t refusals = s->refusals;

    s->where = v->name;
    s->counts[v - verbs].all++;
    if (out_of_step(s, v))
        return;
    if (s->denied && !(v->flags & FREE))
        replyf(s, "503 5.7.0 Error: access denied for %.*s",
               STR(s->client.shown));
    else if (s->server->tls_demanded && s->tls == NULL && !(v->flags & CLEAR))
        reply(s, "530 5.7.0 Must issue a STARTTLS command first");
    else if (!(s->state & v->when))
        reply(s, wrong_time(s, v));
    else
        v->run(s, args);
    if (s->refusals == refusals)
        s->counts[v - verbs].good++;
    count_junk(s, v);
}

void
verbs_run(struct session *s, struct str line)
{
    struct str name, args;

    if (!utf8_valid(line)) {
        s->where = "UNKNOWN";
        s->counts[COUNT(verbs)].all++;
        reply(s, "500 5.5.2 Error: bad UTF-8 syntax");
        return;
    }
    command_cut(line, &name, &args);

    const struct verb *v = find(s, name);

    if (v)
        run(s, v, args);
    else
        do_unknown(s, name, line);
}

struct str
verbs_counted(struct session *s)
{
    struct lines_count rows[COUNT(verbs) + 1];

    for (size_t i = 0; i <= COUNT(verbs); i++)
        rows[i] = (struct lines_count){
            .name = i < COUNT(verbs)
                        ? arena_lower(s->line, str_from(verbs[i].name)).p
                        : "unknown",
            .ok = s->counts[i].good,
            .total = s->counts[i].all,
        };
    return lines_disconnect(s->line, s->client.shown, rows, COUNT(rows));
}
