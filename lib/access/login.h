/*
 * login.h - the login stage: what a client may do before we know him.
 *
 * One event loop a worker, thousands of clients, no rights: it reads their
 * commands, shakes hands, asks authd, and gives the connection away to the
 * broker (broker.h). Where a connection is encrypted it stays between the
 * client and the user's process and does nothing but encrypt.
 *
 * A protocol (imapd/login.c, pop3d/login.c) fills in struct login_protocol.
 * Passwords are refused before encryption, whatever the client says
 * (login_tls_auth_only).
 */
#ifndef ACCESS_LOGIN_H
#define ACCESS_LOGIN_H

#include "access/auth.h"
#include "daemon/child.h"
#include "sys/conn.h"

struct login_stage;
struct login_protocol;

/* One client. */
struct guest {
    struct login_stage *stage;
    const struct login_protocol *protocol;
    const struct conf *conf;
    struct conn *conn;
    struct arena *work; /* of one call of ours; the same for all guests; it is
                           wiped after each command, and each line of the
                           log */
    void *own;          /* the protocol's: `size` zeroed bytes, until done */
    bool secured;       /* encrypted */
    bool in_auth;       /* the next line answers a challenge */
    unsigned attempts;  /* logins that failed */
    struct guest_private *priv;
};

/* What clients are told, in the protocol's own words. */
struct login_words {
    const char *cleartext; /* passwords are taken over TLS only */
    const char *no_mech, *no_base64, *aborted;
    const char *refused[DOVECOT_EXPIRED + 1]; /* by enum dovecot_code */
    const char *unavailable; /* logged in, but there is no mailbox now */
};

struct login_protocol {
    const char *service; /* "imap", as authd and the broker know it */
    const char *program; /* "imap-login", for the log */
    size_t size;
    void (*greet)(struct guest *l);
    /* Take one command (or answer to a challenge) off conn_input. False: it
     * is not whole yet. Not called while authd or the broker is asked. */
    bool (*input)(struct guest *l);
    /* Answer the command that is under way, or was. */
    void (*say)(struct guest *l, const char *text);
    struct login_words words;
    /* A challenge was sent, or is void before its answer came (in_auth): what
     * comes next is read that way. May be NULL. */
    void (*challenged)(struct guest *l);
    /* A word before we close: "Server shutting down". */
    void (*bye)(struct guest *l, const char *why);
    /* Logged in, or gone: free what hangs on l->own. May be NULL. */
    void (*done)(struct guest *l);
};

/* ---- for protocols */

/* May the client log in with that mechanism now? */
bool login_may_use(const struct guest *l, const struct sasl_mech *m);
/* The n-th mechanism to announce; NULL at the end. */
const struct sasl_mech *login_mech(const struct guest *l, size_t n);

/* Is STARTTLS possible? */
bool login_has_tls(const struct guest *l);
/* After the reply that invites it has been put: input that was sent ahead is
 * dropped, and TLS begins. */
void login_start_tls(struct guest *l);

/* May the client send passwords now? If not, it has been told. */
bool login_allow_password(struct guest *l);
/*
 * A command with a mechanism, or with user and password: ask authd, unless it
 * is refused here. initial: the initial response in base64; p NULL if there is
 * none. greeting goes to the user's process, which answers the command with it.
 */
void login_mechanism(struct guest *l, struct str name, struct str initial,
                     struct str greeting);
void login_password(struct guest *l, struct str user, struct str password,
                    struct str greeting);
/* The client's line in answer to a challenge. */
void login_answer(struct guest *l, struct str line);

/* The same after a word of the protocol (bye). */
void login_say_bye(struct guest *l, const char *why);
/* Close, when what was put is sent. why is for the log, "" for QUIT. */
void login_end(struct guest *l, const char *why);

/* ---- for programs: as in struct program (child.h) */
void login_prepare(struct daemon *d, const struct login_protocol *p);
void login_ready(struct daemon *d);
void login_work(struct daemon *d, const struct login_protocol *p);

#endif
