#include "block.h"

#include "mail/address.h"
#include "mail/header.h"

static void
put(const struct job *j, struct buf *b, const char *name, struct str addr,
    bool brackets)
{
    addr = address_quote(j->arena, addr);
    buf_fmt(b, brackets ? "%s: <%.*s>\n" : "%s: %.*s\n", name, STR(addr));
}

struct str
block_make(const struct job *j, const struct job_rcpt *r)
{
    const struct settings *s = j->settings;
    struct buf b = buf_in(j->arena);
    struct str orig = r->in.orig.len > 0 ? r->in.orig : r->in.addr;

    if (s->add_return_path)
        put(j, &b, "Return-Path", j->m.sender, true);
    if (s->add_original_to)
        put(j, &b, "X-Original-To", orig, false);
    if (s->add_delivered_to)
        put(j, &b, "Delivered-To", r->in.addr, false);
    return buf_str(&b);
}

bool
block_loops(const struct job *j, const struct job_rcpt *r,
            const struct content *c)
{
    struct str rest = c->first;
    struct header_field f;

    while (header_next(&rest, &f))
        if (f.id == HEADER_ID_DELIVERED_TO &&
            address_eq(
                address_unquote(j->arena, header_unfold(j->arena, f.body)),
                r->in.addr))
            return true;
    return false;
}
