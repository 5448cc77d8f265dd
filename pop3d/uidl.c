#include "uidl.h"

#include <string.h>

#include "base/buf.h"

#define WIDTH_MAX 20

struct piece {
    char letter; /* u, v, f, g; 0: the character `plain` itself; '?': neither */
    char plain;
    bool hex, zero;
    int width;
};

/* The next piece of a format that is not over. */
static struct piece
next(const char **format)
{
    const char *p = *format;
    struct piece it = {0};

    if (*p != '%' || p[1] == '%') {
        it.plain = *p;
        *format = p + (*p == '%' ? 2 : 1);
        return it;
    }
    p++;
    it.zero = *p == '0';
    while (*p >= '0' && *p <= '9' && it.width <= WIDTH_MAX)
        it.width = 10 * it.width + (*p++ - '0');
    it.hex = *p == 'X';
    p += it.hex;
    it.letter = *p && strchr("uvfg", *p) && it.width <= WIDTH_MAX ? *p : '?';
    if (it.width > 0 && !it.zero)
        it.letter = '?'; /* blanks, which cannot be in a unique id */
    if ((it.letter == 'f' || it.letter == 'g') && (it.width > 0 || it.hex))
        it.letter = '?';
    *format = p + (*p != '\0');
    return it;
}

enum rc
uidl_check(const char *format, struct why *why)
{
    size_t longest = 0;
    bool has_uid = false;

    for (const char *p = format; *p != '\0';) {
        struct piece it = next(&p);

        if (it.letter == '?')
            return fail(why, "5.3.5",
                        "pop3_uidl_format = %s: only %%u, %%v, %%f and %%g are "
                        "known, as in %%08Xu%%08Xv",
                        format);
        if (it.letter == 0 && (it.plain < '!' || it.plain > '~'))
            return fail(why, "5.3.5",
                        "pop3_uidl_format = %s: blanks and the like cannot be "
                        "in it",
                        format);
        has_uid |= it.letter == 'u' || it.letter == 'f' || it.letter == 'g';
        longest += it.letter == 0 ? 1 : it.width > 10 ? (size_t)it.width : 10;
    }
    if (!has_uid)
        return fail(why, "5.3.5",
                    "pop3_uidl_format = %s: must have %%u, %%f or %%g, or all "
                    "messages are one to clients",
                    format);
    if (longest > UIDL_MAX)
        return fail(why, "5.3.5",
                    "pop3_uidl_format = %s: comes to more than %d characters",
                    format, UIDL_MAX);
    return OK;
}

static void
put_number(struct buf *b, const struct piece *it, uint32_t n)
{
    if (it->hex)
        buf_fmt(b, "%0*x", it->width, n);
    else
        buf_fmt(b, "%0*u", it->width, n);
}

/* Names may have been given by others. */
static void
put_name(struct buf *b, struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        buf_addc(b, name.p[i] < '!' || name.p[i] > '~' ? '_' : name.p[i]);
}

bool
uidl_names(const char *format)
{
    while (*format != '\0') {
        struct piece it = next(&format);

        if (it.letter == 'f' || it.letter == 'g')
            return true;
    }
    return false;
}

struct str
uidl_make(struct arena *a, const char *format, const struct uidl_facts *facts)
{
    struct buf b = buf_in(a);

    while (*format != '\0') {
        struct piece it = next(&format);

        if (it.letter == 0)
            buf_addc(&b, it.plain);
        else if (it.letter == 'f')
            put_name(&b, facts->file);
        else if (it.letter == 'g')
            put_name(&b, facts->guid);
        else
            put_number(&b, &it,
                       it.letter == 'u' ? facts->uid : facts->validity);
    }
    return buf_str(&b);
}
