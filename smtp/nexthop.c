#include "nexthop.h"

#include "settings.h"

bool
nexthop_cut(struct str *list, struct str *one)
{
    return str_word(list, ", \t\r\n", one);
}

static enum rc
bad(struct str text, const char *what, struct why *why)
{
    return fail(why, "4.3.5", "bad next hop \"%.*s\": %s", STR(text), what);
}

/* "host", "host:port" and their forms in brackets. */
static enum rc
parse_host(struct str text, struct nexthop *out, struct str *port,
           struct why *why)
{
    struct str rest = text;

    *port = (struct str){0};
    if (str_skip(&rest, S("["))) {
        out->kind = NEXTHOP_HOST;
        if (!str_cut(&rest, ']', &out->host))
            return bad(text, "missing \"]\"", why);
        str_iskip(&out->host, S("ipv6:"));
        if (rest.len > 0 && !str_skip(&rest, S(":")))
            return bad(text, "garbage after \"]\"", why);
        *port = rest;
    } else {
        out->kind = NEXTHOP_DOMAIN;
        str_cut(&rest, ':', &out->host);
        *port = rest;
    }
    if (out->host.len == 0)
        return bad(text, "no host", why);
    return OK;
}

enum rc
nexthop_parse(struct str text, bool lmtp, unsigned default_port,
              struct nexthop *out, struct why *why)
{
    struct str port;

    *out = (struct nexthop){.text = text, .port = default_port};
    if (lmtp && str_skip(&text, S("unix:"))) {
        out->kind = NEXTHOP_UNIX;
        out->host = text;
        out->port = 0;
        return text.len > 0 ? OK : bad(out->text, "no path", why);
    }
    if (lmtp)
        str_skip(&text, S("inet:"));
    if (parse_host(text, out, &port, why) != OK)
        return TEMP;
    if (port.len > 0 && (out->port = settings_port(port)) == 0)
        return bad(out->text, "unknown port", why);
    return OK;
}
