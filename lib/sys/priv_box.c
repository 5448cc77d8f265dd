#include "sys/priv_box.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

/* A sanitizer makes system calls of its own. */
#if defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/*
 * Landlock. Reading is left to the permissions of the role's own user, as
 * tables may lie anywhere; but what is not below its folders it can neither
 * change nor, anywhere, execute.
 */
#define READING (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define CHANGING                                                               \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |           \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |            \
     LANDLOCK_ACCESS_FS_MAKE_REG)
#define LISTENING LANDLOCK_ACCESS_FS_MAKE_FIFO
#define NEVER                                                                  \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |               \
     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SOCK |            \
     LANDLOCK_ACCESS_FS_MAKE_SYM)

/* What later kernels added, by ABI, as older headers do not name it. */
#define REFER    ((uint64_t)1 << 13)
#define TRUNCATE ((uint64_t)1 << 14)

static uint64_t
changing(int abi)
{
    return CHANGING | (abi >= 2 ? REFER : 0) | (abi >= 3 ? TRUNCATE : 0);
}

static bool
landlock_allow(int rules, const char *folder, uint64_t access)
{
    auto_close int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct landlock_path_beneath_attr rule = {.allowed_access = access,
                                              .parent_fd = fd};

    if (fd < 0) /* what is not there needs no permission */
        return errno == ENOENT || errno == EACCES || errno == ENOTDIR;
    return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
                   &rule, 0) == 0;
}

static bool
allow_folders(int rules, const char *const *folders, size_t count,
              uint64_t access)
{
    for (size_t i = 0; i < count; i++)
        if (folders[i] && !landlock_allow(rules, folders[i], access))
            return false;
    return true;
}

static bool
landlock_enter(const struct priv *p, int abi)
{
    uint64_t change = changing(abi);
    struct landlock_ruleset_attr attr = {
        .handled_access_fs = READING | change | LISTENING | NEVER};
    uint64_t below = READING | change | (p->may & PRIV_FIFO ? LISTENING : 0);
    auto_close int rules = (int)syscall(SYS_landlock_create_ruleset, &attr,
                                        sizeof attr.handled_access_fs, 0);

    if (rules < 0 || !landlock_allow(rules, "/", READING))
        return false;
    if (p->may & PRIV_WRITE &&
        (!allow_folders(rules, p->folders, COUNT(p->folders), below) ||
         !allow_folders(rules, p->more, p->more_count, below)))
        return false;
    return syscall(SYS_landlock_restrict_self, rules, 0) == 0;
}

/* A kernel without landlock still has users and seccomp. */
static enum rc
limit_files(const struct priv *p, struct why *why)
{
    int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
                           LANDLOCK_CREATE_RULESET_VERSION);

    if (abi < 1 || landlock_enter(p, abi))
        return OK;
    return fail(why, "5.3.0", "%s: landlock: %m", p->role);
}

/* The system calls, by what for. -1 where this architecture has none. */
#define SYS(name) SCMP_SYS(name)

static const int basic[] = {
    /* descriptors */
    SYS(read),
    SYS(write),
    SYS(readv),
    SYS(writev),
    SYS(pread64),
    SYS(pwrite64),
    SYS(preadv),
    SYS(pwritev),
    SYS(preadv2),
    SYS(pwritev2),
    SYS(lseek),
    SYS(close),
    SYS(close_range),
    SYS(dup),
    SYS(dup2),
    SYS(dup3),
    SYS(fcntl),
    SYS(pipe2),
    SYS(fstat),
    SYS(fstatfs),
    SYS(ftruncate),
    SYS(fallocate),
    SYS(fsync),
    SYS(fdatasync),
    SYS(sync_file_range),
    SYS(fadvise64),
    SYS(readahead),
    SYS(copy_file_range),
    SYS(sendfile),
    SYS(splice),
    SYS(flock),
    SYS(memfd_create),
    SYS(eventfd2),
    SYS(signalfd4),
    SYS(timerfd_create),
    SYS(timerfd_settime),
    SYS(timerfd_gettime),
    /* sockets that exist */
    SYS(sendto),
    SYS(recvfrom),
    SYS(sendmsg),
    SYS(recvmsg),
    SYS(sendmmsg),
    SYS(recvmmsg),
    SYS(accept),
    SYS(accept4),
    SYS(shutdown),
    SYS(getsockname),
    SYS(getpeername),
    SYS(getsockopt),
    SYS(setsockopt),
    SYS(socketpair),
    /* syslog, and what tables speak to */
    SYS(connect),
    /* waiting */
    SYS(poll),
    SYS(ppoll),
    SYS(select),
    SYS(pselect6),
    SYS(epoll_create),
    SYS(epoll_create1),
    SYS(epoll_ctl),
    SYS(epoll_wait),
    SYS(epoll_pwait),
    SYS(epoll_pwait2),
    SYS(nanosleep),
    SYS(clock_nanosleep),
    SYS(futex),
    SYS(restart_syscall),
    SYS(sched_yield),
    SYS(wait4),
    SYS(waitid),
    /* signals */
    SYS(rt_sigaction),
    SYS(rt_sigprocmask),
    SYS(rt_sigreturn),
    SYS(rt_sigsuspend),
    SYS(rt_sigpending),
    SYS(rt_sigtimedwait),
    SYS(sigaltstack),
    SYS(tgkill),
    SYS(setitimer),
    SYS(alarm),
    SYS(pause),
    /* memory */
    SYS(mmap),
    SYS(munmap),
    SYS(mremap),
    SYS(mprotect),
    SYS(madvise),
    SYS(brk),
    SYS(msync),
    SYS(membarrier),
    SYS(mincore),
    /* time and self */
    SYS(clock_gettime),
    SYS(clock_getres),
    SYS(gettimeofday),
    SYS(time),
    SYS(times),
    SYS(getrusage),
    SYS(getrlimit),
    SYS(sysinfo),
    SYS(uname),
    SYS(getrandom),
    SYS(getpid),
    SYS(getppid),
    SYS(gettid),
    SYS(getpgrp),
    SYS(getpgid),
    SYS(getuid),
    SYS(geteuid),
    SYS(getgid),
    SYS(getegid),
    SYS(getresuid),
    SYS(getresgid),
    SYS(getgroups),
    SYS(getcpu),
    SYS(capget),
    SYS(sched_getaffinity),
    SYS(set_robust_list),
    SYS(get_robust_list),
    SYS(set_tid_address),
    SYS(rseq),
    SYS(arch_prctl),
    SYS(umask),
    SYS(getcwd),
    SYS(exit),
    SYS(exit_group),
};

static const int reading[] = {
    SYS(open),
    SYS(openat),
    SYS(openat2),
    SYS(access),
    SYS(faccessat),
    SYS(faccessat2),
    SYS(stat),
    SYS(lstat),
    SYS(newfstatat),
    SYS(statx),
    SYS(readlink),
    SYS(readlinkat),
    SYS(getdents),
    SYS(getdents64),
    SYS(statfs),
    SYS(chdir),
    SYS(fchdir),
    SYS(inotify_init1),
    SYS(inotify_add_watch),
    SYS(fgetxattr),
    SYS(inotify_rm_watch),
};

static const int writing[] = {
    SYS(creat),   SYS(truncate),  SYS(link),      SYS(linkat),
    SYS(unlink),  SYS(unlinkat),  SYS(rename),    SYS(renameat),
    SYS(mkdir),   SYS(mkdirat),   SYS(rmdir),     SYS(renameat2),
    SYS(chmod),   SYS(fchmod),    SYS(fchmodat),  SYS(chown),
    SYS(fchown),  SYS(fchownat),  SYS(utimensat), SYS(symlinkat),
    SYS(symlink), SYS(fsetxattr), SYS(syncfs),    SYS(sync),
};

static const int network[] = {SYS(bind)};

static const struct {
    unsigned may; /* 0: everybody */
    const int *calls;
    size_t count;
} groups[] = {
    {0,          basic,   COUNT(basic)  },
    {PRIV_READ,  reading, COUNT(reading)},
    {PRIV_WRITE, writing, COUNT(writing)},
    {PRIV_NET,   network, COUNT(network)},
};

static bool
allow(scmp_filter_ctx f, int call)
{
    return seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 0) == 0;
}

/* Calls of which one argument decides: allowed where (arg & mask) == value. */
#define NAME_SPACES                                                            \
    (CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |               \
     CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

static const struct {
    unsigned may; /* 0: everybody */
    int call;
    unsigned arg;
    scmp_datum_t mask, value;
} by_argument[] = {
    {0,          SYS(socket),    0, ~0ul,                   AF_UNIX         },
    {PRIV_NET,   SYS(socket),    0, ~0ul,                   AF_INET         },
    {PRIV_NET,   SYS(socket),    0, ~0ul,                   AF_INET6        },
    {PRIV_NET,   SYS(socket),    0, ~0ul,                   AF_NETLINK      },
    {0,          SYS(ioctl),     1, ~0ul,                   TCGETS          },
    {0,          SYS(ioctl),     1, ~0ul,                   FIONREAD        },
    {0,          SYS(ioctl),     1, ~0ul,                   FIONBIO         },
    {0,          SYS(prctl),     0, ~0ul,                   PR_SET_PDEATHSIG},
    {0,          SYS(prctl),     0, ~0ul,                   PR_GET_PDEATHSIG},
    {0,          SYS(prctl),     0, ~0ul,                   PR_SET_NAME     },
    {0,          SYS(prctl),     0, ~0ul,                   PR_GET_DUMPABLE },
 /* a template forks workers, nobody makes threads or name spaces */
    {0,          SYS(clone),     0, CLONE_VM | NAME_SPACES, 0               },
 /* who left a lock behind: does he live? No signal is sent. */
    {PRIV_WRITE, SYS(kill),      1, ~0ul,                   0               },
 /* FIFOs, no devices */
    {PRIV_FIFO,  SYS(mknod),     1, S_IFMT,                 S_IFIFO         },
    {PRIV_FIFO,  SYS(mknodat),   2, S_IFMT,                 S_IFIFO         },
 /* limits are read, not set */
    {0,          SYS(prlimit64), 2, ~0ul,                   0               },
};

static bool
allow_by_argument(scmp_filter_ctx f, unsigned may)
{
    for (size_t i = 0; i < COUNT(by_argument); i++) {
        struct scmp_arg_cmp arg = {.arg = by_argument[i].arg,
                                   .op = SCMP_CMP_MASKED_EQ,
                                   .datum_a = by_argument[i].mask,
                                   .datum_b = by_argument[i].value};

        if ((by_argument[i].may & may) == by_argument[i].may &&
            seccomp_rule_add(f, SCMP_ACT_ALLOW, by_argument[i].call, 1, arg) !=
                0)
            return false;
    }
    return true;
}

/* Say which call it was, then end as the kernel would have ended it. */
static void
refused(int signo, siginfo_t *info, void *context)
{
    char *name = seccomp_syscall_resolve_num_arch(seccomp_arch_native(),
                                                  info->si_syscall);

    (void)context;
    signal(signo, SIG_DFL);
    log_panic("sandbox: system call %s (%d) is not allowed here; \"sandbox = "
              "log\" in main.cf would let it pass: please report it",
              name ? name : "?", info->si_syscall);
    log_flush();
    _exit(128 + SIGSYS);
}

static bool
filter_fill(scmp_filter_ctx f, unsigned may)
{
    /* A binary tree; calls without arguments the kernel caches anyway. */
    seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    seccomp_attr_set(f, SCMP_FLTATR_CTL_NNP, 0);

    /* glibc tries these first and can do without. */
    if (seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SYS(clone3), 0) != 0)
        return false;
    for (size_t g = 0; g < COUNT(groups); g++)
        for (size_t i = 0; i < groups[g].count; i++)
            if ((groups[g].may & may) == groups[g].may &&
                !allow(f, groups[g].calls[i]))
                return false;
    return allow_by_argument(f, may);
}

static enum rc
no_filter(const struct priv *p, struct why *why)
{
    return fail(why, "5.3.0",
                "%s: seccomp filter: %m; \"sandbox = off\" in main.cf does "
                "without",
                p->role);
}

static bool
filter_new(const struct priv *p, scmp_filter_ctx *f)
{
    *f = seccomp_init(p->filter == PRIV_FILTER_LOG ? SCMP_ACT_LOG
                                                   : SCMP_ACT_TRAP);
    return *f && filter_fill(*f, p->may);
}

struct priv_calls {
    struct sock_fprog program;
};

static struct priv_calls *
calls_read(struct arena *a, int fd)
{
    off_t size = lseek(fd, 0, SEEK_END);
    struct priv_calls *c = arena_make(a, struct priv_calls);

    if (size <= 0)
        return NULL;
    c->program.filter = arena_alloc(a, (size_t)size);
    c->program.len = (unsigned short)((size_t)size / sizeof *c->program.filter);
    return pread(fd, c->program.filter, (size_t)size, 0) == size ? c : NULL;
}

enum rc
priv_calls_make(const struct priv *p, struct arena *a,
                const struct priv_calls **calls, struct why *why)
{
    auto_close int fd = memfd_create("calls", MFD_CLOEXEC);
    scmp_filter_ctx f = NULL;

    *calls = NULL;
    if (p->filter == PRIV_FILTER_OFF || SANITIZED)
        return OK;
    if (fd >= 0 && filter_new(p, &f) && seccomp_export_bpf(f, fd) == 0)
        *calls = calls_read(a, fd);
    seccomp_release(f);
    return *calls ? OK : no_filter(p, why);
}

static bool
filter_load(const struct priv *p)
{
    scmp_filter_ctx f = NULL;

    if (p->calls)
        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0,
                       &p->calls->program) == 0;
    bool ok = filter_new(p, &f) && seccomp_load(f) == 0;

    seccomp_release(f);
    return ok;
}

static enum rc
limit_calls(const struct priv *p, struct why *why)
{
    struct sigaction act = {.sa_sigaction = refused, .sa_flags = SA_SIGINFO};

    tzset(); /* log lines need it, and could not read it later */
    sigaction(SIGSYS, &act, NULL);
    return filter_load(p) ? OK : no_filter(p, why);
}

enum rc
priv_box(const struct priv *p, struct why *why)
{
    enum rc rc;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return fail(why, "5.3.0", "%s: no_new_privs: %m", p->role);
    if (p->filter == PRIV_FILTER_OFF)
        return OK;
    rc = limit_files(p, why);
    return rc == OK && !SANITIZED ? limit_calls(p, why) : rc;
}
