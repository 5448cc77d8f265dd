#include "claim.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "load.h"
#include "qmgr.h"
#include "queue/journal.h"
#include "sys/disk.h"

#define FREE_MODE 0700
#define LENT_MODE 0600

bool
claim_lend(struct message *m)
{
    int fd = message_writer(m);

    if (!m->lent)
        m->lent = fd >= 0 && disk_lock(fd) && disk_mode(fd, LENT_MODE);
    return m->lent;
}

/* As far as it is known here, for a file that lost its own. */
static bool
write_envelope(struct message *m, const struct rec_rcpt *r,
               struct str transport, struct str nexthop)
{
    struct rcpt rcpt = {.addr = r->addr,
                        .orig = r->orig,
                        .orcpt = r->orcpt,
                        .notify = (unsigned)r->notify,
                        .transport = transport,
                        .nexthop = nexthop};
    struct envelope e = {.arrived = m->arrived,
                         .sender = m->sender,
                         .envid = m->envid,
                         .verp = m->verp,
                         .filter = m->filter,
                         .flags = m->flags,
                         .rcpts = &rcpt,
                         .nrcpts = 1};

    return queue_add_envelope(qmgr.scratch, m->fd, &m->at, &e, true);
}

static void
write_marks(struct message *m)
{
    for (int i = 0; i < QUEUE_MARKS; i++)
        if (m->marks & 1u << i)
            message_mark(m, (enum queue_mark)i);
    m->marks = 0;
}

static enum claim_end
failed(const struct message *m, const char *what)
{
    log_warn("%s: cannot %s: %m", m->id, what);
    return CLAIM_FAILED;
}

enum claim_end
claim_end(struct message *m, const struct rec_rcpt *r, struct str transport,
          struct str nexthop)
{
    struct stat st;

    if (message_writer(m) < 0 || fstat(m->fd, &st) < 0)
        return CLAIM_FAILED;
    if (st.st_nlink > 1)
        return CLAIM_MAILBOX;
    /* Without a footer before it is an envelope that we failed to write. */
    if ((st.st_size <= m->at.stop || m->at.previous == 0) &&
        !write_envelope(m, r, transport, nexthop))
        return failed(m, "write its envelope again");
    if (st.st_uid != geteuid() ? !load_copy_over(m->entry, &m->fd, &m->at)
                               : !disk_mode(m->fd, FREE_MODE))
        return failed(m, "take its file back");
    m->lent = false;
    write_marks(m);
    return CLAIM_BACK;
}
