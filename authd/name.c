#include "name.h"

#include "base/buf.h"

static bool
allowed(const char *chars, struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];

        if ((unsigned char)c <= ' ' || c == 127 ||
            (chars[0] && strchr(chars, c) == NULL))
            return false;
    }
    return true;
}

static void
add_case(struct buf *b, struct str s, char how)
{
    for (size_t i = 0; i < s.len; i++)
        buf_addc(b, how == 'L'   ? to_lower(s.p[i])
                    : how == 'U' ? to_upper(s.p[i])
                                 : s.p[i]);
}

static void
add_variable(struct buf *b, struct str name, char which, char how)
{
    struct str domain = name, local;
    bool has = str_cut(&domain, '@', &local);

    switch (which) {
    case 'u':
        add_case(b, name, how);
        return;
    case 'n':
        add_case(b, local, how);
        return;
    case 'd':
        add_case(b, has ? domain : S(""), how);
        return;
    default:
        buf_addc(b, which); /* "%%" */
    }
}

static struct str
format(struct arena *a, const char *f, struct str name)
{
    struct buf b = buf_in(a);

    for (; *f; f++) {
        char how = 0;

        if (*f != '%' || f[1] == '\0') {
            buf_addc(&b, *f);
            continue;
        }
        f++;
        if ((*f == 'L' || *f == 'U') && f[1])
            how = *f++;
        add_variable(&b, name, *f, how);
    }
    return buf_str(&b);
}

bool
name_normalise(struct arena *a, const struct conf *conf, struct str typed,
               struct str *name)
{
    if (typed.len == 0 || typed.len > NAME_MAX_LEN)
        return false;
    *name = typed;
    if (conf->auth_default_realm[0] && str_find(typed, '@') < 0)
        *name = str_from(
            arena_fmt(a, "%.*s@%s", STR(typed), conf->auth_default_realm));
    if (!allowed(conf->auth_username_chars, *name))
        return false;
    if (conf->auth_username_format[0])
        *name = format(a, conf->auth_username_format, *name);
    return name->len > 0 && name->len <= NAME_MAX_LEN;
}

struct str
name_shown(struct arena *a, struct str name)
{
    struct str shown = arena_str(a, str_sub(name, 0, NAME_MAX_LEN));
    char *p = (char *)(uintptr_t)shown.p;

    for (size_t i = 0; i < shown.len; i++)
        if (!is_alnum(p[i]) && strchr("@._+-=%&/!#$*", p[i]) == NULL)
            p[i] = '?';
    return shown;
}
