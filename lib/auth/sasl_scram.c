/*
 * SCRAM, the server's side (RFC 5802, 7677, 9266).
 *
 *   C: gs2 header, n=user, r=nonce           -> credentials are looked up
 *   S: r=both nonces, s=salt, i=rounds
 *   C: c=gs2 header and binding, r=, p=proof
 *   S: v=signature                           with success, or as a challenge
 *   C: (empty)                               that is answered by nothing
 */
#include "auth/sasl_work.h"
#include "auth/scheme.h"
#include "auth/scram.h"
#include "mail/base64.h"

/* Longest nonce of a client. */
#define NONCE_MAX 512

enum { FIRST, FINAL, SIGNED };

struct scram {
    enum digest digest;
    const struct sasl_binding *binding; /* NULL: none */
    struct str gs2;                     /* the client's header */
    struct str bare;                    /* its first message behind it */
    struct str nonce;                   /* the client's, later both */
    struct str server_first;
    struct scram_keys keys;
    bool known;
    enum sasl_verdict verdict;
    struct str login;
};

static enum sasl_step
malformed(struct sasl *s, const char *text)
{
    return sasl_fail(s, SASL_MALFORMED, text);
}

static bool
is_plus(const struct sasl *s)
{
    return s->mech->properties & SASL_BINDING;
}

static struct scram *
scram_new(struct sasl *s)
{
    struct scram *c = arena_make(s->work->arena, struct scram);
    bool sha1 =
        s->mech->id == SASL_SCRAM_SHA_1 || s->mech->id == SASL_SCRAM_SHA_1_PLUS;

    c->digest = sha1 ? DIGEST_SHA1 : DIGEST_SHA256;
    s->scheme = sha1 ? "SCRAM-SHA-1" : "SCRAM-SHA-256";
    s->work->own = c;
    sasl_keep_secret(s, (struct str){(char *)&c->keys, sizeof c->keys});
    return c;
}

/* The flag of the gs2 header: what the client knows of channel bindings. */
static const char *
check_flag(struct sasl *s, struct scram *c, struct str flag)
{
    const struct sasl_peer *peer = s->work->peer;

    if (str_skip(&flag, S("p="))) {
        if (!is_plus(s))
            return "channel binding in a mechanism without";
        c->binding = sasl_binding_find(peer->bindings, flag);
        return c->binding ? NULL : "no channel binding of that type here";
    }
    if (is_plus(s))
        return "no channel binding in a mechanism with it";
    /* "I could, but you do not": then somebody took our offer away. */
    if (str_eq(flag, S("y")) && peer->plus_offered)
        return "the offer of channel binding was suppressed";
    return NULL;
}

static bool
is_flag(struct str flag)
{
    return str_eq(flag, S("n")) || str_eq(flag, S("y")) ||
           (flag.len > 2 && str_starts(flag, S("p=")));
}

static bool
good_nonce(struct str nonce)
{
    for (size_t i = 0; i < nonce.len; i++)
        if (nonce.p[i] < 0x21 || nonce.p[i] > 0x7e)
            return false;
    return nonce.len > 0 && nonce.len <= NONCE_MAX;
}

static bool
set_names(struct sasl *s, struct str user, struct str authzid)
{
    struct arena *a = s->work->arena;

    if (user.len > 3 * SASL_NAME_MAX || authzid.len > 3 * SASL_NAME_MAX)
        return false;
    return scram_name_decode(a, user, &user) &&
           scram_name_decode(a, authzid, &authzid) && sasl_set_user(s, user) &&
           sasl_set_authzid(s, authzid);
}

static enum sasl_step
feed_first(struct sasl *s, struct str message)
{
    struct scram *c = scram_new(s);
    struct str rest, flag, authzid, user;

    message = rest = arena_str(s->work->arena, message);
    if (!str_cut(&rest, ',', &flag) || !is_flag(flag) ||
        !str_cut(&rest, ',', &authzid) ||
        (authzid.len > 0 && !str_skip(&authzid, S("a="))))
        return malformed(s, "the GS2 header is wrong");
    const char *wrong = check_flag(s, c, flag);

    if (wrong)
        return sasl_fail(s, SASL_BAD_BINDING, wrong);
    c->gs2 = str_sub(message, 0, message.len - rest.len);
    c->bare = rest;
    /* "m=" would stand here: an extension that must be understood. */
    if (!scram_attribute(&rest, 'n', &user) ||
        !scram_attribute(&rest, 'r', &c->nonce) || !good_nonce(c->nonce))
        return malformed(s, "no name and nonce");
    if (!set_names(s, user, authzid))
        return malformed(s, "not the name of a user");
    return SASL_CREDENTIALS;
}

static struct str
server_nonce(struct sasl *s)
{
    struct buf b = buf_in(s->work->arena);
    uint8_t random[18];

    if (s->work->peer->nonce.len > 0)
        return s->work->peer->nonce;
    digest_random(random, sizeof random);
    base64_encode(&b, (struct str){(char *)random, sizeof random});
    return buf_str(&b);
}

static enum sasl_step
scram_found(struct sasl *s, const struct sasl_found *found)
{
    struct scram *c = s->work->own;
    struct arena *a = s->work->arena;
    const struct sasl_peer *peer = s->work->peer;
    struct buf b = buf_in(a);
    struct scram_keys invented;

    /* Made for everybody, so that it takes no time to be unknown. */
    scram_keys_invent(c->digest, peer->secret, s->user,
                      peer->scram_rounds ? peer->scram_rounds
                                         : SCHEME_SCRAM_ROUNDS,
                      &invented);
    c->known = scram_keys_parse(a, c->digest, found->data, &c->keys);
    if (!c->known)
        c->keys = invented;
    c->verdict = found->verdict;
    c->login = arena_str(a, found->login);
    c->nonce =
        str_from(arena_fmt(a, "%.*s%.*s", STR(c->nonce), STR(server_nonce(s))));
    buf_fmt(&b, "r=%.*s,s=", STR(c->nonce));
    base64_encode(&b, (struct str){(char *)c->keys.salt, c->keys.salt_len});
    buf_fmt(&b, ",i=%u", c->keys.rounds);
    c->server_first = buf_str(&b);
    s->work->stage = FINAL;
    return sasl_challenge(s, c->server_first);
}

/* The client heard the same header, and is at the other end of this very
 * connection. */
static bool
binding_matches(struct sasl *s, struct str value)
{
    struct scram *c = s->work->own;
    struct buf want = buf_in(s->work->arena), got = want;

    buf_add(&want, c->gs2);
    if (c->binding)
        buf_add(&want, c->binding->data);
    return base64_decode(&got, value) &&
           digest_equal(buf_str(&got), buf_str(&want));
}

static struct str
auth_message(struct sasl *s, struct str without_proof)
{
    struct scram *c = s->work->own;

    return str_from(arena_fmt(s->work->arena, "%.*s,%.*s,%.*s", STR(c->bare),
                              STR(c->server_first), STR(without_proof)));
}

static bool
proof_is_right(struct scram *c, struct str message, struct str proof)
{
    size_t size = digest_size(c->digest);
    uint8_t key[DIGEST_MAX], hash[DIGEST_MAX];
    struct str view = {(char *)key, size};

    digest_hmac(c->digest, (struct str){(char *)c->keys.stored, size}, message,
                key);
    scram_xor(key, (const uint8_t *)proof.p, size);
    digest_of(c->digest, &view, 1, hash);
    bool right = digest_equal((struct str){(char *)hash, size},
                              (struct str){(char *)c->keys.stored, size});

    explicit_bzero(key, sizeof key);
    return right & c->known;
}

static enum sasl_step
prove_ourselves(struct sasl *s, struct str message)
{
    struct scram *c = s->work->own;
    size_t size = digest_size(c->digest);
    struct buf b = buf_in(s->work->arena);
    uint8_t signature[DIGEST_MAX];

    digest_hmac(c->digest, (struct str){(char *)c->keys.server, size}, message,
                signature);
    buf_add(&b, S("v="));
    base64_encode(&b, (struct str){(char *)signature, size});
    if (!s->work->peer->final_data) {
        s->work->stage = SIGNED;
        return sasl_challenge(s, buf_str(&b));
    }
    s->out = buf_str(&b);
    return sasl_done(s, c->login);
}

static enum sasl_step
feed_final(struct sasl *s, struct str response)
{
    struct scram *c = s->work->own;
    struct str rest = response, binding, nonce;
    struct buf proof = buf_in(s->work->arena);
    ssize_t at = str_rfind(response, ',');

    if (memchr(response.p ? response.p : "", '\0', response.len) ||
        !scram_attribute(&rest, 'c', &binding) ||
        !scram_attribute(&rest, 'r', &nonce) || at < 0)
        return malformed(s, "no binding and nonce");
    rest = str_sub(response, (size_t)at + 1, response.len);
    if (!str_skip(&rest, S("p=")) || !base64_decode(&proof, rest) ||
        proof.len != digest_size(c->digest))
        return malformed(s, "no proof");
    if (!str_eq(nonce, c->nonce))
        return malformed(s, "another nonce");
    if (!binding_matches(s, binding))
        return sasl_fail(s, SASL_BAD_BINDING, "channel binding does not match");
    struct str message = auth_message(s, str_sub(response, 0, (size_t)at));

    if (!proof_is_right(c, message, buf_str(&proof)))
        return sasl_fail(s, SASL_WRONG, "wrong name or password");
    if (c->verdict != SASL_YES)
        return sasl_fail(s, sasl_failure_of(c->verdict),
                         "the password was right");
    return prove_ourselves(s, message);
}

static enum sasl_step
scram_feed(struct sasl *s, struct str response)
{
    struct scram *c = s->work->own;

    switch (s->work->stage) {
    case FIRST:
        if (response.p && memchr(response.p, '\0', response.len))
            return malformed(s, "a NUL");
        return feed_first(s, response);
    case FINAL:
        return feed_final(s, response);
    default:
        s->out = S("");
        return response.len == 0 ? sasl_done(s, c->login)
                                 : malformed(s, "a response too many");
    }
}

const struct sasl_kind sasl_scram = {.feed = scram_feed, .found = scram_found};
