/*
 * login.h - one login: a SASL exchange, the sources, and what came of it.
 *
 * It begins with a client's AUTH line, rests while the client or a checker is
 * to answer, and ends with one call of `ended`. Whatever is wrong with user or
 * password, the answer is the same, and comes at the same time after the
 * client's last line: the failure delay counts from there, not from when the
 * check was done.
 */
#ifndef AUTHD_LOGIN_H
#define AUTHD_LOGIN_H

#include "auth.h"
#include "auth/dovecot.h"

struct login;

struct login_end {
    bool ok;
    struct dovecot_reply reply;
    struct str fields; /* of OK: list of rec_field */
};

struct login_user {
    void (*challenge)(void *own, struct login *l, struct str data);
    /* The login is gone when this returns. */
    void (*ended)(void *own, struct login *l, const struct login_end *e);
    void *own;
};

/*
 * A login, not yet begun. The request lives in the arena, which becomes the
 * login's, and is wiped with it. login_run begins; any call of the user may be
 * made from within it.
 */
struct login *login_new(struct auth *auth, struct arena *a,
                        const struct dovecot_request *request,
                        const struct login_user *user);
void login_run(struct login *l);

/*
 * A question about a user, without a login: `ended` tells what is known of him
 * (ok), that nobody is (DOVECOT_REFUSED), or DOVECOT_TEMP.
 */
void login_look_up(struct login *l, struct str user);

/* The client goes on. False where it is not his turn. */
bool login_continue(struct login *l, struct str data) MUST_USE;

/* The client has lost interest; `ended` is not called. */
void login_cancel(struct login *l);

uint32_t login_id(const struct login *l);
struct str login_service(const struct login *l);

#endif
