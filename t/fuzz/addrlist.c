/* Address lists in headers: reading and rewriting. */
#include "mail/addrlist.h"

#include "fuzz/fuzz.h"
#include "mail/address.h"

static enum rc
keep(void *self, struct arena *a, struct str addr, struct str *out,
     struct why *why)
{
    (void)self, (void)a, (void)why;
    *out = addr;
    return OK;
}

static enum rc
replace(void *self, struct arena *a, struct str addr, struct str *out,
        struct why *why)
{
    (void)self, (void)a, (void)why;
    *out = str_eq(addr, S("x@y")) ? addr : S("a b@example.org");
    return OK;
}

static void
fuzz(struct arena *a, struct str in)
{
    struct addrlist l = {.rest = in};
    struct addrlist_entry e;
    struct str out;
    struct why why;
    const char *done = in.p;

    while (addrlist_next(a, &l, &e)) {
        must(e.addr.len > 0 && e.spec.p >= done);
        must(e.spec.p + e.spec.len <= in.p + in.len);
        done = e.spec.p;
        (void)addrlist_name(a, e.name);
    }
    must(addrlist_rewrite(a, in, keep, NULL, &out, &why) == OK);
    must(out.p == in.p && out.len == in.len);
    must(addrlist_rewrite(a, in, replace, NULL, &out, &why) == OK);
}

FUZZ(32 << 20)
