/*
 * TLS (RFC 3207, 8314): STARTTLS, TLS from the first byte, what main.cf says
 * of both, and what is told of them in logs and Received fields.
 */
#include "daemon/tls.h"
#include "daemon/tls_options.h"

#include <openssl/ssl.h>

#include "smtpd.h"

#include "base/log.h"
#include "conf/identity.h"
#include "mail/smtp.h"
#include "tls/facts.h"

struct server_tls {
    struct daemon_tls *tls; /* NULL: it cannot be had */
    bool require_cert;      /* a client certificate that is trusted */
    unsigned log;           /* TLS_LOG_ bits */
};

/* ---- what main.cf says ---- */

/* The old parameters count where there is no level; levels that only a client
 * can have are taken for encrypt. */
static void
find_level(struct server *s)
{
    const struct conf *c = s->conf;
    struct str level = str_from(c->smtpd_tls_security_level);

    s->tls_demanded = c->smtpd_enforce_tls;
    s->tls_offered = c->smtpd_use_tls || c->smtpd_enforce_tls;
    if (level.len == 0)
        return;
    s->tls_offered = !str_ieq(level, S("none"));
    s->tls_demanded = s->tls_offered && !str_ieq(level, S("may"));
    if (s->tls_demanded && !str_ieq(level, S("encrypt")))
        log_warn("smtpd_tls_security_level = %.*s: unsupported, using encrypt",
                 STR(level));
}

static bool
asks_client(const struct server *s)
{
    const struct conf *c = s->conf;

    if (c->smtpd_tls_req_ccert && !s->tls_demanded)
        log_warn("smtpd_tls_req_ccert: certificates of clients cannot be "
                 "required unless TLS is (smtpd_tls_security_level = encrypt)");
    return c->smtpd_tls_ask_ccert ||
           (c->smtpd_tls_req_ccert && s->tls_demanded);
}

static struct daemon_tls *
open_contexts(struct server *s)
{
    const struct conf *c = s->conf;
    struct daemon *d = s->daemon;
    struct tls_server_options o;
    struct str identity = identity_of(d->life, c, "smtpd");
    struct why why;

    if (identity.len == 0) {
        log_warn("TLS is not available: there is no certificate "
                 "(smtpd_tls_chain_files)");
        return NULL;
    }
    if (tls_options_make(d, s->tls_demanded, &o, &why) != OK) {
        log_warn("TLS is not available: %s", why.text);
        return NULL;
    }
    o.ask_client = asks_client(s);
    o.sessions = arena_fmt(d->life, "smtpd/%s", d->service);
    o.alpn = "smtp";
    return daemon_tls_open(d, &o, identity, *c->tls_server_sni_maps != '\0');
}

void
tls_open(struct server *s)
{
    const struct conf *c = s->conf;
    struct server_tls *t = arena_make(s->daemon->life, struct server_tls);

    find_level(s);
    s->tls = t;
    t->require_cert = c->smtpd_tls_req_ccert && s->tls_demanded;
    if (!tls_log_parse(str_from(c->smtpd_tls_loglevel), &t->log))
        log_warn("smtpd_tls_loglevel = %s: unknown level",
                 c->smtpd_tls_loglevel);
    s->ccerts = maps_open(c->relay_clientcerts, NULL);
    if (s->tls_offered || c->smtpd_tls_wrappermode)
        t->tls = open_contexts(s);
}

void
tls_ready(struct server *s)
{
    daemon_tls_ready(s->tls->tls);
}

bool
tls_offered(const struct server *s)
{
    return s->tls_offered && (s->tls_demanded || daemon_tls_works(s->tls->tls));
}

/* ---- the handshake ---- */

static void
log_handshake_failure(const struct session *s, enum io io,
                      const struct why *why)
{
    if (io != IO_BROKEN) {
        log_info("SSL_accept error from %.*s: %s", STR(s->client.shown),
                 why->text);
        return;
    }
    log_info("SSL_accept error from %.*s: -1", STR(s->client.shown));
    log_warn("TLS library problem: %s", why->text);
}

static void
log_session(const struct session *s)
{
    unsigned log = s->server->tls->log;
    const struct tls_facts *f = s->tls;
    const char *line = tls_facts_line(s->line, f, "from",
                                      arena_cstr(s->line, s->client.shown));

    if (log & TLS_LOG_PEER && f->has_cert)
        log_info("%.*s: subject_CN=%s, issuer_CN=%s, fingerprint=%s, "
                 "pkey_fingerprint=%s",
                 STR(s->client.shown), f->peer_cn, f->issuer_cn, f->cert_print,
                 f->key_print);
    if (log & TLS_LOG_UNTRUSTED && f->has_cert && !f->trusted)
        log_info("certificate verification failed for %.*s: %s",
                 STR(s->client.shown), f->untrusted_why);
    if (log & TLS_LOG_SUMMARY)
        log_info("%s", line);
}

/* TLS with a client that is told so, or begins with it. False: s->end. */
static bool
shake_hands(struct session *s, SSL *ssl)
{
    const struct conf *c = s->conf;
    struct tls_facts *f = arena_make(s->life, struct tls_facts);
    struct why why;

    if (s->server->tls->log & TLS_LOG_STEPS)
        log_info("setting up TLS connection from %.*s", STR(s->client.shown));
    enum io io = tls_start(s->io, ssl, c->smtpd_starttls_timeout, daemon_stop(),
                           &s->tls_session, &why);

    if (io != IO_OK) {
        log_handshake_failure(s, io, &why);
        io_drop_output(s->io);
        s->end = "lost connection";
        return false;
    }
    /* The library keeps what it deciphered: no passwords. */
    if (s->server->login)
        SSL_set_options(tls_ssl(s->tls_session), SSL_OP_CLEANSE_PLAINTEXT);
    tls_facts_learn(s->tls_session, c->smtpd_tls_fingerprint_digest, s->life,
                    f);
    s->tls = f;
    log_session(s);
    return true;
}

/* What is to be said instead of an answer to the next command. */
static const char *
unwanted(const struct session *s)
{
    const struct tls_facts *f = s->tls;

    if (!s->server->tls->require_cert || f->trusted)
        return NULL;
    return f->has_cert ? "Client certificate not trusted"
                       : "No client certificate presented";
}

/* Sessions that are gone on with cost nothing. */
static bool
admit(struct session *s)
{
    const char *text = unwanted(s);

    if (text) {
        log_info("NOQUEUE: abort: TLS from %.*s: %s", STR(s->client.shown),
                 text);
        s->unwanted = arena_fmt(s->life, "421 4.7.1 %s Error: %s",
                                s->conf->myhostname, text);
        return true;
    }
    return s->tls->resumed || limits_tls(s, 1);
}

bool
tls_wrapped(struct session *s)
{
    SSL *ssl = daemon_tls_session(s->server->tls->tls);

    if (ssl == NULL) {
        log_warn("wrapper-mode request dropped from %.*s for service %s: TLS "
                 "is not available; see earlier warnings",
                 STR(s->client.shown), s->server->daemon->service);
        s->end = "";
        return false;
    }
    if (!shake_hands(s, ssl))
        return false;
    if (!admit(s))
        reply_close(s, "",
                    arena_fmt(s->line,
                              "421 4.7.0 %s Error: too many new TLS sessions "
                              "from %.*s",
                              s->conf->myhostname, STR(s->client.shown)));
    else if (s->unwanted)
        reply_close(s, "", s->unwanted);
    return s->end == NULL;
}

/* Nothing that was said before counts (RFC 3207 4.2). */
static void
forget(struct session *s)
{
    session_reset(s);
    s->state = STATE_NEW;
    s->helo = (struct str){0};
    s->esmtp = false;
    s->offered = 0;
    s->pipelined = false;
    s->client.login = s->client.method = (struct str){0};
    s->origin = s->client;
}

void
do_starttls(struct session *s, struct str args)
{
    const struct server *server = s->server;

    if (args.len > 0) {
        reply(s, "501 5.5.4 Syntax: STARTTLS");
        return;
    }
    if (s->tls) {
        reply(s, "554 5.5.1 Error: TLS already active");
        return;
    }
    if (!server->tls_offered || verbs_discarded(s) & SMTP_STARTTLS) {
        reply(s, "502 5.5.1 Error: command not implemented");
        return;
    }
    if (!limits_tls(s, 0)) {
        replyf(s, "454 4.7.0 Error: too many new TLS sessions from %.*s",
               STR(s->client.shown));
        return;
    }
    SSL *ssl = daemon_tls_session(server->tls->tls);

    if (ssl == NULL) {
        reply_kindly(s, "454 4.7.0 TLS not available due to local problem");
        return;
    }
    reply(s, "220 2.0.0 Ready to start TLS");
    if (io_flush(s->io) != IO_OK) {
        SSL_free(ssl);
        s->end = "lost connection";
        return;
    }
    forget(s);
    if (!shake_hands(s, ssl))
        s->refusals++; /* "starttls=0/1" */
    else if (!admit(s))
        s->unwanted = arena_fmt(s->life,
                                "421 4.7.0 %s Error: too many new TLS "
                                "sessions from %.*s",
                                s->conf->myhostname, STR(s->client.shown));
}

/* ---- the Received field ---- */

/* Nothing in a name ends the quotes or the comment. */
static const char *
quoted(struct arena *a, const char *name)
{
    char *copy = arena_fmt(a, "%.100s", name);

    for (char *p = copy; *p; p++)
        if ((unsigned char)*p < ' ' || strchr("\"\\()", *p) || *p == 127)
            *p = '?';
    return copy;
}

static void
add_certificate(const struct session *s, struct buf *b)
{
    const struct tls_facts *f = s->tls;

    if (f->has_cert)
        buf_fmt(b, "\t(Client CN \"%s\", Issuer \"%s\" (%s))\n",
                quoted(s->line, f->peer_cn), quoted(s->line, f->issuer_cn),
                f->trusted ? "verified OK" : "not verified");
    else if (s->conf->smtpd_tls_ask_ccert)
        buf_add(b, S("\t(Client did not present a certificate)\n"));
    else
        buf_add(b, S("\t(No client certificate requested)\n"));
}

void
tls_received(const struct session *s, struct buf *b)
{
    const struct tls_facts *f = s->tls;

    if (f == NULL || !s->conf->smtpd_tls_received_header)
        return;
    buf_fmt(b, "\t(using %s with cipher %s (%d/%d bits)", f->protocol,
            f->cipher, f->bits, f->cipher_bits);
    if (*f->kex)
        buf_add(b, S("\n\t"));
    tls_facts_add_exchange(b, f);
    tls_facts_add_proof(b, "server", &f->server);
    if (*f->client.name)
        buf_add(b, S("\n\t"));
    tls_facts_add_proof(b, "client", &f->client);
    buf_add(b, S(")\n"));
    add_certificate(s, b);
}

/* ---- restrictions ---- */

/* A certificate or its key that relay_clientcerts knows, or one that an
 * authority vouches for. */
enum verdict
check_client_cert(struct ask *q, const struct rule *r)
{
    const struct tls_facts *f = q->s->tls;
    bool all = strcmp(r->what->name, "permit_tls_all_clientcerts") == 0;
    struct why why;

    if (f == NULL || !f->has_cert)
        return DUNNO;
    if (all)
        return f->trusted ? PERMIT : DUNNO;

    const char *const prints[] = {f->cert_print, f->key_print};

    for (size_t i = 0; i < COUNT(prints); i++) {
        struct str value = {0};

        if (maps_get(q->s->server->ccerts, str_from(prints[i]), q->s->line,
                     &value, &why) != OK)
            return rules_lookup_failed(q, &why);
        if (value.p)
            return PERMIT;
    }
    return DUNNO;
}

enum verdict
check_client_cert_access(struct ask *q, const struct rule *r)
{
    const struct tls_facts *f = q->s->tls;
    struct why why;

    if (f == NULL || !f->has_cert)
        return DUNNO;

    const char *const prints[] = {f->cert_print, f->key_print};

    for (size_t i = 0; i < COUNT(prints); i++) {
        struct str value = {0};

        if (maps_get(r->maps, str_from(prints[i]), q->s->line, &value, &why) !=
            OK)
            return rules_lookup_failed(q, &why);
        if (value.p)
            return access_act(q, arena_cstr(q->s->line, r->text), value,
                              q->s->client.shown, "Client certificate");
    }
    return DUNNO;
}
