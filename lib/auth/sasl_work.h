/*
 * sasl_work.h - what the server's mechanisms share, behind sasl.h.
 */
#ifndef AUTH_SASL_WORK_H
#define AUTH_SASL_WORK_H

#include "auth/sasl.h"

/* Secrets that are wiped at the end. */
#define SASL_SECRETS 8

struct sasl_work {
    struct arena *arena;
    const struct sasl_peer *peer;
    const struct sasl_kind *kind;
    enum sasl_step step; /* what is waited for */
    unsigned stage;      /* of the mechanism */
    struct str secrets[SASL_SECRETS];
    size_t nsecrets;
    void *own; /* of the mechanism */
};

/* A mechanism. Each function returns the next step. */
struct sasl_kind {
    /* What a server says first; NULL: the client speaks first. */
    enum sasl_step (*greet)(struct sasl *s);
    /* The initial response may be there, although the server speaks first. */
    bool initial;
    enum sasl_step (*feed)(struct sasl *s, struct str response);
    /* For SASL_NO and what ends like it; NULL: fails at once. */
    enum sasl_step (*refused)(struct sasl *s, enum sasl_failure f);
    enum sasl_step (*found)(struct sasl *s, const struct sasl_found *found);
};

extern const struct sasl_kind sasl_plain, sasl_login, sasl_external;
extern const struct sasl_kind sasl_cram, sasl_scram;
extern const struct sasl_kind sasl_bearer, sasl_xoauth2;

enum sasl_step sasl_fail(struct sasl *s, enum sasl_failure f, const char *text);
enum sasl_step sasl_challenge(struct sasl *s, struct str out);
/* Logged in; login as in sasl_verdict. */
enum sasl_step sasl_done(struct sasl *s, struct str login);
/* What a verdict other than YES is. */
enum sasl_failure sasl_failure_of(enum sasl_verdict v);

/* Prepare the name of a user into s->user, or of who to act for into
 * s->authzid (which may be empty); false where it cannot be one. */
bool sasl_set_user(struct sasl *s, struct str name);
bool sasl_set_authzid(struct sasl *s, struct str name);
/* The password into s->password and s->raw; false where it cannot be one. */
bool sasl_set_password(struct sasl *s, struct str password);

/* A copy that is wiped at the end. */
struct str sasl_secret(struct sasl *s, struct str bytes);
/* Or only the wiping. */
void sasl_keep_secret(struct sasl *s, struct str bytes);

#endif
