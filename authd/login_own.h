/*
 * login_own.h - what the parts of a login share: login.c (the exchange and its
 * end), verify.c (is it the password?), lookup.c (what is known of the user).
 */
#ifndef AUTHD_LOGIN_OWN_H
#define AUTHD_LOGIN_OWN_H

#include "login.h"
#include "name.h"

struct login {
    struct auth *auth;
    struct arena *arena; /* NULL once only the failure's delay is left */
    struct login_user user;
    struct dovecot_request request;
    struct sasl_peer peer;
    struct sasl *sasl;
    struct ask *ask;       /* a checker is at work */
    struct timer *expires; /* the client must be done by then */
    struct timer *late;    /* a failure that waits */
    int64_t began;         /* when the client's last line came, ms */
    uint32_t id;
    bool wants_client; /* a challenge was sent */

    /* Who it is. */
    struct str name; /* normalised; empty: is none */
    char shown[NAME_MAX_LEN + 1];
    struct throttle_client client;

    /* The search of a password. */
    bool token;
    size_t next;          /* source to ask */
    struct source *at;    /* that was asked last */
    struct source *knows; /* knew the user, but not the password */
    struct buf stored;    /* hashes that were asked about */
    unsigned apps[PASSWD_APPS_MAX + 1]; /* and whose they are; 0: his own */
    size_t stored_count;
    struct question question;
    uint8_t key[CACHE_KEY];
    bool has_key;
    bool checked;   /* a check was made, as always must be */
    bool news;      /* one of them not from the cache */
    bool temporary; /* a source could not answer */
    bool throttled; /* nothing was looked at */
    bool disabled, wrong_net;

    /* What came of it. */
    struct buf fields; /* list of rec_field */
    unsigned app;      /* number of the application password; 0: none */

    /* The search of the user. */
    size_t next_user;
    void (*found)(struct login *l, enum check_verdict v);
};

/* What the client said has been understood: go on with that step. */
void login_step(struct login *l, enum sasl_step step);

/* Set the name; false where it is none. */
bool login_set_name(struct login *l, struct str typed);

/* SASL_PASSWORD and SASL_TOKEN; SASL_CREDENTIALS; SASL_IDENTITY. They end in
 * login_step. */
void verify_secret(struct login *l, bool token);
void verify_credentials(struct login *l);
void verify_identity(struct login *l);

/* What auth_user_sources know of the user goes into l->fields; then `found`
 * with YES, UNKNOWN or TEMP. */
void lookup_user(struct login *l,
                 void (*found)(struct login *l, enum check_verdict v));

/* authzid names him, or nobody. */
bool login_is_authorized(struct login *l);

#endif
