/*
 * login.h - logging in to a server (RFC 4954), where the site has a password
 * for it and the server knows AUTH.
 *
 * Whatever goes wrong is the session's end and no fault of the message: it is
 * tried at another server, or later. Only smtp_sasl_auth_soft_bounce = no lets
 * a refusal of the server return it.
 */
#ifndef SMTP_LOGIN_H
#define SMTP_LOGIN_H

#include "session.h"

/*
 * Read and open what main.cf says of logins, while tables that only root may
 * read can be. NULL with why where it cannot be used.
 */
struct logins *logins_open(struct arena *life, const struct conf *conf,
                           bool lmtp, struct why *why);

/* What a password is looked for by, in this order. */
struct login_keys {
    struct str sender; /* of the message; where main.cf says so */
    struct str host;   /* the server */
    struct str dest;   /* the next hop as it was written */
};

/* After the hello: log in if need be. Not OK: nothing must be sent but QUIT. */
enum rc login_run(struct session *s, struct arena *a,
                  const struct login_keys *keys, struct trouble *t) MUST_USE;

/* There is a password, or no telling: there must be no way back from TLS. */
bool login_expected(const struct settings *s, const struct login_keys *keys,
                    struct arena *a);

/* May the session, which was opened for another message, carry one of this
 * sender? Not where the password depends on who sends. */
bool login_serves(const struct session *s, struct str sender);

#endif
