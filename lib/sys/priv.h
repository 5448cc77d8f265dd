/*
 * priv.h - what a process may do, and giving up the rest.
 *
 * priv_enter is called once, before the first foreign byte. After it the
 * process has the ids, capabilities and system calls of its role and no way
 * back, which it proves by trying. As an ordinary user ids stay as they are;
 * the rest is the same.
 */
#ifndef SYS_PRIV_H
#define SYS_PRIV_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/why.h"

#define PRIV_GROUPS 64

/* An identity. Without supplementary groups ngroups is 0. */
struct priv_user {
    uid_t uid;
    gid_t gid;
    gid_t groups[PRIV_GROUPS];
    size_t ngroups;
};

/* Beside reading, writing and passing on what it was handed. */
enum {
    PRIV_READ = 1,  /* open files to read them */
    PRIV_WRITE = 2, /* make, change and remove files below `folders` */
    PRIV_NET = 4,   /* Internet sockets of its own */
    PRIV_RUN = 8,   /* any program as any user: ids, capabilities and limits
                       only, as the rest would bind those programs too */
    PRIV_FIFO = 16, /* with PRIV_WRITE: FIFOs, too */
};

/* What happens to a system call that is not the role's. */
enum priv_filter {
    PRIV_FILTER_OFF,
    PRIV_FILTER_LOG, /* the kernel's log tells of it, it is done */
    PRIV_FILTER_ON,  /* a line in our log, then the process ends */
};

/* A filter of system calls as the kernel takes it. */
struct priv_calls;

struct priv {
    const char *role;      /* for log lines; kept, not copied */
    struct priv_user user; /* ignored unless started as root */
    unsigned may;          /* PRIV_ bits */
    uint64_t caps;         /* capabilities kept, 1 << CAP_X */
    const char *folders[4];
    const char *const *more; /* folders, beside those */
    size_t more_count;
    enum priv_filter filter;
    const struct priv_calls *calls; /* made ahead; NULL: when they are needed */
};

/* Master, as root: keep of root's powers only what starting daemons and
 * listening take, for itself and for all it starts. False with errno. */
bool priv_supervise(void) MUST_USE;

/* What costs most of priv_enter, for many processes that may the same: the
 * filter for p->may. NULL where none is used. */
enum rc priv_calls_make(const struct priv *p, struct arena *a,
                        const struct priv_calls **calls,
                        struct why *why) MUST_USE;

/* Enter the role for good. Anything that fails is a reason to stop. */
enum rc priv_enter(const struct priv *p, struct why *why) MUST_USE;

/*
 * "name", "123" or "123:456" as ids, with the groups that the user database
 * gives the name. A number need not be in the database; its group is then the
 * same number. PERM where there is no such user.
 */
enum rc priv_find_user(const char *name, struct priv_user *u,
                       struct why *why) MUST_USE;
/* The same for a group: "name" or "123". */
enum rc priv_find_group(const char *name, gid_t *gid, struct why *why) MUST_USE;

/* Also be in the groups of the other (duplicates are left out). */
void priv_add_groups(struct priv_user *u, const struct priv_user *other);

/*
 * Touch files as that user until priv_return: the effective ids and the groups
 * change, nothing else, so it is cheap (2 system calls, 3 to return; one more
 * each where there are supplementary groups). False with errno, and nothing
 * changed, where that is not allowed; as an ordinary user one may become only
 * oneself. Never nested. Also before priv_enter.
 */
bool priv_become(const struct priv_user *u) MUST_USE;
void priv_return(void);

/* Be that user for good: for a forked child that will run a command. False
 * with errno: it must not go on. */
bool priv_drop(const struct priv_user *u) MUST_USE;

#endif
