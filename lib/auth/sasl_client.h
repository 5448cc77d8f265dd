/*
 * sasl_client.h - the client's side of SASL mechanisms, without I/O.
 *
 *     mech = sasl_client_choose(&login, offered, options, allowed, own);
 *     rc = sasl_client_start(arena, mech, &login, &c, &initial, &why);
 *     each challenge:  rc = sasl_client_step(c, challenge, &response, &why);
 *     success:         rc = sasl_client_finish(c, data, &why);
 *
 * Bytes are raw: base64, "=" and "*" are the caller's. Where a step fails, the
 * caller aborts the exchange with "*".
 */
#ifndef AUTH_SASL_CLIENT_H
#define AUTH_SASL_CLIENT_H

#include "auth/binding.h"
#include "auth/mech.h"
#include "base/arena.h"
#include "base/why.h"

/* Longest challenge, raw. */
#define SASL_CHALLENGE_MAX 16384

/* Most rounds of a hash that a server can make us compute. */
#define SASL_ROUNDS_MAX 1000000

struct sasl_login {
    struct str user;     /* for EXTERNAL may be empty: the certificate's */
    struct str password; /* or the token; empty: EXTERNAL only */
    struct str authzid;  /* who to act for; empty: the user */
    struct str host;     /* the server's name and port, told by OAUTHBEARER */
    unsigned port;
    bool tls;         /* the connection is encrypted */
    bool certificate; /* and we showed a certificate */
    struct str nonce; /* for tests, SCRAM's; empty: random */
    /* data empty: none, no -PLUS. */
    struct sasl_binding bindings[SASL_BINDINGS];
};

/* Does the site's filter (smtp_sasl_mechanism_filter) let it pass? */
typedef bool sasl_allowed(void *own, const char *mech);

/*
 * The strongest of the offered mechanisms ("PLAIN LOGIN SCRAM-SHA-1") that
 * the options (SASL_NO_, SASL_WANT_ bits) and the filter (NULL: none) let
 * pass, or NULL. EXTERNAL is taken where we showed a certificate and there is
 * no password; OAUTHBEARER and XOAUTH2 rank last, since nothing tells a token
 * from a password: who uses tokens filters the others out.
 */
const struct sasl_mech *sasl_client_choose(const struct sasl_login *login,
                                           struct str offered, unsigned options,
                                           sasl_allowed *allowed, void *own);

struct sasl_client;

/*
 * Begin. The login must stay until the end. initial->p is NULL where the
 * server speaks first; it may be held back for the server's first challenge,
 * which then is empty. `offered` is the server's list, from which a downgrade
 * of SCRAM shows. PERM where user or password cannot be used with it.
 */
enum rc sasl_client_start(struct arena *a, const struct sasl_mech *mech,
                          const struct sasl_login *login, struct str offered,
                          struct sasl_client **c, struct str *initial,
                          struct why *why) MUST_USE;

/* Answer a challenge; PERM where it is not what the mechanism's definition
 * says, or the server could not prove who it is. */
enum rc sasl_client_step(struct sasl_client *c, struct str challenge,
                         struct str *response, struct why *why) MUST_USE;

/*
 * The server says that we are logged in, with that data (empty: none). PERM
 * where it has not proved itself: then the login does not count.
 */
enum rc sasl_client_finish(struct sasl_client *c, struct str data,
                           struct why *why) MUST_USE;

/* What the server said before it refused a token, or "e=" of SCRAM; empty:
 * nothing. For the log; printable. */
struct str sasl_client_said(const struct sasl_client *c);

/* Wipe what was secret; the arena is the caller's. */
void sasl_client_end(struct sasl_client *c);

#endif
