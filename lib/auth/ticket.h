/*
 * ticket.h - a login, vouched for.
 *
 * The login stage parses what strangers send, so nobody believes it who has
 * logged in. authd answers it with a ticket: what is known of the user, and
 * until when, sealed with a key that only authd and the processes that start
 * users' sessions have. The ticket goes along with the connection.
 */
#ifndef AUTH_TICKET_H
#define AUTH_TICKET_H

#include "base/buf.h"
#include "base/why.h"

#define TICKET_KEY  32
#define TICKET_MAX  8192 /* characters */
#define TICKET_LIFE 60   /* seconds in which it must be used */

/* Text of letters and digits that holds `service`, `user` and `fields` (words
 * of dovecot.h). now: seconds since 1970. */
struct str ticket_make(struct arena *a, const unsigned char key[TICKET_KEY],
                       int64_t now, struct str service, struct str user,
                       struct str fields);

struct ticket {
    struct str service, user, fields; /* copies in the arena */
};

/* PERM where it is not ours, is too old, or is for another service. */
enum rc ticket_open(struct arena *a, const unsigned char key[TICKET_KEY],
                    int64_t now, struct str service, struct str text,
                    struct ticket *t, struct why *why) MUST_USE;

#endif
