#include "auth/sasl.h"

#include "auth/sasl_work.h"
#include "auth/saslprep.h"
#include "base/utf8.h"

static const struct sasl_kind *const kinds[SASL_COUNT] = {
    [SASL_EXTERNAL] = &sasl_external,
    [SASL_SCRAM_SHA_256_PLUS] = &sasl_scram,
    [SASL_SCRAM_SHA_1_PLUS] = &sasl_scram,
    [SASL_SCRAM_SHA_256] = &sasl_scram,
    [SASL_SCRAM_SHA_1] = &sasl_scram,
    [SASL_CRAM_MD5] = &sasl_cram,
    [SASL_PLAIN] = &sasl_plain,
    [SASL_LOGIN] = &sasl_login,
    [SASL_OAUTHBEARER] = &sasl_bearer,
    [SASL_XOAUTH2] = &sasl_xoauth2,
};

enum sasl_step
sasl_fail(struct sasl *s, enum sasl_failure f, const char *text)
{
    s->failure = f;
    s->text = text;
    s->out = S("");
    return SASL_FAILED;
}

enum sasl_step
sasl_challenge(struct sasl *s, struct str out)
{
    s->out = out;
    return SASL_CHALLENGE;
}

enum sasl_step
sasl_done(struct sasl *s, struct str login)
{
    if (login.len > 0)
        s->login = arena_str(s->work->arena, login);
    else
        s->login = s->authzid.len > 0 ? s->authzid : s->user;
    if (s->login.len == 0)
        return sasl_fail(s, SASL_WRONG, "nobody says whose token it is");
    return SASL_DONE;
}

static const struct {
    enum sasl_failure failure;
    const char *text;
} verdicts[] = {
    [SASL_YES] = {SASL_NOT_FAILED,    "logged in"                     },
    [SASL_NO] = {SASL_WRONG,         "wrong name or password"        },
    [SASL_TEMPORARY] = {SASL_TEMP_FAIL,     "the password cannot be checked"},
    [SASL_DISABLED] = {SASL_USER_DISABLED, "the user may not log in"       },
    [SASL_EXPIRED] = {SASL_PASS_EXPIRED,  "the password has expired"      },
    [SASL_UNAUTHORIZED] = {SASL_AUTHZ_FAIL,    "may not act for that user"     },
};

enum sasl_failure
sasl_failure_of(enum sasl_verdict v)
{
    return verdicts[v].failure;
}

const char *
sasl_failure_text(enum sasl_failure f)
{
    static const char *const texts[] = {
        [SASL_NOT_FAILED] = "authentication succeeded",
        [SASL_MALFORMED] = "malformed authentication data",
        [SASL_NEEDS_TLS] = "encryption required for this mechanism",
        [SASL_BAD_BINDING] = "channel binding does not match",
        [SASL_WRONG] = "authentication failed",
        [SASL_TEMP_FAIL] = "temporary authentication failure",
        [SASL_USER_DISABLED] = "authentication failed: user disabled",
        [SASL_PASS_EXPIRED] = "authentication failed: password expired",
        [SASL_AUTHZ_FAIL] = "authorization failed",
    };

    return texts[f];
}

void
sasl_keep_secret(struct sasl *s, struct str bytes)
{
    must(s->work->nsecrets < SASL_SECRETS);
    s->work->secrets[s->work->nsecrets++] = bytes;
}

struct str
sasl_secret(struct sasl *s, struct str bytes)
{
    struct str copy = arena_str(s->work->arena, bytes);

    sasl_keep_secret(s, copy);
    return copy;
}

bool
sasl_set_user(struct sasl *s, struct str name)
{
    return name.len <= SASL_NAME_MAX &&
           saslprep(s->work->arena, name, false, &s->user);
}

bool
sasl_set_authzid(struct sasl *s, struct str name)
{
    if (name.len == 0)
        return true;
    if (name.len > SASL_NAME_MAX ||
        !saslprep(s->work->arena, name, false, &s->authzid))
        return false;
    if (str_eq(s->authzid, s->user))
        s->authzid = S("");
    return true;
}

bool
sasl_set_password(struct sasl *s, struct str password)
{
    if (password.len == 0 || password.len > SASL_PASSWORD_MAX ||
        memchr(password.p, '\0', password.len) || !utf8_valid(password))
        return false;
    s->raw = sasl_secret(s, password);
    if (saslprep(s->work->arena, password, false, &s->password))
        sasl_keep_secret(s, s->password);
    else
        s->password = s->raw;
    if (str_eq(s->raw, s->password))
        s->raw = S("");
    return true;
}

static enum sasl_step
begin(struct sasl *s, const struct str *initial)
{
    const struct sasl_kind *kind = s->work->kind;
    bool plaintext = s->mech->properties & SASL_PLAINTEXT;

    if (plaintext && !s->work->peer->secured)
        return sasl_fail(s, SASL_NEEDS_TLS, "not without TLS");
    if (initial && kind->greet && !kind->initial)
        return sasl_fail(s, SASL_MALFORMED, "the server speaks first here");
    if (initial == NULL)
        return kind->greet ? kind->greet(s) : sasl_challenge(s, S(""));
    if (initial->len > SASL_INPUT_MAX)
        return sasl_fail(s, SASL_MALFORMED, "the response is too long");
    return kind->feed(s, *initial);
}

enum sasl_step
sasl_start(struct arena *a, const struct sasl_mech *mech,
           const struct sasl_peer *peer, const struct str *initial,
           struct sasl **s)
{
    *s = arena_make(a, struct sasl);
    (*s)->mech = mech;
    (*s)->out = (*s)->user = (*s)->authzid = (*s)->login = S("");
    (*s)->password = (*s)->raw = (*s)->token = S("");
    (*s)->work = arena_make(a, struct sasl_work);
    (*s)->work->arena = a;
    (*s)->work->peer = peer;
    (*s)->work->kind = kinds[mech->id];
    return (*s)->work->step = begin(*s, initial);
}

enum sasl_step
sasl_feed(struct sasl *s, struct str response)
{
    struct sasl_work *w = s->work;

    if (w->step != SASL_CHALLENGE)
        w->step = sasl_fail(s, SASL_MALFORMED, "a response too many");
    else if (response.len > SASL_INPUT_MAX)
        w->step = sasl_fail(s, SASL_MALFORMED, "the response is too long");
    else
        w->step = w->kind->feed(s, response);
    return w->step;
}

static enum sasl_step
judge(struct sasl *s, enum sasl_verdict v, struct str login)
{
    if (v == SASL_YES)
        return sasl_done(s, login);
    if (v == SASL_TEMPORARY || s->work->kind->refused == NULL)
        return sasl_fail(s, verdicts[v].failure, verdicts[v].text);
    return s->work->kind->refused(s, verdicts[v].failure);
}

enum sasl_step
sasl_verdict(struct sasl *s, enum sasl_verdict v, struct str login)
{
    enum sasl_step step = s->work->step;

    must(step == SASL_PASSWORD || step == SASL_TOKEN || step == SASL_IDENTITY);
    s->out = S("");
    return s->work->step = judge(s, v, login);
}

enum sasl_step
sasl_credentials(struct sasl *s, const struct sasl_found *found)
{
    must(s->work->step == SASL_CREDENTIALS);
    if (found->verdict == SASL_TEMPORARY)
        s->work->step =
            sasl_fail(s, SASL_TEMP_FAIL, verdicts[SASL_TEMPORARY].text);
    else
        s->work->step = s->work->kind->found(s, found);
    return s->work->step;
}

void
sasl_end(struct sasl *s)
{
    struct sasl_work *w = s->work;

    for (size_t i = 0; i < w->nsecrets; i++)
        explicit_bzero((char *)(uintptr_t)w->secrets[i].p, w->secrets[i].len);
    w->nsecrets = 0;
    s->password = s->raw = s->token = S("");
}
