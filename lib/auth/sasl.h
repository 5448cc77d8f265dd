/*
 * sasl.h - the server's side of SASL mechanisms, without I/O.
 *
 *     step = sasl_start(arena, mech, &peer, initial, &s);
 *     for (;;) switch (step) {
 *     case SASL_CHALLENGE:   send s->out; step = sasl_feed(s, response);
 *     case SASL_PASSWORD:    check s->user, s->password;
 *                            step = sasl_verdict(s, verdict, login);
 *     case SASL_TOKEN:       check s->user (may be empty), s->token; the same
 *     case SASL_IDENTITY:    may s->user log in by certificate? the same
 *     case SASL_CREDENTIALS: look up s->user's credentials of s->scheme;
 *                            step = sasl_credentials(s, &found);
 *     case SASL_DONE:        s->login is logged in
 *     case SASL_FAILED:      s->failure, s->text
 *     }
 *
 * An exchange may rest between any two calls, and be dropped at any time with
 * sasl_end. Bytes are raw: base64 and "*" are the caller's. The exchange lives
 * in the arena it was started in (SASL_ARENA bytes are enough); what it was
 * given is copied but for the peer, which must stay until the end.
 *
 * Whether a user exists shows in nothing: an unknown user gets as many steps
 * of the same shape, and a salt that is always the same for that name. The
 * caller sees to it that answers take equally long.
 */
#ifndef AUTH_SASL_H
#define AUTH_SASL_H

#include "auth/binding.h"
#include "auth/mech.h"
#include "base/arena.h"

/* Longest response, raw; longer ones fail. */
#define SASL_INPUT_MAX 16384

/* Longest name of a user. */
#define SASL_NAME_MAX 512

/* Longest password, after which a hash is not even computed. */
#define SASL_PASSWORD_MAX 1024

#define SASL_ARENA (256u << 10)

enum sasl_step {
    SASL_CHALLENGE,
    SASL_PASSWORD,
    SASL_TOKEN,
    SASL_IDENTITY,
    SASL_CREDENTIALS,
    SASL_DONE,
    SASL_FAILED,
};

/* What the caller found out. TEMPORARY ends the exchange at once, the others
 * but YES after as many steps as a wrong password. */
enum sasl_verdict {
    SASL_YES,
    SASL_NO,           /* wrong password or token, or no such user */
    SASL_TEMPORARY,    /* could not be found out */
    SASL_DISABLED,     /* right, but may not log in */
    SASL_EXPIRED,      /* right, but too old */
    SASL_UNAUTHORIZED, /* right, but may not act for authzid */
};

enum sasl_failure {
    SASL_NOT_FAILED,
    SASL_MALFORMED,   /* not what the mechanism's definition says: 501 */
    SASL_NEEDS_TLS,   /* not on this connection: 538 */
    SASL_BAD_BINDING, /* other channel binding, or a downgrade */
    SASL_WRONG,       /* SASL_NO */
    SASL_TEMP_FAIL,   /* SASL_TEMPORARY: 454 */
    SASL_USER_DISABLED,
    SASL_PASS_EXPIRED,
    SASL_AUTHZ_FAIL,
};

/* What is known of the client, and of us. */
struct sasl_peer {
    struct str service;   /* "smtp" */
    struct str hostname;  /* ours, in CRAM-MD5's challenge */
    bool secured;         /* by TLS, or it is local, or the site lets
                             passwords travel in the clear */
    bool plus_offered;    /* the client was told of -PLUS mechanisms */
    bool final_data;      /* the protocol carries data with its success */
    bool cert_valid;      /* its certificate was verified, */
    struct str cert_name; /* and this is the user's name in it */
    struct sasl_binding bindings[SASL_BINDINGS];

    /* At least 16 random bytes that stay the same for years. */
    struct str secret;
    /* Rounds of unknown users, as most users have them; 0: the default of
     * scheme.h. */
    unsigned scram_rounds;
    /* Instead of a random one, for tests: SCRAM's nonce, CRAM-MD5's challenge;
     * empty: random. */
    struct str nonce;
    /* What the errors of OAUTHBEARER and XOAUTH2 tell; may be empty. */
    struct str oauth_scope, oauth_configuration;
};

struct sasl {
    const struct sasl_mech *mech;
    struct str out; /* to the client, raw; with SASL_DONE data that goes along
                       with success, empty where there is none */

    struct str user;     /* authentication identity, prepared (RFC 4013) */
    struct str authzid;  /* who to act for; empty: the same */
    struct str password; /* of SASL_PASSWORD, prepared; NUL behind it */
    struct str raw;      /* the same as it was sent, where that differs; to be
                            tried second: a hash may have been made of it */
    struct str token;    /* of SASL_TOKEN */
    const char *scheme;  /* of SASL_CREDENTIALS: a name of scheme.h */

    struct str login; /* of SASL_DONE: who it is, to act as */
    enum sasl_failure failure;
    const char *text; /* why it failed, for the log; tells no secret */

    struct sasl_work *work;
};

/* Credentials as scheme_credentials makes them. */
struct sasl_found {
    struct str data;           /* empty: no such user, or none of that kind */
    enum sasl_verdict verdict; /* what is said where the proof is right */
    struct str login;          /* as with sasl_verdict */
};

/*
 * Begin. initial is the initial response, NULL where there was none (not the
 * same as an empty one). *s is never NULL.
 */
enum sasl_step sasl_start(struct arena *a, const struct sasl_mech *mech,
                          const struct sasl_peer *peer,
                          const struct str *initial, struct sasl **s);

/* The client's response. Outside SASL_CHALLENGE it makes the exchange fail;
 * sasl_verdict and sasl_credentials must only be called when asked for. */
enum sasl_step sasl_feed(struct sasl *s, struct str response);

/*
 * What came of SASL_PASSWORD, SASL_TOKEN or SASL_IDENTITY. login is who this
 * is, as the site writes the name; empty: authzid, else user. A verdict of
 * YES covers authzid: who may act for whom is the caller's policy.
 */
enum sasl_step sasl_verdict(struct sasl *s, enum sasl_verdict v,
                            struct str login);

/* What came of SASL_CREDENTIALS. */
enum sasl_step sasl_credentials(struct sasl *s, const struct sasl_found *found);

/* Wipe what was secret; the arena is the caller's. */
void sasl_end(struct sasl *s);

/* What a failure is called in replies: "authentication failed" ... */
const char *sasl_failure_text(enum sasl_failure f);

#endif
