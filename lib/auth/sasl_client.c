#include "auth/sasl_client.h"

#include "auth/sasl_client_own.h"
#include "auth/saslprep.h"
#include "base/utf8.h"

/* Longest name or password that is sent. */
#define NAME_MAX_BYTES 1024

static const struct client_kind *const kinds[SASL_COUNT] = {
    [SASL_EXTERNAL] = &client_external,
    [SASL_SCRAM_SHA_256_PLUS] = &client_scram,
    [SASL_SCRAM_SHA_1_PLUS] = &client_scram,
    [SASL_SCRAM_SHA_256] = &client_scram,
    [SASL_SCRAM_SHA_1] = &client_scram,
    [SASL_CRAM_MD5] = &client_cram,
    [SASL_PLAIN] = &client_plain,
    [SASL_LOGIN] = &client_login,
    [SASL_OAUTHBEARER] = &client_bearer,
    [SASL_XOAUTH2] = &client_xoauth2,
};

static bool
is_offered(struct str offered, const struct sasl_mech *m)
{
    struct str word;

    while (str_word(&offered, " \t,", &word))
        if (str_ieq(word, str_from(m->name)))
            return true;
    return false;
}

/* Do we have what it takes? */
static bool
can(const struct sasl_login *login, const struct sasl_mech *m)
{
    bool bound = false;

    for (size_t i = 0; i < SASL_BINDINGS; i++)
        bound |= login->bindings[i].data.len > 0;
    if (m->properties & SASL_NEEDS_CERT)
        return login->tls && login->certificate && login->password.len == 0;
    return login->password.len > 0 &&
           (bound || !(m->properties & SASL_BINDING));
}

const struct sasl_mech *
sasl_client_choose(const struct sasl_login *login, struct str offered,
                   unsigned options, sasl_allowed *allowed, void *own)
{
    for (size_t i = 0; i < SASL_COUNT; i++) {
        const struct sasl_mech *m = &sasl_mechs[i];

        if (is_offered(offered, m) && can(login, m) &&
            sasl_options_allow(options, m->properties) &&
            (allowed == NULL || allowed(own, m->name)))
            return m;
    }
    return NULL;
}

static bool
holds_nul(struct str s)
{
    return str_find(s, '\0') >= 0;
}

/* Names and passwords as both sides compare them; what cannot be prepared is
 * sent as it is, the server may know it so. */
static struct str
prepared(struct arena *a, struct str s)
{
    struct str out;

    return s.len > 0 && saslprep(a, s, false, &out) ? out : arena_str(a, s);
}

enum rc
sasl_client_start(struct arena *a, const struct sasl_mech *mech,
                  const struct sasl_login *login, struct str offered,
                  struct sasl_client **c, struct str *initial, struct why *why)
{
    bool token = mech->properties & SASL_BEARER;

    *initial = (struct str){NULL, 0};
    *c = arena_make(a, struct sasl_client);
    (*c)->arena = a;
    (*c)->mech = mech;
    (*c)->login = login;
    (*c)->kind = kinds[mech->id];
    (*c)->offered = offered;
    (*c)->said = (*c)->sent = (*c)->password = S("");
    if (holds_nul(login->user) || holds_nul(login->authzid) ||
        holds_nul(login->password) || login->user.len > NAME_MAX_BYTES ||
        login->authzid.len > NAME_MAX_BYTES ||
        login->password.len > SASL_CHALLENGE_MAX)
        return fail(why, "5.7.8", "user or password cannot be used for SASL");
    (*c)->user = prepared(a, login->user);
    (*c)->authzid = prepared(a, login->authzid);
    (*c)->password =
        token ? arena_str(a, login->password) : prepared(a, login->password);
    return (*c)->kind->begin ? (*c)->kind->begin(*c, initial, why) : OK;
}

enum rc
sasl_client_step(struct sasl_client *c, struct str challenge,
                 struct str *response, struct why *why)
{
    if (challenge.len > SASL_CHALLENGE_MAX)
        return fail(why, "5.7.8", "the server's challenge is too long");
    if (c->kind->step == NULL)
        return fail(why, "5.7.8", "%s has no challenge here", c->mech->name);
    return c->kind->step(c, challenge, response, why);
}

enum rc
sasl_client_finish(struct sasl_client *c, struct str data, struct why *why)
{
    return c->kind->finish ? c->kind->finish(c, data, why) : OK;
}

void
client_keep_said(struct sasl_client *c, struct str text)
{
    struct buf b = buf_in(c->arena);

    text = str_sub(text, 0, 300);
    for (size_t i = 0; i < text.len; i++)
        buf_addc(&b, text.p[i] >= 0x20 && text.p[i] < 0x7f ? text.p[i] : '?');
    c->said = buf_str(&b);
}

struct str
sasl_client_said(const struct sasl_client *c)
{
    return c->said;
}

void
sasl_client_end(struct sasl_client *c)
{
    explicit_bzero((char *)(uintptr_t)c->password.p, c->password.len);
    c->password = S("");
    explicit_bzero((char *)(uintptr_t)c->sent.p, c->sent.len);
    c->sent = S("");
}
