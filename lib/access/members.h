/*
 * members.h - which users have a process, and what it serves: what the broker
 * knows, without its sockets.
 *
 * A user has one process that takes new sessions, and perhaps retired ones,
 * whose sessions go on.
 */
#ifndef ACCESS_MEMBERS_H
#define ACCESS_MEMBERS_H

#include "base/vec.h"
#include "ipc/message.h"

struct asker; /* a login stage */
struct timer;
struct watch;

struct open_session {
    unsigned number;
    struct asker *from; /* NULL: it is gone */
    int64_t tag;        /* there */
    bool taken;         /* by the process; until then `from` is not answered */
    bool tls;
    int64_t since;
    char client[SOCK_TEXT_MAX];
};

/* One process. What is below the line is the broker's. */
struct member {
    char *name;
    pid_t pid;
    bool retired;  /* takes no more sessions: another process has his name */
    unsigned last; /* session number */
    VEC(struct open_session) sessions;
    /* ---- */
    struct link link;
    struct watch *watch;
    struct timer *idle;
};

struct members;

struct members *members_new(void);
void members_free(struct members *m);
/* Processes, retired ones too. */
size_t members_count(const struct members *m);

/* The process of that user that takes new sessions; NULL: none. */
struct member *members_find(const struct members *m, struct str name);
/* For a name that has none. */
struct member *members_add(struct members *m, struct str name, pid_t pid);
/* He is found no more. */
void members_retire(struct members *m, struct member *u);
/* His process is gone: u is freed. */
void members_drop(struct members *m, struct member *u);
/* Nothing can go back to there any more. */
void members_forget(struct members *m, const struct asker *k);

/* All of them, from a zeroed place on; NULL at the end. */
struct members_place {
    size_t at, old;
};
struct member *members_next(const struct members *m, struct members_place *p);

/* One session more, with the next number; valid until the next call. */
struct open_session *member_add(struct member *u, struct str client);
/* NULL: there is no such session (any more). */
struct open_session *member_find(struct member *u, int64_t number);
void member_remove(struct member *u, const struct open_session *s);
/* Sessions from that address. */
int64_t member_count(const struct member *u, struct str client);

#endif
