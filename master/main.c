/*
 * master - starts and watches the programs of the mail system (master(8)).
 *
 * It parses main.cf and master.cf and nothing else; it never sees mail.
 */
#include "master.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/version.h"

#define PROCESS_MAX ((size_t)64 << 20)
#define NUDGE_MS    1000
#define LAST_MS     10000 /* for qmgr, after the workers' time is over */

struct master master = {.board_fd = -1, .caller = -1, .log = -1, .queue = -1};

static const char usage[] =
    "usage: master [-c DIR] [-d | -i | -k | -s | -t | -w]\n"
    "  -c DIR  the folder of main.cf and master.cf\n"
    "  -d      stay in the foreground\n"
    "  -i      the same, as the first process of a container\n"
    "  -k      only say what is wrong with the configuration and the folders\n"
    "  -s      stay in the foreground, for posta start-fg\n"
    "  -t      is one running? status 0: no, 1: yes\n"
    "  -w      go to the background when all is up (as without any option)\n";

struct options {
    const char *dir;
    bool foreground, test, check;
};

static void
tell_warnings(const struct problems *p)
{
    for (size_t i = 0; i < p->warnings.len; i++)
        log_warn("%s", p->warnings.at[i]);
}

static void
tell(const struct problems *p, const char *last)
{
    for (size_t i = 0; i < p->lines.len; i++)
        log_error("%s", p->lines.at[i]);
    log_error("%s", last);
}

static void
print_warnings(const struct problems *p)
{
    for (size_t i = 0; i < p->warnings.len; i++)
        fprintf(stderr, "master: warning: %s\n", p->warnings.at[i]);
}

/* Everything that is wrong, on the terminal and in the log. */
static void
print_problems(const struct problems *p)
{
    for (size_t i = 0; i < p->lines.len; i++)
        fprintf(stderr, "master: %s\n", p->lines.at[i]);
}

static void NORETURN
give_up(const struct plan *plan, struct problems *p)
{
    struct problems more = {.arena = p->arena};

    print_problems(p);
    fprintf(stderr, "master: not started\n");
    if (plan->conf && logfile_open(plan, &more))
        tell(p, "not started");
    exit(1);
}

static const char *
default_dir(void)
{
    const char *env = getenv("MAIL_CONFIG");

    if (env && env[0])
        return env;
    return access("/etc/posta/main.cf", F_OK) == 0 ? "/etc/posta"
                                                   : "/etc/postfix";
}

static struct options
read_options(int argc, char **argv)
{
    struct options o = {0};
    int c;

    while ((c = getopt(argc, argv, "c:dikstw")) != -1) {
        if (c == 'c') {
            o.dir = optarg;
        } else if (c == 't') {
            o.test = true;
        } else if (c == 'k') {
            o.check = true;
        } else if (c == 'd' || c == 'i' || c == 's') {
            o.foreground = true;
        } else if (c != 'w') {
            fputs(usage, stderr);
            exit(1);
        }
    }
    if (optind < argc) {
        fputs(usage, stderr);
        exit(1);
    }
    if (o.dir == NULL)
        o.dir = default_dir();
    return o;
}

/* Absolute, as the current folder changes. A missing one is told of when
 * main.cf cannot be read. */
static const char *
full_dir(const char *dir)
{
    char real[PATH_MAX];

    return arena_fmt(master.life, "%s", realpath(dir, real) ? real : dir);
}

/* What programs get: the names and settings of import_environment, a path,
 * and where the configuration is. */
static char **
environment(const struct conf *conf)
{
    struct str rest = str_from(conf->import_environment), word, name;
    size_t room = 3, n = 0;

    while (str_word(&rest, ", \t\r\n", &word))
        room++;
    char **env = arena_alloc(master.life, room * sizeof *env);

    env[n++] = arena_fmt(master.life, "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
    env[n++] = arena_fmt(master.life, "MAIL_CONFIG=%s", master.dir);
    rest = str_from(conf->import_environment);
    while (str_word(&rest, ", \t\r\n", &word)) {
        struct str value = word;
        const char *now;

        if (str_cut(&value, '=', &name)) {
            env[n++] = arena_cstr(master.life, word);
            continue;
        }
        now = getenv(arena_cstr(master.life, word));
        if (now && !str_eq(word, S("MAIL_CONFIG")))
            env[n++] = arena_fmt(master.life, "%.*s=%s", STR(word), now);
    }
    return env;
}

/* Descriptors for all sockets and links at once. */
static void
raise_limits(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

/* 0-2 are open whatever the caller did, or files would get these numbers; and
 * no other that was open there comes to programs that may open nothing. */
static void
open_standard(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= 2);
    must(close_range(3, ~0u, 0) == 0);
}

/* In the child, the end of the pipe that says it is up; the parent waits for
 * that and ends, with status 0 only if all is well. */
static int
go_to_background(void)
{
    int ends[2];
    char byte;

    if (pipe2(ends, O_CLOEXEC) < 0)
        log_fatal("pipe: %m");
    pid_t pid = fork();

    if (pid < 0)
        log_fatal("fork: %m");
    if (pid > 0) {
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) == 1 ? 0 : 1);
    }
    close(ends[0]);
    log_forked();
    setsid();
    return ends[1];
}

static void
say_up(int up)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int fd = 0; null >= 0 && fd <= 2; fd++)
        dup2(null, fd);
    if (null >= 0)
        close(null);
    (void)!write(up, "", 1);
    close(up);
}

/* ---- reload */

static const char *
same_places(const struct plan *plan)
{
    const struct conf *now = master.plan->conf, *then = plan->conf;

    return strcmp(now->queue_directory, then->queue_directory) != 0
               ? "queue_directory"
           : strcmp(now->process_id_directory, then->process_id_directory) != 0
               ? "process_id_directory"
               : NULL;
}

static void
start_units(void)
{
    for (size_t i = 0; i < master.units.len; i++)
        wakeup_set(master.units.at[i]);
    unit_look(master.qmgr);
    unit_look_all();
}

static bool
take_files(struct problems *p)
{
    struct plan *plan = plan_load(master.dir, p);
    const char *moved = p->lines.len ? NULL : same_places(plan);

    if (moved)
        problem(p, "%s/main.cf: %s has changed: stop and start instead",
                master.dir, moved);
    if (p->lines.len == 0)
        folders_prepare(plan, p);
    if (p->lines.len > 0 || !plan_apply(plan, p)) {
        plan_free(plan);
        return false;
    }
    return true;
}

static struct timespec
monotonic(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t;
}

bool
master_reload(bool files, struct problems *p)
{
    struct timespec t = monotonic();

    if (master.stopping) {
        problem(p, "it is stopping");
        return false;
    }
    notify("RELOADING=1\nMONOTONIC_USEC=%lld%06ld", (long long)t.tv_sec,
           t.tv_nsec / 1000);
    bool good = !files || take_files(p);

    good = logfile_open(master.plan, p) && good;
    tell_warnings(p);
    if (files && good)
        log_info("reload -- version " POSTA_VERSION ", configuration %s",
                 master.dir);
    if (!good)
        tell(p, "reload: nothing has changed, the old settings go on");
    process_settings();
    if (good && files)
        start_units();
    else
        process_renew_all();
    notify("READY=1");
    return good;
}

static void
on_reload(void *unused)
{
    struct problems p = {.arena = arena_new("reload", PROCESS_MAX)};

    (void)unused;
    master_reload(true, &p);
    vec_free(&p.lines);
    vec_free(&p.warnings);
    arena_free(p.arena);
}

/* ---- stop */

void
master_check_stop(void)
{
    struct process *qmgr = master.qmgr->template;

    if (!master.stopping || process_count(WORKER) + process_count(TEMPLATE) > 0)
        return;
    if (qmgr == NULL)
        loop_stop(master.loop);
    else if (!qmgr->retired)
        process_retire(qmgr);
}

/* A signal can come just before a worker begins to wait: say it again. When
 * its time is over, a session is cut off. */
static void
nudge(void *unused)
{
    int64_t past = loop_now(master.loop) - master.stop_since;
    int64_t limit = master.plan->conf->stop_time_limit;
    struct process *p;

    (void)unused;
    process_signal_workers(NULL, past > limit ? SIGKILL : SIGTERM);
    for (size_t pos = 0; (p = process_next(&pos)) != NULL;)
        if ((p->kind == TEMPLATE && past > limit) ||
            (p->kind == RUNNING && past > limit + LAST_MS))
            kill(p->pid, SIGKILL);
    loop_after(master.loop, NUDGE_MS, nudge, NULL);
}

void
master_stop(const char *why)
{
    struct process *p;

    if (master.stopping)
        return;
    log_info("%s", why);
    notify("STOPPING=1");
    master.stopping = true;
    master.stop_since = loop_now(master.loop);
    unit_close_all();
    for (size_t pos = 0; (p = process_next(&pos)) != NULL;)
        if (p->kind == TEMPLATE && !p->retired)
            process_retire(p);
    nudge(NULL);
    master_check_stop();
}

static void
on_term(void *unused)
{
    (void)unused;
    master_stop("terminating on signal 15");
}

static void
on_interrupt(void *unused)
{
    (void)unused;
    master_stop("terminating on signal 2");
}

/* Everyone dies with us (PDEATHSIG), but the caller shall find them gone. */
void
master_abort(void)
{
    struct process *p;

    log_info("aborting: all processes are killed");
    log_flush();
    for (size_t pos = 0; (p = process_next(&pos)) != NULL;)
        kill(p->pid, SIGKILL);
    control_close();
    folders_remove_pid();
    _exit(0);
}

static void
on_quit(void *unused)
{
    (void)unused;
    master_abort();
}

/* ---- start */

static void
on_call(void *unused, unsigned events)
{
    uint64_t n;

    (void)unused;
    (void)events;
    if (read(master.caller, &n, sizeof n) == sizeof n)
        unit_called();
}

static void
open_loop(void)
{
    master.loop = loop_new();
    master.started = loop_now(master.loop);
    master.caller = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    master.board = board_make(&master.board_fd);
    if (master.board == NULL || master.caller < 0)
        log_fatal("cannot make the board: %m");
    loop_watch(master.loop, master.caller, LOOP_READ, on_call, NULL);
    loop_signal(master.loop, SIGCHLD, process_reap, NULL);
    loop_signal(master.loop, SIGHUP, on_reload, NULL);
    loop_signal(master.loop, SIGTERM, on_term, NULL);
    loop_signal(master.loop, SIGINT, on_interrupt, NULL);
    loop_signal(master.loop, SIGQUIT, on_quit, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void
run(struct plan *plan, struct problems *p, int up)
{
    open_loop();
    if (!plan_apply(plan, p))
        give_up(plan, p);
    control_open();
    folders_write_pid();
    if (up >= 0)
        say_up(up);
    log_info("daemon started -- version " POSTA_VERSION ", configuration %s",
             master.dir);
    start_units();
    notify("READY=1\nMAINPID=%d", (int)getpid());
    loop_run(master.loop);
    control_close();
    folders_remove_pid();
    log_info("stopped");
    log_flush();
}

int
main(int argc, char **argv)
{
    struct options o = read_options(argc, argv);
    struct problems p;
    struct plan *plan;

    open_standard();
    umask(022);
    master.life = arena_new("master", PROCESS_MAX);
    master.root = geteuid() == 0;
    master.dir = full_dir(o.dir);
    p = (struct problems){.arena = master.life};
    plan = plan_load(master.dir, &p);
    if (o.test)
        return plan->conf && folders_running(plan) ? 1 : 0;
    if (o.check && plan->conf)
        identities_check(plan, &p);
    print_warnings(&p);
    if (p.lines.len == 0)
        folders_prepare(plan, &p);
    if (o.check) {
        print_problems(&p);
        return p.lines.len > 0;
    }
    if (p.lines.len > 0 || !folders_lock(plan, &p) || !logfile_open(plan, &p))
        give_up(plan, &p);
    tell_warnings(&p);
    raise_limits();
    if (master.root && !priv_supervise())
        log_fatal("cannot limit capabilities: %m");
    master.environment = environment(plan->conf);
    run(plan, &p, o.foreground ? -1 : go_to_background());
    return 0;
}
