/*
 * What TLS is to be: the first byte chooses between a row of a policy table
 * and a TLSA record, as it comes from a name server. A record that is said to
 * be usable must be one the library takes.
 */
#include <openssl/ssl.h>

#include "fuzz/fuzz.h"
#include "smtp/dane.h"
#include "smtp/tls_row.h"

static struct tls_client *
client(void)
{
    static const struct tls_client_options options = {
        .ca_file = "",
        .ca_path = "",
        .depth = 9,
        .print_digest = "sha256",
        .dane_digests = "sha512 sha256 sha384=3"};
    static struct arena *life;
    static struct tls_client *c;
    struct why why;

    if (c == NULL) {
        life = arena_new("client", 1 << 20);
        c = tls_client_new(life, &options, &why);
    }
    must(c != NULL);
    return c;
}

static void
row(struct arena *a, struct str text)
{
    static const struct tls_grades grades = {"HIGH", "MEDIUM", "LOW", "EXPORT",
                                             "NULL"};
    struct tls_protocols protocols;
    struct tls_row r;
    struct str print;
    struct why why;
    const char *list;

    if (tls_row_parse(a, text, &r, NULL, &why) != OK) {
        must(why.text[0] != '\0');
        return;
    }
    must(r.level == TLS_VERIFY || r.level == TLS_SECURE ||
         r.anchors.count == 0);
    for (size_t i = 0; i < r.match.count; i++)
        if (tls_print_parse(a, r.match.at[i], &print))
            must(print.len % 3 == 2);
    (void)!tls_protocols_parse(r.protocols, &protocols, &why);
    (void)!tls_ciphers_make(a, &grades, r.ciphers, r.exclude, &list, &why);
}

static void
record(struct arena *a, struct str data)
{
    struct tls_record r;
    struct tls_demand d = {.level = TLS_DANE,
                           .ciphers = "DEFAULT",
                           .sni = "mx.test",
                           .records = &r,
                           .record_count = 1};
    struct why why;

    if (!dane_parse(data, &r) || !tls_client_can_use(client(), &r))
        return;
    must(r.usage == TLSA_CA || r.usage == TLSA_SERVER);
    SSL *ssl = tls_client_session(client(), &d, S("mx.test"), a, &why);

    must(ssl != NULL);
    SSL_free(ssl);
}

static void
fuzz(struct arena *a, struct str in)
{
    if (in.len < 1)
        return;
    if (in.p[0] & 1)
        record(a, str_sub(in, 1, in.len));
    else
        row(a, str_sub(in, 1, in.len));
}

FUZZ((size_t)16 << 20)
