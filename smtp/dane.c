#include "dane.h"

#include "base/log.h"

bool
dane_parse(struct str data, struct tls_record *out)
{
    if (data.len < 4)
        return false;
    out->usage = (uint8_t)data.p[0];
    out->selector = (uint8_t)data.p[1];
    out->matching = (uint8_t)data.p[2];
    out->data = str_sub(data, 3, data.len);
    return true;
}

static void
take(const struct tls_settings *s, const struct dns_answer *answer,
     struct arena *a, struct dane *out)
{
    out->records = arena_alloc(a, sizeof *out->records * (answer->count + 1));
    out->count = 0;
    for (size_t i = 0; i < answer->count; i++) {
        struct tls_record *r = &out->records[out->count];

        if (dane_parse(answer->records[i].data, r) &&
            tls_client_can_use(s->client, r))
            out->count++;
    }
}

/* The records of one name. */
static enum dane_found
ask(const struct tls_settings *s, struct dns *dns, struct str host,
    unsigned port, struct arena *a, struct dane *out)
{
    struct str name = str_from(arena_fmt(a, "_%u._tcp.%.*s", port, STR(host)));
    struct dns_answer answer;
    struct why why;

    out->base = host;
    if (dns_lookup(dns, name, DNS_TLSA, a, &answer, &why) != OK) {
        if (answer.state == DNS_NXDOMAIN || answer.state == DNS_NODATA)
            return DANE_NONE;
        log_warn("TLSA lookup of %.*s: %s", STR(name), why.text);
        return DANE_FAILED;
    }
    if (!answer.secure)
        return DANE_NONE;
    take(s, &answer, a, out);
    return out->count > 0 ? DANE_FOUND : DANE_UNUSABLE;
}

/* An alias that is signed may lead to a name that is not; records may stand
 * at the alias then (RFC 7672 2.2.2). */
static bool
is_signed_alias(struct dns *dns, struct str host, struct arena *a)
{
    struct dns_answer answer;
    struct why why;

    return dns_lookup(dns, host, DNS_CNAME, a, &answer, &why) == OK &&
           answer.secure;
}

/*
 * Where the host's own address is not signed nobody asks for TLSA records:
 * they cannot be signed either, and name servers of such zones are known to
 * drop questions they do not understand.
 */
enum dane_found
dane_find(const struct tls_settings *s, struct dns *dns, const struct target *t,
          unsigned port, struct arena *a, struct dane *out)
{
    bool alias = !str_ieq(t->host, t->owner);

    *out = (struct dane){0};
    if (!t->secure && !s->force_tlsa &&
        !(alias && is_signed_alias(dns, t->host, a)))
        return DANE_NONE;
    if (!t->secure)
        return ask(s, dns, t->host, port, a, out);

    enum dane_found found = ask(s, dns, t->owner, port, a, out);

    if (found == DANE_NONE && alias)
        found = ask(s, dns, t->host, port, a, out);
    return found;
}
