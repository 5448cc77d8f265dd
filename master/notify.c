#include "master.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

/* sd_notify(3) without its library: one datagram to $NOTIFY_SOCKET, which
 * main keeps in the environment of master alone. A name with @ is abstract. */
void
notify(const char *fmt, ...)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    size_t len = path ? strlen(path) : 0;
    char text[512];
    va_list args;

    if (len == 0 || len >= sizeof sa.sun_path)
        return;
    memcpy(sa.sun_path, path, len);
    if (path[0] == '@')
        sa.sun_path[0] = '\0';
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    auto_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd >= 0)
        (void)sendto(fd, text, strlen(text), MSG_NOSIGNAL, (void *)&sa,
                     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
}
