#include "master.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
open_fifo(const char *path)
{
    if (mkfifo(path, 0622) < 0 && errno != EEXIST)
        return -1;
    int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);

    if (fd >= 0)
        fchmod(fd, 0622);
    return fd;
}

static int
open_address(const struct address *a)
{
    if (a->path == NULL)
        return sock_listen_inet((const struct sockaddr *)&a->sa, a->len,
                                SOCK_STREAM | SOCK_NONBLOCK);
    if (a->type == SERVICE_FIFO)
        return open_fifo(a->path);
    return sock_listen_unix(
        a->path, (a->packets ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_NONBLOCK,
        0666);
}

/* The open socket of that address, whichever row it belongs to now; another
 * than `self`. */
static const struct listener *
find_open(const char *shown, enum service_type type,
          const struct listener *self)
{
    for (size_t i = 0; i < master.units.len; i++) {
        const struct listeners *l = &master.units.at[i]->listeners;

        for (size_t k = 0; k < l->list.len; k++)
            if (&l->list.at[k] != self && l->list.at[k].type == type &&
                strcmp(l->list.at[k].shown, shown) == 0)
                return &l->list.at[k];
    }
    return NULL;
}

static const char *
advice(int error)
{
    static const struct {
        int error;
        const char *text;
    } rows[] = {
        {EADDRINUSE,    "; another mail server? \"ss -ltnp\" shows whose it is"},
        {EACCES,        "; a port below 1024 needs root"                       },
        {EADDRNOTAVAIL, "; it is no address of this machine"                   },
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].error == error)
            return rows[i].text;
    return "";
}

/* With port 0 the kernel has chosen. */
static void
show_port(struct listener *l)
{
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof sa;
    char text[SOCK_TEXT_MAX];
    unsigned port;

    if (l->type != SERVICE_INET || getsockname(l->fd, (void *)&sa, &len) < 0)
        return;
    sock_text((void *)&sa, text, &port);
    snprintf(l->shown, sizeof l->shown,
             sa.ss_family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, port);
}

static bool
open_one(const struct plan_row *row, const struct address *a,
         struct listeners *out, struct problems *p)
{
    const struct listener *there = find_open(a->shown, a->type, NULL);
    struct listener l = {.type = a->type};

    l.fd = there ? fcntl(there->fd, F_DUPFD_CLOEXEC, 3) : open_address(a);
    if (l.fd < 0) {
        if (a->optional && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
            return true;
        problem(p, "%s, line %u: service %s: cannot listen on %s: %m%s",
                row->row->file, row->row->line, row->row->name, a->shown,
                advice(errno));
        return false;
    }
    snprintf(l.shown, sizeof l.shown, "%s", a->shown);
    show_port(&l);
    *vec_add(&out->list) = l;
    return true;
}

bool
sockets_open(const struct plan_row *row, struct listeners *out,
             struct problems *p)
{
    bool good = true;

    for (size_t i = 0; i < row->addresses.len; i++)
        good = open_one(row, &row->addresses.at[i], out, p) && good;
    return good;
}

/* A busy worker may hold the socket for long: shutdown makes the port refuse
 * clients now, whoever has it open. */
static void
end_listening(const struct listener *l)
{
    if (l->type != SERVICE_FIFO)
        shutdown(l->fd, SHUT_RDWR);
    if (l->type != SERVICE_INET)
        unlink(l->shown);
}

void
sockets_close(struct listeners *all, bool remove)
{
    for (size_t i = 0; i < all->list.len; i++) {
        struct listener *l = &all->list.at[i];

        loop_unwatch(l->watch);
        if (remove && !find_open(l->shown, l->type, l))
            end_listening(l);
        close(l->fd);
    }
    vec_free(&all->list);
}
