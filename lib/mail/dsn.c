#include "mail/dsn.h"

#include "base/buf.h"
#include "mail/xtext.h"

static const struct {
    const char *name;
    unsigned bit;
} notify_names[] = {
    {"NEVER",   NOTIFY_NEVER  },
    {"SUCCESS", NOTIFY_SUCCESS},
    {"FAILURE", NOTIFY_FAILURE},
    {"DELAY",   NOTIFY_DELAY  },
};

static unsigned
notify_bit(struct str name)
{
    for (size_t i = 0; i < COUNT(notify_names); i++)
        if (str_ieq(name, str_from(notify_names[i].name)))
            return notify_names[i].bit;
    return 0;
}

bool
dsn_parse_notify(struct str text, unsigned *notify)
{
    unsigned bits = 0;
    bool more = true;
    struct str name;

    while (more) {
        more = str_cut(&text, ',', &name);

        unsigned bit = notify_bit(name);

        if (bit == 0 || bits & bit || bits & NOTIFY_NEVER ||
            (bit == NOTIFY_NEVER && bits))
            return false;
        bits |= bit;
    }
    *notify = bits;
    return true;
}

struct str
dsn_notify_text(struct arena *a, unsigned notify)
{
    struct buf b = buf_in(a);

    for (size_t i = 0; i < COUNT(notify_names); i++)
        if (notify & notify_names[i].bit)
            buf_fmt(&b, "%s%s", b.len ? "," : "", notify_names[i].name);
    return buf_str(&b);
}

bool
dsn_parse_ret(struct str text, unsigned *ret)
{
    if (str_ieq(text, S("FULL")))
        *ret = ENVELOPE_RET_FULL;
    else if (str_ieq(text, S("HDRS")))
        *ret = ENVELOPE_RET_HDRS;
    else
        return false;
    return true;
}

/* What ends up in reports and logs has no control bytes, encoded or not. */
static bool
is_printable(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] < 32 || s.p[i] == 127)
            return false;
    return true;
}

bool
dsn_parse_envid(struct arena *a, struct str text, struct str *envid)
{
    return text.len > 0 && text.len <= 100 && xtext_decode(a, text, envid) &&
           is_printable(*envid);
}

static bool
is_type(struct str type)
{
    for (size_t i = 0; i < type.len; i++)
        if (!is_alnum(type.p[i]) && type.p[i] != '-')
            return false;
    return type.len > 0;
}

bool
dsn_parse_orcpt(struct arena *a, struct str text, struct str *orcpt)
{
    struct str type, addr = text;

    if (text.len > 500 || !str_cut(&addr, ';', &type) || !is_type(type) ||
        addr.len == 0)
        return false;

    bool ok = str_ieq(type, S("utf-8")) ? xtext_decode_utf8(a, addr, &addr)
                                        : xtext_decode(a, addr, &addr);

    if (!ok || !is_printable(addr))
        return false;
    *orcpt = str_from(arena_fmt(a, "%.*s;%.*s", STR(type), STR(addr)));
    return true;
}

struct str
dsn_orcpt_text(struct arena *a, struct str orcpt, bool utf8)
{
    struct str type, addr = orcpt;

    str_cut(&addr, ';', &type);

    struct str text = str_ieq(type, S("utf-8"))
                          ? (utf8 ? xtext_encode_unitext(a, addr)
                                  : xtext_encode_utf8(a, addr))
                          : xtext_encode(a, addr);

    return str_from(arena_fmt(a, "%.*s;%.*s", STR(type), STR(text)));
}

/* One number of a code: 1 to 3 digits, no zero in front. */
static bool
skip_number(struct str *s)
{
    size_t n = 0;

    while (n < s->len && n < 4 && is_digit(s->p[n]))
        n++;
    if (n == 0 || n > 3 || (n > 1 && s->p[0] == '0'))
        return false;
    *s = str_sub(*s, n, s->len);
    return true;
}

static bool
skip_code(struct str *s)
{
    return s->len > 1 && strchr("245", s->p[0]) && s->p[1] == '.' &&
           skip_number(s) && str_skip(s, S(".")) && skip_number(s) &&
           str_skip(s, S(".")) && skip_number(s);
}

bool
dsn_cut_code(struct str *text, char code[10])
{
    struct str rest = *text;

    if (!skip_code(&rest) || (rest.len > 0 && !is_blank(rest.p[0])))
        return false;

    size_t len = text->len - rest.len;

    memcpy(code, text->p, len);
    code[len] = '\0';
    while (rest.len > 0 && is_blank(rest.p[0]))
        rest = str_sub(rest, 1, rest.len);
    *text = rest;
    return true;
}

bool
dsn_is_code(struct str text)
{
    return skip_code(&text) && text.len == 0;
}
