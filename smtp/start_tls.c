#include "start_tls.h"

#include "base/log.h"
#include "sys/sock.h"
#include "tls_settings.h"

static bool
logs(const struct session *s, unsigned what)
{
    return s->settings->tls->log & what;
}

/* The server's certificate, or why it is not to be believed. */
static void
log_peer(const struct session *s, const struct tls_facts *f)
{
    bool matters = s->demand->level > TLS_ENCRYPT;

    if (logs(s, TLS_LOG_PEER) && f->has_cert)
        log_info("%s: subject_CN=%s, issuer_CN=%s, fingerprint=%s, "
                 "pkey_fingerprint=%s",
                 s->relay, f->peer_cn, f->issuer_cn, f->cert_print,
                 f->key_print);
    if (f->has_cert && !f->trusted && (matters || logs(s, TLS_LOG_UNTRUSTED)))
        log_info("%s", tls_client_complaint(s->tls, s->arena, s->relay));
}

static enum rc
handshake_failed(struct session *s, const char *text, struct trouble *t)
{
    log_info("SSL_connect error to %s: %s", s->relay, text);
    s->dead = true;
    s->handshake_failed = true;
    *t = (struct trouble){0};
    return fail(&t->why, "4.7.5", "Cannot start TLS: handshake failure");
}

enum rc
start_tls_now(struct session *s, struct arena *a, struct trouble *t)
{
    const struct tls_settings *st = s->settings->tls;
    int64_t limit = s->settings->starttls_timeout;
    struct tls_session *session;
    struct why why;

    (void)a;
    *t = (struct trouble){0};
    if (logs(s, TLS_LOG_STEPS))
        log_info("setting up TLS connection to %s", s->relay);
    SSL *ssl = tls_client_session(st->client, s->demand, str_from(s->relay),
                                  s->arena, &why);

    if (ssl == NULL)
        return handshake_failed(s, why.text, t);
    s->limit = limit;
    /* What ends the handshake needs no answer, and what follows must not wait
     * until it has been acknowledged. */
    sock_nodelay(s->fd);
    if (tls_start(s->io, ssl, limit > 0 ? limit : INT32_MAX, NULL, &session,
                  &why) != IO_OK)
        return handshake_failed(s, why.text, t);
    s->tls = session;

    enum rc rc = tls_client_judge(session, s->arena, &s->facts, &t->why);

    log_peer(s, &s->facts);
    if (logs(s, TLS_LOG_SUMMARY))
        log_info("%s", tls_facts_line(s->arena, &s->facts, "to", s->relay));
    return rc;
}

/* The server has taken its offer back. */
static enum rc
refused(const struct session *s, struct arena *a, struct trouble *t)
{
    enum rc rc = session_refused(s, PHASE_STARTTLS, a, t);
    if (s->reply.code / 100 != 4 && s->reply.code / 100 != 5)
        return rc;
    return fail(&t->why, s->reply.dsn,
                "TLS is required, but host %s refused to start TLS: %.*s",
                s->name, STR(t->reply));
}

enum rc
start_tls(struct session *s, struct arena *a, bool *secured, struct trouble *t)
{
    enum tls_level level = s->demand->level;
    bool offered = session_offers(s, SMTP_STARTTLS);

    *secured = false;
    *t = (struct trouble){0};
    if (offered && level == TLS_NONE && s->settings->tls->note_offer)
        log_info("Host offered STARTTLS: [%.*s]", STR(s->host));
    if (!offered && level > TLS_MAY)
        return fail(&t->why, "4.7.4",
                    "TLS is required, but was not offered by host %s", s->name);
    if (!offered || level == TLS_NONE)
        return OK;
    io_put(s->io, S("STARTTLS\r\n"));
    /* The reply may be there already, and nobody would wait for it. */
    enum io io = io_flush(s->io);

    if (io != IO_OK)
        return session_lost(s, io, PHASE_STARTTLS, t);
    if (session_reply(s, PHASE_STARTTLS, a, t) != OK)
        return TEMP;
    if (s->reply.code / 100 != 2)
        return level > TLS_MAY ? refused(s, a, t) : OK;
    *secured = true;
    return start_tls_now(s, a, t);
}
