/*
 * child.h - the life of a program that master started.
 *
 * A program's main is one call of daemon_main with its table of functions.
 * There are two kinds (roles.def):
 *
 *   SINGLE  one process and an event loop: qmgr. `run` is called once.
 *   POOL    master starts one template; it opens tables and contexts, drops
 *           its rights, and then only forks workers when master asks (so a
 *           worker costs a fork, no exec, and shares the template's pages).
 *           `work` is called in each worker. Workers are master's children.
 *
 * Order: the hello of master is read, the log and the configuration snapshot
 * are opened; `prepare` runs with the rights the program was started with and
 * opens what needs them; then rights are dropped for good (priv_enter);
 * `ready` runs without rights and does all other set-up that workers share.
 *
 * Run by hand (no control socket on descriptor 3) a daemon says so and exits.
 */
#ifndef DAEMON_CHILD_H
#define DAEMON_CHILD_H

#include <signal.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "conf/conf.h"
#include "ipc/message.h"
#include "sys/board.h"
#include "sys/loop.h"

struct daemon {
    const struct conf *conf;
    const char *service; /* first column of master.cf: "submission" */
    const char *role;    /* program of master.cf: "smtpd", "lmtp", "pipe" */
    char **args;         /* what followed it, without -o; NULL at the end */
    bool unprivileged;   /* everything runs as one ordinary user */
    int64_t max_use;     /* sessions, then the worker ends; 0 is no limit */
    int64_t max_idle;    /* milliseconds, likewise */
    int *listen;         /* listening sockets of this service */
    size_t nlisten;
    int queue_dir;       /* the role's folder (roles.def), else -1 */
    struct board *board; /* client counts: sys/board.h */
    unsigned crew;       /* this service on the board */
    unsigned place;      /* this worker there */
    struct link qmgr;    /* workers: the link to qmgr; fd -1 if none */
    struct link master;  /* SINGLE: the link to master */
    struct arena *life;  /* lives as long as the process */
    void *own;           /* the program's own state */
};

struct program {
    const char *name;
    void (*prepare)(struct daemon *d); /* may be NULL */
    void (*ready)(struct daemon *d);   /* may be NULL */
    /* POOL: in the template, before each fork, so that what workers share is
     * not made anew by each of them; may be NULL. */
    void (*refresh)(struct daemon *d);
    void (*work)(struct daemon *d); /* POOL */
    void (*run)(struct daemon *d);  /* SINGLE */
};

int daemon_main(int argc, char **argv, const struct program *p);

/*
 * A worker that serves connections: the next one, or -1 when it is to end
 * (served max_use, idle for max_idle, stopped, master gone). Blocks.
 */
/* (A FIFO's bytes come as a pipe that holds them, with AF_UNSPEC.) */
int daemon_accept(struct daemon *d, struct sockaddr_storage *peer,
                  socklen_t *len);

/*
 * A worker that holds many connections in one event loop (keys, authd, the
 * login stage of IMAP). It neither idles out nor counts its use; it ends when
 * master says so, or when it is gone.
 */
struct daemon_many {
    size_t busy_at; /* with so many connections it is busy, so that master
                       starts another; 0: it never is */
    size_t full_at; /* no more are accepted until one has gone; 0: no limit */
    /* A connection, non-blocking; the callee's to watch and to close. */
    void (*connected)(void *own, int fd, const struct sockaddr_storage *peer);
    /* Others wait to be accepted, all workers are full, and master starts no
     * more: let go some who matter least. Called every half second while that
     * is so; NULL: they wait until somebody goes. */
    void (*relieve)(void *own);
    /* The worker is to end: nothing more is accepted. At once where `now`,
     * else when what is under way is done. Called once or twice. */
    void (*end)(void *own, bool now);
    void *own;
};

/* Begin to accept; the caller then runs the loop, and returns from its work
 * after loop_stop. */
void daemon_many(struct daemon *d, struct loop *l, const struct daemon_many *m);
/* A connection of it has ended. */
void daemon_many_gone(struct daemon *d);
/* What is counted need not be the connections that were accepted: so many
 * more (or fewer) of it. */
void daemon_many_count(struct daemon *d, int more);

/*
 * A worker that serves requests of qmgr: the next packet, or false when it is
 * to end: qmgr closed the link (which is how qmgr lets a worker go, after
 * max_use or max_idle, on reload, or because there are too many), or stop.
 * Wakes after `wait_ms` (0: only for packets) with *timed_out true,
 * so that an agent can close a session it kept.
 */
bool daemon_request(struct daemon *d, struct packet *p, int64_t wait_ms,
                    bool *timed_out);

/*
 * A worker that serves requests on a connection it has accepted: the next
 * packet, or false when it is to end or the other side has closed.
 */
bool daemon_serve(const struct link *link, struct packet *p);

/*
 * What this worker's template has read is old, and only root can read it
 * again: master replaces template and idle workers, soon. (Tables that have
 * changed are noticed without this.)
 */
void daemon_ask_renewal(const struct daemon *d);

/*
 * SINGLE: qmgr takes a settings packet: the new configuration (d->conf; the
 * old one stays valid) and log. *transports is the list of rec_transport, a
 * view into p. False: the packet was malformed, cannot go on.
 */
bool daemon_settings(struct daemon *d, struct packet *p,
                     struct str *transports) MUST_USE;

/* Set by SIGTERM: finish what you have, then end. For io_set_stop. */
const volatile sig_atomic_t *daemon_stop(void);

#endif
