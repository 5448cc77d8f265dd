#include "queue/journal.h"

#include <errno.h>

#include "base/pack.h"
#include "queue/format.h"
#include "sys/disk.h"

/* Add the block that stands in b, with its footer. */
static bool
append(int fd, struct queue_place *at, struct buf *b)
{
    uint64_t block = (uint64_t)at->end;

    if (b->len > FORMAT_BLOCK_MAX) {
        errno = EFBIG;
        return false;
    }
    format_footer(b, 0,
                  &(struct footer){at->seal, (uint64_t)at->start,
                                   (uint64_t)at->stop, block,
                                   (uint64_t)at->previous});
    if (at->torn && !disk_truncate(fd, at->end))
        return false;
    if (!disk_pwrite(fd, buf_str(b), at->end)) {
        int saved = errno;

        at->torn = !disk_truncate(fd, at->end);
        errno = saved;
        return false;
    }
    at->torn = false;
    at->end += (int64_t)b->len;
    at->previous = at->end - FORMAT_FOOTER;
    return true;
}

static void
pack_result(struct buf *b, const struct queue_result *r)
{
    pack_num(b, r->index);
    pack_num(b, r->state);
    pack_num(b, r->action);
    pack_text(b, r->dsn);
    pack_text(b, r->text);
    pack_text(b, r->relay);
    pack_text(b, r->remote);
    pack_text(b, r->reply);
    pack_text(b, r->done);
}

bool
queue_add_attempt(struct arena *a, int fd, struct queue_place *at, int64_t when,
                  const struct queue_result *results, size_t count)
{
    struct buf b = buf_in(a);

    pack_num(&b, FORMAT_ATTEMPT);
    pack_num(&b, when);
    pack_num(&b, (int64_t)count);
    for (size_t i = 0; i < count; i++)
        pack_result(&b, &results[i]);
    return append(fd, at, &b);
}

bool
queue_add_mark(struct arena *a, int fd, struct queue_place *at, int64_t when,
               enum queue_mark mark)
{
    struct buf b = buf_in(a);

    pack_num(&b, FORMAT_MARK);
    pack_num(&b, when);
    pack_num(&b, mark);
    return append(fd, at, &b);
}

bool
queue_add_envelope(struct arena *a, int fd, struct queue_place *at,
                   const struct envelope *e, bool claimable)
{
    struct buf b = buf_in(a);

    format_envelope(&b, e, claimable);
    at->end = at->stop;
    at->previous = 0;
    at->torn = true; /* whatever stood there goes */
    return append(fd, at, &b);
}

/* The packed bytes of a block, which fit its bytes as they are. */
static bool
copy_block(int fd, struct arena *a, struct queue_place *at, struct str block)
{
    struct buf b = buf_in(a);

    buf_add(&b, block);
    return append(fd, at, &b);
}

static bool
copy_results(int fd, struct arena *a, struct queue_place *at,
             const struct queue_file *f)
{
    struct queue_result *all = queue_results(a, f);
    size_t count = 0;

    for (size_t i = 0; i < f->envelope.nrcpts; i++)
        if (all[i].state != QUEUE_TODO)
            all[count++] = all[i];
    return count == 0 || queue_add_attempt(a, fd, at, f->tried, all, count);
}

static bool
copy_marks(int fd, struct arena *a, struct queue_place *at,
           const struct queue_file *f)
{
    bool failure = false, success = false;

    for (size_t i = 0; i < f->envelope.nrcpts; i++) {
        failure |= f->state[i] & QUEUE_REPORTED;
        success |= f->state[i] & QUEUE_TRACED;
    }

    const struct {
        bool there;
        enum queue_mark mark;
    } marks[] = {
        {f->held,                                       QUEUE_HOLD            },
        {!f->held && f->envelope.flags & ENVELOPE_HOLD, QUEUE_RELEASE         },
        {f->anew && f->tried == 0,                      QUEUE_REQUEUE         },
        {f->forced,                                     QUEUE_FORCE           },
        {f->warned,                                     QUEUE_WARNED          },
        {failure,                                       QUEUE_REPORTED_FAILURE},
        {success,                                       QUEUE_REPORTED_SUCCESS},
    };

    for (size_t i = 0; i < COUNT(marks); i++)
        if (marks[i].there &&
            !queue_add_mark(a, fd, at, f->tried, marks[i].mark))
            return false;
    return true;
}

bool
queue_copy(struct arena *a, int out, int in, const struct queue_file *f,
           struct queue_place *at)
{
    *at = (struct queue_place){.seal = at->seal,
                               .start = f->at.start,
                               .stop = f->at.stop,
                               .end = f->at.stop};
    return disk_copy(out, in, 0, f->at.stop) &&
           copy_block(out, a, at, f->blocks[f->nblocks - 1]) &&
           copy_results(out, a, at, f) && copy_marks(out, a, at, f) &&
           disk_sync(out);
}
