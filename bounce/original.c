#include "original.h"

#include "base/utf8.h"
#include "mail/header.h"
#include "sys/disk.h"

/* A header that is returned without its message ends here at the latest. */
#define HEADER_MAX ((size_t)65536)

/* Only a failure returns what was sent, and only to whom it belongs. */
static bool
is_whole(const struct notice *r)
{
    const struct queue_file *f = &r->about->file;

    if (r->about->kind != REPORT_FAILURE || r->audience == TO_POSTMASTER_COPY ||
        f->envelope.flags & ENVELOPE_RET_HDRS)
        return false;
    return f->at.stop - f->at.start <= r->bounce->conf->bounce_size_limit;
}

static enum rc
cannot_read(const struct notice *r, struct why *why)
{
    return fail(why, "4.3.0", "cannot read message %s: %m", r->about->id);
}

/* The content's bytes from..stop, piece by piece. */
static enum rc
each_piece(const struct notice *r, int64_t stop,
           void (*take)(void *self, struct str piece), void *self,
           struct why *why)
{
    static char data[65536];
    int64_t at = r->about->file.at.start;

    while (at < stop) {
        size_t want = stop - at < (int64_t)sizeof data ? (size_t)(stop - at)
                                                       : sizeof data;
        ssize_t n = disk_read(r->about->fd, data, want, at);

        if (n <= 0)
            return cannot_read(r, why);
        take(self, (struct str){data, (size_t)n});
        at += n;
    }
    return OK;
}

static void
look_at_piece(void *self, struct str piece)
{
    struct original *o = self;

    o->eight_bit = o->eight_bit || !utf8_is_ascii(piece);
}

enum rc
original_look(const struct notice *r, struct original *o, struct why *why)
{
    static char head[HEADER_MAX];
    const struct queue_place *at = &r->about->file.at;
    size_t want = at->stop - at->start < (int64_t)sizeof head
                      ? (size_t)(at->stop - at->start)
                      : sizeof head;
    ssize_t n = disk_read(r->about->fd, head, want, at->start);
    struct str body;

    if (n < 0)
        return cannot_read(r, why);
    *o = (struct original){.header =
                               header_of((struct str){head, (size_t)n}, &body),
                           .whole = is_whole(r)};
    o->stop = o->whole ? at->stop : at->start + (int64_t)o->header.len;
    return each_piece(r, o->stop, look_at_piece, o, why);
}

static void
put_piece(void *self, struct str piece)
{
    queue_put(self, piece);
}

enum rc
original_put(const struct notice *r, const struct original *o,
             struct queue_writer *out, struct why *why)
{
    return each_piece(r, o->stop, put_piece, out, why);
}
