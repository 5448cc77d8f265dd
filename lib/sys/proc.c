#include "sys/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

/* One command while it runs. */
struct run {
    const struct proc_job *job;
    pid_t pid;
    int pidfd, in, out;
    int64_t end;
    char chunk[65536]; /* input that the pipe has not taken yet */
    size_t from, to;
    bool input_failed, late;
    struct buf output;
};

enum step { START_FILES, START_USER, START_DIR, START_EXEC };

/* What the child could not do, through a pipe that exec closes. */
struct trouble {
    enum step step;
    int error;
};

static int64_t
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- in the child */

static void
default_signals(void)
{
    sigset_t none;

    for (int i = 1; i < 32; i++)
        signal(i, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool
take_standard(int in, int out)
{
    int null = in < 0 ? open("/dev/null", O_RDONLY) : in;

    return null >= 0 && dup2(null, 0) == 0 && dup2(out, 1) == 1 &&
           dup2(out, 2) == 2;
}

static void NORETURN
give_up(int report, enum step step)
{
    struct trouble t = {step, errno};

    (void)!write(report, &t, sizeof t);
    _exit(127);
}

/* The report's number lies above 2; all others are closed. */
static void
close_others(int report)
{
    if (report > 3)
        syscall(SYS_close_range, 3u, (unsigned)report - 1, 0u);
    syscall(SYS_close_range, (unsigned)report + 1, ~0u, 0u);
}

static void NORETURN
child(const struct proc_job *job, int in, int out, int report)
{
    setpgid(0, 0);
    default_signals();
    umask(077);
    if (job->socket)
        in = out = job->socket;
    if (!take_standard(in, out))
        give_up(report, START_FILES);
    close_others(report);
    errno = EPERM;
    if (job->user && !priv_drop(job->user))
        give_up(report, START_USER);
    prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    if (chdir(job->dir ? job->dir : "/") < 0)
        give_up(report, START_DIR);
    execvpe(job->argv[0], job->argv, job->env);
    give_up(report, START_EXEC);
}

/* ---- in the parent */

static enum rc
explain(const struct proc_job *job, struct trouble t, struct why *why)
{
    errno = t.error;
    switch (t.step) {
    case START_USER:
        return fail(why, "4.3.0", "cannot become user %u to run %s: %m",
                    job->user->uid, job->argv[0]);
    case START_DIR:
        return fail(why, "4.3.0", "cannot enter %s to run %s: %m",
                    job->dir ? job->dir : "/", job->argv[0]);
    default:
        return fail(why, "4.3.0", "cannot run %s: %m", job->argv[0]);
    }
}

/* Pipes: command's input, command's output, report. All but those the child
 * takes as 0-2 are close-on-exec. */
struct pipes {
    int in[2], out[2], report[2];
};

static void
close_pipes(struct pipes *p)
{
    int *all[] = {p->in, p->out, p->report};

    for (size_t i = 0; i < COUNT(all); i++)
        for (int k = 0; k < 2; k++)
            if (all[i][k] >= 0)
                close(all[i][k]);
}

static bool
open_pipes(struct pipes *p, bool input)
{
    *p = (struct pipes){
        {-1, -1},
        {-1, -1},
        {-1, -1}
    };
    return (!input || pipe2(p->in, O_CLOEXEC) == 0) &&
           pipe2(p->out, O_CLOEXEC) == 0 && pipe2(p->report, O_CLOEXEC) == 0;
}

static int
keep(int *fd, bool nonblocking)
{
    int kept = *fd;

    *fd = -1;
    if (kept >= 0 && nonblocking)
        fcntl(kept, F_SETFL, fcntl(kept, F_GETFL) | O_NONBLOCK);
    return kept;
}

static enum rc
start(struct run *r, struct why *why)
{
    struct trouble t;
    struct pipes p;

    if (!open_pipes(&p, r->job->input && !r->job->socket) ||
        (r->pid = fork()) < 0) {
        enum rc rc = fail(why, "4.3.0", "cannot start a command: %m");

        close_pipes(&p);
        return rc;
    }
    if (r->pid == 0)
        child(r->job, p.in[0], p.out[1], p.report[1]);
    close(keep(&p.report[1], false));
    ssize_t n = read(p.report[0], &t, sizeof t);

    r->in = keep(&p.in[1], true);
    r->out = keep(&p.out[0], true);
    close_pipes(&p);
    if (n == 0) {
        r->pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0);
        if (r->pidfd >= 0)
            return OK;
        t = (struct trouble){START_EXEC, errno};
        kill(-r->pid, SIGKILL);
    }
    waitpid(r->pid, NULL, 0);
    return explain(r->job, t, why);
}

static void
shut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* The command may close its input early; what it exits with counts. */
static void
feed(struct run *r)
{
    if (r->from == r->to) {
        ssize_t n = r->job->input(r->job->own, r->chunk, sizeof r->chunk);

        if (n <= 0) {
            r->input_failed = n < 0;
            if (n < 0)
                kill(-r->pid, SIGKILL);
            shut(&r->in);
            return;
        }
        r->from = 0;
        r->to = (size_t)n;
    }
    ssize_t n = write(r->in, r->chunk + r->from, r->to - r->from);

    if (n > 0)
        r->from += (size_t)n;
    else if (errno != EAGAIN && errno != EINTR)
        shut(&r->in);
}

static void
drain(struct run *r)
{
    char text[4096];
    ssize_t n;

    while ((n = read(r->out, text, sizeof text)) > 0) {
        size_t room = r->job->output_max - r->output.len;

        buf_add(&r->output, str_sub((struct str){text, (size_t)n}, 0, room));
    }
    if (n == 0)
        shut(&r->out);
}

static int
patience(const struct run *r)
{
    int64_t left = r->end - now();

    if (r->end == 0)
        return -1;
    return left <= 0 ? 0 : left > 3600000 ? 3600000 : (int)left;
}

/* Until it has ended, though its children may keep the pipes open. */
static void
attend(struct run *r)
{
    for (;;) {
        struct pollfd p[] = {
            {r->pidfd, POLLIN,  0},
            {r->out,   POLLIN,  0},
            {r->in,    POLLOUT, 0}
        };

        int n = poll(p, COUNT(p), patience(r));

        if (n > 0 && p[2].revents)
            feed(r);
        if (n > 0 && p[1].revents)
            drain(r);
        if (n > 0 && p[0].revents)
            return;
        if (r->end && now() >= r->end && !r->late) {
            r->late = true;
            r->end = 0;
            kill(-r->pid, SIGKILL);
        }
    }
}

enum rc
proc_run(struct arena *a, const struct proc_job *job, struct proc_end *end,
         struct why *why)
{
    struct run *r = arena_make(a, struct run);
    enum rc rc;

    *end = (struct proc_end){.output = S("")};
    *r = (struct run){.job = job, .output = buf_in(a)};
    rc = start(r, why);
    if (rc == OK) {
        r->end = job->limit ? now() + job->limit : 0;
        attend(r);
        if (r->out >= 0)
            drain(r);
        waitpid(r->pid, &end->status, 0);
        close(r->pidfd);
        end->late = r->late;
        end->output = buf_str(&r->output);
    }
    shut(&r->in);
    shut(&r->out);
    return rc == OK && r->input_failed
               ? fail(why, "4.3.0", "cannot read the message for %s",
                      job->argv[0])
               : rc;
}
