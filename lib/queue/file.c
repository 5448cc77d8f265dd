#include "queue/file.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/pack.h"
#include "ipc/message.h"
#include "mail/address.h"
#include "queue/format.h"
#include "sys/disk.h"

/* Holds envelope and events of nearly every message. */
#define WINDOW 2048
#define STRIDE 65536

/* A part of the file in memory. */
struct window {
    struct str bytes;
    uint64_t base;
};

/* Blocks of a file, the newest first. */
struct chain {
    struct str *at;
    size_t count, cap;
    struct footer newest;
};

static bool
read_window(struct arena *a, int fd, uint64_t from, uint64_t to,
            struct window *w)
{
    size_t len = (size_t)(to - from);
    char *p = arena_alloc(a, len + 1);
    ssize_t n = disk_read(fd, p, len, (off_t)from);

    if (n >= 0 && (size_t)n < len)
        errno = EIO; /* it shrank under our hands */
    *w = (struct window){
        {p, len},
        from
    };
    return n == (ssize_t)len;
}

static void
chain_add(struct arena *a, struct chain *c, struct str block)
{
    if (c->count == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 8;

        c->at =
            arena_grow(a, c->at, c->cap * sizeof *c->at, cap * sizeof *c->at);
        c->cap = cap;
    }
    c->at[c->count++] = block;
}

/* Check every footer from the one that ends the window to the first. */
static bool
follow(struct arena *a, const struct window *w, int64_t seal, struct chain *c)
{
    struct str bytes = w->bytes;
    struct footer f;

    *c = (struct chain){0};
    for (;;) {
        struct str block;

        if (!format_read_footer(bytes, w->base, seal, &f) ||
            !format_check(bytes, w->base, &f, &block))
            return false;
        if (c->count == 0)
            c->newest = f;
        if (f.seal != c->newest.seal ||
            f.content_start != c->newest.content_start ||
            f.content_end != c->newest.content_end)
            return false;
        chain_add(a, c, block);
        if (f.previous == 0)
            return true;
        bytes = str_sub(w->bytes, 0,
                        (size_t)(f.previous + FORMAT_FOOTER - w->base));
    }
}

/* Is there a state that ends at `end`, the end of the window? */
static bool
state_at(struct arena *a, int fd, const struct window *near, int64_t seal,
         struct chain *c, struct window *tail)
{
    struct footer f;
    uint64_t end = near->base + near->bytes.len;

    if (!format_read_footer(near->bytes, near->base, seal, &f))
        return false;
    *tail = *near;
    if (f.content_end < near->base) {
        if (end - f.content_end > FORMAT_TAIL_MAX ||
            !read_window(a, fd, f.content_end, end, tail))
            return false;
    } else {
        tail->bytes = str_sub(tail->bytes, (size_t)(f.content_end - tail->base),
                              tail->bytes.len);
        tail->base = f.content_end;
    }
    return follow(a, tail, seal, c);
}

/* Search one stretch of the file backwards for the newest state. */
static bool
search_stretch(struct arena *a, int fd, const struct window *w, int64_t seal,
               struct chain *c, struct window *tail, bool *damaged)
{
    if (w->bytes.len < FORMAT_FOOTER)
        return false;
    for (size_t i = w->bytes.len - FORMAT_FOOTER + 1; i-- > 0;) {
        struct window part = {str_sub(w->bytes, 0, i + FORMAT_FOOTER), w->base};
        struct footer f;

        if (w->bytes.p[i] != FORMAT_MAGIC[0] ||
            !format_read_footer(part.bytes, part.base, seal, &f))
            continue;
        if (state_at(a, fd, &part, seal, c, tail))
            return true;
        *damaged = true;
    }
    return false;
}

/*
 * The end of the file is no footer: a write was cut off, or this file was
 * never finished. Only the seal tells our footers from content.
 */
static bool
search(struct arena *a, int fd, uint64_t size, int64_t seal, struct chain *c,
       struct window *tail, bool *damaged)
{
    struct window w;
    uint64_t end = size;
    char *p = arena_alloc(a, STRIDE);

    while (end > 0) {
        uint64_t from = end > STRIDE ? end - STRIDE : 0;
        ssize_t n = disk_read(fd, p, (size_t)(end - from), (off_t)from);

        if (n != (ssize_t)(end - from))
            return false;
        w = (struct window){
            {p, (size_t)n},
            from
        };
        if (search_stretch(a, fd, &w, seal, c, tail, damaged))
            return true;
        /* A footer may lie across the edge. */
        end = from > 0 ? from + FORMAT_FOOTER - 1 : 0;
    }
    return false;
}

/* What goes into packets is bounded here. */
static bool
read_text(struct str *b, struct str *text)
{
    return unpack_text(b, text) && text->len <= QUEUE_TEXT_MAX;
}

static bool
read_origin(struct str *b, struct origin *o)
{
    return read_text(b, &o->name) && read_text(b, &o->addr) &&
           read_text(b, &o->helo) && read_text(b, &o->proto) &&
           read_text(b, &o->login) && unpack_num(b, &o->port);
}

static bool
read_envelope(struct str b, struct queue_file *f)
{
    struct envelope *e = &f->envelope;
    int64_t kind, version, bits, flags, count;

    if (!unpack_num(&b, &kind) || kind != FORMAT_ENVELOPE ||
        !unpack_num(&b, &version) || version != FORMAT_VERSION ||
        !unpack_num(&b, &bits) || !unpack_num(&b, &e->arrived) ||
        !unpack_num(&b, &e->release) || !read_text(&b, &e->sender) ||
        !read_text(&b, &e->envid) || !read_text(&b, &e->verp) ||
        !read_text(&b, &e->filter) || !read_text(&b, &e->message_id) ||
        !unpack_num(&b, &flags) || !read_origin(&b, &e->origin) ||
        !unpack_num(&b, &count) || count < 1 || count > QUEUE_RCPTS_MAX)
        return false;
    e->flags = (unsigned)flags;
    e->nrcpts = (size_t)count;
    f->claimable = bits & FORMAT_CLAIMABLE;
    f->held = e->flags & ENVELOPE_HOLD;
    f->rcpts = b;
    return true;
}

struct queue_cursor
queue_rcpts(const struct queue_file *f)
{
    return (struct queue_cursor){.rest = f->rcpts};
}

bool
queue_next(struct queue_cursor *c, struct rcpt *r)
{
    int64_t notify, same;

    if (c->rest.len == 0 || !read_text(&c->rest, &r->addr) ||
        !read_text(&c->rest, &r->orig) || !read_text(&c->rest, &r->orcpt) ||
        !unpack_num(&c->rest, &notify) || !unpack_num(&c->rest, &same))
        return false;
    if (!same && (!read_text(&c->rest, &c->transport) ||
                  !read_text(&c->rest, &c->nexthop)))
        return false;
    r->notify = (unsigned)notify;
    r->transport = c->transport;
    r->nexthop = c->nexthop;
    c->next++;
    return true;
}

/* A packed recipient has at least five bytes, so this is bounded. */
static bool
rcpts_are_whole(const struct queue_file *f)
{
    struct queue_cursor c = queue_rcpts(f);
    struct rcpt r;

    while (queue_next(&c, &r))
        continue;
    return c.rest.len == 0 && c.next == f->envelope.nrcpts;
}

static bool
read_result(struct str *b, struct queue_result *r)
{
    int64_t state;

    if (!unpack_num(b, &r->index) || !unpack_num(b, &state) || state < 0 ||
        state > QUEUE_FAILED || !unpack_num(b, &r->action) ||
        !unpack_text(b, &r->dsn) || !unpack_text(b, &r->text) ||
        !unpack_text(b, &r->relay) || !unpack_text(b, &r->remote) ||
        !unpack_text(b, &r->reply) || !unpack_text(b, &r->done))
        return false;
    r->state = (enum queue_state)state;
    return true;
}

static void
set_state(struct queue_file *f, size_t i, enum queue_state state)
{
    f->todo += (size_t)(state <= QUEUE_DEFERRED);
    f->todo -= (size_t)(queue_state_of(f, i) <= QUEUE_DEFERRED);
    f->state[i] = (unsigned char)state;
}

static bool
apply_attempt(struct str b, struct queue_file *f)
{
    int64_t count;
    struct queue_result r;

    if (!unpack_num(&b, &f->tried) || !unpack_num(&b, &count))
        return false;
    for (; count > 0 && read_result(&b, &r); count--) {
        if (r.index < 0 || (size_t)r.index >= f->envelope.nrcpts)
            return false;
        set_state(f, (size_t)r.index, r.state);
    }
    return count == 0 && b.len == 0;
}

/* What a mark does to each recipient. */
static void
apply_to_rcpts(struct queue_file *f, enum queue_mark mark)
{
    for (size_t i = 0; i < f->envelope.nrcpts; i++) {
        enum queue_state s = queue_state_of(f, i);

        if (mark == QUEUE_REQUEUE && s == QUEUE_DEFERRED)
            set_state(f, i, QUEUE_TODO);
        if (mark == QUEUE_EXPIRED && s <= QUEUE_DEFERRED)
            set_state(f, i, QUEUE_FAILED);
        if (mark == QUEUE_REPORTED_FAILURE && s == QUEUE_FAILED)
            f->state[i] |= QUEUE_REPORTED;
        if (mark == QUEUE_REPORTED_SUCCESS && s != QUEUE_TODO)
            f->state[i] |= QUEUE_TRACED;
    }
}

static bool
apply_mark(struct str b, struct queue_file *f)
{
    int64_t when, mark;

    if (!unpack_num(&b, &when) || !unpack_num(&b, &mark) || b.len ||
        mark < QUEUE_HOLD || mark >= QUEUE_MARKS)
        return false;
    if (mark == QUEUE_HOLD || mark == QUEUE_RELEASE)
        f->held = mark == QUEUE_HOLD;
    f->forced |= mark == QUEUE_FORCE;
    f->warned |= mark == QUEUE_WARNED;
    f->anew |= mark == QUEUE_REQUEUE || mark == QUEUE_RELEASE;
    if (mark == QUEUE_REQUEUE)
        f->tried = 0;
    apply_to_rcpts(f, (enum queue_mark)mark);
    return true;
}

static bool
apply(struct str b, struct queue_file *f)
{
    int64_t kind;

    if (!unpack_num(&b, &kind))
        return false;
    return kind == FORMAT_ATTEMPT ? apply_attempt(b, f)
           : kind == FORMAT_MARK  ? apply_mark(b, f)
                                  : false;
}

static bool
replay(struct arena *a, const struct chain *c, struct queue_file *f)
{
    if (!read_envelope(c->at[c->count - 1], f) || !rcpts_are_whole(f))
        return false;
    f->blocks = c->at;
    f->nblocks = c->count;
    f->todo = f->envelope.nrcpts;
    f->state = arena_alloc(a, f->envelope.nrcpts);
    for (size_t i = c->count - 1; i-- > 0;)
        if (!apply(c->at[i], f))
            return false;
    return true;
}

static void
set_place(struct queue_file *f, const struct chain *c, const struct window *w,
          uint64_t size)
{
    uint64_t end = w->base + w->bytes.len;

    f->at = (struct queue_place){
        .seal = c->newest.seal,
        .start = (int64_t)c->newest.content_start,
        .stop = (int64_t)c->newest.content_end,
        .previous = (int64_t)end - FORMAT_FOOTER,
        .end = (int64_t)end,
        .torn = end < size,
    };
}

static enum queue_found
found(struct why *why, enum queue_found what, const char *text)
{
    return fail(why, "4.3.0", "%s", text) == OK ? QUEUE_WHOLE : what;
}

enum queue_found
queue_load(struct arena *a, int fd, int64_t seal, struct queue_file *f,
           struct why *why)
{
    struct stat st;
    struct chain chain;
    struct window near, tail;
    bool damaged = false;

    *f = (struct queue_file){0};
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return found(why, QUEUE_UNREADABLE, "not a file");

    uint64_t size = (uint64_t)st.st_size;

    if (!read_window(a, fd, size > WINDOW ? size - WINDOW : 0, size, &near))
        return found(why, QUEUE_UNREADABLE, strerror(errno));
    if (!state_at(a, fd, &near, seal, &chain, &tail) &&
        (seal == 0 || !search(a, fd, size, seal, &chain, &tail, &damaged)))
        return damaged ? found(why, QUEUE_DAMAGED, "checksum error")
                       : found(why, QUEUE_UNFINISHED, "not a complete message");
    set_place(f, &chain, &tail, size);
    if (!replay(a, &chain, f))
        return found(why, QUEUE_DAMAGED, "malformed queue file");
    return QUEUE_WHOLE;
}

static void
results_of_attempt(struct str b, struct queue_result *list)
{
    int64_t kind, when, count;
    struct queue_result r;

    if (!unpack_num(&b, &kind) || kind != FORMAT_ATTEMPT ||
        !unpack_num(&b, &when) || !unpack_num(&b, &count))
        return;
    for (; count > 0 && read_result(&b, &r); count--) {
        r.when = when;
        list[r.index] = r;
    }
}

struct queue_result *
queue_results(struct arena *a, const struct queue_file *f)
{
    size_t n = f->envelope.nrcpts;
    struct queue_result *list = arena_alloc(a, n * sizeof *list);

    for (size_t i = f->nblocks - 1; i-- > 0;)
        results_of_attempt(f->blocks[i], list);
    for (size_t i = 0; i < n; i++) {
        list[i].index = (int64_t)i;
        list[i].state = queue_state_of(f, i);
    }
    return list;
}

bool
queue_reports(const struct queue_file *f, size_t i, const struct rcpt *r,
              const struct queue_result *result, int64_t kind)
{
    enum queue_state s = queue_state_of(f, i);
    bool all = f->envelope.flags & (ENVELOPE_BV | ENVELOPE_VERBOSE);

    /* Who only asked what would be gets one answer. */
    if (f->envelope.flags & ENVELOPE_BV && kind != REPORT_SUCCESS)
        return false;
    switch (kind) {
    case REPORT_FAILURE:
        return s == QUEUE_FAILED && !(f->state[i] & QUEUE_REPORTED) &&
               (r->notify == 0 || r->notify & NOTIFY_FAILURE);
    case REPORT_DELAY:
        return s <= QUEUE_DEFERRED &&
               (r->notify == 0 || r->notify & NOTIFY_DELAY);
    case REPORT_SUCCESS:
        if (f->state[i] & QUEUE_TRACED)
            return false;
        if (all && s != QUEUE_TODO)
            return true;
        return s == QUEUE_SENT && r->notify & NOTIFY_SUCCESS &&
               result->action != ACTION_FORWARDED;
    default:
        return false;
    }
}

/* One line of the delivery block: its name is known, its value an address. */
static bool
take_field(struct arena *a, struct str *text, struct str name, struct str *addr)
{
    struct str line;

    if (!str_skip(text, name) || !str_cut(text, '\n', &line))
        return false;
    *addr = address_unquote(a, line);
    return true;
}

bool
queue_read_delivery_block(struct arena *a, int fd, struct queue_place *at,
                          struct envelope *e)
{
    struct stat st;
    struct rcpt *r = arena_make(a, struct rcpt);
    char *p = arena_alloc(a, WINDOW);
    ssize_t n = disk_read(fd, p, WINDOW, 0);
    struct str text = {p, n > 0 ? (size_t)n : 0};

    *e = (struct envelope){.rcpts = r, .nrcpts = 1};
    if (fstat(fd, &st) < 0 ||
        !take_field(a, &text, S("Return-Path: "), &e->sender) ||
        !take_field(a, &text, S("X-Original-To: "), &r->orig) ||
        !take_field(a, &text, S("Delivered-To: "), &r->addr))
        return false;
    if (str_eq(r->orig, r->addr))
        r->orig = (struct str){NULL, 0};
    e->arrived = (int64_t)st.st_mtim.tv_sec * 1000000;
    at->start = text.p - p;
    at->stop = st.st_size;
    return at->start <= at->stop;
}
