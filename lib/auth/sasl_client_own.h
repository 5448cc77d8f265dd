/*
 * sasl_client_own.h - what the client's mechanisms share, behind
 * sasl_client.h.
 */
#ifndef AUTH_SASL_CLIENT_OWN_H
#define AUTH_SASL_CLIENT_OWN_H

#include "auth/sasl_client.h"
#include "base/buf.h"

struct sasl_client {
    struct arena *arena;
    const struct sasl_mech *mech;
    const struct sasl_login *login;
    const struct client_kind *kind;
    struct str offered;
    struct str user, authzid, password; /* prepared */
    struct str sent; /* holds the password: wiped at the end */
    struct str said;
    unsigned stage;
    void *own; /* of the mechanism */
};

struct client_kind {
    /* What is sent with AUTH; NULL: nothing. */
    enum rc (*begin)(struct sasl_client *c, struct str *initial,
                     struct why *why);
    enum rc (*step)(struct sasl_client *c, struct str challenge,
                    struct str *response, struct why *why);
    /* NULL: success is success. */
    enum rc (*finish)(struct sasl_client *c, struct str data, struct why *why);
};

extern const struct client_kind client_plain, client_login, client_external;
extern const struct client_kind client_cram, client_scram;
extern const struct client_kind client_bearer, client_xoauth2;

/* Keep what the server said of its refusal, made printable. */
void client_keep_said(struct sasl_client *c, struct str text);

#endif
