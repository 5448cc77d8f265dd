/* What a server says to posta import, taken apart. */
#include "mail/imap_reply.h"

#include "fuzz/fuzz.h"

static void
inside(struct str in, struct str part)
{
    must(part.len == 0 || (part.p >= in.p && part.len <= in.len) ||
         part.len < in.len);
}

static void
fuzz(struct arena *a, struct str in)
{
    struct imap_reply r;
    struct str prefix;
    uint64_t size;
    char delimiter;
    uint32_t n;
    bool body;

    (void)imap_reply_literal(in, &size, &body);
    (void)imap_reply_namespace(a, in, &prefix, &delimiter);
    if (!imap_reply_parse(a, in, &r))
        return;
    must(r.tag.len > 0);
    must(r.kind != IMAP_LIST || r.list.name.len > 0);
    inside(in, r.list.name);
    inside(in, r.fetch.bytes);
    (void)imap_reply_has(r.text, S("X"));
    (void)imap_reply_code(r.code, S("UIDVALIDITY"), &n);
}

FUZZ((size_t)16 << 20)
