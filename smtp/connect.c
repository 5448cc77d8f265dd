/*
 * Connecting: TCP from an address of the site's choice, or a UNIX socket.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "session.h"
#include "sys/sock.h"

/* connect(2) was interrupted by a signal and goes on by itself. */
static bool
finish_connect(int fd, int64_t ms)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int error = 0, n;
    socklen_t len = sizeof error;

    while ((n = poll(&p, 1, ms > 0 ? (int)ms : -1)) < 0 && errno == EINTR)
        ;
    if (n == 0)
        errno = ETIMEDOUT;
    if (n <= 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        return false;
    errno = error;
    return error == 0;
}

static bool
connect_within(int fd, const struct sockaddr *sa, socklen_t len, int64_t ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    /* The kernel takes the time to send as the time to connect, too. */
    if (ms > 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
    if (connect(fd, sa, len) == 0)
        return true;
    if (errno == EINTR)
        return finish_connect(fd, ms);
    if (errno == EINPROGRESS || errno == EAGAIN)
        errno = ETIMEDOUT;
    return false;
}

/* The address to connect from: false with errno if it is none of ours. */
static bool
bind_source(int fd, int family, const char *setting,
            const struct sockaddr *only)
{
    struct sockaddr_storage sa = {.ss_family = (sa_family_t)family};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&sa;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&sa;
    socklen_t len = family == AF_INET ? sizeof *v4 : sizeof *v6;
    void *address =
        family == AF_INET ? (void *)&v4->sin_addr : (void *)&v6->sin6_addr;

    if (*setting != '\0') {
        errno = EINVAL;
        if (inet_pton(family, setting, address) != 1)
            return false;
    } else if (only) {
        memcpy(&sa, only, len);
    } else {
        return true;
    }
    return bind(fd, (struct sockaddr *)&sa, len) == 0;
}

static ssize_t
wait_for(struct session *s, short events)
{
    struct pollfd p = {.fd = s->fd, .events = events};
    int n;

    while ((n = poll(&p, 1, s->limit > 0 ? (int)s->limit : -1)) < 0 &&
           errno == EINTR)
        ;
    if (n == 0)
        errno = EAGAIN;
    return n;
}

/* Waiting with poll costs one call each; limits that change with the phase
 * would cost two by socket options. */
static ssize_t
wire_read(void *self, char *data, size_t len)
{
    struct session *s = self;

    return wait_for(s, POLLIN) > 0 ? read(s->fd, data, len) : -1;
}

static ssize_t
wire_write(void *self, const char *data, size_t len)
{
    struct session *s = self;
    ssize_t n = send(s->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
        return n;
    if (wait_for(s, POLLOUT) <= 0)
        return -1;
    return send(s->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
wire_close(void *self)
{
    (void)self;
}

struct session *
session_over(const struct settings *settings, int fd, struct arena *a)
{
    static const struct tls_demand no_tls = {.level = TLS_NONE};
    struct session *s = arena_make(a, struct session);

    s->settings = settings;
    s->demand = &no_tls;
    s->arena = a;
    s->fd = fd;
    s->io = io_open(fd);
    s->opened = io_now();
    io_switch(s->io, (struct io_carrier){wire_read, wire_write, wire_close, s});
    return s;
}

static struct session *
failed(int fd, struct why *why, const char *relay)
{
    (void)!fail(why, "4.4.1", "connect to %s: %m", relay);
    if (fd >= 0)
        close(fd);
    return NULL;
}

struct session *
session_connect(const struct settings *st, const struct own *own,
                const struct target *t, unsigned port, struct arena *a,
                struct why *why)
{
    int family = t->sa.ss_family;
    bool v4 = family == AF_INET;
    char text[SOCK_TEXT_MAX];
    unsigned ignored;

    sock_text((const struct sockaddr *)&t->sa, text, &ignored);
    const char *name = arena_fmt(a, "%.*s[%s]", STR(t->host), text);
    const char *relay = arena_fmt(a, "%s:%u", name, port);
    const char *from = v4 ? st->bind_address : st->bind_address6;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return failed(fd, why, relay);
    if (!bind_source(fd, family, from, own_only(own, family))) {
        log_warn("cannot bind to %s: %m", from);
        if (st->bind_address_enforce) {
            (void)!fail(why, "4.4.0",
                        "server unavailable: cannot bind to %s: %m", from);
            close(fd);
            return NULL;
        }
    }
    if (!connect_within(fd, (const struct sockaddr *)&t->sa, t->len,
                        st->connect_timeout))
        return failed(fd, why, relay);
    struct session *s = session_over(st, fd, a);

    s->host = arena_str(a, t->host);
    s->name = name;
    s->relay = relay;
    s->best = t->best;
    s->port = port;
    memcpy(&s->sa, &t->sa, sizeof s->sa);
    return s;
}

struct session *
session_connect_unix(const struct settings *st, struct str path,
                     struct arena *a, struct why *why)
{
    bool absolute = str_starts(path, S("/"));
    const char *full =
        absolute ? arena_cstr(a, path)
                 : arena_fmt(a, "%s/%.*s", st->queue_directory, STR(path));
    const char *name = arena_fmt(a, "%s[%.*s]", st->myhostname, STR(path));
    int fd = sock_connect_unix(full, SOCK_STREAM);

    if (fd < 0)
        return failed(fd, why, name);
    struct session *s = session_over(st, fd, a);

    s->host = arena_str(a, str_from(st->myhostname));
    s->name = s->relay = name;
    s->best = true;
    return s;
}
