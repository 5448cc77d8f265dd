/*
 * OAUTHBEARER (RFC 7628) and XOAUTH2, which is Google's older form of it.
 * What is wrong with a token is told in a challenge; whatever the client
 * answers, the exchange then fails.
 */
#include "auth/sasl_work.h"
#include "auth/scram.h"

enum { ASKED, REFUSED };

/* What stands between the fields of a message. */
#define FIELD_END '\001'

static enum sasl_step
malformed(struct sasl *s, const char *text)
{
    return sasl_fail(s, SASL_MALFORMED, text);
}

/* b64token of RFC 6750. */
static bool
good_token(struct str token)
{
    size_t i = 0;

    while (i < token.len &&
           (is_alnum(token.p[i]) || str_find(S("-._~+/"), token.p[i]) >= 0))
        i++;
    if (i == 0)
        return false;
    while (i < token.len && token.p[i] == '=')
        i++;
    return i == token.len;
}

/* "Bearer TOKEN" */
static bool
set_token(struct sasl *s, struct str value)
{
    if (!str_iskip(&value, S("Bearer ")))
        return false;
    value = str_trim(value);
    if (!good_token(value))
        return false;
    s->token = sasl_secret(s, value);
    return true;
}

/* Fields "name=value" to the end, which is an empty one. */
static bool
take_fields(struct sasl *s, struct str rest)
{
    struct str field;

    while (str_cut(&rest, FIELD_END, &field)) {
        if (field.len == 0)
            return rest.len == 0 && s->token.len > 0;
        if (str_iskip(&field, S("auth=")) &&
            (s->token.len > 0 || !set_token(s, field)))
            return false;
    }
    return false;
}

static enum sasl_step
refused(struct sasl *s)
{
    enum sasl_failure f = s->failure;

    return sasl_fail(s, f, "the token was refused");
}

/* The header, "n,a=user,", without channel binding. */
static bool
take_gs2(struct sasl *s, struct str *rest)
{
    struct str flag, authzid, name;

    if (!str_cut(rest, ',', &flag) ||
        (!str_eq(flag, S("n")) && !str_eq(flag, S("y"))) ||
        !str_cut(rest, ',', &authzid) || !str_skip(rest, S("\001")))
        return false;
    if (authzid.len == 0)
        return true;
    return str_skip(&authzid, S("a=")) && authzid.len <= 3 * SASL_NAME_MAX &&
           scram_name_decode(s->work->arena, authzid, &name) &&
           sasl_set_user(s, name);
}

static enum sasl_step
bearer_feed(struct sasl *s, struct str response)
{
    if (s->work->stage == REFUSED)
        return refused(s);
    if (!take_gs2(s, &response))
        return malformed(s, "the GS2 header is wrong");
    if (!take_fields(s, response))
        return malformed(s, "no bearer token");
    return SASL_TOKEN;
}

static enum sasl_step
xoauth2_feed(struct sasl *s, struct str response)
{
    struct str user;

    if (s->work->stage == REFUSED)
        return refused(s);
    if (!str_iskip(&response, S("user=")) ||
        !str_cut(&response, FIELD_END, &user) || !sasl_set_user(s, user))
        return malformed(s, "not the name of a user");
    if (!take_fields(s, response))
        return malformed(s, "no bearer token");
    return SASL_TOKEN;
}

static void
json_add(struct buf *b, const char *name, struct str value)
{
    if (value.len == 0)
        return;
    buf_fmt(b, "%s\"%s\":\"", b->len > 1 ? "," : "", name);
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.p[i];

        if (c == '"' || c == '\\')
            buf_fmt(b, "\\%c", c);
        else if (c < 0x20)
            buf_fmt(b, "\\u%04x", c);
        else
            buf_addc(b, (char)c);
    }
    buf_addc(b, '"');
}

static enum sasl_step
tell(struct sasl *s, enum sasl_failure f, struct str status, struct str schemes)
{
    const struct sasl_peer *peer = s->work->peer;
    struct buf b = buf_in(s->work->arena);

    buf_addc(&b, '{');
    json_add(&b, "status", status);
    json_add(&b, "schemes", schemes);
    json_add(&b, "scope", peer->oauth_scope);
    json_add(&b, "openid-configuration", peer->oauth_configuration);
    buf_addc(&b, '}');
    s->failure = f;
    s->work->stage = REFUSED;
    return sasl_challenge(s, buf_str(&b));
}

static enum sasl_step
bearer_refused(struct sasl *s, enum sasl_failure f)
{
    return tell(s, f, S("invalid_token"), S(""));
}

static enum sasl_step
xoauth2_refused(struct sasl *s, enum sasl_failure f)
{
    return tell(s, f, S("401"), S("bearer"));
}

const struct sasl_kind sasl_bearer = {.feed = bearer_feed,
                                      .refused = bearer_refused};
const struct sasl_kind sasl_xoauth2 = {.feed = xoauth2_feed,
                                       .refused = xoauth2_refused};
