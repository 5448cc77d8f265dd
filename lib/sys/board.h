/*
 * board.h - what the workers of all services share with master.
 *
 * One sealed memory file. Each worker has a place on it, given by master; the
 * workers of one service are a crew. A place tells whether its worker waits
 * or is busy and, while it serves one, with which client: so the number of
 * connections a client has is the number of places that hold its address, and
 * a worker that is killed leaves nothing to repair: master clears its place.
 *
 * Rates are counted per crew and client, or per login, in windows of fixed
 * length. The table is of fixed size and lock-free; under a flood of addresses
 * old windows give way, so a count may be too low, never too high.
 *
 * Workers could scribble on it: master believes only how many are idle.
 */
#ifndef SYS_BOARD_H
#define SYS_BOARD_H

#include <sys/socket.h>

#include "base/str.h"

#define BOARD_PLACES 4096 /* workers of all crews together */
#define BOARD_CREWS  256

struct board;

enum board_state { BOARD_FREE, BOARD_STARTING, BOARD_IDLE, BOARD_BUSY };

/* Make one and map it (master); *fd is the memory file, close-on-exec. NULL
 * with errno. */
struct board *board_make(int *fd);
/* Map the one that was handed down. NULL if it is none, with errno. */
struct board *board_map(int fd);
/* For good: this process is nobody's worker any more. */
void board_unmap(struct board *b);

/* Master: the lowest free place, now BOARD_STARTING; false if all are taken. */
bool board_take(struct board *b, unsigned crew, unsigned *place);
/* Master: the worker of this place is gone. */
void board_clear(struct board *b, unsigned place);
/* How many of the crew are in this state. */
unsigned board_count(const struct board *b, unsigned crew,
                     enum board_state state);

/* A worker tells its state. */
void board_set(struct board *b, unsigned crew, unsigned place,
               enum board_state state);

/*
 * A worker that became busy: true if nobody of the crew is idle or starting,
 * and master has not been told so since it last looked (board_looked).
 */
bool board_must_call(struct board *b, unsigned crew);
void board_looked(struct board *b, unsigned crew);

/* A worker: templates of this crew know old tables. True if that is news to
 * master. And master: has anybody said so? */
bool board_ask_renewal(struct board *b, unsigned crew);
bool board_take_renewal(struct board *b, unsigned crew);

/*
 * This worker serves that client from now on. How many of the crew do, this
 * one included; 0 for a client without an address (UNIX socket).
 */
unsigned board_client_enter(struct board *b, unsigned crew, unsigned place,
                            const struct sockaddr *client);
/* It no longer does. (daemon_accept says so by itself.) */
void board_client_leave(struct board *b, unsigned place);

enum board_rate {
    BOARD_CONNECTIONS,
    BOARD_MESSAGES,
    BOARD_RECIPIENTS,
    BOARD_LOGINS,
    BOARD_NEW_TLS,
    BOARD_RATES
};

/* Count n more of these; the sum in the current window of `unit` ms. */
uint32_t board_rate_add(struct board *b, unsigned crew,
                        const struct sockaddr *client, enum board_rate what,
                        uint32_t n, int64_t unit);
/* The same for a user, in whichever service. */
uint32_t board_login_add(struct board *b, struct str login,
                         enum board_rate what, uint32_t n, int64_t unit);

/*
 * TLS. The generation goes up when certificates or keys have changed: whoever
 * keeps a context looks before each handshake, and makes a new one.
 */
uint32_t board_generation(const struct board *b);
void board_next_generation(struct board *b); /* master */

/* Keys that seal session tickets: name, AES-256 and HMAC-SHA-256 key. */
struct board_ticket_key {
    unsigned char name[16], aes[32], hmac[32];
};

/* Master: seal with this one from now on; the one before still opens. */
void board_put_ticket_key(struct board *b, const struct board_ticket_key *key);
/* Master: no tickets. */
void board_no_tickets(struct board *b);
/* Copies of the newest and the one before; how many there are (0 to 2). */
unsigned board_ticket_keys(const struct board *b,
                           struct board_ticket_key keys[2]);

#endif
