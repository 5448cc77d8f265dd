#include "draft.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "mem.h"
#include "message.h"
#include "peer.h"
#include "qmgr.h"
#include "queue/spool.h"
#include "sys/disk.h"

struct draft {
    struct node in_peer, in_all;
    struct queue_id id;
    int64_t seal;
    int fd;
};

/* One producer has few open at once; this many is a fault of its. */
#define DRAFTS_MAX 64

static struct {
    struct node all;     /* struct draft */
    int64_t first, last; /* microseconds of ids */
    uint64_t random[64];
    size_t left;
    int64_t looked; /* loop time of the newest look at the disk */
    bool full, no_inodes;
    uint64_t free;
} own;

/*
 * Each id's file is made in incoming, so that folder's time of change is not
 * older than the newest id, even where the clock has been put back since.
 */
void
draft_init(void)
{
    struct stat st;
    int64_t changed = 0;

    list_init(&own.all);

    if (fstatat(qmgr.dir, "incoming", &st, 0) == 0)
        changed = (int64_t)st.st_mtim.tv_sec * 1000000 +
                  st.st_mtim.tv_nsec / 1000 + 1000000;
    own.first = own.last = now_us() > changed ? now_us() : changed;
}

static bool
same(struct queue_id a, struct queue_id b)
{
    return a.time == b.time && a.tail == b.tail && a.is_long == b.is_long;
}

/* Short ids are the same again after 12 days: then only the list of drafts
 * can tell, and the shelf. */
bool
draft_is_ours(struct queue_id id)
{
    if (queue_id_time(id, (uint64_t)own.last) < (uint64_t)own.first)
        return false;
    if (shelf_find(qmgr.shelf, id))
        return true;
    for (struct node *n = own.all.next; n != &own.all; n = n->next)
        if (same(list_item(n, struct draft, in_all)->id, id))
            return true;
    return false;
}

static uint64_t
random_number(void)
{
    if (own.left == 0) {
        must(getrandom(own.random, sizeof own.random, 0) == sizeof own.random);
        own.left = COUNT(own.random);
    }
    return own.random[--own.left];
}

static struct queue_id
new_id(void)
{
    struct queue_id id;

    do {
        int64_t now = now_us();

        own.last = now > own.last ? now : own.last + 1;
        id = queue_id_make((uint64_t)own.last, (uint16_t)random_number(),
                           qmgr.conf->enable_long_queue_ids);
    } while (shelf_find(qmgr.shelf, id)); /* 12 days on hold */
    return id;
}

/* The disk is asked at most once a second. */
static void
look_at_disk(void)
{
    struct statvfs v;

    if (own.looked && loop_now(qmgr.loop) - own.looked < 1000)
        return;
    own.looked = loop_now(qmgr.loop);
    if (fstatvfs(qmgr.dir, &v) < 0)
        return;
    own.free = (uint64_t)v.f_bavail * v.f_frsize;
    own.no_inodes = v.f_files > 0 && v.f_favail < 64;
}

/* Room for the message, and for it to grow by what happens to it. */
static bool
disk_is_full(int64_t size)
{
    int64_t most = qmgr.conf->message_size_limit;
    int64_t want = qmgr.conf->queue_minfree;

    look_at_disk();
    if (want < most + most / 2)
        want = most + most / 2;
    return own.no_inodes || own.free < (uint64_t)want ||
           (size > 0 && own.free < (uint64_t)size);
}

static bool
refuse(struct peer *p, const char *dsn, const char *text)
{
    struct msg_queue_refused m = {.dsn = str_from(dsn), .text = str_from(text)};

    return send_queue_refused(&p->link, &m);
}

static bool
refuse_full(struct peer *p)
{
    if (!own.full)
        log_warn("not enough free %s in the file system of the queue; new "
                 "mail is refused until there is room",
                 own.no_inodes ? "inodes" : "space");
    own.full = true;
    return refuse(p, "4.3.1", "insufficient system storage");
}

static struct draft *
make_draft(struct peer *p)
{
    char path[SPOOL_PATH_MAX];
    struct draft *d = mem_make(struct draft);

    d->id = new_id();
    do
        d->seal = (int64_t)random_number();
    while (d->seal == 0);
    d->fd = disk_create(qmgr.dir,
                        spool_path(SPOOL_INCOMING, d->id, d->seal, path), 0700);
    if (d->fd < 0) {
        int saved = errno;

        mem_free(d);
        errno = saved;
        return NULL;
    }
    list_add(&p->drafts, &d->in_peer);
    list_add(&own.all, &d->in_all);
    return d;
}

static void
forget(struct draft *d)
{
    list_remove(&d->in_peer);
    list_remove(&d->in_all);
    mem_free(d);
}

static void
drop(struct draft *d)
{
    char path[SPOOL_PATH_MAX];

    if (!disk_remove(qmgr.dir,
                     spool_path(SPOOL_INCOMING, d->id, d->seal, path)))
        log_warn("cannot remove %s: %m", path);
    close(d->fd);
    forget(d);
}

void
draft_drop_all(struct peer *p)
{
    while (!list_empty(&p->drafts))
        drop(list_item(list_first(&p->drafts), struct draft, in_peer));
}

static size_t
count_drafts(const struct peer *p)
{
    size_t n = 0;

    for (struct node *i = p->drafts.next; i != &p->drafts; i = i->next)
        n++;
    return n;
}

bool
draft_open(struct peer *p, struct packet *packet)
{
    struct msg_queue_open m;
    char id[QUEUE_ID_MAX];

    if (!read_queue_open(packet, &m) || count_drafts(p) >= DRAFTS_MAX)
        return false;
    if (qmgr.stopping)
        return refuse(p, "4.3.2", "the mail system is shutting down");
    if (disk_is_full(m.size))
        return refuse_full(p);
    own.full = false;

    struct draft *d = make_draft(p);

    if (d == NULL) {
        bool full = errno == ENOSPC || errno == EDQUOT;

        log_warn("cannot make a queue file: %m");
        return full ? refuse(p, "4.3.1", "insufficient system storage")
                    : refuse(p, "4.3.0", "queue file creation error");
    }
    return send_queue_opened(
        &p->link,
        &(struct msg_queue_opened){.id = str_from(queue_id_text(d->id, id)),
                                   .seal = d->seal,
                                   .fd = d->fd});
}

static struct draft *
find(struct peer *p, struct str text)
{
    struct queue_id id;

    if (!queue_id_parse(text, &id))
        return NULL;
    for (struct node *n = p->drafts.next; n != &p->drafts; n = n->next) {
        struct draft *d = list_item(n, struct draft, in_peer);

        if (same(d->id, id))
            return d;
    }
    log_warn("a producer speaks of %.*s, which is not its draft", STR(text));
    return NULL;
}

bool
draft_commit(struct peer *p, struct packet *packet)
{
    struct msg_queue_commit m;
    struct draft *d;
    struct why why;

    if (!read_queue_commit(packet, &m) || (d = find(p, m.id)) == NULL)
        return false;
    if (!message_commit(d->id, d->seal, d->fd, &why)) {
        log_warn("%.*s: not accepted: %s", STR(m.id), why.text);
        drop(d);
        return refuse(p, why.dsn, why.text);
    }
    forget(d);
    return send_queue_committed(&p->link,
                                &(struct msg_queue_committed){.id = m.id});
}

bool
draft_abandon(struct peer *p, struct packet *packet)
{
    struct msg_queue_abandon m;
    struct draft *d;

    if (!read_queue_abandon(packet, &m) || (d = find(p, m.id)) == NULL)
        return false;
    drop(d);
    return true;
}
