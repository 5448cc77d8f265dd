#include "auth/ticket.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/pack.h"
#include "mail/base64.h"

#define SEAL 32

static bool
seal(const unsigned char key[TICKET_KEY], struct str body,
     unsigned char out[SEAL])
{
    unsigned len = SEAL;

    return HMAC(EVP_sha256(), key, TICKET_KEY, (const unsigned char *)body.p,
                body.len, out, &len) != NULL;
}

struct str
ticket_make(struct arena *a, const unsigned char key[TICKET_KEY], int64_t now,
            struct str service, struct str user, struct str fields)
{
    unsigned char sealed[SEAL];
    struct buf b = buf_in(a), text = buf_in(a);

    pack_num(&b, now + TICKET_LIFE);
    pack_text(&b, service);
    pack_text(&b, user);
    pack_text(&b, fields);
    must(seal(key, buf_str(&b), sealed));
    buf_add(&b, (struct str){(const char *)sealed, SEAL});
    base64_encode(&text, buf_str(&b));
    return buf_str(&text);
}

enum rc
ticket_open(struct arena *a, const unsigned char key[TICKET_KEY], int64_t now,
            struct str service, struct str text, struct ticket *t,
            struct why *why)
{
    unsigned char sealed[SEAL];
    struct buf bytes = buf_in(a);
    struct str body;
    int64_t until;

    if (text.len > TICKET_MAX || !base64_decode(&bytes, text) ||
        bytes.len < SEAL)
        return fail(why, "5.7.0", "the ticket is none");
    body = str_sub(buf_str(&bytes), 0, bytes.len - SEAL);
    if (!seal(key, body, sealed) ||
        CRYPTO_memcmp(sealed, body.p + body.len, SEAL) != 0)
        return fail(why, "5.7.0", "the ticket has a wrong seal");
    if (!unpack_num(&body, &until) || !unpack_text(&body, &t->service) ||
        !unpack_text(&body, &t->user) || !unpack_text(&body, &t->fields))
        return fail(why, "5.7.0", "the ticket is none");
    if (now > until || now < until - 2 * TICKET_LIFE)
        return fail(why, "5.7.0", "the ticket is too old");
    if (!str_eq(service, t->service))
        return fail(why, "5.7.0", "the ticket is for %.*s", STR(t->service));
    return OK;
}
