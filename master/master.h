/*
 * master.h - the supervisor's parts.
 *
 *   main.c      options, start-up in order, the end
 *   load.c      main.cf and master.cf as a plan; all problems at once
 *   implied.c   rows that master.cf need not have
 *   identity.c  certificates: whose files they come from, and new ones
 *   tickets.c   the keys of TLS session tickets
 *   address.c   where an inet row listens
 *   folders.c   queue folders, the lock, the pid file
 *   logfile.c   syslog, maillog_file
 *   sockets.c   listening
 *   unit.c      a row at work: how many processes it needs, and when
 *   apply.c     from one plan to the next
 *   process.c   starting processes, what they say, their end
 *   wakeup.c    the wakeup column
 *   control.c   posta status, stop, reload
 *   notify.c    the service manager
 */
#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H

#include <sys/socket.h>

#include "base/vec.h"
#include "conf/conf.h"
#include "conf/config.h"
#include "daemon/roles.h"
#include "ipc/message.h"
#include "sys/board.h"
#include "sys/loop.h"

/* ---- the plan: what the files say (load.c) */

/* All that is wrong, told at once; and what is only strange. */
struct problems {
    struct arena *arena;
    VEC(const char *) lines;
    VEC(const char *) warnings;
};

void problem(struct problems *p, const char *fmt, ...) PRINTF(2, 3);
void problem_warn(struct problems *p, const char *fmt, ...) PRINTF(2, 3);

/* Where a row listens. */
struct address {
    enum service_type type;
    const char *path;  /* below queue_directory; NULL: inet */
    const char *shown; /* "127.0.0.1:25", "public/pickup" */
    bool optional;     /* "all" on a machine without IPv6 */
    bool packets;      /* SOCK_SEQPACKET: a tool's socket */
    socklen_t len;
    struct sockaddr_storage sa;
};

struct plan_row {
    const struct service *row;
    const struct service *settings; /* the row that -o and limit come from */
    const struct role *role;
    int snapshot; /* sealed settings */
    int stressed; /* the same with stress = yes, or -1 */
    unsigned limit;
    struct str args; /* NUL behind each */
    VEC(struct address) addresses;
};

struct plan {
    struct arena *life;
    struct config config;
    const struct conf *conf; /* the suite's own settings */
    VEC(struct plan_row) rows;
    struct str identities; /* NUL behind each */
};

/* Read the files. Problems are added to p, then the plan cannot be used. */
struct plan *plan_load(const char *dir, struct problems *p);
void plan_free(struct plan *plan);

/* The path of a role's program. */
const char *plan_program(const struct plan *plan, const struct role *role);

/* One row of master.cf more. */
void plan_add_row(struct plan *plan, const struct service *s,
                  struct problems *p);
/* implied.c: the rows that may be missing. */
void plan_add_implied(struct plan *plan, struct problems *p);

void address_find(const struct plan *plan, struct plan_row *row,
                  struct problems *p);

/* ---- what runs */

struct listener {
    char shown[136]; /* "127.0.0.1:25", "public/pickup" */
    enum service_type type;
    int fd;
    struct watch *watch; /* while no worker waits on it */
};

struct listeners {
    VEC(struct listener) list;
};

enum process_kind { TEMPLATE, WORKER, RUNNING };

struct process {
    pid_t pid; /* 0: this entry is free */
    enum process_kind kind;
    struct unit *unit;
    bool ready;   /* has said so (not of workers) */
    bool retired; /* told to end */
    int64_t started;
    bool lingers;        /* counted in the unit's lingering */
    unsigned place;      /* on the board (workers) */
    struct link link;    /* fd -1 if none (workers) */
    struct watch *watch; /* of the link */
};

/* One row of master.cf at work; lives through reloads. */
struct unit {
    char name[128], type[16];
    const struct role *role;
    const struct plan_row *row; /* in the current plan; NULL: row is gone */
    unsigned crew;
    struct listeners listeners;
    struct process *template;  /* or the one running process */
    struct process *successor; /* takes its place when it is ready */
    unsigned workers;          /* asked for or running */
    unsigned lingering;        /* of them: told to end, and LINGERS */
    unsigned wanted;           /* of qmgr's wants, those not yet answered */
    unsigned failures;
    int64_t failed; /* when the last was */
    struct timer *pause, *wakeup, *renewal;
    bool pause_is_long; /* clients are told so */
    bool stressed;      /* its template has the settings for overload */
    int64_t full;       /* when its limit was last reached */
};

struct master {
    const char *dir;
    struct arena *life;
    struct loop *loop;
    struct plan *plan;
    struct board *board;
    int board_fd, caller, log, queue;
    VEC(struct unit *) units;
    struct unit *qmgr;
    bool root, foreground, stopping;
    int64_t started, stop_since;
    char **environment;
};

extern struct master master;

/* ---- folders.c */
/* Make and check the folders below queue_directory, which becomes the current
 * folder; take the lock. */
void folders_prepare(const struct plan *plan, struct problems *p);
/* The lock is a descriptor that all programs inherit, so that nobody starts
 * beside what is left of a killed master. */
bool folders_lock(const struct plan *plan, struct problems *p);
int folders_lock_file(void);
void folders_write_pid(void);
void folders_remove_pid(void);
/* Is a master running? Its pid, or 0. */
pid_t folders_running(const struct plan *plan);

/* ---- logfile.c */
/* Open the log as the plan says; the descriptor stays in master.log. */
bool logfile_open(const struct plan *plan, struct problems *p);

/* ---- sockets.c */
/* Open what the row listens on, or take over what any unit has open already.
 * False with problems. */
bool sockets_open(const struct plan_row *row, struct listeners *out,
                  struct problems *p);
/* Close; remove the files of those that are in no unit any more. */
void sockets_close(struct listeners *l, bool remove);

/* ---- apply.c */
/* Make the units be what the plan says, which becomes master.plan. New sockets
 * are opened first; where one cannot be, nothing has changed and problems say
 * why. */
bool plan_apply(struct plan *plan, struct problems *p);

/* ---- unit.c */
/* Start what should run; look again whenever something has changed. */
void unit_look(struct unit *u);
void unit_look_all(void);
/* Has it as many workers as it may have? */
bool unit_is_full(const struct unit *u);

/* One of its workers was cut off or told to end: does a client wait? */
void unit_rescue(struct unit *u);
/* A worker has taken the last place of its crew, or found tables changed. */
void unit_called(void);
/* qmgr asks for one. */
void unit_want(struct str service);
/* A process of it failed: restart it at once, or later if that goes on. */
void unit_failed(struct unit *u, bool at_start);
bool unit_paused(const struct unit *u);
/* Start nothing of it for that long. */
void unit_pause(struct unit *u, int64_t ms);
/* Nobody connects any more. */
void unit_close_all(void);

/* ---- process.c */
/* Start the program of a unit: a template, or the one process. */
bool process_start(struct unit *u);
/* Ask its template for a worker. */
bool process_fork(struct unit *u);
/* Tell one to end: when idle, or at the next command. */
void process_retire(struct process *p);
void process_signal_workers(const struct unit *u, int signo);
void process_reap(void *unused);
/* Give qmgr the plan's settings and the log. */
void process_settings(void);
/* A new template, and workers that go when idle: of this unit, or of all. */
void process_renew(struct unit *u);
void process_renew_all(void);
/* The same, but the old ones serve until the new template is ready; if it ends
 * before, they go on. */
void process_replace(struct unit *u);
struct process *process_next(size_t *pos);
/* How many of that kind; of any where kind is -1. */
unsigned process_count(int kind);

/* ---- identity.c */
/* The identities of all services become the arguments of the role keys. */
void identities_find(struct plan *plan, struct problems *p);
/* Look all of them over, for a check: warnings. */
void identities_check(const struct plan *plan, struct problems *p);
/* Look for changed files from now on. */
void identities_watch(void);
/* A template of the role keys is ready. */
void identities_ready(void);

/* ---- tickets.c */
/* New ticket keys from now on, as the plan says. */
void tickets_start(void);

/* ---- the rest */
void wakeup_set(struct unit *u);
void control_open(void);
void control_close(void);
/* "READY=1" and so on, if a service manager listens. */
void notify(const char *fmt, ...) PRINTF(1, 2);

/* ---- main.c */
/* Read the files again; what is wrong comes back, then nothing changed. */
bool master_reload(bool files, struct problems *p);
void master_stop(const char *why);
void master_abort(void) NORETURN;
/* Stopping, and nothing runs any more? */
void master_check_stop(void);

#endif
