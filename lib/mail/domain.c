#include "mail/domain.h"

#include <arpa/inet.h>

static bool
is_label_byte(char c)
{
    return is_alnum(c) || c == '-' || c == '_' || (unsigned char)c > 127;
}

static bool
is_label(struct str label)
{
    if (label.len == 0 || label.len > 63 || label.p[0] == '-' ||
        label.p[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++)
        if (!is_label_byte(label.p[i]))
            return false;
    return true;
}

bool
domain_is_hostname(struct str name)
{
    bool numeric = true, more = true;
    struct str label;

    if (name.len == 0 || name.len > 255)
        return false;
    for (size_t i = 0; i < name.len; i++)
        numeric = numeric && (is_digit(name.p[i]) || name.p[i] == '.');
    if (numeric)
        return false;
    while (more) {
        more = str_cut(&name, '.', &label);
        if (!is_label(label))
            return false;
    }
    return true;
}

bool
domain_is_fqdn(struct str name)
{
    return str_find(name, '.') > 0 && domain_is_hostname(name);
}

bool
domain_is_utf8(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.p[i] > 127)
            return true;
    return false;
}

static bool
is_ip(int family, struct str text)
{
    char copy[INET6_ADDRSTRLEN], bytes[16];

    if (text.len == 0 || text.len >= sizeof copy || str_find(text, '\0') >= 0)
        return false;
    memcpy(copy, text.p, text.len);
    copy[text.len] = '\0';
    return inet_pton(family, copy, bytes) == 1;
}

bool
domain_is_ip(struct str text)
{
    return is_ip(AF_INET, text) || is_ip(AF_INET6, text);
}

bool
domain_is_literal(struct str name, struct str *ip)
{
    if (name.len < 3 || name.p[0] != '[' || name.p[name.len - 1] != ']')
        return false;

    struct str text = str_sub(name, 1, name.len - 2);
    int family = str_iskip(&text, S("IPv6:")) ? AF_INET6 : AF_INET;

    if (!is_ip(family, text))
        return false;
    if (ip)
        *ip = text;
    return true;
}

bool
domain_in_address(struct str name)
{
    char last = '.';

    if (name.len > 255)
        return false;
    if (domain_is_literal(name, NULL))
        return true;
    for (size_t i = 0; i < name.len; last = name.p[i++])
        if (name.p[i] == '.' ? last == '.' : !is_label_byte(name.p[i]))
            return false;
    return last != '.';
}

bool
domain_is_under(struct str name, struct str domain)
{
    if (name.len <= domain.len)
        return str_ieq(name, domain);
    return domain.len > 0 && str_iends(name, domain) &&
           name.p[name.len - domain.len - 1] == '.';
}
