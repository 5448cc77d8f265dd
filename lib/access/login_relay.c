/*
 * After login: what the client sends goes to the user's process decrypted, and
 * what that says to the client encrypted. Each side is read only as fast as
 * the other takes it.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "access/login_own.h"

#define PENDING_MAX ((size_t)65536)

bool
relay_prepare(struct guest *l)
{
    int ends[2];

    if (l->priv->tls == NULL)
        return true; /* the client's own socket goes */
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                   ends) < 0)
        return false;
    l->priv->inner = ends[1];
    l->priv->ours = ends[0];
    return true;
}

bool
relay_renew(struct guest *l)
{
    struct guest_private *p = l->priv;

    if (p->inner >= 0)
        close(p->inner);
    if (p->ours >= 0)
        close(p->ours);
    p->inner = p->ours = -1;
    return relay_prepare(l);
}

static void
pass(struct conn *from, struct conn *to)
{
    struct str data = conn_input(from);

    if (data.len > 0 && conn_unsent(to) < PENDING_MAX) {
        conn_put(to, data);
        conn_skip(from, data.len);
        conn_flush(to);
    }
    conn_hold(from, conn_unsent(to) >= PENDING_MAX);
}

static void
from_user(void *own)
{
    struct guest *l = own;

    pass(l->priv->relay, l->conn);
}

static void
to_user_sent(void *own)
{
    struct guest *l = own;

    pass(l->conn, l->priv->relay);
}

/* The user's process has said its last word. */
static void
user_ended(void *own, bool in_good_order)
{
    struct guest *l = own;

    (void)in_good_order;
    pass(l->priv->relay, l->conn);
    login_finish(l);
}

void
relay_begin(struct guest *l)
{
    static const struct conn_user user = {from_user, user_ended, to_user_sent};
    struct guest_private *p = l->priv;

    p->relay = conn_new(p->loop, p->ours, PENDING_MAX, &user, l);
    p->ours = -1;
    close(p->inner);
    p->inner = -1;
    conn_skip(l->conn, conn_input(l->conn).len); /* went along with the login */
    conn_hold(l->conn, false);
}

void
relay_to_user(struct guest *l)
{
    pass(l->conn, l->priv->relay);
}

void
relay_to_client(struct guest *l)
{
    pass(l->priv->relay, l->conn);
}
