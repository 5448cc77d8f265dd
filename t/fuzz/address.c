/* Paths of MAIL and RCPT, the forms of an address, domains. */
#include "mail/address.h"
#include "fuzz/fuzz.h"
#include "mail/domain.h"
#include "mail/path.h"

/* An address that was let in has a domain that may be one, can be written and
 * be read again, and ends no line. */
static void
check(struct arena *a, struct str addr)
{
    struct str local, domain, again, user, extension;
    struct why why;

    if (address_split(addr, &local, &domain))
        must(domain_in_address(domain) && local.len > 0);
    must(str_find(addr, '\n') < 0 && str_find(addr, '\r') < 0);
    (void)address_extension(local, "+-", &user, &extension);
    if (addr.len == 0)
        return;

    struct str external = address_quote(a, addr);
    struct str path = str_from(arena_fmt(a, "<%.*s>", STR(external)));

    must(str_eq(address_unquote(a, external), addr));
    if (path.len > 300)
        return;

    enum rc rc = path_parse(a, &path, PATH_UTF8, &again, &why);

    must(rc == OK && path.len == 0 && str_eq(again, addr));
}

static void
fuzz(struct arena *a, struct str in)
{
    struct why why;

    for (unsigned flags = 0; flags < 8; flags++) {
        struct str arg = in, addr;

        if (path_parse(a, &arg, flags, &addr, &why) == OK)
            check(a, addr);
    }
    (void)address_unquote(a, in);
    (void)address_quote(a, in);
    must(!domain_is_fqdn(in) || domain_is_hostname(in));
    must(!domain_is_hostname(in) || domain_in_address(in));
}

FUZZ(1 << 20)
