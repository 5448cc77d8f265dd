/*
 * AUTH (RFC 4954): who may log in how, the exchange with the client on one
 * side and with the service that knows the users on the other.
 *
 * What the client says here is secret: it is held in an arena of its own, and
 * that and the streams' buffers are overwritten afterwards. Nothing of it is
 * ever logged but the user's name.
 */
#include "smtpd.h"

#include "auth/client.h"
#include "base/log.h"
#include "mail/base64.h"
#include "mail/command.h"
#include "mail/smtp.h"
#include "tls/facts.h"

#define SECRET_MAX ((size_t)1 << 20)

#define LOGIN_MAX 256

/* The longest line that is read, whatever smtpd_sasl_response_limit says. */
#define RESPONSE_MAX 32768

/* Mechanisms stand in one EHLO line. */
#define OFFER_MAX 400

struct login_service {
    struct auth_client *client;
    unsigned options, tls_options; /* SASL_NO_... of mech.h */
    struct match_list *filter;     /* smtpd_sasl_mechanism_filter */
    struct match_list *exceptions; /* smtpd_sasl_exceptions_networks */
    struct arena *secret;
    bool bindings; /* the service knows of channel bindings: it is ours */
};

/* ---- opening ---- */

static unsigned
parse_options(const char *param, const char *text)
{
    unsigned options;
    struct str bad;

    if (!sasl_options_parse(str_from(text), &options, &bad))
        log_fatal("%s: unknown option \"%.*s\"; write noanonymous, "
                  "noplaintext, nodictionary, noactive, mutual_auth or "
                  "forward_secrecy",
                  param, STR(bad));
    return options;
}

/* Posta's authd stands where Postfix has Cyrus' library. */
static bool
is_ours(const struct conf *c)
{
    if (strcmp(c->smtpd_sasl_type, "cyrus") == 0)
        return true;
    if (strcmp(c->smtpd_sasl_type, "dovecot") != 0)
        log_fatal("smtpd_sasl_type = %s: write cyrus for Posta's own logins, "
                  "or dovecot",
                  c->smtpd_sasl_type);
    return false;
}

static struct match_list *
list(const char *param, const char *text)
{
    struct why why;
    struct match_list *l = match_open(param, text, false, &why);

    if (l == NULL)
        log_fatal("%s", why.text);
    return l;
}

struct login_service *
login_open(struct server *server)
{
    const struct conf *c = server->conf;
    struct arena *life = server->daemon->life;
    struct login_service *l = arena_make(life, struct login_service);
    bool ours;
    struct why why;

    if (!c->smtpd_sasl_auth_enable)
        return NULL;
    ours = is_ours(c);
    *l = (struct login_service){
        .client = auth_client_new(life, c->queue_directory,
                                  ours ? S("private/authd")
                                       : str_from(c->smtpd_sasl_path),
                                  server->dns, daemon_stop(), &why),
        .options = parse_options("smtpd_sasl_security_options",
                                 c->smtpd_sasl_security_options),
        .tls_options = parse_options("smtpd_sasl_tls_security_options",
                                     c->smtpd_sasl_tls_security_options),
        .filter =
            list("smtpd_sasl_mechanism_filter", c->smtpd_sasl_mechanism_filter),
        .exceptions = list("smtpd_sasl_exceptions_networks",
                           c->smtpd_sasl_exceptions_networks),
        .secret = arena_new("login", SECRET_MAX),
        .bindings = ours,
    };
    if (l->client == NULL)
        log_fatal("smtpd_sasl_path: %s", why.text);
    return l;
}

struct str
login_printable(struct arena *a, struct str text)
{
    struct str copy = arena_str(a, str_sub(text, 0, LOGIN_MAX));
    char *p = (char *)copy.p;

    for (size_t i = 0; i < copy.len; i++)
        if ((unsigned char)p[i] < ' ' || p[i] == 127)
            p[i] = '?';
    return copy;
}

/* ---- what is offered ---- */

static bool
may_log_in(const struct session *s)
{
    return s->server->login && (s->tls || !s->conf->smtpd_tls_auth_only);
}

static bool
listed(struct match_list *l, struct session *s, struct str mech)
{
    struct why why;
    bool found = false;

    if (match_word(l, arena_lower(s->line, mech), &found, &why) != OK)
        log_warn("%s", why.text);
    return found;
}

/* A mechanism that is bound to the TLS session needs one, and a service that
 * is told what it is bound to. */
static bool
is_allowed(struct session *s, const struct auth_mech *m)
{
    const struct login_service *l = s->server->login;
    unsigned options = s->tls ? l->tls_options : l->options;

    if (m->properties & SASL_BINDING || str_iends(m->name, S("-PLUS")))
        if (!l->bindings || !s->tls)
            return false;
    /* The name in a certificate that nobody vouches for is no name. */
    if (str_ieq(m->name, S("EXTERNAL")) && !(s->tls && s->tls->trusted))
        return false;
    if (options & SASL_NO_ANONYMOUS && str_ieq(m->name, S("ANONYMOUS")))
        return false;
    return sasl_options_allow(options, m->properties) &&
           listed(l->filter, s, m->name);
}

/*
 * The service's mechanisms, as far as this client may use them. Before a
 * service was ever reached these are what every client knows: it is told
 * then that the trouble will pass, and not that it asks the wrong server.
 */
static bool
find_mechs(struct session *s, const struct auth_mech **mechs, size_t *count)
{
    static const struct auth_mech usual[] = {
        {S("PLAIN"), SASL_PLAINTEXT},
        {S("LOGIN"), SASL_PLAINTEXT},
    };
    bool known = auth_client_mechs(s->server->login->client, mechs, count);

    if (!known) {
        *mechs = usual;
        *count = COUNT(usual);
    }
    return known;
}

struct str
login_offer(struct session *s)
{
    struct buf b = buf_in(s->line);
    const struct auth_mech *mechs;
    struct why why;
    size_t count;
    bool exempt = false;

    if (!may_log_in(s))
        return S("");
    if (match_host(s->server->login->exceptions, s->client.name, s->client.addr,
                   &exempt, &why) != OK)
        log_warn("%s", why.text);
    if (exempt)
        return S("");
    find_mechs(s, &mechs, &count);
    for (size_t i = 0; i < count; i++)
        if (is_allowed(s, &mechs[i]) &&
            b.len + mechs[i].name.len + 1 < OFFER_MAX)
            buf_fmt(&b, " %.*s", STR(mechs[i].name));
    return buf_str(&b);
}

static bool
is_offered(struct session *s, struct str mech)
{
    const struct auth_mech *mechs;
    size_t count;

    /* A service that cannot be reached says so when it is asked. */
    if (!find_mechs(s, &mechs, &count))
        return true;
    for (size_t i = 0; i < count; i++)
        if (str_ieq(mechs[i].name, mech))
            return is_allowed(s, &mechs[i]);
    return false;
}

/* ---- the exchange ---- */

struct exchange {
    struct session *s;
    struct arena *a; /* secret */
    struct str mech;
    struct auth_says says;
};

static void
log_failure(const struct exchange *x)
{
    const struct auth_says *y = &x->says;
    struct str user = y->user.len > 0 ? y->user : S("(unavailable)");
    struct str reason =
        y->reason.len > 0 ? y->reason : S("(reason unavailable)");

    log_warn("%.*s: SASL %.*s authentication failed: %.*s, sasl_username=%.*s",
             STR(x->s->client.shown), STR(str_sub(x->mech, 0, 100)),
             STR(str_sub(reason, 0, 200)), STR(str_sub(user, 0, 100)));
}

static void
refuse(struct exchange *x, const char *text, const char *reason)
{
    x->says = (struct auth_says){.reason = str_from(reason)};
    log_failure(x);
    reply(x->s, text);
}

static const char malformed[] = "501 5.5.2 Error: response is no base64";

/* The client's answer to a challenge; false: a reply was given. */
static bool
read_response(struct exchange *x, struct str *raw)
{
    struct session *s = x->s;
    struct str line;
    int64_t limit = s->conf->smtpd_sasl_response_limit;

    io_set_deadline(s->io, io_now() + s->conf->smtpd_timeout);

    enum io got = io_line(s->io,
                          limit < 1              ? 1
                          : limit > RESPONSE_MAX ? RESPONSE_MAX
                                                 : (size_t)limit,
                          &line, NULL);

    if (got == IO_LONG) {
        refuse(x, "500 5.5.6 SASL response limit exceeded",
               "response limit exceeded");
        return false;
    }
    if (got != IO_OK) {
        session_lost(s, got);
        return false;
    }
    switch (command_response(x->a, line, raw)) {
    case RESPONSE_DATA:
        return true;
    case RESPONSE_CANCEL:
        log_warn("%.*s: SASL %.*s authentication aborted", STR(s->client.shown),
                 STR(x->mech));
        reply(s, "501 5.7.0 Authentication aborted");
        return false;
    default:
        refuse(x, malformed, "Invalid base64 data in continued response");
        return false;
    }
}

static void
challenge(struct exchange *x)
{
    struct buf b = buf_in(x->a);

    buf_add(&b, S("334 "));
    base64_encode(&b, x->says.challenge);
    buf_add(&b, S("\r\n"));
    io_put(x->s->io, buf_str(&b));
}

static void
accept_login(struct exchange *x)
{
    struct session *s = x->s;

    s->client.login = login_printable(s->life, x->says.user);
    s->client.method = login_printable(s->life, x->mech);
    s->origin = s->client;
    reply(s, "235 2.7.0 Authentication successful");
}

static void
conclude(struct exchange *x, enum auth_step step)
{
    struct session *s = x->s;
    struct str reason = str_sub(x->says.reason, 0, 200);

    if (step == AUTH_DONE) {
        accept_login(x);
        return;
    }
    log_failure(x);
    /* That it is our fault does not count against the client. */
    if (step == AUTH_UNSURE)
        reply_kindly(s, arena_fmt(s->line,
                                  "454 4.7.0 Temporary authentication failure: "
                                  "%.*s",
                                  STR(reason)));
    else
        replyf(s, "535 5.7.8 Error: authentication failed: %.*s",
               STR(reason.len > 0 ? reason : S("(reason unavailable)")));
}

static void
go_through(struct exchange *x, struct dovecot_request *request)
{
    struct auth_client *client = x->s->server->login->client;
    enum auth_step step = auth_client_begin(client, x->a, request, &x->says);

    while (step == AUTH_CHALLENGE) {
        struct str raw;

        challenge(x);
        if (!read_response(x, &raw)) {
            auth_client_cancel(client);
            return;
        }
        /* As many rounds as the memory for their secrets lasts. */
        if (arena_room(x->a) < SECRET_MAX / 2) {
            auth_client_cancel(client);
            refuse(x, "500 5.5.6 Error: too many responses",
                   "too many responses");
            return;
        }
        step = auth_client_feed(client, x->a, raw, &x->says);
    }
    conclude(x, step);
}

static void
tell_tls(struct exchange *x, struct dovecot_request *request)
{
    const struct tls_facts *f = x->s->tls;

    if (f == NULL)
        return;
    request->secured = request->tls = true;
    request->ssl_protocol = str_from(f->protocol);
    request->ssl_cipher = str_from(f->cipher);
    request->ssl_cipher_bits = str_from(arena_fmt(x->a, "%d", f->bits));
    request->local_name = str_from(f->sni);
    /* Of a certificate that nobody vouches for the name means nothing. */
    if (f->trusted) {
        request->valid_client_cert = true;
        request->cert_username = str_from(f->peer_cn);
    }
    if (x->s->server->login->bindings)
        sasl_bindings_of(x->a, x->s->tls_session, request->mech,
                         request->bindings);
}

static void
authenticate(struct session *s, enum command_auth form,
             const struct auth_args *given)
{
    struct login_service *l = s->server->login;
    struct exchange x = {.s = s, .a = l->secret, .mech = given->mech};
    struct dovecot_request request = {
        .mech = given->mech,
        .service = str_from(s->conf->smtpd_sasl_service),
        .rip = s->client.addr,
        .rport = s->client.port,
        .nologin = true,
        .has_resp = given->has_initial,
        .resp = given->initial,
    };

    session_find_server(s);
    request.lip = s->server_addr;
    request.lport = s->server_port;
    tell_tls(&x, &request);
    if (!is_offered(s, given->mech))
        refuse(&x,
               "535 5.7.8 Error: authentication failed: Invalid authentication "
               "mechanism",
               "Invalid authentication mechanism");
    else if (form == AUTH_BASE64)
        refuse(&x, malformed, "Invalid base64 data in initial response");
    else
        go_through(&x, &request);
}

/* ---- the command ---- */

/* Why this is no time for it, or NULL. */
static const char *
wrong_time(const struct session *s)
{
    if (s->state == STATE_NEW)
        return "503 5.5.1 Error: send HELO/EHLO first";
    if (s->server->login == NULL ||
        (s->esmtp && s->server->discard & SMTP_AUTH))
        return "503 5.5.1 Error: authentication not enabled";
    if (s->state != STATE_READY)
        return "503 5.5.1 Error: MAIL transaction in progress";
    if (!may_log_in(s))
        return "538 5.7.11 Encryption required for requested authentication "
               "mechanism";
    if (s->client.login.len > 0)
        return "503 5.5.1 Error: already authenticated";
    return NULL;
}

void
do_auth(struct session *s, struct str args)
{
    const char *text = wrong_time(s);
    struct auth_args given;
    enum command_auth form;

    /* What follows may be a password in any shape. */
    s->hushed = true;
    if (text) {
        reply(s, text);
        return;
    }
    form = command_auth(s->server->login->secret, args, &given);
    /* The client's next line takes the place of this one. */
    given.mech = arena_str(s->server->login->secret, given.mech);
    if (form == AUTH_SYNTAX)
        reply(s, "501 5.5.4 Syntax: AUTH mechanism");
    else if (limits_login(s))
        authenticate(s, form, &given);
    arena_wipe(s->server->login->secret);
    arena_wipe(s->line);
    io_wipe(s->io);
}
