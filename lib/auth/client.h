/*
 * client.h - asking a Dovecot auth service, for processes that serve one
 * session at a time.
 *
 * The service is Posta's authd, or a site's Dovecot. One connection is kept
 * for one login after the other, and made anew when it has ended. All calls
 * block, within limits. What is secret lives in the arena of the call, which
 * the caller wipes.
 */
#ifndef AUTH_CLIENT_H
#define AUTH_CLIENT_H

#include <signal.h>

#include "auth/dovecot.h"
#include "base/arena.h"
#include "dns/dns.h"

struct auth_client;

/*
 * where: "unix:path", "inet:host:port" or a path; one that does not begin with
 * "/" stands below directory. Nothing is connected yet. *stop, which a signal
 * handler sets, ends waiting. NULL: where is none of these, why says so.
 */
struct auth_client *auth_client_new(struct arena *life, const char *directory,
                                    struct str where, struct dns *dns,
                                    const volatile sig_atomic_t *stop,
                                    struct why *why);

/* Hang up, and free what does not live in `life`. */
void auth_client_free(struct auth_client *c);

/* A mechanism that the service offers, but for private ones. */
struct auth_mech {
    struct str name;
    unsigned properties; /* SASL_ bits of mech.h */
};

/*
 * The mechanisms, in the service's order; those it offered the last time where
 * it cannot be reached now. False where it has never been.
 */
bool auth_client_mechs(struct auth_client *c, const struct auth_mech **mechs,
                       size_t *count);

enum auth_step {
    AUTH_CHALLENGE, /* challenge is for the client; its response goes on */
    AUTH_DONE,      /* user has logged in */
    AUTH_REFUSED,   /* reason may be empty; user may be known */
    AUTH_UNSURE,    /* could not be found out now; reason is not empty */
};

struct auth_says {
    struct str challenge; /* raw */
    struct str user, reason;
};

/*
 * Begin an exchange; one at a time. request->id is chosen here. Texts of
 * *says live in the arena.
 */
enum auth_step auth_client_begin(struct auth_client *c, struct arena *a,
                                 struct dovecot_request *request,
                                 struct auth_says *says);
/* The client's response to a challenge, raw. */
enum auth_step auth_client_feed(struct auth_client *c, struct arena *a,
                                struct str response, struct auth_says *says);
/* The client gave up. */
void auth_client_cancel(struct auth_client *c);

/*
 * What is known of a user who does not log in: his fields (dovecot_next), in
 * the arena. OK with a NULL view where there is no such user; TEMP where it
 * cannot be found out now. Only root and mail_owner are answered.
 */
enum rc auth_client_user(struct auth_client *c, struct arena *a,
                         struct str user, struct str service,
                         struct str *fields, struct why *why) MUST_USE;

#endif
