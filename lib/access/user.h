/*
 * user.h - the process of one mailbox user.
 *
 * Once somebody has logged in, all his connections are served by one process,
 * which became him before it heard of them and stays him for ever. The broker
 * (broker.h) starts it with his first connection and hands it each further
 * one; it ends when it has had none for a while.
 *
 * A program (imapd, pop3d) fills in struct user_program. All runs in one event
 * loop: nothing may wait.
 */
#ifndef ACCESS_USER_H
#define ACCESS_USER_H

#include "daemon/child.h"
#include "sys/loop.h"

#define USER_FOLDERS 1000

struct user_program;

/* Who this process is. */
struct user {
    struct daemon *daemon;
    const struct conf *conf;
    const struct user_program *program;
    struct loop *loop;
    struct arena *life;
    struct str user;   /* as he is called: "anna@example.org" */
    struct str fields; /* all that authd says of him (auth/dovecot.h) */
    uid_t uid;
    gid_t gid;
    /* Groups: those of the system's account that has his name and uid, and what
     * his field acl_groups names. */
    const struct str *groups;
    size_t ngroups;
    const char *dir; /* his home; "" where he has none */
    void *own;       /* the program's */
};

/* A connection; views are valid during the call. */
struct user_session {
    unsigned number;           /* unique in this process */
    int fd;                    /* non-blocking; the program's to close */
    bool tls;                  /* encrypted, by the login stage */
    struct str id;             /* for the log: "session=<...>" */
    struct str client, server; /* addresses; "" on a UNIX socket */
    unsigned others;           /* sessions that this client has already */
    struct str greeting;       /* of the login stage: IMAP's tag */
    struct str input;          /* what the client has sent behind its login */
};

/* Folders that a user may change. */
struct user_folders {
    const char *at[USER_FOLDERS];
    size_t count;
};

struct user_program {
    const char *service; /* "imap": of tickets, in the log */
    /* Once, before any user has a process: what all of them share, as it is
     * made. May be NULL. */
    void (*share)(struct arena *life);
    /* The folders he may change; everything else he can read at most. PERM:
     * this user cannot be served, and why. Runs as him. */
    enum rc (*prepare)(struct user *u, struct user_folders *folders,
                       struct why *why);
    /* All rights are gone: open what is shared by sessions. */
    enum rc (*begin)(struct user *u, struct why *why);
    /* He is not served, and why: the answer to a login, to be sent as it is. */
    struct str (*refusal)(struct arena *a, const struct user_session *s,
                          const char *why);
    void (*attach)(struct user *u, const struct user_session *s);
    /* End that session, or all (0), with a word to the client. */
    void (*end)(struct user *u, unsigned number, const char *why);
    /* Nothing has happened for some seconds: keep little in memory. */
    void (*rest)(struct user *u);
    /* The process ends, no session is left. May be NULL. */
    void (*finish)(struct user *u);
};

/* A field of the user: "mail", "quota_rule". Empty where there is none. */
struct str user_field(struct user *u, const char *name);

/* One more folder; NULL is none. What is too much is left out. */
void user_folder(struct user_folders *folders, const char *path);

/* What he may change is no longer what it was when this process was started:
 * the next login of his gets another one. */
void user_renew(struct user *u);

/* A session has ended. */
void user_gone(struct user *u, unsigned number);
/* The same, where the client of a session with TLS goes back to before his
 * login: `input` is what he has sent behind that. fd stays the caller's, who
 * closes it. */
void user_return(struct user *u, unsigned number, int fd, struct str input);

#endif
