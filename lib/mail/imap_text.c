#include "mail/imap_text.h"

#include "base/utf8.h"

/* U+FFFD: what no string may hold. */
#define NUL "\xef\xbf\xbd"

bool
imap_is_atom_char(char c)
{
    return c > ' ' && c < 127 && !strchr("(){%*\"\\", c);
}

/* No line end, no NUL, and whatever is not ASCII is UTF-8. Long texts go as
 * literals: readers are known that hold a quoted string in a small buffer. */
static bool
fits_quotes(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == '\0')
            return false;
    return s.len <= 4096 && utf8_valid(s);
}

static void
put_quoted(struct buf *b, struct str s)
{
    buf_addc(b, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            buf_addc(b, '\\');
        buf_addc(b, s.p[i]);
    }
    buf_addc(b, '"');
}

static void
put_literal(struct buf *b, struct str s)
{
    size_t len = s.len;

    for (size_t i = 0; i < s.len; i++)
        len += s.p[i] ? 0 : sizeof NUL - 2;
    buf_fmt(b, "{%zu}\r\n", len);
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i])
            buf_addc(b, s.p[i]);
        else
            buf_add(b, S(NUL));
}

void
imap_put_string(struct buf *b, struct str s)
{
    if (fits_quotes(s))
        put_quoted(b, s);
    else
        put_literal(b, s);
}

void
imap_put_nstring(struct buf *b, struct str s)
{
    if (s.p)
        imap_put_string(b, s);
    else
        buf_add(b, S("NIL"));
}

void
imap_put_astring(struct buf *b, struct str s)
{
    bool atom = s.len > 0 && !str_ieq(s, S("NIL"));

    for (size_t i = 0; i < s.len && atom; i++)
        atom = imap_is_atom_char(s.p[i]) && s.p[i] != ']';
    if (atom)
        buf_add(b, s);
    else
        imap_put_string(b, s);
}

/* The length of the quoted string that s begins with. */
static size_t
quoted_len(struct str s)
{
    size_t i = 1;

    while (i < s.len && s.p[i] != '"')
        i += s.p[i] == '\\' ? 2 : 1;
    return i + 1 < s.len ? i + 1 : s.len;
}

/* The length of the literal that s begins with. */
static size_t
literal_len(struct str s)
{
    struct str rest = str_sub(s, 1, s.len), digits;
    uint64_t size;

    if (!str_cut(&rest, '}', &digits) || !str_num(digits, &size) ||
        !str_skip(&rest, S("\r\n")) || size > rest.len)
        return 1;
    return s.len - rest.len + size;
}

static void
put_unquoted_literal(struct buf *b, struct str quoted)
{
    struct str inner = str_sub(quoted, 1, quoted.len - 2);
    size_t len = inner.len;

    for (size_t i = 0; i < inner.len; i++)
        if (inner.p[i] == '\\') {
            len--;
            i++;
        }
    buf_fmt(b, "{%zu}\r\n", len);
    for (size_t i = 0; i < inner.len; i++) {
        if (inner.p[i] == '\\' && i + 1 < inner.len)
            i++;
        buf_addc(b, inner.p[i]);
    }
}

void
imap_put_narrow(struct buf *b, struct str wide)
{
    if (utf8_is_ascii(wide)) {
        buf_add(b, wide);
        return;
    }
    while (wide.len > 0) {
        size_t len = 1;

        if (wide.p[0] == '"')
            len = quoted_len(wide);
        else if (wide.p[0] == '{')
            len = literal_len(wide);

        struct str piece = str_sub(wide, 0, len);

        if (piece.p[0] == '"' && !utf8_is_ascii(piece))
            put_unquoted_literal(b, piece);
        else
            buf_add(b, piece);
        wide = str_sub(wide, piece.len, wide.len);
    }
}
