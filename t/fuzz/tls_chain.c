/* What stands in files of keys and certificates, and in values of
 * tls_server_sni_maps. */
#include "fuzz/fuzz.h"
#include "tls/chain.h"
#include "tls/options.h"
#include "tls/server.h"

static void
look(struct chains *c)
{
    for (size_t i = 0; i < c->list.len; i++) {
        struct chain *one = &c->list.at[i];
        size_t at;

        must(one->key && one->certs.len > 0 && one->certs.len <= CHAIN_CERTS);
        (void)chain_in_order(one, &at);
    }
    must(c->list.len <= CHAIN_KEYS);
    chains_free(c);
}

static void
fuzz(struct arena *a, struct str in)
{
    struct chains chains = {0};
    struct chain certs;
    struct why why;
    uint64_t bits;
    unsigned log;

    (void)a;
    if (chain_read(in, &chains, &why) != OK)
        must(chains.list.len == 0);
    look(&chains);
    if (chain_read_pair(in, in, &chains, &why) == OK)
        must(chains.list.len == 1);
    look(&chains);
    if (chain_read_certs(in, &certs, &why) == OK)
        chain_free(&certs);
    (void)!tls_bits_parse("x", in, &bits, &why);
    (void)!tls_log_parse(in, &log);
}

FUZZ((size_t)1 << 20)
