#include "queue/listing.h"

void
listing_message(struct buf *b, struct str id, struct str folder,
                const struct queue_file *f)
{
    struct rec_listed r = {.id = id,
                           .queue = folder,
                           .size = f->at.stop - f->at.start,
                           .arrived = f->envelope.arrived,
                           .release = f->envelope.release,
                           .forced = f->forced,
                           .sender = f->envelope.sender};

    pack_num(b, LISTING_MESSAGE);
    put_listed(b, &r);
}

size_t
listing_rcpts(struct arena *a, struct buf *b, const struct queue_file *f,
              size_t from, size_t most)
{
    struct queue_result *last = f->tried ? queue_results(a, f) : NULL;
    struct queue_cursor c = queue_rcpts(f);
    struct rcpt r;

    while (b->len < most && queue_next(&c, &r)) {
        size_t i = c.next - 1;

        if (i < from || queue_state_of(f, i) > QUEUE_DEFERRED)
            continue;
        pack_num(b, LISTING_RCPT);
        put_listed_rcpt(
            b, &(struct rec_listed_rcpt){
                   .addr = r.addr, .reason = last ? last[i].text : S("")});
    }
    return c.rest.len ? c.next : f->envelope.nrcpts;
}

bool
listing_next(struct str *rest, struct listing_record *r)
{
    struct str s = *rest;
    int64_t kind;

    if (!unpack_num(&s, &kind))
        return false;
    r->kind = (enum listing)kind;
    if (kind == LISTING_MESSAGE
            ? !get_listed(&s, &r->message)
            : kind != LISTING_RCPT || !get_listed_rcpt(&s, &r->rcpt))
        return false;
    *rest = s;
    return true;
}
