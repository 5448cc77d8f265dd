/* The end of DATA, and that nothing else ends it; what goes out again. */
#include "mail/enddata.h"

#include "fuzz/fuzz.h"
#include "mail/stuff.h"

struct result {
    struct str text;
    size_t used;
    bool ended;
};

static struct result
scan(struct arena *a, struct str in, unsigned flags, size_t piece)
{
    struct buf out = buf_in(a);
    struct result r = {0};
    struct enddata d;
    size_t len;

    enddata_begin(&d, flags);
    while (r.used < in.len && !d.ended) {
        struct str part = str_sub(in, r.used, piece);

        r.used += enddata_scan(&d, part, buf_space(&out, part.len + 4), &len);
        must(len <= part.len + 4);
        out.len += len;
    }
    if (!d.ended)
        out.len += enddata_finish(&d, buf_space(&out, 4));
    r.ended = d.ended;
    r.text = buf_str(&out);
    return r;
}

/* What was stored goes out and comes in again as the same, and ends there. */
static void
relay(struct arena *a, struct str text)
{
    struct buf wire = buf_in(a);
    struct stuff s;

    stuff_begin(&s, 0, false);
    wire.len += stuff_put(&s, text, buf_space(&wire, stuff_room(&s, text.len)));
    wire.len += stuff_end(&s, buf_space(&wire, 8));

    struct result r = scan(a, buf_str(&wire), 0, wire.len);

    must(r.ended && r.used == wire.len);
    must(str_eq(r.text, text) ||
         (text.p[text.len - 1] != '\n' && r.text.len == text.len + 1));
}

static void
fuzz(struct arena *a, struct str in)
{
    if (in.len < 1)
        return;

    unsigned flags = (unsigned char)in.p[0] & 7;

    in = str_sub(in, 1, in.len);

    struct result r = scan(a, in, flags, in.len), small = scan(a, in, flags, 3);
    struct str seen = str_sub(in, 0, r.used);

    must(r.used == small.used && r.ended == small.ended);
    must(str_eq(r.text, small.text));
    if (r.ended && !(flags & ENDDATA_LAX_END))
        must(str_ends(seen, S("\r\n.\r\n")) || str_eq(seen, S(".\r\n")));
    if (!r.ended && !(flags & ENDDATA_COUNTED))
        must(str_search(in, S("\r\n.\r\n")) < 0);
    if (!(flags & ENDDATA_KEEP_CR)) {
        must(str_find(r.text, '\r') < 0);
        relay(a, r.text);
    }
}

FUZZ(32 << 20)
