#include "ldap_text.h"

/* A hexadecimal escape is right in both, at any place; so whatever is not
 * harmless everywhere gets one. */
void
ldap_escape(struct buf *b, enum ldap_escape how, struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.p[i];
        bool plain = is_alnum(value.p[i]) || c == '.' || c == '-' || c == '_' ||
                     c == '@' || (c > 127 && how == LDAP_ESCAPE_DN);

        if (plain)
            buf_addc(b, value.p[i]);
        else
            buf_fmt(b, "\\%02x", c);
    }
}

char *
ldap_fill(struct arena *a, const char *template, enum ldap_escape how,
          struct str user)
{
    struct buf b = buf_in(a);
    struct str domain = user, local;
    bool has = str_cut(&domain, '@', &local);

    for (const char *t = template; *t; t++) {
        if (*t != '%' || t[1] == '\0') {
            buf_addc(&b, *t);
            continue;
        }
        switch (*++t) {
        case 'u':
            ldap_escape(&b, how, user);
            break;
        case 'n':
            ldap_escape(&b, how, local);
            break;
        case 'd':
            ldap_escape(&b, how, has ? domain : S(""));
            break;
        default:
            buf_addc(&b, *t);
        }
    }
    return arena_cstr(a, buf_str(&b));
}
