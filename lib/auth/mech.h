/*
 * mech.h - the SASL mechanisms both sides know, as a table.
 *
 * Strongest first: the client takes the first one that everybody accepts.
 */
#ifndef AUTH_MECH_H
#define AUTH_MECH_H

#include "base/str.h"

/*   id, name, properties. Those of a mechanism as Dovecot's MECH line has
 * them, but for tokens: who overhears one can use it, so they count as
 * plaintext (Dovecot gives OAUTHBEARER and XOAUTH2 no property at all). */
#define SASL_MECHS(X)                                                          \
    X(EXTERNAL, "EXTERNAL", SASL_NEEDS_CERT)                                   \
    X(SCRAM_SHA_256_PLUS, "SCRAM-SHA-256-PLUS", SASL_MUTUAL | SASL_BINDING)    \
    X(SCRAM_SHA_1_PLUS, "SCRAM-SHA-1-PLUS", SASL_MUTUAL | SASL_BINDING)        \
    X(SCRAM_SHA_256, "SCRAM-SHA-256", SASL_MUTUAL)                             \
    X(SCRAM_SHA_1, "SCRAM-SHA-1", SASL_MUTUAL)                                 \
    X(CRAM_MD5, "CRAM-MD5", SASL_DICTIONARY | SASL_ACTIVE)                     \
    X(PLAIN, "PLAIN", SASL_PLAINTEXT)                                          \
    X(LOGIN, "LOGIN", SASL_PLAINTEXT)                                          \
    X(OAUTHBEARER, "OAUTHBEARER", SASL_PLAINTEXT | SASL_BEARER)                \
    X(XOAUTH2, "XOAUTH2", SASL_PLAINTEXT | SASL_BEARER)

/* Properties. */
enum {
    SASL_PLAINTEXT = 1 << 0,  /* what is sent can be used again */
    SASL_DICTIONARY = 1 << 1, /* open to guessing by who listens */
    SASL_ACTIVE = 1 << 2,     /* open to who stands in between */
    SASL_MUTUAL = 1 << 3,     /* the server proves itself too */
    SASL_FORWARD = 1 << 4,    /* forward secrecy: no mechanism has it */
    SASL_BINDING = 1 << 5,    /* bound to the TLS connection (-PLUS) */
    SASL_NEEDS_CERT = 1 << 6, /* the client's certificate says who it is */
    SASL_BEARER = 1 << 7,     /* a token instead of a password */
};

enum sasl_id {
#define SASL_ID(id, name, properties) SASL_##id,
    SASL_MECHS(SASL_ID)
#undef SASL_ID
        SASL_COUNT
};

struct sasl_mech {
    enum sasl_id id;
    const char *name;
    unsigned properties;
};

/* All SASL_COUNT of them, in the order of enum sasl_id. */
extern const struct sasl_mech sasl_mechs[];

/* The mechanism of that name, whatever its case; NULL if there is none. */
const struct sasl_mech *sasl_mech_find(struct str name);

/*
 * The words of smtpd_sasl_security_options and smtp_sasl_security_options:
 * noplaintext, noactive, nodictionary, noanonymous, forward_secrecy,
 * mutual_auth. Separated by blanks and commas. False, with the word, where
 * there is another one.
 */
enum {
    SASL_NO_PLAINTEXT = 1 << 0,
    SASL_NO_ACTIVE = 1 << 1,
    SASL_NO_DICTIONARY = 1 << 2,
    SASL_NO_ANONYMOUS = 1 << 3,
    SASL_WANT_FORWARD = 1 << 4,
    SASL_WANT_MUTUAL = 1 << 5,
};
bool sasl_options_parse(struct str words, unsigned *options, struct str *bad);

/*
 * May a mechanism of these properties be used? What is open to less skilled
 * attackers is ruled out too: noactive and nodictionary rule out plaintext.
 * forward_secrecy is honoured, which rules out every mechanism; noanonymous
 * rules out none, as ANONYMOUS is not known.
 */
bool sasl_options_allow(unsigned options, unsigned properties);

#endif
