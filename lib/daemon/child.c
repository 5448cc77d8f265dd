#include "daemon/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/child_own.h"
#include "daemon/roles.h"

#define CONTROL  3
#define LOCK     4 /* held as long as anything of this master lives */
#define LIFE_MAX ((size_t)256 << 20)

struct child_own child = {
    .caller = -1, .wake = -1, .epoll = -1, .waiting_on = -1};

static struct packet packet;
static struct daemon self;

const volatile sig_atomic_t *
daemon_stop(void)
{
    return &child.stop;
}

/* A wait for a connection ends because `wake` stands in its epoll set, a wait
 * for a request because its socket ends: a signal can come at any instant
 * without being lost. */
static void
wake_up(void)
{
    uint64_t one = 1;
    int saved = errno;

    if (child.wake >= 0)
        (void)!write(child.wake, &one, sizeof one);
    if (child.waiting_on >= 0)
        shutdown(child.waiting_on, SHUT_RD);
    errno = saved;
}

static void
on_stop(int signo)
{
    (void)signo;
    child.stop = 1;
    wake_up();
}

static void
on_retire(int signo)
{
    (void)signo;
    child.retire = 1;
    wake_up();
}

static void
handle(int signo, void (*handler)(int), int flags)
{
    struct sigaction act = {.sa_handler = handler, .sa_flags = flags};

    sigemptyset(&act.sa_mask);
    sigaction(signo, &act, NULL);
}

/* No process outlives master: its ports must be free and its queue unowned. */
static void
die_with(pid_t master)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != master)
        _exit(0);
}

static void NORETURN
end(int status)
{
    log_flush();
    _exit(status);
}

/* args are C strings one behind the other. */
static char **
split(struct arena *life, struct str text)
{
    size_t n = 0, i = 0;
    struct str rest = text, one;

    while (str_cut(&rest, '\0', &one))
        n++;
    char **args = arena_alloc(life, (n + 1) * sizeof *args);

    while (str_cut(&text, '\0', &one))
        args[i++] = arena_cstr(life, one);
    return args;
}

/* The files of hello or settings come in a fixed order. */
static int
take(struct files *f)
{
    int fd = -1;

    if (f->count > 0) {
        fd = f->fd[0];
        f->count--;
        memmove(f->fd, f->fd + 1, f->count * sizeof f->fd[0]);
    }
    return fd;
}

/* "postfix/smtpd". What a library writes to standard error goes the way of
 * the log too. */
static void
open_log(const struct daemon *d, int fd)
{
    char tag[64];

    snprintf(tag, sizeof tag, "%s/%s", d->conf->syslog_name, d->role);
    log_open(tag, fd, d->conf->syslog_facility);
    if (fd >= 0)
        dup3(fd, STDERR_FILENO, O_CLOEXEC);
}

static const struct conf *
load_conf(struct arena *life, int fd)
{
    struct why why;
    const struct conf *conf = conf_from_snapshot(life, fd, &why);

    if (conf == NULL)
        log_fatal("configuration snapshot: %s", why.text);
    close(fd);
    return conf;
}

static void
take_hello(struct daemon *d, struct msg_hello *m)
{
    d->service = arena_cstr(d->life, m->service);
    d->role = arena_cstr(d->life, m->role);
    d->args = split(d->life, m->args);
    d->unprivileged = m->unprivileged;
    d->crew = (unsigned)m->crew;
    d->conf = load_conf(d->life, take(&m->files));
    d->max_use = d->conf->max_use;
    d->max_idle = d->conf->max_idle;
    child.caller = take(&m->files);
    d->board = board_map(take(&m->files));
    open_log(d, m->log ? take(&m->files) : -1);
    if (d->board == NULL)
        log_fatal("cannot map the board: %m");
    d->queue_dir = m->folder ? take(&m->files) : -1;
    d->nlisten = m->files.count;
    d->listen = arena_alloc(d->life, (d->nlisten + 1) * sizeof *d->listen);
    memcpy(d->listen, m->files.fd, d->nlisten * sizeof *d->listen);
}

static void
wait_hello(struct daemon *d)
{
    struct msg_hello m;

    if (link_expect(&d->master, &packet, MSG_hello) != LINK_OK ||
        !read_hello(&packet, &m))
        exit(1); /* master is gone again */
    take_hello(d, &m);
}

/* Rights are dropped for good; what cannot be dropped ends the process. */
static void
drop_rights(const struct daemon *d, pid_t master)
{
    const struct role *r = role_find(d->role);
    struct priv rights;
    struct why why;

    if (r == NULL)
        log_fatal("role %s is unknown", d->role);
    if (role_rights(r, d->conf, &rights, &why) != OK ||
        priv_enter(&rights, &why) != OK)
        log_fatal("%s", why.text);
    child.link_self = r->link;
    die_with(master); /* a change of ids has cleared it */
}

static void
say_ready(const struct daemon *d)
{
    struct msg_ready m = {.pid = getpid()};

    log_flush();
    if (!send_ready(&d->master, &m))
        end(0);
}

static void
say_working(const struct daemon *d, int64_t ticket, pid_t pid)
{
    struct msg_working m = {.ticket = ticket, .pid = pid};

    if (!send_working(&d->master, &m))
        end(0);
}

/*
 * In the worker. Both it and the template tell master its pid, so master
 * learns it even if one of them is killed at this moment.
 */
static void NORETURN
work(const struct program *p, struct daemon *d, const struct msg_work *m,
     pid_t master)
{
    log_forked();
    die_with(master);
    say_working(d, m->ticket, getpid());
    close(CONTROL);
    d->master.fd = -1;
    d->place = (unsigned)m->slot;
    d->qmgr = (struct link){
        .fd = m->link, .self = child.link_self, .peer = SIDE(QMGR)};
    child.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    p->work(d);
    end(0);
}

/* As a child of master: a worker costs a fork and no exec. */
static pid_t
fork_sibling(void)
{
    return (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
}

static void
start_worker(const struct program *p, struct daemon *d, pid_t master)
{
    struct msg_work m;

    if (!read_work(&packet, &m))
        end(1);
    log_flush();
    pid_t pid = fork_sibling();

    if (pid == 0)
        work(p, d, &m, master);
    if (pid < 0) {
        log_warn("cannot fork a worker: %m");
        end(1); /* master starts a new template, later */
    }
    if (m.link >= 0)
        close(m.link);
    say_working(d, m.ticket, pid);
}

static void NORETURN template(const struct program *p, struct daemon *d,
                              pid_t master)
{
    /* Nothing is lost if it dies; it just goes. */
    handle(SIGTERM, SIG_DFL, 0);
    handle(SIGHUP, SIG_DFL, 0);
    for (;;) {
        if (link_expect(&d->master, &packet, MSG_work) != LINK_OK)
            end(0);
        if (p->refresh)
            p->refresh(d);
        /* A worker must not die of a signal before it has its handlers. */
        handle(SIGTERM, on_stop, 0);
        handle(SIGHUP, on_retire, SA_RESTART);
        start_worker(p, d, master);
        handle(SIGTERM, SIG_DFL, 0);
        handle(SIGHUP, SIG_DFL, 0);
    }
}

static bool
is_control(int fd)
{
    int type;
    socklen_t len = sizeof type;

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
           type == SOCK_SEQPACKET;
}

/* Until the event loop takes it: a stop may come while we start. */
static void
hold_back(int signo)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signo);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

int
daemon_main(int argc, char **argv, const struct program *p)
{
    struct daemon *d = &self;
    pid_t master = getppid();

    (void)argc;
    (void)argv; /* for ps(1) only */
    if (!is_control(CONTROL)) {
        fprintf(stderr,
                "%s is started by master, not by hand: \"posta start\"\n",
                p->name);
        return 1;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    fcntl(CONTROL, F_SETFD, FD_CLOEXEC);
    fcntl(LOCK, F_SETFD, FD_CLOEXEC);
    handle(SIGPIPE, SIG_IGN, 0);
    if (p->run)
        hold_back(SIGTERM);
    d->life = arena_new("process", LIFE_MAX);
    d->master = (struct link){
        .fd = CONTROL, .self = SIDE(DAEMON) | SIDE(QMGR), .peer = SIDE(MASTER)};
    d->qmgr.fd = -1;
    wait_hello(d);
    if (p->prepare)
        p->prepare(d);
    drop_rights(d, master);
    if (p->ready)
        p->ready(d);
    say_ready(d);
    if (p->run)
        p->run(d);
    else
        template(p, d, master);
    end(0);
}

bool
daemon_settings(struct daemon *d, struct packet *p, struct str *transports)
{
    struct msg_settings m;

    if (!read_settings(p, &m))
        return false;
    *transports = m.transports;

    /* What the old one's texts point to stays: reloads are rare. */
    d->conf = load_conf(arena_new("configuration", LIFE_MAX), take(&m.files));
    if (m.log)
        open_log(d, take(&m.files));
    return true;
}
