/*
 * The server's mechanisms. The first byte picks one and what is known of the
 * client, the second what the look-ups find; then responses, with \376 in
 * between, the first one initial where the second byte says so.
 */
#include "auth/sasl.h"

#include "fuzz/fuzz.h"

/* As scheme_credentials makes them, of "pencil" with one round. */
#define SCRAM_1                                                                \
    "1,QSXCR+Q6sek8bf92,OsRKRBpjTpgzM4Fj4J7Bne8SWkg=,"                         \
    "OsRKRBpjTpgzM4Fj4J7Bne8SWkg="
#define SCRAM_256                                                              \
    "1,QSXCR+Q6sek8bf92,n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=,"         \
    "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="
#define CRAM "38b57fd1a0c4b46c814aa05f20318edd71c455380655f2c0ac35c5b359528d29"

/* More steps than any mechanism has. */
#define STEPS 8

static enum sasl_step
look_up(struct sasl *s, enum sasl_step step, uint8_t how)
{
    struct sasl_found found = {.verdict = how % (SASL_UNAUTHORIZED + 1)};

    switch (step) {
    case SASL_PASSWORD:
        must(s->password.len > 0 && s->user.len > 0);
        return sasl_verdict(s, found.verdict, S(""));
    case SASL_TOKEN:
        must(s->token.len > 0);
        return sasl_verdict(s, found.verdict, S("somebody"));
    case SASL_IDENTITY:
        return sasl_verdict(s, found.verdict, S(""));
    case SASL_CREDENTIALS:
        must(s->user.len > 0);
        if (how & 0x40)
            found.data = strcmp(s->scheme, "CRAM-MD5") == 0      ? S(CRAM)
                         : strcmp(s->scheme, "SCRAM-SHA-1") == 0 ? S(SCRAM_1)
                                                                 : S(SCRAM_256);
        return sasl_credentials(s, &found);
    default:
        return step;
    }
}

static void
fuzz(struct arena *a, struct str in)
{
    struct str response;
    struct sasl *s;

    if (in.len < 2)
        return;
    uint8_t what = (uint8_t)in.p[0], how = (uint8_t)in.p[1];
    struct sasl_peer peer = {
        .service = S("smtp"),
        .hostname = S("mx.example.org"),
        .secured = true,
        .plus_offered = what & 0x20,
        .final_data = what & 0x40,
        .cert_valid = what & 0x80,
        .cert_name = S("user"),
        .bindings = {{S("tls-exporter"), S("exported")}},
        .secret = S("a secret of the server"),
        .nonce = S("server"),
        .oauth_scope = S("mail"),
    };

    in = str_sub(in, 2, in.len);
    str_cut(&in, '\376', &response);

    const struct sasl_mech *m = &sasl_mechs[(what & 0x1f) % SASL_COUNT];
    enum sasl_step step =
        sasl_start(a, m, &peer, how & 0x80 ? &response : NULL, &s);

    for (int i = 0; i < STEPS; i++) {
        step = look_up(s, step, how);
        if (step == SASL_FAILED || step == SASL_DONE)
            break;
        must(step == SASL_CHALLENGE);
        str_cut(&in, '\376', &response);
        step = sasl_feed(s, response);
    }
    must(step == SASL_FAILED || step == SASL_DONE);
    must(step == SASL_DONE || (s->text && s->failure != SASL_NOT_FAILED));
    must(step == SASL_FAILED || s->login.len > 0);
    sasl_end(s);
    must(sasl_feed(s, S("more")) == SASL_FAILED);
}

/* As much as a caller gives it. */
FUZZ(SASL_ARENA)
