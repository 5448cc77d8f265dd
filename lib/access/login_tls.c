/* TLS underneath a guest's connection: the handshake is part of the first
 * read, so that whoever reads or writes need not know of it. */
#include <openssl/ssl.h>

#include "access/login_own.h"
#include "base/log.h"
#include "conf/identity.h"
#include "daemon/tls.h"
#include "daemon/tls_options.h"

static struct daemon_tls *tls; /* of the process; NULL: none */

void
login_prepare(struct daemon *d, const struct login_protocol *p)
{
    struct str identity = identity_of(d->life, d->conf, "smtpd");
    struct tls_server_options o;
    struct why why;

    if (identity.len == 0)
        log_warn("TLS is not available, so nobody can log in: there is no "
                 "certificate (smtpd_tls_chain_files)");
    else if (tls_options_make(d, true, &o, &why) != OK)
        log_warn("TLS is not available: %s", why.text);
    else {
        o.sessions = arena_fmt(d->life, "%s/%s", p->service, d->service);
        o.alpn = p->service;
        tls = daemon_tls_open(d, &o, identity,
                              *d->conf->tls_server_sni_maps != '\0');
    }
}

void
login_ready(struct daemon *d)
{
    (void)d;
    daemon_tls_ready(tls);
}

bool
login_tls_possible(void)
{
    return daemon_tls_works(tls);
}

static enum conn_step
step_of(struct guest *l, enum tls_step step, const struct why *why)
{
    switch (step) {
    case TLS_DONE:
        return CONN_DONE;
    case TLS_WANT_READ:
        return CONN_WANT_READ;
    case TLS_WANT_WRITE:
        return CONN_WANT_WRITE;
    case TLS_WANT_KEY:
        return CONN_WANT_CALL;
    case TLS_EOF:
        return CONN_END;
    case TLS_FAILED:
        break;
    }
    if (!l->priv->shaken) {
        l->priv->tls_why =
            arena_fmt(l->work, "SSL_accept() failed: %s", why->text);
        l->priv->why =
            arena_fmt(l->work, "Connection closed: %s", l->priv->tls_why);
    }
    return CONN_BROKEN;
}

static enum conn_step
tls_in(void *self, char *data, size_t len, size_t *done)
{
    struct guest *l = self;
    struct why why;

    if (!l->priv->shaken) {
        enum tls_step step = tls_handshake(l->priv->tls, &why);

        if (step != TLS_DONE)
            return step_of(l, step, &why);
        login_shaken(l);
    }
    return step_of(l, tls_read(l->priv->tls, data, len, done, &why), &why);
}

static enum conn_step
tls_out(void *self, const char *data, size_t len, size_t *done)
{
    struct guest *l = self;
    struct why why;

    return step_of(l, tls_write(l->priv->tls, data, len, done, &why), &why);
}

static void
tls_end(void *self)
{
    struct guest *l = self;

    tls_free(l->priv->tls);
}

bool
login_tls_begin(struct guest *l)
{
    const struct conn_carrier carrier = {tls_in, tls_out, tls_end, l};
    SSL *ssl = daemon_tls_session(tls);

    if (ssl == NULL)
        return false;
    SSL_set_options(ssl, SSL_OP_CLEANSE_PLAINTEXT); /* passwords */
    l->priv->tls = tls_new(ssl, conn_fd(l->conn));
    conn_switch(l->conn, carrier);
    return true;
}
