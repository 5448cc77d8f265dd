/*
 * auth.h - what all parts of the role authd share.
 */
#ifndef AUTHD_AUTH_H
#define AUTHD_AUTH_H

#include "ask.h"
#include "auth/last_use.h"
#include "auth/mech.h"
#include "auth/sasl.h"
#include "base/buf.h"
#include "cache.h"
#include "daemon/child.h"
#include "daemon/secret.h"
#include "map/map.h"
#include "source.h"
#include "throttle.h"

/* Logins under way in one worker, and on one connection. */
#define LOGINS_MAX         10000
#define LOGINS_MAX_SESSION 1000

struct session;

struct auth {
    struct daemon *daemon;
    const struct conf *conf;
    struct loop *loop;
    struct sources passwords, users;
    const struct sasl_mech *mechs[SASL_COUNT]; /* auth_mechanisms */
    size_t mech_count;
    struct cache *cache;
    struct throttle *throttle; /* NULL: the file cannot be had */
    struct last_use last_use;
    struct match_list *exceptions;
    /* auth-worker for hashes, and for what other servers answer; auth-pam. */
    struct asker *hasher, *server, *root;
    uint8_t secret[SECRET_SIZE];     /* of sasl_peer */
    uint8_t ticket_key[SECRET_SIZE]; /* auth/ticket.h */
    uid_t mail_owner;                /* who may ask about users, as root may */
    struct session *sessions;
    size_t logins;
    unsigned long served; /* connections */
    bool ending;
};

/* May that mechanism be used, and can a source serve it now? */
bool auth_offers(struct auth *auth, const struct sasl_mech *mech);

/* The passwd-file of a source as it is now; asks master for a new template
 * where only root can read it. NULL: unreadable. */
struct passwd_file *auth_file(struct auth *auth, struct source *s);

/* Who asks that source; NULL where authd knows itself. */
struct asker *auth_asker(const struct auth *auth, const struct source *s);

#endif
