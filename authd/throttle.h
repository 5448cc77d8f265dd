/*
 * throttle.h - who has guessed how often, in a file that outlives processes.
 *
 * Failures are counted for a user from a network, and for the network. Each
 * count halves in an hour; from a number on an attempt has to wait, twice as
 * long each time, up to a quarter of an hour. Who has logged in from an
 * address before is known there: only failures from that very address count
 * against him, so that nobody can lock him out by guessing from elsewhere.
 *
 * The file has a fixed size and is mapped by all workers at once. Where there
 * is no room the smallest count gives way. It is not synced.
 */
#ifndef AUTHD_THROTTLE_H
#define AUTHD_THROTTLE_H

#include "base/arena.h"
#include "base/why.h"

struct throttle;

struct throttle_limits {
    unsigned ipv4_bits, ipv6_bits; /* of a network */
};

/* Somebody who tries. Without an address only the user counts. */
struct throttle_client {
    struct str user, address;
    bool excepted; /* the network does not count */
};

/* Map the file of that name in the folder; made anew where it is missing or
 * of another form. */
enum rc throttle_open(struct arena *life, int dir, const char *name,
                      const struct throttle_limits *limits, struct throttle **t,
                      struct why *why) MUST_USE;
void throttle_close(struct throttle *t);

/* Seconds until an attempt may be looked at; 0: now. `now` are seconds since
 * 1970. */
unsigned throttle_wait(const struct throttle *t,
                       const struct throttle_client *c, int64_t now);

/* The number of this user's failures from there, with this one. With `again`
 * it was the same wrong password as before: nothing was learnt by it, and
 * nothing is counted, as it is a program that does not know of a new one. */
unsigned throttle_failed(struct throttle *t, const struct throttle_client *c,
                         bool again, int64_t now);

/* He has logged in. */
void throttle_succeeded(struct throttle *t, const struct throttle_client *c,
                        int64_t now);

#endif
