/*
 * After login: what the client sends goes to the user's process decrypted, and
 * what that says to the client encrypted. Each side is read only as fast as
 * the other takes it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "access/login_own.h"

#define PENDING_MAX ((size_t)65536)
#define SOCKET_MAX  98304 /* bytes under way to the user; the kernel doubles it */

/* What can stand behind UNAUTHENTICATE: what the user's process has read (a
 * packet), twice SOCKET_MAX, and what we have read and not sent, which is not
 * twice PENDING_MAX. */
#define BACK_MAX ((size_t)524288)

bool
relay_prepare(struct guest *l)
{
    int ends[2];

    if (l->priv->tls == NULL)
        return true; /* the client's own socket goes */
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                   ends) < 0)
        return false;
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &(int){SOCKET_MAX}, sizeof(int));
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

    if (l->priv->state == LOGIN_RELAYING)
        pass(l->conn, l->priv->relay);
}

/* The user's process has said its last word. */
static void
user_ended(void *own, bool in_good_order)
{
    struct guest *l = own;

    (void)in_good_order;
    pass(l->priv->relay, l->conn);
    if (l->priv->state == LOGIN_RETURNING)
        login_begin_again(l);
    else
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
    conn_skip(l->conn, p->along);
    pass(l->conn, p->relay);
}

struct back {
    char *p; /* BACK_MAX */
    size_t len;
};

/* What the socket still holds; false: more than may be. */
static bool
drain(int fd, struct back *b)
{
    ssize_t n;

    do {
        n = recv(fd, b->p + b->len, BACK_MAX - b->len, MSG_DONTWAIT);
        b->len += n > 0 ? (size_t)n : 0;
    } while (n > 0);
    return b->len < BACK_MAX;
}

/* What was in the socket, and what had no room there. */
static bool
drain_relay(struct conn *relay, int fd, struct back *b)
{
    size_t before;

    do {
        before = conn_unsent(relay);
        if (!drain(fd, b))
            return false;
        conn_flush(relay);
    } while (conn_unsent(relay) < before);
    return drain(fd, b) && conn_unsent(relay) == 0;
}

/* In the order in which it came: all of it before what is in our own buffer.
 * The next login may be in it. */
bool
relay_take_back(struct guest *l, int fd, struct str input)
{
    struct back b = {malloc(BACK_MAX), input.len};
    bool good;

    must(b.p != NULL && input.len < BACK_MAX);
    memcpy(b.p, input.p, input.len);
    good = drain_relay(l->priv->relay, fd, &b);
    if (good)
        conn_unread(l->conn, (struct str){b.p, b.len});
    explicit_bzero(b.p, b.len);
    free(b.p);
    return good;
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
