#include "mail/path.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "mail/address.h"
#include "mail/atext.h"
#include "mail/domain.h"

static enum rc
bad(unsigned flags, struct why *why)
{
    bool sender = flags & PATH_SENDER;

    return fail(why, sender ? "5.1.7" : "5.1.3", "bad %s address syntax",
                sender ? "sender" : "recipient");
}

static void
skip_blanks(struct str *s)
{
    while (s->len > 0 && is_blank(s->p[0]))
        *s = str_sub(*s, 1, s->len);
}

/* Where the path ends: at ">" or, without brackets, at a blank or the end;
 * quoted words are stepped over. -1 where it never ends. */
static ssize_t
find_end(struct str s, bool bracket)
{
    bool quoted = false;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];

        if (c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (bracket ? c == '>' : is_blank(c)))
            return (ssize_t)i;
    }
    return bracket || quoted ? -1 : (ssize_t)s.len;
}

/* Cut the path out of *arg, without brackets. */
static bool
cut_path(struct str *arg, bool strict, bool *bracket, struct str *path)
{
    if (!strict)
        skip_blanks(arg);
    *bracket = str_skip(arg, S("<"));
    if (!*bracket && (strict || arg->len == 0))
        return false;

    ssize_t end = find_end(*arg, *bracket);

    if (end < 0)
        return false;
    *path = str_sub(*arg, 0, (size_t)end);
    *arg = str_sub(*arg, (size_t)end + *bracket, arg->len);
    if (!strict)
        *path = str_trim(*path);
    return arg->len == 0 || is_blank(arg->p[0]);
}

/* Step over "@a,@b:" (RFC 5321 appendix C). A colon in a literal is not its
 * end. */
static bool
skip_route(struct str *path)
{
    bool literal = false;

    if (path->len == 0 || path->p[0] != '@')
        return true;
    for (size_t i = 0; i < path->len; i++) {
        char c = path->p[i];

        if (c == '[' || c == ']')
            literal = c == '[';
        else if (c == ':' && !literal) {
            *path = str_sub(*path, i + 1, path->len);
            return true;
        } else if (!literal && !is_alnum(c) && !strchr("@,.-_", c) &&
                   (unsigned char)c < 128)
            return false;
    }
    return false;
}

/* The length of a quoted word with its quotes, 0 if it is broken; its content
 * goes to b. */
static size_t
take_quoted(struct str s, struct buf *b)
{
    for (size_t i = 1; i < s.len; i++) {
        if (s.p[i] == '"')
            return i + 1;
        if (s.p[i] == '\\' && ++i == s.len)
            return 0;
        if (is_control(s.p[i]))
            return 0;
        buf_addc(b, s.p[i]);
    }
    return 0;
}

/*
 * The local part up to the "@" or the end, unquoted into b; its length in s,
 * or -1. Strict: one dot-string or one quoted word. Else atoms, dots, quoted
 * words and single quoted bytes (RFC 821) in any order.
 */
static ssize_t
take_local(struct str s, bool strict, struct buf *b)
{
    size_t i = 0;

    while (i < s.len && s.p[i] != '@') {
        char c = s.p[i];
        size_t n = 1;

        if (c == '"') {
            n = take_quoted(str_sub(s, i, s.len), b);
            if (n == 0 || (strict && (i > 0 || (n < s.len && s.p[n] != '@'))))
                return -1;
        } else if (c == '\\') {
            n = 2;
            if (strict || i + 1 == s.len || is_control(s.p[i + 1]))
                return -1;
            buf_addc(b, s.p[i + 1]);
        } else if (c == '.') {
            if (strict && (i == 0 || i + 1 == s.len || s.p[i + 1] == '@' ||
                           s.p[i - 1] == '.'))
                return -1;
            buf_addc(b, c);
        } else {
            if (!is_atext(c))
                return -1;
            buf_addc(b, c);
        }
        i += n;
    }
    /* An empty local part would look like "@domain" to tables. */
    return b->len == 0 ? -1 : (ssize_t)i;
}

static bool
too_long(struct str path, size_t local, bool strict)
{
    return path.len > (strict ? 254 : ADDRESS_MAX) || (strict && local > 64);
}

enum rc
path_parse(struct arena *a, struct str *arg, unsigned flags, struct str *addr,
           struct why *why)
{
    bool strict = flags & PATH_STRICT, bracket;
    struct str path;

    if (!cut_path(arg, strict, &bracket, &path) || !skip_route(&path))
        return bad(flags, why);
    *addr = (struct str){"", 0};
    if (path.len == 0)
        return bracket && (flags & PATH_SENDER) ? OK : bad(flags, why);
    if (!utf8_is_ascii(path) && !(flags & PATH_UTF8))
        return fail(why, "5.6.7",
                    "must declare SMTPUTF8 to send unicode address");
    if (path.len > ADDRESS_MAX || !utf8_valid(path))
        return bad(flags, why);

    struct buf b = buf_in(a);
    ssize_t local = take_local(path, strict, &b);

    if (local < 0 || too_long(path, (size_t)local, strict))
        return bad(flags, why);

    bool plain = b.len == (size_t)local; /* nothing was quoted */
    struct str domain = str_sub(path, (size_t)local + 1, path.len);

    if (!strict && domain.len > 1 && domain.p[domain.len - 1] == '.')
        domain.len--;
    if ((size_t)local == path.len) {
        *addr = plain ? path : buf_str(&b);
        /* "user@host" in quotes is a local part, and must stay one. */
        return str_find(*addr, '@') < 0 ? OK : bad(flags, why);
    }
    if (!domain_in_address(domain))
        return bad(flags, why);
    if (plain) {
        *addr = str_sub(path, 0, (size_t)local + 1 + domain.len);
        return OK;
    }
    buf_addc(&b, '@');
    buf_add(&b, domain);
    *addr = buf_str(&b);
    return OK;
}
