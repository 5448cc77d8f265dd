/* PLAIN (RFC 4616), LOGIN (draft-murchison-sasl-login), EXTERNAL (RFC 4422,
 * appendix A), CRAM-MD5 (RFC 2195). */
#include <time.h>

#include "auth/sasl_work.h"
#include "base/utf8.h"
#include "tls/digest.h"

static enum sasl_step
malformed(struct sasl *s, const char *text)
{
    return sasl_fail(s, SASL_MALFORMED, text);
}

static enum sasl_step
plain_feed(struct sasl *s, struct str response)
{
    struct str authzid, user;

    if (!str_cut(&response, '\0', &authzid) || !str_cut(&response, '\0', &user))
        return malformed(s, "not authzid, user and password");
    if (!sasl_set_user(s, user) || !sasl_set_authzid(s, authzid))
        return malformed(s, "not the name of a user");
    if (!sasl_set_password(s, response))
        return malformed(s, "not a password");
    return SASL_PASSWORD;
}

const struct sasl_kind sasl_plain = {.feed = plain_feed};

enum { LOGIN_USER, LOGIN_PASSWORD };

static enum sasl_step
login_greet(struct sasl *s)
{
    return sasl_challenge(s, S("Username:"));
}

static enum sasl_step
login_feed(struct sasl *s, struct str response)
{
    if (s->work->stage++ == LOGIN_USER)
        return sasl_set_user(s, response)
                   ? sasl_challenge(s, S("Password:"))
                   : malformed(s, "not the name of a user");
    return sasl_set_password(s, response) ? SASL_PASSWORD
                                          : malformed(s, "not a password");
}

const struct sasl_kind sasl_login = {
    .greet = login_greet, .initial = true, .feed = login_feed};

static enum sasl_step
external_feed(struct sasl *s, struct str response)
{
    const struct sasl_peer *peer = s->work->peer;

    if (!peer->cert_valid || !sasl_set_user(s, peer->cert_name))
        return sasl_fail(s, SASL_WRONG, "no certificate names a user");
    if (!sasl_set_authzid(s, response))
        return malformed(s, "not the name of a user");
    return SASL_IDENTITY;
}

const struct sasl_kind sasl_external = {.feed = external_feed};

/* The challenge, and what the client made of it. */
struct cram {
    struct str challenge;
    uint8_t digest[16];
};

static enum sasl_step
cram_greet(struct sasl *s)
{
    struct arena *a = s->work->arena;
    const struct sasl_peer *peer = s->work->peer;
    struct cram *c = arena_make(a, struct cram);
    uint64_t random;

    digest_random(&random, sizeof random);
    s->work->own = c;
    c->challenge = peer->nonce;
    if (c->challenge.len == 0)
        c->challenge = str_from(
            arena_fmt(a, "<%llu.%lld@%.*s>", (unsigned long long)random,
                      (long long)time(NULL), STR(peer->hostname)));
    return sasl_challenge(s, c->challenge);
}

static bool
unhex(struct str hex, uint8_t *out, size_t len)
{
    uint64_t byte;

    if (hex.len != 2 * len)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!str_hex(str_sub(hex, 2 * i, 2), &byte))
            return false;
        out[i] = (uint8_t)byte;
    }
    return true;
}

static enum sasl_step
cram_feed(struct sasl *s, struct str response)
{
    struct cram *c = s->work->own;
    ssize_t blank = str_rfind(response, ' ');

    if (blank < 0 || !unhex(str_sub(response, (size_t)blank + 1, response.len),
                            c->digest, sizeof c->digest))
        return malformed(s, "not a name and a digest");
    if (!sasl_set_user(s, str_sub(response, 0, (size_t)blank)))
        return malformed(s, "not the name of a user");
    s->scheme = "CRAM-MD5";
    return SASL_CREDENTIALS;
}

static enum sasl_step
cram_found(struct sasl *s, const struct sasl_found *found)
{
    struct cram *c = s->work->own;
    uint8_t state[32], digest[16];
    bool known = unhex(found->data, state, sizeof state);

    if (!known)
        digest_random(state, sizeof state);
    digest_hmac_md5_resume(state, c->challenge, digest);
    known &= digest_equal((struct str){(char *)c->digest, sizeof c->digest},
                          (struct str){(char *)digest, sizeof digest});
    explicit_bzero(state, sizeof state);
    explicit_bzero(digest, sizeof digest);
    if (!known)
        return sasl_fail(s, SASL_WRONG, "wrong name or password");
    if (found->verdict != SASL_YES)
        return sasl_fail(s, sasl_failure_of(found->verdict),
                         "the password was right");
    return sasl_done(s, found->login);
}

const struct sasl_kind sasl_cram = {
    .greet = cram_greet, .feed = cram_feed, .found = cram_found};
