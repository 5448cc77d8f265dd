/* Answers of name servers. The first two bytes of the input choose the type
 * that was asked for; the rest is the packet, whose question is taken to be
 * ours, so that the answers behind it are read. */
#include "dns/answer.h"

#include "fuzz/fuzz.h"

/* The name of the packet's own question, as long as it is a plain one. */
static struct str
question(struct arena *a, struct str packet)
{
    struct buf name = buf_in(a);

    for (size_t at = 12; at < packet.len;) {
        size_t len = (unsigned char)packet.p[at++];

        if (len == 0 || len > 63 || len > packet.len - at)
            break;
        if (name.len > 0)
            buf_addc(&name, '.');
        buf_add(&name, str_sub(packet, at, len));
        at += len;
    }
    return buf_str(&name);
}

static void
check_record(const struct dns_record *r, enum dns_type type)
{
    must(r->type == type && r->ttl <= 86400);
    must(type != DNS_A || r->data.len == 4);
    must(type != DNS_AAAA || r->data.len == 16);
    if (type == DNS_PTR || type == DNS_NS || type == DNS_CNAME)
        must(dns_valid_host(r->host));
    if (type == DNS_MX || type == DNS_SRV)
        must(r->host.len == 0 || dns_valid_host(r->host));
}

static void
fuzz(struct arena *a, struct str in)
{
    static const enum dns_type types[] = {DNS_A,   DNS_AAAA, DNS_MX,
                                          DNS_PTR, DNS_NS,   DNS_TXT,
                                          DNS_SRV, DNS_TLSA, DNS_CNAME};
    unsigned char again[DNS_QUERY_MAX];
    struct dns_answer answer;
    bool more;

    if (in.len < 2)
        return;
    enum dns_type type = types[(unsigned char)in.p[0] % COUNT(types)];
    struct str packet = str_sub(in, 1, in.len);
    struct str name = question(a, packet);
    bool good = answer_parse(packet, name, type, a, &answer, &more);

    must(answer.count <= DNS_RECORDS_MAX);
    must(good || (answer.state == DNS_FAILED && answer.count == 0));
    must((answer.state == DNS_FOUND) == (answer.count > 0));
    for (size_t i = 0; i < answer.count; i++)
        check_record(&answer.records[i], type);
    if (more)
        must(answer.state == DNS_NODATA && answer.name.len > 0);
    (void)answer_ask(again, name, type, 1);
    (void)answer_ask(again, packet, type, 1);
}

FUZZ(1 << 20)
