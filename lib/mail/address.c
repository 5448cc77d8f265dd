#include "mail/address.h"

#include "base/buf.h"
#include "mail/atext.h"

bool
address_split(struct str addr, struct str *local, struct str *domain)
{
    ssize_t at = str_rfind(addr, '@');

    if (at < 0) {
        *local = addr;
        *domain = (struct str){0};
        return false;
    }
    *local = str_sub(addr, 0, (size_t)at);
    *domain = str_sub(addr, (size_t)at + 1, addr.len);
    return true;
}

struct str
address_domain(struct str addr)
{
    struct str local, domain;

    address_split(addr, &local, &domain);
    return domain;
}

struct str
address_local(struct str addr)
{
    struct str local, domain;

    address_split(addr, &local, &domain);
    return local;
}

/* Dot-string of RFC 5321: atoms with single dots between them. */
static bool
is_dot_string(struct str s)
{
    if (s.len == 0 || s.p[0] == '.' || s.p[s.len - 1] == '.')
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] == '.' ? s.p[i - 1] == '.' : !is_atext(s.p[i]))
            return false;
    return true;
}

struct str
address_quote_local(struct arena *a, struct str local)
{
    if (local.len == 0 || is_dot_string(local))
        return local;

    struct buf b = buf_in(a);

    buf_addc(&b, '"');
    for (size_t i = 0; i < local.len; i++) {
        if (local.p[i] == '"' || local.p[i] == '\\')
            buf_addc(&b, '\\');
        buf_addc(&b, local.p[i]);
    }
    buf_addc(&b, '"');
    return buf_str(&b);
}

struct str
address_quote(struct arena *a, struct str addr)
{
    struct str local, domain;

    if (!address_split(addr, &local, &domain))
        return address_quote_local(a, addr);
    if (is_dot_string(local))
        return addr;

    struct str quoted = local.len ? address_quote_local(a, local) : S("\"\"");

    return str_from(arena_fmt(a, "%.*s@%.*s", STR(quoted), STR(domain)));
}

struct str
address_unquote(struct arena *a, struct str text)
{
    text = str_trim(text);
    if (text.len >= 2 && text.p[0] == '<' && text.p[text.len - 1] == '>')
        text = str_trim(str_sub(text, 1, text.len - 2));
    if (str_find(text, '"') < 0 && str_find(text, '\\') < 0)
        return text;

    struct buf b = buf_in(a);

    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] == '"')
            continue;
        if (text.p[i] == '\\' && i + 1 < text.len)
            i++;
        buf_addc(&b, text.p[i]);
    }
    return buf_str(&b);
}

bool
address_eq(struct str a, struct str b)
{
    return str_ieq(a, b);
}

/* Names that mail systems use themselves; an extension must not hide them. */
static bool
is_reserved(struct str local)
{
    return str_ieq(local, S("postmaster")) ||
           str_ieq(local, S("mailer-daemon")) ||
           str_ieq(local, S("double-bounce"));
}

bool
address_extension(struct str local, const char *delimiters, struct str *user,
                  struct str *extension)
{
    size_t at = 0;

    *user = local;
    *extension = (struct str){0};
    if (*delimiters == '\0' || is_reserved(local))
        return false;
    if (strchr(delimiters, '-') &&
        (str_istarts(local, S("owner-")) ||
         (local.len > 8 && str_iends(local, S("-request")))))
        return false;
    while (at < local.len &&
           (local.p[at] == '\0' || !strchr(delimiters, local.p[at])))
        at++;
    if (at == 0 || at == local.len)
        return false;
    *user = str_sub(local, 0, at);
    *extension = str_sub(local, at + 1, local.len);
    return true;
}
