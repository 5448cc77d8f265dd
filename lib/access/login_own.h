/*
 * login_own.h - what the parts of the login stage share.
 *
 *   login.c        a client from greeting to login, and what protocols call
 *   login_exchange.c  what protocols have in common of a login
 *   login_stage.c  the worker: accepting, ending, authd and the broker
 *   login_tls.c    TLS underneath a connection
 *   login_relay.c  encrypting for the user's process after login
 */
#ifndef ACCESS_LOGIN_OWN_H
#define ACCESS_LOGIN_OWN_H

#include <openssl/types.h>

#include "access/login.h"
#include "base/vec.h"
#include "tls/session.h"

/* Where a client stands. */
enum login_state {
    LOGIN_SHAKING,   /* implicit TLS: nothing is said before it is up */
    LOGIN_COMMAND,   /* the next command, or an answer to a challenge */
    LOGIN_SWITCHING, /* STARTTLS: the reply is on its way */
    LOGIN_ASKING,    /* authd */
    LOGIN_ENTERING,  /* the broker */
    LOGIN_ENDING,    /* closes when all is sent */
    LOGIN_RELAYING,  /* logged in, behind TLS */
    LOGIN_RETURNING, /* and out again: the last that was said to him */
};

struct guest_private {
    enum login_state state;
    struct loop *loop;
    struct timer *timer; /* until login; then until goodbye */
    int64_t began;
    struct auth_call *call;
    int64_t tag; /* at the broker */
    bool handed; /* his own socket is there, and we have not heard of it */
    struct tls_session *tls;
    bool shaken;
    struct str method, user, greeting, ticket; /* malloc */
    struct timer *again; /* until the broker is asked again */
    int64_t pause;       /* before that */
    char id[17];
    char client[SOCK_TEXT_MAX], server[SOCK_TEXT_MAX];
    unsigned client_port, server_port;
    int64_t asked;     /* when he last began to log in */
    const char *tried; /* what may not be, instead of logging in, for the log */
    const char *why;   /* it ends, for the log */
    const char *tls_why; /* what TLS has to say of that, or NULL */
    uint64_t sent;       /* when it was last looked, while it ends */
    int inner, ours;     /* ends of the way to the user's process; or -1 */
    size_t along;        /* input that goes to him with the login */
    struct conn *relay;  /* our end, once he is logged in */
    size_t place;        /* in the stage's list */
};

struct login_stage {
    struct daemon *daemon;
    const struct login_protocol *protocol;
    struct loop *loop;
    struct auth *auth;
    struct arena *work;
    struct link broker; /* fd -1: not connected */
    struct watch *broker_watch;
    int64_t last_tag;
    struct timer *late; /* authd, at the start */
    bool wrapper, ending;
    VEC(struct guest *) all;
    struct packet packet;
};

/* login.c */
struct guest *login_new(struct login_stage *s, int fd,
                        const struct sockaddr_storage *peer);
void login_free(struct guest *l);
/* Close when all is sent, without a line in the log. */
void login_finish(struct guest *l);
/* Handshake done: say hello, or go on. */
void login_shaken(struct guest *l);
/* The broker's answer. */
void login_entered(struct guest *l, const struct msg_entered *m);
void login_log_failed(struct guest *l);
/* He is back (RFC 8437): fd, which is taken over, is the user's end of the
 * relay, input what was read of it. */
void login_returned(struct guest *l, int fd, struct str input);
/* All that his process had to say is on its way: as if he had just come. */
void login_begin_again(struct guest *l);

/* Ask authd. initial: raw; NULL if there is none. */
void login_auth(struct guest *l, struct str mech, const struct str *initial,
                struct str greeting);
/* The answer to a challenge, raw; the client gave up. */
void login_continue(struct guest *l, struct str data);
void login_abort(struct guest *l);

/* login_exchange.c: authd wants to know more (data is raw); waits for no answer
 * any more, whoever was asked; said no; the broker did. */
void exchange_challenge(struct guest *l, struct str data);
void exchange_over(struct guest *l);
void exchange_refused(struct guest *l, enum dovecot_code code);
void exchange_unavailable(struct guest *l);

/* login_stage.c: hand the connection over; false: not now. */
bool stage_enter(struct guest *l, struct str ticket, int fd);
void stage_add(struct guest *l);
void stage_remove(struct guest *l);

/* login_tls.c */
bool login_tls_possible(void);
bool login_tls_begin(struct guest *l);

/* login_relay.c: false with errno: no socket to be had. */
bool relay_prepare(struct guest *l);
/* Nothing of the old way is of use any more, whoever may have its end. */
bool relay_renew(struct guest *l);
void relay_begin(struct guest *l);
/* Take back what was passed on and not read; false: there is too much. */
bool relay_take_back(struct guest *l, int fd, struct str input);
/* There is input of that side, or room for output on the other. */
void relay_to_user(struct guest *l);
void relay_to_client(struct guest *l);

#endif
