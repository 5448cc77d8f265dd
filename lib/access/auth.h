/*
 * auth.h - asking authd who somebody is, from an event loop.
 *
 * One connection to authd a process; many exchanges on it at once. While it
 * cannot be had, exchanges wait for a moment and then fail with TEMP. What was
 * asked may be a password: no memory that held it is given back unwiped.
 */
#ifndef ACCESS_AUTH_H
#define ACCESS_AUTH_H

#include "auth/dovecot.h"
#include "sys/loop.h"

struct auth;
struct auth_call; /* one exchange */

struct auth_result {
    bool good;
    struct str user;        /* as authd writes him; also where it failed */
    struct str ticket;      /* for the broker (auth/ticket.h) */
    struct str resp;        /* raw data that goes along with success */
    enum dovecot_code code; /* why not */
    struct str reason;      /* in authd's words, for the client; may be empty */
};

struct auth_user {
    void (*challenge)(void *own, struct str data); /* raw */
    void (*done)(void *own, const struct auth_result *r);
};

/* path: of authd's socket. It is connected to when it is first needed. */
struct auth *auth_new(struct loop *l, const char *path);
void auth_free(struct auth *a);

/* Ask for the mechanisms ahead of the first login. */
void auth_wake(struct auth *a);
/* Once it has said what it offers, call that, once; NULL: do not. Until then
 * it is tried again and again. */
void auth_when_up(struct auth *a, loop_due *up, void *own);
/* The n-th mechanism that authd offers and that we know; NULL at the end, and
 * while authd was never reached. */
const struct sasl_mech *auth_mech(const struct auth *a, size_t n);

/* Begin an exchange; r->id is chosen here, the rest is sent. `done` is called
 * exactly once, later, unless it is cancelled. */
struct auth_call *auth_begin(struct auth *a, struct dovecot_request *r,
                             const struct auth_user *user, void *own);
/* The client's answer to a challenge, raw. */
void auth_continue(struct auth_call *c, struct str data);
/* Nobody waits for it any more. */
void auth_cancel(struct auth_call *c);

#endif
