#include "sys/priv.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/priv_box.h"

/* What delivery commands may need to be set-uid root to some effect (sudo,
 * maildrop), and nothing that reaches the kernel or the network's set-up. */
#define COMMAND_CAPS                                                           \
    (1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH |    \
     1u << CAP_FOWNER | 1u << CAP_FSETID | 1u << CAP_KILL | 1u << CAP_SETGID | \
     1u << CAP_SETUID)

/* And to listen below 1024, to cut the bounding set of those it starts, to
 * raise limits, to leave pipes the right to chroot=, and auth-pam that to tell
 * the audit of logins. */
#define SUPERVISOR_CAPS                                                        \
    (COMMAND_CAPS | 1u << CAP_NET_BIND_SERVICE | 1u << CAP_SETPCAP |           \
     1u << CAP_SYS_RESOURCE | 1u << CAP_SYS_CHROOT | 1u << CAP_AUDIT_WRITE)

static struct {
    bool known;            /* what follows */
    bool root;             /* ids can change */
    struct priv_user self; /* to return to */
    bool groups;           /* somebody else's are there now */
    int death_signal;
} state;

static bool
number(const char *s, unsigned *n)
{
    uint64_t v;

    if (!str_num(str_from(s), &v) || v >= UINT32_MAX)
        return false;
    *n = (unsigned)v;
    return true;
}

/* "123" or "123:456". */
static bool
ids(const char *name, struct priv_user *u)
{
    struct str rest = str_from(name), uid;
    bool pair = str_cut(&rest, ':', &uid);
    uint64_t user, group;

    if (!str_num(uid, &user) || user >= UINT32_MAX)
        return false;
    u->uid = (uid_t)user;
    u->gid = (gid_t)user;
    if (!pair) {
        struct passwd *pw = getpwuid(u->uid);

        if (pw)
            u->gid = pw->pw_gid;
        return true;
    }
    if (!str_num(rest, &group) || group >= UINT32_MAX)
        return false;
    u->gid = (gid_t)group;
    return true;
}

enum rc
priv_find_user(const char *name, struct priv_user *u, struct why *why)
{
    struct passwd *pw;
    int n = PRIV_GROUPS;

    *u = (struct priv_user){0};
    if (ids(name, u))
        return OK;
    errno = 0;
    pw = getpwnam(name);
    if (pw == NULL && errno != 0 && errno != ENOENT)
        return fail(why, "4.3.0", "cannot look up user %s: %m", name);
    if (pw == NULL)
        return fail(why, "5.3.5", "no such user");
    u->uid = pw->pw_uid;
    u->gid = pw->pw_gid;
    if (getgrouplist(name, pw->pw_gid, u->groups, &n) < 0)
        return fail(why, "5.3.5", "user %s is in more than %d groups", name,
                    PRIV_GROUPS);
    u->ngroups = (size_t)n;
    return OK;
}

enum rc
priv_find_group(const char *name, gid_t *gid, struct why *why)
{
    struct group *g;

    if (number(name, gid))
        return OK;
    errno = 0;
    g = getgrnam(name);
    if (g == NULL && errno != 0 && errno != ENOENT)
        return fail(why, "4.3.0", "cannot look up group %s: %m", name);
    if (g == NULL)
        return fail(why, "5.3.5", "no such group");
    *gid = g->gr_gid;
    return OK;
}

static void
add_group(struct priv_user *u, gid_t gid)
{
    for (size_t i = 0; i < u->ngroups; i++)
        if (u->groups[i] == gid)
            return;
    if (u->ngroups < PRIV_GROUPS)
        u->groups[u->ngroups++] = gid;
}

void
priv_add_groups(struct priv_user *u, const struct priv_user *other)
{
    add_group(u, other->gid);
    for (size_t i = 0; i < other->ngroups; i++)
        add_group(u, other->groups[i]);
}

/* Sets of capabilities are bits by their kernel numbers. */
static bool
set_caps(uint64_t caps)
{
    cap_t set = cap_init();
    bool good = set != NULL;

    for (cap_value_t v = 0; good && v <= CAP_LAST_CAP; v++)
        if (caps >> v & 1)
            good = cap_set_flag(set, CAP_EFFECTIVE, 1, &v, CAP_SET) == 0 &&
                   cap_set_flag(set, CAP_PERMITTED, 1, &v, CAP_SET) == 0;
    good = good && cap_set_proc(set) == 0;
    cap_free(set);
    return good;
}

static bool
get_caps(uint64_t *caps)
{
    cap_t set = cap_get_proc();
    cap_flag_value_t there;

    if (set == NULL)
        return false;
    *caps = 0;
    for (cap_value_t v = 0; v <= CAP_LAST_CAP; v++)
        if (cap_get_flag(set, v, CAP_PERMITTED, &there) == 0 &&
            there == CAP_SET)
            *caps |= (uint64_t)1 << v;
    cap_free(set);
    return true;
}

static bool
has_caps(uint64_t caps)
{
    uint64_t now;

    return get_caps(&now) && now == caps;
}

/* No exec, not even of a set-uid program, brings back what is not in it. */
static bool
cut_bounding_set(uint64_t keep)
{
    for (cap_value_t v = 0; CAP_IS_SUPPORTED(v); v++)
        if (!(keep >> v & 1) && cap_drop_bound(v) < 0)
            return false;
    return true;
}

/* A container may have given less to begin with. */
bool
priv_supervise(void)
{
    uint64_t now;

    return get_caps(&now) && cut_bounding_set(SUPERVISOR_CAPS) &&
           set_caps(now & SUPERVISOR_CAPS);
}

static bool
set_ids(const struct priv_user *u)
{
    return setgroups(u->ngroups, u->groups) == 0 &&
           setresgid(u->gid, u->gid, u->gid) == 0 &&
           setresuid(u->uid, u->uid, u->uid) == 0;
}

static bool
ids_are(const struct priv_user *u)
{
    uid_t r, e, s;
    gid_t rg, eg, sg;

    return getresuid(&r, &e, &s) == 0 && getresgid(&rg, &eg, &sg) == 0 &&
           r == u->uid && e == u->uid && s == u->uid && rg == u->gid &&
           eg == u->gid && sg == u->gid;
}

/* The proof: what must fail does. */
static enum rc
prove(const struct priv *p, struct why *why)
{
    if (!ids_are(&p->user))
        return fail(why, "5.3.0", "%s: the user ids did not change", p->role);
    if (p->user.uid != 0 && setuid(0) == 0)
        return fail(why, "5.3.0", "%s: could become root again", p->role);
    if (!has_caps(p->caps))
        return fail(why, "5.3.0", "%s: has other capabilities than meant",
                    p->role);
    return OK;
}

/* From root to the role's ids with the role's capabilities. */
static enum rc
change_ids(const struct priv *p, struct why *why)
{
    uint64_t bound = p->may & PRIV_RUN ? COMMAND_CAPS : p->caps;

    if (!cut_bounding_set(bound))
        return fail(why, "5.3.0", "%s: cannot limit capabilities: %m", p->role);
    if (p->caps && p->user.uid && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return fail(why, "5.3.0", "%s: cannot keep capabilities: %m", p->role);
    if (!set_ids(&p->user))
        return fail(why, "5.3.0", "%s: cannot become user %u, group %u: %m",
                    p->role, p->user.uid, p->user.gid);
    if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 || !set_caps(p->caps))
        return fail(why, "5.3.0", "%s: cannot give up capabilities: %m",
                    p->role);
    return prove(p, why);
}

enum rc
priv_enter(const struct priv *p, struct why *why)
{
    const struct rlimit no_core = {0};
    enum rc rc;

    state.known = true;
    state.root = geteuid() == 0;
    state.self = p->user;
    if (!(p->may & PRIV_RUN))
        setrlimit(RLIMIT_CORE, &no_core);
    if (state.root) {
        rc = change_ids(p, why);
        if (rc != OK)
            return rc;
    }
    return p->may & PRIV_RUN ? OK : priv_box(p, why);
}

/*
 * The effective ids decide about files. Real and saved ones stay, so that the
 * user has no power over this process, and there is a way back. Groups come
 * first on the way there and last on the way back, as they need rights.
 */
static bool
set_effective(const struct priv_user *u, bool back)
{
    bool groups = u->ngroups > 0 || state.groups;

    if (back)
        return setresuid((uid_t)-1, u->uid, (uid_t)-1) == 0 &&
               setresgid((gid_t)-1, u->gid, (gid_t)-1) == 0 &&
               (!groups || setgroups(u->ngroups, u->groups) == 0);
    return (!groups || setgroups(u->ngroups, u->groups) == 0) &&
           setresgid((gid_t)-1, u->gid, (gid_t)-1) == 0 &&
           setresuid((uid_t)-1, u->uid, (uid_t)-1) == 0;
}

static bool
only_myself(const struct priv_user *u)
{
    if (u->uid == geteuid())
        return true;
    errno = EPERM;
    return false;
}

/* Who we are, where the role has not been entered yet. */
static void
know_self(void)
{
    int n;

    if (state.known)
        return;
    state.known = true;
    state.root = geteuid() == 0;
    state.self = (struct priv_user){.uid = geteuid(), .gid = getegid()};
    n = getgroups(PRIV_GROUPS, state.self.groups);
    if (n < 0 && state.root)
        must(setgroups(0, NULL) == 0); /* too many: none of them is needed */
    state.self.ngroups = n > 0 ? (size_t)n : 0;
}

bool
priv_become(const struct priv_user *u)
{
    know_self();
    if (!state.root)
        return only_myself(u);
    /* The kernel forgets it when the ids of files change. */
    if (state.death_signal == 0)
        prctl(PR_GET_PDEATHSIG, &state.death_signal);
    state.groups = u->ngroups > 0 || state.self.ngroups > 0;
    if (set_effective(u, false))
        return true;
    int saved = errno ? errno : EPERM;

    priv_return();
    errno = saved;
    return false;
}

void
priv_return(void)
{
    if (!state.root)
        return;
    /* Going on as somebody else would be worse than ending. */
    must(set_effective(&state.self, true));
    if (state.death_signal)
        prctl(PR_SET_PDEATHSIG, state.death_signal, 0, 0, 0);
}

bool
priv_drop(const struct priv_user *u)
{
    know_self();
    if (!state.root)
        return only_myself(u);
    if (!set_ids(u) || !ids_are(u))
        return false;
    if (u->uid == 0)
        return true;
    return set_caps(0) && has_caps(0) && setuid(0) < 0;
}
