/* The client's mechanisms that are a message or two: PLAIN, LOGIN, EXTERNAL,
 * CRAM-MD5, OAUTHBEARER and XOAUTH2. */
#include "auth/sasl_client_own.h"
#include "auth/scram.h"

static enum rc
nothing_more(struct why *why)
{
    return fail(why, "5.7.8",
                "the server asks for more than the mechanism has");
}

static enum rc
plain_begin(struct sasl_client *c, struct str *initial, struct why *why)
{
    struct buf b = buf_in(c->arena);

    (void)why;
    buf_add(&b, c->authzid);
    buf_addc(&b, '\0');
    buf_add(&b, c->user);
    buf_addc(&b, '\0');
    buf_add(&b, c->password);
    c->sent = *initial = buf_str(&b);
    return OK;
}

const struct client_kind client_plain = {.begin = plain_begin};

static enum rc
login_step(struct sasl_client *c, struct str challenge, struct str *response,
           struct why *why)
{
    /* What the prompts say differs from server to server; their order does
     * not. */
    (void)challenge;
    if (c->stage > 1)
        return nothing_more(why);
    *response = c->stage++ == 0 ? c->user : c->password;
    return OK;
}

static enum rc
login_finish(struct sasl_client *c, struct str data, struct why *why)
{
    (void)data;
    return c->stage == 2
               ? OK
               : fail(why, "5.7.8", "the server did not ask for the password");
}

const struct client_kind client_login = {.step = login_step,
                                         .finish = login_finish};

static enum rc
external_begin(struct sasl_client *c, struct str *initial, struct why *why)
{
    (void)why;
    *initial = c->authzid.len > 0 ? c->authzid : c->user;
    if (initial->p == NULL)
        *initial = S("");
    return OK;
}

const struct client_kind client_external = {.begin = external_begin};

static enum rc
cram_step(struct sasl_client *c, struct str challenge, struct str *response,
          struct why *why)
{
    struct buf b = buf_in(c->arena);
    uint8_t digest[16];

    if (c->stage++ > 0 || challenge.len == 0)
        return nothing_more(why);
    digest_hmac(DIGEST_MD5, c->password, challenge, digest);
    buf_add(&b, c->user);
    buf_addc(&b, ' ');
    for (size_t i = 0; i < sizeof digest; i++)
        buf_fmt(&b, "%02x", digest[i]);
    *response = buf_str(&b);
    return OK;
}

static enum rc
cram_finish(struct sasl_client *c, struct str data, struct why *why)
{
    (void)data;
    return c->stage == 1 ? OK : fail(why, "5.7.8", "the server did not ask us");
}

const struct client_kind client_cram = {.step = cram_step,
                                        .finish = cram_finish};

static enum rc
bearer_begin(struct sasl_client *c, struct str *initial, struct why *why)
{
    const struct sasl_login *login = c->login;
    struct buf b = buf_in(c->arena);

    (void)why;
    buf_add(&b, S("n,a="));
    scram_name_encode(&b, c->authzid.len > 0 ? c->authzid : c->user);
    buf_addc(&b, ',');
    if (login->host.len > 0)
        buf_fmt(&b, "\001host=%.*s", STR(login->host));
    if (login->port > 0)
        buf_fmt(&b, "\001port=%u", login->port);
    buf_fmt(&b, "\001auth=Bearer %.*s\001\001", STR(c->password));
    c->sent = *initial = buf_str(&b);
    return OK;
}

static enum rc
xoauth2_begin(struct sasl_client *c, struct str *initial, struct why *why)
{
    struct buf b = buf_in(c->arena);

    (void)why;
    buf_fmt(&b, "user=%.*s\001auth=Bearer %.*s\001\001", STR(c->user),
            STR(c->password));
    c->sent = *initial = buf_str(&b);
    return OK;
}

/* The challenge says why the token is refused; an answer is wanted before the
 * refusal itself. */
static enum rc
token_refused(struct sasl_client *c, struct str challenge, struct str *response,
              struct why *why)
{
    if (c->stage++ > 0)
        return nothing_more(why);
    client_keep_said(c, challenge);
    *response = c->mech->id == SASL_OAUTHBEARER ? S("\001") : S("");
    return OK;
}

const struct client_kind client_bearer = {.begin = bearer_begin,
                                          .step = token_refused};
const struct client_kind client_xoauth2 = {.begin = xoauth2_begin,
                                           .step = token_refused};
