/*
 * driver.h - a stand-in for everything around qmgr: master, producers, agents.
 *
 * For tests of qmgr alone, and to count what a message costs it.
 */
#ifndef T_QUEUE_DRIVER_H
#define T_QUEUE_DRIVER_H

#include <stdatomic.h>

#include "base/arena.h"
#include "ipc/message.h"

enum answer {
    ANSWER_SENT,
    ANSWER_CLAIM, /* take the file, where it is offered */
    ANSWER_DEFER,
    ANSWER_DOWN, /* the whole site */
    ANSWER_BOUNCE,
    ANSWER_DIE, /* every seventh time, without a word */
};

struct plan_of_test {
    const char *qmgr; /* program to start */
    const char *dir;  /* its queue, made here */
    int messages;     /* of each producer */
    int rcpts;        /* of each message */
    int producers;
    int agents;             /* most, at once */
    int sites;              /* next hops, in turn */
    int size;               /* of the content */
    int slow;               /* milliseconds an agent takes */
    int wait;               /* seconds to wait for the end */
    int deferred, incoming; /* messages that are there at the start */
    unsigned owner;         /* of the queue, where we are root */
    int empty;              /* end when the queue is empty */
    enum answer answer;
};

/* What all processes of a test count, in shared memory. */
struct tally {
    _Atomic long first_us; /* loop clock: the first delivery */
    _Atomic long committed, refused, delivered, deliveries, claimed, agents;
};

extern struct plan_of_test plan;
extern struct tally *tally;

/* Add a line to FOLDER/ids. */
void note(const char *what, struct str id);

/* Put so many messages into deferred/ (or incoming/), as if long there. */
void fill(int count, bool deferred);

/* In a process of its own; ends it. */
void produce(int fd, int number) NORETURN;
void deliver(int fd) NORETURN;

#endif
