#include "master.h"

#include <fcntl.h>
#include <unistd.h>

/* One byte to the service's own socket or FIFO, as postdrop does when a
 * message has come: the worker cannot tell who woke it. */
static void
knock(const struct listener *l)
{
    auto_close int fd =
        l->type == SERVICE_FIFO
            ? open(l->shown, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
            : sock_connect_unix(l->shown, SOCK_STREAM | SOCK_NONBLOCK);

    if (fd >= 0)
        (void)!write(fd, "W", 1);
}

static void
due(void *self)
{
    struct unit *u = self;
    bool used = u->workers > 0;

    u->wakeup = NULL;
    if (u->row == NULL || master.stopping)
        return;
    if (used || !u->row->row->wakeup_if_used)
        for (size_t i = 0; i < u->listeners.list.len; i++)
            knock(&u->listeners.list.at[i]);
    u->wakeup = loop_after(master.loop, u->row->row->wakeup * 1000LL, due, u);
}

/* qmgr's own clock decides when it looks at its queue. */
void
wakeup_set(struct unit *u)
{
    if (u->row && u->row->row->wakeup > 0 && u->role->kind == POOL &&
        u->role->listens && u->row->row->type != SERVICE_INET)
        u->wakeup = loop_after(master.loop, 0, due, u);
}
