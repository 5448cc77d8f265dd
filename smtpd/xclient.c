/*
 * XCLIENT: a proxy in front of us says who its client is, and we treat the
 * session as that client's. XFORWARD: a filter behind us says where a message
 * first came from, for the log and for later hops. Values are xtext;
 * [UNAVAILABLE] and [TEMPUNAVAIL] say that there is none (Postfix's
 * XCLIENT_README and XFORWARD_README).
 */
#include "smtpd.h"

#include "base/log.h"
#include "mail/domain.h"
#include "mail/smtp.h"
#include "mail/xtext.h"

#define VALUE_MAX 255

struct given {
    struct session *s;
    struct client *client;
    struct arena *arena;
    enum rc rc; /* of the name: OK, PERM unavailable, TEMP */
};

static bool
has_value(const struct given *g)
{
    return g->rc == OK;
}

static struct str
or_unknown(const struct given *g, struct str value)
{
    return has_value(g) ? arena_str(g->arena, value) : S("unknown");
}

static bool
set_name(struct given *g, struct str value)
{
    if (has_value(g) && !domain_is_hostname(value))
        return false;
    g->client->name = or_unknown(g, value);
    g->client->name_rc = g->rc;
    return true;
}

static bool
set_reverse(struct given *g, struct str value)
{
    if (has_value(g) && !domain_is_hostname(value))
        return false;
    g->client->reverse = or_unknown(g, value);
    g->client->reverse_rc = g->rc;
    return true;
}

static bool
set_addr(struct given *g, struct str value)
{
    if (has_value(g) && !peer_parse(g->client, value, S("")))
        return false;
    if (!has_value(g))
        g->client->sa = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
    str_iskip(&value, S("IPv6:"));
    g->client->addr = or_unknown(g, value);
    return true;
}

static bool
is_port(struct str value)
{
    uint64_t n;

    return str_num(value, &n) && n <= 65535;
}

static bool
set_port(struct given *g, struct str value)
{
    if (has_value(g) && !is_port(value))
        return false;
    g->client->port = or_unknown(g, value);
    return true;
}

static bool
set_proto(struct given *g, struct str value)
{
    if (has_value(g) && (value.len == 0 || value.len > 64))
        return false;
    g->client->proto = or_unknown(g, value);
    return true;
}

static bool
set_xclient_proto(struct given *g, struct str value)
{
    return (str_ieq(value, S("SMTP")) || str_ieq(value, S("ESMTP"))) &&
           set_proto(g, value);
}

static bool
set_helo(struct given *g, struct str value)
{
    g->client->helo = has_value(g) ? arena_str(g->arena, value) : S("");
    return true;
}

static bool
set_login(struct given *g, struct str value)
{
    struct str none = {0};

    g->client->login = has_value(g) ? login_printable(g->arena, value) : none;
    g->client->method = has_value(g) ? S("XCLIENT") : none;
    return true;
}

static bool
set_server_addr(struct given *g, struct str value)
{
    str_iskip(&value, S("IPv6:"));
    if (has_value(g) && !domain_is_ip(value))
        return false;
    g->s->server_addr = or_unknown(g, value);
    return true;
}

static bool
set_server_port(struct given *g, struct str value)
{
    if (has_value(g) && !is_port(value))
        return false;
    g->s->server_port = or_unknown(g, value);
    return true;
}

static bool
set_ident(struct given *g, struct str value)
{
    g->s->orig_id = has_value(g) ? arena_str(g->arena, value) : S("");
    return true;
}

static bool
set_source(struct given *g, struct str value)
{
    if (!has_value(g))
        return true;
    g->s->from_outside = str_ieq(value, S("REMOTE"));
    return g->s->from_outside || str_ieq(value, S("LOCAL"));
}

struct attribute {
    const char *name;
    bool (*set)(struct given *g, struct str value);
};

static const struct attribute xclient_attributes[] = {
    {"NAME",       set_name},
    {"REVERSE_NAME",            set_reverse},
    {"ADDR",set_addr},
    {"PORT",       set_port},
    {"PROTO",            set_xclient_proto},
    {"HELO",set_helo},
    {"LOGIN",      set_login},
    {"DESTADDR",            set_server_addr},
    {"DESTPORT",       set_server_port},
    {0     },
};

static const struct attribute xforward_attributes[] = {
    {"NAME",     set_name},
    {"ADDR",          set_addr},
    {"PORT",set_port},
    {"PROTO",     set_proto},
    {"HELO",          set_helo},
    {"IDENT",set_ident},
    {"SOURCE",     set_source},
    {0         },
};

static enum rc
availability(struct str value)
{
    if (value.len == 0 || str_ieq(value, S("[UNAVAILABLE]")))
        return PERM;
    return str_ieq(value, S("[TEMPUNAVAIL]")) ? TEMP : OK;
}

/* Bytes below blank have no place in a log or a header. */
static bool
printable(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 127)
            return false;
    return s.len <= VALUE_MAX;
}

static bool
take(struct given *g, const char *verb, const struct attribute *table,
     struct str name, struct str value)
{
    struct session *s = g->s;
    struct str plain;

    if (value.p == NULL) {
        reply(s, "501 5.5.4 Error: attribute=value expected");
        return false;
    }
    if (!xtext_decode(s->line, value, &plain) || !printable(plain)) {
        replyf(s, "501 5.5.4 Bad %s value syntax: %.*s", verb, STR(name));
        return false;
    }
    while (table->name && !str_ieq(name, str_from(table->name)))
        table++;
    if (table->name == NULL) {
        replyf(s, "501 5.5.4 Bad %s attribute name: %.*s", verb, STR(name));
        return false;
    }
    g->rc = availability(plain);
    if (table->set(g, plain))
        return true;
    replyf(s, "501 5.5.4 Bad %s syntax: %.*s", table->name, STR(plain));
    return false;
}

static bool
take_all(struct given *g, const char *verb, const struct attribute *table,
         struct str args)
{
    struct str name, value;

    if (args.len == 0) {
        replyf(g->s, "501 5.5.4 Syntax: %s attribute=value...", verb);
        return false;
    }
    while (smtp_parameter(&args, &name, &value))
        if (!take(g, verb, table, name, value))
            return false;
    return true;
}

static bool
may(struct session *s, struct match_list *list)
{
    struct why why;
    bool found = false;

    /* The peer that is connected counts, not the one it speaks for. */
    if (match_host(list, s->connected.name, s->connected.addr, &found, &why) !=
        OK)
        log_warn("%s", why.text);
    if (!found)
        reply(s, "550 5.7.0 Error: insufficient authorization");
    return found;
}

void
do_xclient(struct session *s, struct str args)
{
    struct client client = s->client;
    struct given g = {.s = s, .client = &client, .arena = s->life};

    if (s->state & (STATE_MAIL | STATE_RCPT | STATE_BDAT)) {
        reply(s, "503 5.5.1 Error: MAIL transaction in progress");
        return;
    }
    /* Who it speaks for has not logged in as the proxy has. */
    client.login = client.method = (struct str){0};
    if (!may(s, s->server->xclient) ||
        !take_all(&g, "XCLIENT", xclient_attributes, args))
        return;

    /* All over again, as if that client had just connected. */
    s->helo = client.helo;
    s->esmtp = str_ieq(client.proto, S("ESMTP"));
    client.helo = (struct str){0};
    s->client = client;
    peer_show(s, s->life, &s->client);
    s->origin = s->client;
    s->state = STATE_NEW;
    s->offered = 0;
    session_reset(s);
    peer_judge(s);
    s->denied = false;
    session_greet(s);
}

void
do_xforward(struct session *s, struct str args)
{
    struct client client = s->origin;
    struct given g = {.s = s, .client = &client, .arena = s->mail};

    if (s->state & (STATE_MAIL | STATE_RCPT | STATE_BDAT)) {
        reply(s, "503 5.5.1 Error: MAIL transaction in progress");
        return;
    }
    /* What is not said is not known, rather than ours. */
    if (!s->forwarded)
        client = (struct client){.name = S("unknown"),
                                 .reverse = S("unknown"),
                                 .addr = S("unknown"),
                                 .port = S("unknown")};
    if (!may(s, s->server->xforward) ||
        !take_all(&g, "XFORWARD", xforward_attributes, args))
        return;
    peer_show(s, s->mail, &client);
    s->origin = client;
    s->forwarded = true;
    reply(s, "250 2.0.0 Ok");
}
