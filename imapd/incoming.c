#include "incoming.h"

#define WORK_MAX ((size_t)64 << 20) /* beside the message itself */

void
incoming_begin(struct incoming *in, bool ascii_header)
{
    incoming_drop(in);
    *in = (struct incoming){.ascii_header = ascii_header, .grown = in->grown};
}

void
incoming_hold(struct incoming *in, uint64_t size)
{
    in->held = true;
    in->size = size;
    in->written = 0;
    in->a = arena_new("binary", 2 * (size_t)size + WORK_MAX);
    in->bytes = buf_in(in->a);
    buf_space(&in->bytes, (size_t)size + 1);
}

void
incoming_drop(struct incoming *in)
{
    if (in->encoding)
        binary_end(&in->binary);
    if (in->a)
        arena_free(in->a);
    in->a = NULL;
    in->held = in->encoding = false;
}

/* Is the header's part of these bytes ASCII? It ends at an empty line. */
static bool
header_is_ascii(struct incoming *in, struct str bytes)
{
    for (size_t i = 0; i < bytes.len && !in->in_body; i++) {
        char c = bytes.p[i];

        if (c & 0x80)
            return false;
        if (c == '\n')
            in->in_body = !in->in_line;
        in->in_line = c != '\n' && (in->in_line || c != '\r');
    }
    return true;
}

static enum rc
store(struct incoming *in, struct append *to, struct str bytes, struct why *why)
{
    if (in->ascii_header && !header_is_ascii(in, bytes))
        return fail(why, "5.6.7",
                    "Header fields with bytes over 127 are taken after ENABLE "
                    "UTF8=ACCEPT only");
    return append_write(to, bytes, why);
}

enum rc
incoming_put(struct incoming *in, struct append *to, struct str bytes,
             struct why *why)
{
    if (!in->held)
        return store(in, to, bytes, why);
    buf_add(&in->bytes, bytes);
    return OK;
}

bool
incoming_is_held(const struct incoming *in)
{
    return in->held && in->bytes.len >= in->size;
}

static void
end_held(struct incoming *in)
{
    if (in->written > in->size)
        in->grown += in->written - in->size;
    incoming_drop(in);
}

enum rc
incoming_write_some(struct incoming *in, struct append *to, struct why *why)
{
    struct str piece;
    enum rc rc = OK;

    if (!in->encoding)
        binary_begin(&in->binary, in->a, buf_str(&in->bytes));
    in->encoding = true;
    bool more = binary_next(&in->binary, &piece);

    in->written += piece.len;
    if (more && piece.len > 0)
        rc = store(in, to, piece, why);
    if (rc == OK && !in->binary.good)
        rc = fail(why, "5.6.1", "NUL stands outside of binary parts");
    if (rc != OK || !more)
        end_held(in);
    return rc;
}
