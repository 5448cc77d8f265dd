#include "queue/drop.h"

#include "base/pack.h"
#include "mail/address.h"

#define MARK "posta drop 1\n"

/* The kinds of records; numbers are part of the format. */
enum {
    DROP_END = 0,
    DROP_SENDER = 1,
    DROP_RCPT = 2,
    DROP_NOTIFY = 3, /* of the recipients that follow */
    DROP_ENVID = 4,
    DROP_VERP = 5,
    DROP_FLAGS = 6,
    DROP_NAME = 7,
};

/* What a user may ask for; everything else is the system's to say. */
#define FLAGS_ALLOWED                                                          \
    (ENVELOPE_8BIT | ENVELOPE_UTF8 | ENVELOPE_RET_HDRS | ENVELOPE_RET_FULL |   \
     ENVELOPE_BV | ENVELOPE_VERBOSE)
#define NOTIFY_ALLOWED                                                         \
    (NOTIFY_NEVER | NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY)

static void
put(struct buf *b, int64_t kind, struct str text)
{
    pack_num(b, kind);
    pack_text(b, text);
}

static void
put_number(struct buf *b, int64_t kind, int64_t value)
{
    struct buf number = buf_in(b->arena);

    pack_num(&number, value);
    put(b, kind, buf_str(&number));
}

void
drop_put(struct buf *b, const struct drop *d)
{
    const struct envelope *e = &d->envelope;
    unsigned notify = 0;

    buf_add(b, S(MARK));
    put(b, DROP_SENDER, e->sender);
    put_number(b, DROP_FLAGS, e->flags);
    if (e->envid.len)
        put(b, DROP_ENVID, e->envid);
    if (e->verp.len)
        put(b, DROP_VERP, e->verp);
    if (d->full_name.len)
        put(b, DROP_NAME, d->full_name);
    for (size_t i = 0; i < e->nrcpts; i++) {
        if (e->rcpts[i].notify != notify)
            put_number(b, DROP_NOTIFY, notify = e->rcpts[i].notify);
        put(b, DROP_RCPT, e->rcpts[i].addr);
    }
    put(b, DROP_END, S(""));
}

/* What is being read. */
struct reading {
    struct arena *arena;
    struct drop *drop;
    unsigned notify;
    size_t room; /* for recipients */
};

static bool
number(struct str text, unsigned allowed, unsigned *value)
{
    int64_t n;

    if (!unpack_num(&text, &n) || text.len || n < 0 || (n & ~(int64_t)allowed))
        return false;
    *value = (unsigned)n;
    return true;
}

static bool
add_rcpt(struct reading *r, struct str addr)
{
    struct envelope *e = &r->drop->envelope;

    if (addr.len == 0 || addr.len > ADDRESS_MAX)
        return false;
    if (e->nrcpts == r->room) {
        size_t room = r->room ? r->room * 2 : 8;

        e->rcpts = arena_grow(r->arena, e->rcpts, r->room * sizeof *e->rcpts,
                              room * sizeof *e->rcpts);
        r->room = room;
    }
    e->rcpts[e->nrcpts++] = (struct rcpt){
        .addr = arena_str(r->arena, addr),
        .notify = r->notify,
    };
    return true;
}

static bool
clean(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 127)
            return false;
    return true;
}

static bool
take(struct reading *r, int64_t kind, struct str text)
{
    struct envelope *e = &r->drop->envelope;

    switch (kind) {
    case DROP_FLAGS:
        return number(text, FLAGS_ALLOWED, &e->flags);
    case DROP_NOTIFY:
        return number(text, NOTIFY_ALLOWED, &r->notify);
    default:
        break;
    }
    if (!clean(text))
        return false;
    switch (kind) {
    case DROP_RCPT:
        return add_rcpt(r, text);
    case DROP_SENDER:
        e->sender = arena_str(r->arena, text);
        return text.len <= ADDRESS_MAX;
    case DROP_ENVID:
        e->envid = arena_str(r->arena, text);
        return text.len <= 100;
    case DROP_VERP:
        e->verp = arena_str(r->arena, text);
        return text.len == 2;
    case DROP_NAME:
        r->drop->full_name = arena_str(r->arena, text);
        return true;
    default:
        return false;
    }
}

enum rc
drop_get(struct arena *a, struct str bytes, struct drop *d, size_t *content,
         struct why *why)
{
    struct reading r = {.arena = a, .drop = d};
    struct str rest = str_sub(bytes, 0, DROP_HEAD_MAX), text;
    int64_t kind;
    size_t all = rest.len;

    *d = (struct drop){0};
    if (!str_skip(&rest, S(MARK)))
        return fail(why, "5.6.0", "this is no maildrop file");
    while (unpack_num(&rest, &kind) && unpack_text(&rest, &text)) {
        if (kind == DROP_END) {
            *content = all - rest.len;
            return OK;
        }
        if (!take(&r, kind, text))
            return fail(why, "5.6.0", "a record of kind %lld is malformed",
                        (long long)kind);
    }
    return fail(why, "5.6.0", "the end of the envelope is missing");
}
