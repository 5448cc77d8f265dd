/* SCRAM, the client's side (RFC 5802, 7677). */
#include "auth/sasl_client_own.h"
#include "auth/scram.h"
#include "mail/base64.h"

enum { SENT_FIRST, SENT_PROOF, VERIFIED };

struct scram {
    enum digest digest;
    struct str gs2, bare, nonce;
    const struct sasl_binding *binding;
    uint8_t signature[DIGEST_MAX]; /* what the server must show */
};

static enum rc
wrong(struct why *why, const char *text)
{
    return fail(why, "5.7.8", "SCRAM: %s", text);
}

static bool
has(const struct sasl_client *c)
{
    return c->mech->properties & SASL_BINDING;
}

/* Strongest first (RFC 9266 for TLS 1.3). */
static const struct sasl_binding *
best_binding(const struct sasl_login *login)
{
    static const char *const types[] = {"tls-exporter", "tls-unique",
                                        "tls-server-end-point"};

    for (size_t i = 0; i < COUNT(types); i++) {
        const struct sasl_binding *b =
            sasl_binding_find(login->bindings, str_from(types[i]));

        if (b)
            return b;
    }
    return NULL;
}

/* Did the server offer a form of SCRAM with channel binding? */
static bool
plus_offered(struct str offered)
{
    struct str word;

    while (str_word(&offered, " \t,", &word))
        if (str_istarts(word, S("SCRAM-")) && str_iends(word, S("-PLUS")))
            return true;
    return false;
}

/* With binding; or "y": we could, you seem not to; or "n": we cannot, or the
 * site wants it so although it is offered. */
static struct str
gs2_header(struct sasl_client *c, struct scram *s)
{
    struct buf b = buf_in(c->arena);
    const struct sasl_binding *best = best_binding(c->login);

    if (has(c)) {
        s->binding = best;
        buf_fmt(&b, "p=%.*s,", STR(best->type));
    } else {
        buf_add(&b, best && !plus_offered(c->offered) ? S("y,") : S("n,"));
    }
    if (c->authzid.len > 0) {
        buf_add(&b, S("a="));
        scram_name_encode(&b, c->authzid);
    }
    buf_addc(&b, ',');
    return buf_str(&b);
}

static struct str
make_nonce(struct sasl_client *c)
{
    struct buf b = buf_in(c->arena);
    uint8_t random[18];

    if (c->login->nonce.len > 0)
        return c->login->nonce;
    digest_random(random, sizeof random);
    base64_encode(&b, (struct str){(char *)random, sizeof random});
    return buf_str(&b);
}

static enum rc
scram_begin(struct sasl_client *c, struct str *initial, struct why *why)
{
    struct scram *s = arena_make(c->arena, struct scram);
    struct buf b = buf_in(c->arena);
    bool sha1 =
        c->mech->id == SASL_SCRAM_SHA_1 || c->mech->id == SASL_SCRAM_SHA_1_PLUS;

    if (has(c) && best_binding(c->login) == NULL)
        return wrong(why, "no channel binding is known");
    s->digest = sha1 ? DIGEST_SHA1 : DIGEST_SHA256;
    c->own = s;
    s->gs2 = gs2_header(c, s);
    s->nonce = make_nonce(c);
    buf_add(&b, S("n="));
    scram_name_encode(&b, c->user);
    buf_fmt(&b, ",r=%.*s", STR(s->nonce));
    s->bare = buf_str(&b);
    *initial =
        str_from(arena_fmt(c->arena, "%.*s%.*s", STR(s->gs2), STR(s->bare)));
    return OK;
}

/* "r=nonce,s=salt,i=rounds" */
static enum rc
parse_first(struct sasl_client *c, struct str challenge,
            struct scram_keys *keys, struct why *why)
{
    struct scram *s = c->own;
    struct str rest = challenge, nonce, text;
    struct buf salt = buf_in(c->arena);
    uint64_t rounds;

    if (str_find(challenge, '\0') >= 0 ||
        !scram_attribute(&rest, 'r', &nonce) ||
        !scram_attribute(&rest, 's', &text) || !base64_decode(&salt, text) ||
        salt.len == 0 || salt.len > sizeof keys->salt ||
        !scram_attribute(&rest, 'i', &text) || !str_num(text, &rounds))
        return wrong(why, "the server's challenge is malformed");
    if (nonce.len <= s->nonce.len || !str_starts(nonce, s->nonce))
        return wrong(why, "the server's nonce is not made from ours");
    if (rounds == 0 || rounds > SASL_ROUNDS_MAX)
        return wrong(why, "the server wants too many rounds, or none");
    s->nonce = arena_str(c->arena, nonce);
    keys->rounds = (unsigned)rounds;
    memcpy(keys->salt, salt.p, salt.len);
    keys->salt_len = salt.len;
    return OK;
}

static struct str
without_proof(struct sasl_client *c)
{
    struct scram *s = c->own;
    struct buf bound = buf_in(c->arena), b = bound;

    buf_add(&bound, s->gs2);
    if (s->binding)
        buf_add(&bound, s->binding->data);
    buf_add(&b, S("c="));
    base64_encode(&b, buf_str(&bound));
    buf_fmt(&b, ",r=%.*s", STR(s->nonce));
    return buf_str(&b);
}

/* The proof for that message into client, the server's signature into s. */
static void
compute(struct sasl_client *c, struct scram_keys *keys, struct str message,
        uint8_t client[DIGEST_MAX])
{
    struct scram *s = c->own;
    size_t size = digest_size(s->digest);
    uint8_t signature[DIGEST_MAX];

    scram_keys_client(s->digest, c->password, keys, client, keys->stored,
                      keys->server);
    digest_hmac(s->digest, (struct str){(char *)keys->stored, size}, message,
                signature);
    scram_xor(client, signature, size);
    digest_hmac(s->digest, (struct str){(char *)keys->server, size}, message,
                s->signature);
}

static enum rc
prove(struct sasl_client *c, struct str challenge, struct str *response,
      struct why *why)
{
    struct scram *s = c->own;
    struct scram_keys keys = {0};
    uint8_t proof[DIGEST_MAX];
    struct buf b = buf_in(c->arena);
    enum rc rc = parse_first(c, challenge, &keys, why);

    if (rc != OK)
        return rc;
    struct str final = without_proof(c);

    compute(c, &keys,
            str_from(arena_fmt(c->arena, "%.*s,%.*s,%.*s", STR(s->bare),
                               STR(challenge), STR(final))),
            proof);
    explicit_bzero(&keys, sizeof keys);
    buf_fmt(&b, "%.*s,p=", STR(final));
    base64_encode(&b, (struct str){(char *)proof, digest_size(s->digest)});
    *response = buf_str(&b);
    c->stage = SENT_PROOF;
    return OK;
}

/* "v=signature", or "e=error". */
static enum rc
verify(struct sasl_client *c, struct str data, struct why *why)
{
    struct scram *s = c->own;
    struct buf got = buf_in(c->arena);
    struct str value;

    if (scram_attribute(&data, 'e', &value)) {
        client_keep_said(c, value);
        return wrong(why, "the server refused the proof");
    }
    if (!scram_attribute(&data, 'v', &value) || !base64_decode(&got, value) ||
        !digest_equal(buf_str(&got), (struct str){(char *)s->signature,
                                                  digest_size(s->digest)}))
        return wrong(why, "the server does not know the password itself");
    c->stage = VERIFIED;
    return OK;
}

static enum rc
scram_step(struct sasl_client *c, struct str challenge, struct str *response,
           struct why *why)
{
    *response = S("");
    switch (c->stage) {
    case SENT_FIRST:
        return prove(c, challenge, response, why);
    case SENT_PROOF:
        return verify(c, challenge, why);
    default:
        return wrong(why, "a challenge too many");
    }
}

static enum rc
scram_finish(struct sasl_client *c, struct str data, struct why *why)
{
    if (c->stage == SENT_PROOF && data.len > 0)
        return verify(c, data, why);
    return c->stage == VERIFIED
               ? OK
               : wrong(why, "the server did not prove who it is");
}

const struct client_kind client_scram = {
    .begin = scram_begin, .step = scram_step, .finish = scram_finish};
