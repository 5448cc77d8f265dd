/*
 * child_own.h - what child.c and child_wait.c share.
 */
#ifndef DAEMON_CHILD_OWN_H
#define DAEMON_CHILD_OWN_H

#include <signal.h>
#include <stdbool.h>

struct child_own {
    volatile sig_atomic_t stop;       /* SIGTERM: end soon */
    volatile sig_atomic_t retire;     /* SIGHUP: end when idle */
    volatile sig_atomic_t waiting_on; /* a link whose wait a signal ends */
    int caller;                       /* eventfd: master, look at the board */
    int wake;                         /* eventfd: a signal came */
    int epoll;                        /* daemon_accept waits here */
    unsigned link_self;               /* SIDE bits of the link to qmgr */
    bool told_of_tables;
    long served;     /* sessions of this worker */
    long receive_ms; /* time limit set on the link */
};

extern struct child_own child;

#endif
