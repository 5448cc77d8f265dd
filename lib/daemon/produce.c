#include "daemon/produce.h"

#include <stdio.h>
#include <unistd.h>

static enum rc
gone(struct why *why)
{
    return fail(why, "4.3.0", "the queue manager does not answer");
}

enum rc
produce_open(struct produce *p, struct arena *a, int64_t size, struct why *why)
{
    struct msg_queue_open ask = {.size = size};
    struct msg_queue_refused no;
    struct msg_queue_opened yes;

    p->open = false;
    p->fd = -1;
    if (!send_queue_open(p->qmgr, &ask) ||
        link_receive(p->qmgr, p->packet) != LINK_OK)
        return gone(why);
    if (p->packet->type == MSG_queue_refused) {
        if (!read_queue_refused(p->packet, &no))
            return gone(why);
        char dsn[sizeof why->dsn];

        snprintf(dsn, sizeof dsn, "%.*s", STR(no.dsn));
        return fail(why, dsn, "%.*s", STR(no.text));
    }
    if (p->packet->type != MSG_queue_opened ||
        !read_queue_opened(p->packet, &yes))
        return gone(why);
    snprintf(p->id, sizeof p->id, "%.*s", STR(yes.id));
    p->fd = yes.fd;
    p->out = queue_write(a, p->fd, yes.seal);
    p->open = true;
    return OK;
}

enum rc
produce_finish(struct produce *p, const struct envelope *e, struct why *why)
{
    struct msg_queue_commit commit = {.id = str_from(p->id)};

    if (queue_finish(p->out, e, why) != OK)
        return TEMP;
    if (!send_queue_commit(p->qmgr, &commit) ||
        link_receive(p->qmgr, p->packet) != LINK_OK)
        return gone(why);
    close(p->fd);
    p->open = false;
    if (p->packet->type != MSG_queue_committed)
        return fail(why, "4.3.0", "the queue manager refused the message");
    return OK;
}

void
produce_drop(struct produce *p)
{
    struct msg_queue_abandon abandon = {.id = str_from(p->id)};

    if (!p->open)
        return;
    close(p->fd);
    p->open = false;
    /* If qmgr has gone, so has the file. */
    if (!send_queue_abandon(p->qmgr, &abandon))
        return;
}
