/* UIDBATCHES: RFC 10022. The view has the UIDs in order, so a batch costs two
 * look-ups. */
#include "mail/imap_text.h"
#include "session.h"

#define SMALLEST 500    /* 3.1.3.2 */
#define SPAN_MAX 100000 /* messages of a range of batches (3.1.5) */

/* Batch 1 has the highest UIDs; the last one goes down to UID 1. */
static void
put_batches(const struct session *s, struct buf *b, const struct uidbatches *c)
{
    uint64_t count = view_count(s->view);
    uint64_t last = (count + c->size - 1) / c->size;
    uint64_t to = c->to > 0 && c->to < last ? c->to : last;
    char mark = ' ';

    for (uint64_t i = c->from > 0 ? c->from : 1; i <= to; i++) {
        uint64_t high = count - (i - 1) * c->size;
        uint64_t low = i < last ? high - c->size + 1 : 0;

        buf_fmt(b, "%c%u:%u", mark, view_uid(s->view, (uint32_t)high),
                low > 0 ? view_uid(s->view, (uint32_t)low) : 1);
        mark = ',';
    }
}

/* 3.1.1: the same again is for when much has come or gone. */
static bool
is_too_often(const struct session *s, const struct uidbatches *c)
{
    const struct uidbatches *last = &s->batches.asked;
    uint32_t old = view_rank(s->view, s->batches.next);
    uint32_t gone = s->batches.count - old, come = view_count(s->view) - old;

    return s->batches.count > 0 && last->size == c->size &&
           last->from == c->from && last->to == c->to && gone <= c->size / 2 &&
           come <= c->size / 2;
}

void
do_uidbatches(struct session *s, const struct command *c)
{
    const struct uidbatches *want = &c->batches;
    uint64_t batches = (uint64_t)want->to - want->from + 1;
    struct buf b = buf_in(s->command);

    if (want->size < SMALLEST) {
        reply_no(s, "[TOOFEW] Minimum batch size is %d", SMALLEST);
        return;
    }
    if (want->from > 0 && batches > SPAN_MAX / want->size && batches > 1) {
        reply_no(s, "[TOOMANY] A range has %d messages at most", SPAN_MAX);
        return;
    }
    if (is_too_often(s, want)) {
        reply_no(s, "[LIMIT] These are still the batches");
        return;
    }
    s->batches.asked = *want;
    s->batches.count = view_count(s->view);
    s->batches.next = view_next(s->view);
    buf_add(&b, S("* UIDBATCHES (TAG "));
    imap_put_string(&b, c->tag);
    buf_addc(&b, ')');
    put_batches(s, &b, want);
    buf_add(&b, S("\r\n"));
    conn_put(s->conn, buf_str(&b));
    reply_ok(s, "Batches told");
}
