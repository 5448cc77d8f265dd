#include "queue/writer.h"

#include <errno.h>

#include "base/log.h"
#include "mail/address.h"
#include "mail/atext.h"
#include "queue/file.h"
#include "queue/format.h"
#include "sys/disk.h"

/* A usual message goes out with one write; a large one in large pieces. */
#define SMALL ((size_t)16 << 10)
#define LARGE ((size_t)128 << 10)

struct queue_writer {
    struct arena *arena;
    int fd;
    int64_t seal;
    char *data; /* what has not been written yet */
    size_t used, room;
    int64_t start, size; /* delivery block; content behind it */
    off_t written;
    bool claimable;
    int error; /* errno of the first trouble */
};

struct queue_writer *
queue_write(struct arena *a, int fd, int64_t seal)
{
    struct queue_writer *w = arena_make(a, struct queue_writer);

    must(seal != 0);
    *w = (struct queue_writer){.arena = a,
                               .fd = fd,
                               .seal = seal,
                               .data = arena_alloc(a, SMALL),
                               .room = SMALL};
    return w;
}

void
queue_restart(struct queue_writer *w)
{
    w->error = 0;
    if (w->written > 0 && !disk_truncate(w->fd, 0))
        w->error = errno;
    w->used = 0;
    w->start = w->size = 0;
    w->written = 0;
    w->claimable = false;
}

static void
write_out(struct queue_writer *w, struct str data)
{
    if (data.len == 0 || w->error)
        return;
    if (!disk_pwrite(w->fd, data, w->written))
        w->error = errno;
    w->written += (off_t)data.len;
}

static void
make_room(struct queue_writer *w)
{
    if (w->room == SMALL) {
        w->data = arena_grow(w->arena, w->data, SMALL, LARGE);
        w->room = LARGE;
        return;
    }
    write_out(w, (struct str){w->data, w->used});
    w->used = 0;
}

static void
put(struct queue_writer *w, struct str s)
{
    while (s.len > w->room - w->used) {
        if (w->used == 0 && w->room == LARGE) {
            write_out(w, s);
            return;
        }
        make_room(w);
    }
    memcpy(w->data + w->used, s.p, s.len);
    w->used += s.len;
}

/* Parsers let no control byte in; from elsewhere none gets further. */
static struct str
printable(struct arena *a, struct str s, bool *clean)
{
    char *copy = NULL;

    for (size_t i = 0; i < s.len; i++) {
        if (!is_control(s.p[i]))
            continue;
        copy = copy ? copy : arena_cstr(a, s);
        copy[i] = '?';
        *clean = false;
    }
    return copy ? (struct str){copy, s.len} : s;
}

static bool
put_address(struct queue_writer *w, struct str name, struct str addr,
            struct str end)
{
    bool clean = true;

    addr = printable(w->arena, address_quote(w->arena, addr), &clean);
    put(w, name);
    put(w, addr);
    put(w, end);
    w->start += (int64_t)(name.len + addr.len + end.len);
    return clean;
}

void
queue_put_delivery_block(struct queue_writer *w, struct str sender,
                         const struct rcpt *rcpt)
{
    must(w->start == 0 && w->size == 0);

    bool clean = put_address(w, S("Return-Path: <"), sender, S(">\n"));

    if (rcpt == NULL)
        return;

    struct str orig = rcpt->orig.len ? rcpt->orig : rcpt->addr;

    clean &= put_address(w, S("X-Original-To: "), orig, S("\n"));
    clean &= put_address(w, S("Delivered-To: "), rcpt->addr, S("\n"));
    w->claimable = clean;
}

void
queue_put(struct queue_writer *w, struct str content)
{
    if (content.len)
        put(w, content);
    w->size += (int64_t)content.len;
}

int64_t
queue_size(const struct queue_writer *w)
{
    return w->size;
}

static enum rc
failed(struct why *why, int error)
{
    bool full = error == ENOSPC || error == EDQUOT;

    errno = error;
    log_warn("write queue file: %m");
    return fail(why, full ? "4.3.1" : "4.3.0",
                full ? "insufficient system storage"
                     : "queue file write error: %m");
}

/* A small message: everything stands in the buffer and goes out at once. */
static void
write_tail(struct queue_writer *w, struct str tail)
{
    if (tail.len <= w->room - w->used) {
        put(w, tail);
        tail.len = 0;
    }
    write_out(w, (struct str){w->data, w->used});
    write_out(w, tail);
    w->used = 0;
}

static bool
all_fit(const struct str *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (texts[i].len > QUEUE_TEXT_MAX)
            return false;
    return true;
}

/* Else qmgr would not have it (file.h). */
static bool
is_bounded(const struct envelope *e)
{
    const struct str texts[] = {e->sender, e->envid, e->verp, e->filter};
    bool bounded = all_fit(texts, COUNT(texts));

    for (size_t i = 0; bounded && i < e->nrcpts; i++) {
        const struct rcpt *r = &e->rcpts[i];
        const struct str of[] = {r->addr, r->orig, r->orcpt, r->transport,
                                 r->nexthop};

        bounded = all_fit(of, COUNT(of));
    }
    return bounded;
}

enum rc
queue_finish(struct queue_writer *w, const struct envelope *e, struct why *why)
{
    struct buf b = buf_in(w->arena);
    uint64_t end = (uint64_t)(w->start + w->size);
    struct envelope kept = *e;

    must(e->nrcpts > 0);
    if (!is_bounded(e))
        return fail(why, "5.6.0", "an address is too long");
    kept.message_id = str_sub(e->message_id, 0, QUEUE_TEXT_MAX);
    format_envelope(&b, &kept, w->claimable && e->nrcpts == 1);
    if (b.len > FORMAT_BLOCK_MAX)
        return fail(why, "4.5.3", "too many recipients");
    format_footer(&b, 0,
                  &(struct footer){.seal = w->seal,
                                   .content_start = (uint64_t)w->start,
                                   .content_end = end,
                                   .block = end});
    write_tail(w, buf_str(&b));
    if (w->error == 0 && !disk_sync(w->fd))
        w->error = errno;
    return w->error ? failed(why, w->error) : OK;
}
