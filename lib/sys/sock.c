#include "sys/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

bool
sock_pair(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0;
}

bool
sock_send(int fd, struct str data, const int *files, size_t count)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int) * SOCK_FILES_MAX)];
    } control = {0};
    struct iovec io = {.iov_base = (char *)(uintptr_t)data.p,
                       .iov_len = data.len};
    struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};
    ssize_t n;

    must(count <= SOCK_FILES_MAX && data.len <= SOCK_PACKET_MAX);
    if (count > 0) {
        m.msg_control = &control;
        m.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);

        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(c), files, sizeof(int) * count);
    }
    do
        n = sendmsg(fd, &m, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)data.len;
}

/* The descriptors of a received packet; more than asked for are closed. */
static size_t
take_files(struct msghdr *m, int *files)
{
    size_t count = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        for (size_t i = 0; i < n; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (count < SOCK_FILES_MAX)
                files[count++] = fd;
            else
                close(fd);
        }
    }
    return count;
}

ssize_t
sock_recv(int fd, char *data, int *files, size_t *count)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int) * SOCK_FILES_MAX)];
    } control;
    struct iovec io = {.iov_base = data, .iov_len = SOCK_PACKET_MAX};
    struct msghdr m = {.msg_iov = &io,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);

    *count = 0;
    if (n < 0)
        return -1;
    *count = take_files(&m, files);
    if (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        while (*count > 0)
            close(files[--*count]);
        errno = EMSGSIZE;
        return -1;
    }
    return n;
}

static bool
unix_address(const char *path, struct sockaddr_un *sa)
{
    *sa = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof sa->sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(sa->sun_path, path, strlen(path) + 1);
    return true;
}

static int
give_up(int fd)
{
    int saved = errno;

    if (fd >= 0)
        close(fd);
    errno = saved;
    return -1;
}

int
sock_listen_unix(const char *path, int flags, mode_t mode)
{
    struct sockaddr_un sa;
    int fd;

    if (!unix_address(path, &sa))
        return -1;
    fd = socket(AF_UNIX, flags | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (unlink(path) < 0 && errno != ENOENT)
        return give_up(fd);
    if (bind(fd, (void *)&sa, sizeof sa) < 0 || chmod(path, mode) < 0 ||
        listen(fd, SOMAXCONN) < 0)
        return give_up(fd);
    return fd;
}

int
sock_listen_inet(const struct sockaddr *sa, socklen_t len, int flags)
{
    int fd = socket(sa->sa_family, flags | SOCK_CLOEXEC, 0), on = 1;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (sa->sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, sa, len) < 0 || listen(fd, SOMAXCONN) < 0)
        return give_up(fd);
    return fd;
}

int
sock_connect_unix(const char *path, int type)
{
    struct sockaddr_un sa;
    int fd;

    if (!unix_address(path, &sa))
        return -1;
    fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (void *)&sa, sizeof sa) < 0)
        return give_up(fd);
    return fd;
}

bool
sock_timeout(int fd, int64_t ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv) == 0;
}

void
sock_nodelay(int fd)
{
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool
sock_peer_uid(int fd, uid_t *uid, pid_t *pid)
{
    struct ucred who;
    socklen_t len = sizeof who;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
        return false;
    *uid = who.uid;
    if (pid)
        *pid = who.pid;
    return true;
}

bool
sock_peer_gone(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};

    return poll(&p, 1, 0) > 0;
}

void
sock_text(const struct sockaddr *sa, char *text, unsigned *port)
{
    *port = 0;
    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)sa;

        inet_ntop(AF_INET, &in->sin_addr, text, SOCK_TEXT_MAX);
        *port = ntohs(in->sin_port);
    } else if (sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)sa;
        const unsigned char *a = in6->sin6_addr.s6_addr;

        if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
            inet_ntop(AF_INET, a + 12, text, SOCK_TEXT_MAX);
        else
            inet_ntop(AF_INET6, a, text, SOCK_TEXT_MAX);
        *port = ntohs(in6->sin6_port);
    } else {
        snprintf(text, SOCK_TEXT_MAX, "local");
    }
}
