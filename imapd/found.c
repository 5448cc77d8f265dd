#include "found.h"

#include <stdlib.h>
#include <string.h>

#include "finder.h"
#include "store/ranges.h"

/* RFC 4731 3.2, RFC 9394 3.2: which of them count, where not all are told. */
static bool
tells_all(const struct search *c)
{
    return !c->extended || c->returns & (RETURN_ALL | RETURN_COUNT) ||
           (!c->partial.asked && !(c->returns & (RETURN_MIN | RETURN_MAX)));
}

/* Is it among those that MIN, MAX and PARTIAL choose? */
static bool
is_told(const struct search *c, size_t i, size_t count)
{
    size_t from = 0, to = 0;

    if (tells_all(c) || (c->returns & RETURN_MIN && i == 0) ||
        (c->returns & RETURN_MAX && i == count - 1))
        return true;
    if (c->partial.asked)
        partial_range(&c->partial, count, &from, &to);
    return i >= from && i < to;
}

static uint64_t
highest(const struct search *c, const struct hit *hits, size_t count)
{
    uint64_t modseq = 0;

    for (size_t i = 0; i < count; i++)
        if (hits[i].modseq > modseq && is_told(c, i, count))
            modseq = hits[i].modseq;
    return modseq;
}

void
found_say(struct session *s, const struct command *c, const struct finder *f,
          const struct found_where *where)
{
    const struct hit *hits = f->hits.at;
    size_t count = f->hits.len;
    uint32_t *numbers = arena_alloc(s->command, (count + 1) * sizeof *numbers);
    struct found found = {.numbers = numbers};
    struct buf b = buf_in(s->command), name = buf_in(s->command);
    bool uids = c->uid || where;

    for (size_t i = 0; i < count; i++) {
        uint32_t seq = view_seq(f->q.view, hits[i].uid);

        if (seq)
            numbers[found.count++] = uids ? hits[i].uid : seq;
    }
    if (f->q.by_modseq)
        found.modseq = highest(&c->search, hits, count);
    if (where) {
        put_mailbox(s, &name, where->mailbox);
        found.mailbox = buf_str(&name);
        found.uidvalidity = where->uidvalidity;
    }
    put_found(&b, c, &found);
    conn_put(s->conn, buf_str(&b));
}

void
found_forget(struct session *s)
{
    free((void *)(uintptr_t)s->saved.at);
    s->saved = (struct uid_set){0};
}

void
found_save(struct session *s, const struct search *c, const struct hit *hits,
           size_t count)
{
    struct uids uids = {0};
    struct uid_set set;
    struct uid_range *at;

    found_forget(s);
    for (size_t i = 0; i < count; i++)
        if (is_told(c, i, count))
            *vec_add(&uids.list) = hits[i].uid;
    if (uids.list.len == 0)
        return;
    uids_sort(&uids);
    set = uids_take(&uids, s->command);
    at = malloc(set.len * sizeof *at);
    must(at != NULL);
    memcpy(at, set.at, set.len * sizeof *at);
    s->saved = (struct uid_set){at, set.len};
}
