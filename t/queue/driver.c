/*
 * driver - starts qmgr with stand-ins around it, gives it mail, and says what
 * came of it, in lines "name number".
 */
#include "driver.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "conf/snapshot.h"
#include "queue/spool.h"
#include "sys/board.h"

struct plan_of_test plan = {
    .messages = 100,
    .rcpts = 1,
    .producers = 4,
    .agents = 4,
    .sites = 1,
    .size = 4096,
    .wait = 600,
    .owner = 12345,
};
struct tally *tally;

static struct {
    struct packet packet;
    struct arena *life;
    struct link qmgr;
    pid_t pid;
    int children;
    double began;
} own;

static double
seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
die(const char *what)
{
    fprintf(stderr, "driver: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int
snapshot(const char *main_cf)
{
    struct settings *s = settings_new(own.life);
    struct names *n = names_new(own.life, NULL);
    char *text =
        arena_fmt(own.life,
                  "queue_directory = %s\ndata_directory = %s\n"
                  "compatibility_level = 3.6\nmail_owner = %u\n"
                  "network_owner = %u\n%s\n",
                  plan.dir, plan.dir, plan.owner, plan.owner + 1, main_cf);
    struct why why;
    int fd;

    if (settings_parse(s, str_from(text), "driver", &why) != OK ||
        (fd = conf_snapshot(s, n, &why)) < 0) {
        fprintf(stderr, "driver: %s\n", why.text);
        exit(1);
    }
    return fd;
}

static void
start_qmgr(int end)
{
    char *argv[] = {"sh", "-c", arena_fmt(own.life, "exec %s", plan.qmgr),
                    NULL};

    own.pid = fork();
    if (own.pid != 0)
        return;
    dup2(end, 3);
    execv("/bin/sh", argv);
    _exit(127);
}

/* The eventfd and the board serve nothing here, but must be there. */
static void
say_hello(const char *main_cf, int listener)
{
    struct msg_hello m = {.service = S("qmgr"),
                          .role = S("qmgr"),
                          .args = S(""),
                          .unprivileged = geteuid() != 0,
                          .log = 1,
                          .folder = 1};
    int board;
    char *log = arena_fmt(own.life, "%s/log", plan.dir);

    if (board_make(&board) == NULL)
        die("board");
    m.files.fd[0] = snapshot(main_cf);
    m.files.fd[1] = eventfd(0, 0);
    m.files.fd[2] = board;
    m.files.fd[3] = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    m.files.fd[4] = open(plan.dir, O_RDONLY | O_DIRECTORY);
    m.files.fd[5] = listener;
    m.files.count = 6;
    if (!send_hello(&own.qmgr, &m))
        die("hello");
}

static void
say_settings(const char *main_cf)
{
    struct msg_settings m = {0};
    struct buf b = buf_in(own.life);

    /* With claims it is a local, without it is like smtp. */
    put_transport(
        &b, &(struct rec_transport){
                .name = S("stand"),
                .role = plan.answer == ANSWER_CLAIM ? S("local") : S("smtp"),
                .limit = plan.agents});
    m.transports = buf_str(&b);
    m.files.fd[0] = snapshot(main_cf);
    m.files.count = 1;
    if (!send_settings(&own.qmgr, &m))
        die("settings");
}

static void
bring_peer(const char *service, const char *role, void (*run)(int, int),
           int number)
{
    int ends[2];
    struct msg_peer m = {.service = str_from(service), .role = str_from(role)};

    if (!sock_pair(ends))
        die("socketpair");
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ends[0]);
        close(own.qmgr.fd);
        run(ends[1], number);
    }
    m.link = ends[0];
    if (!send_peer(&own.qmgr, &m))
        die("peer");
    close(ends[0]);
    close(ends[1]);
}

static void
run_agent(int fd, int number)
{
    (void)number;
    deliver(fd);
}

static void
wanted(void)
{
    struct msg_want m;

    if (!read_want(&own.packet, &m))
        die("want");
    if (str_eq(m.service, S("stand")) &&
        own.children < plan.agents + plan.producers) {
        own.children++;
        tally->agents++;
        bring_peer("stand", plan.answer == ANSWER_CLAIM ? "local" : "smtp",
                   run_agent, 0);
    } else if (!send_no_peer(&own.qmgr, &(struct msg_no_peer){
                                            m.service, S("there are none")})) {
        die("no_peer");
    }
}

/* Agents that died or were let go may be replaced. */
static void
reap(void)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == own.pid) {
            fprintf(stderr, "driver: qmgr ended: %d\n", status);
            exit(2);
        }
        own.children--;
    }
}

static void
serve(int ms)
{
    double until = seconds() + ms / 1000.0;

    do {
        sock_timeout(own.qmgr.fd, 20);
        switch (link_receive(&own.qmgr, &own.packet)) {
        case LINK_OK:
            if (own.packet.type == MSG_want)
                wanted();
            break;
        case LINK_AGAIN:
            break;
        default:
            fprintf(stderr, "driver: qmgr is gone\n");
            exit(2);
        }
        reap();
    } while (seconds() < until);
}

/* ---- what it cost */

static long
status_number(const char *name)
{
    char line[256], *path = arena_fmt(own.life, "/proc/%d/status", own.pid);
    FILE *f = fopen(path, "r");
    long value = 0;

    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtol(line + strlen(name) + 1, NULL, 10);
    if (f)
        fclose(f);
    return value;
}

static double
cpu_seconds(void)
{
    char line[512] = "", *path = arena_fmt(own.life, "/proc/%d/stat", own.pid);
    FILE *f = fopen(path, "r");
    long user = 0, sys = 0;
    char *at;

    if (f && fgets(line, sizeof line, f) && (at = strrchr(line, ')')))
        sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld",
               &user, &sys);
    if (f)
        fclose(f);
    return (double)(user + sys) / (double)sysconf(_SC_CLK_TCK);
}

static void
report(void)
{
    printf("committed %ld\nrefused %ld\ndelivered %ld\ndeliveries %ld\n"
           "claimed %ld\nagents %ld\n",
           tally->committed, tally->refused, tally->delivered,
           tally->deliveries, tally->claimed, tally->agents);
    printf("first_delivery %.3f\n",
           tally->first_us ? (double)tally->first_us / 1e6 - own.began : -1);
    printf("seconds %.3f\nqmgr_cpu %.2f\nqmgr_rss_kb %ld\n"
           "qmgr_switches %ld\n",
           seconds() - own.began, cpu_seconds(), status_number("VmHWM:"),
           status_number("voluntary_ctxt_switches:"));
}

/* No file is left of those that were there at the start, or came since. */
static bool
is_empty(void)
{
    auto_close int dir = open(plan.dir, O_RDONLY | O_DIRECTORY);
    bool found = false;

    for (int f = SPOOL_INCOMING; f <= SPOOL_CORRUPT && !found; f++) {
        struct spool_walk w = spool_walk(dir, (enum spool_folder)f);
        struct queue_id id;
        int64_t seal;

        found = spool_next(&w, &id, &seal);
        spool_walk_end(&w);
    }
    return !found;
}

static bool
is_done(void)
{
    if (plan.empty)
        return is_empty();

    long want = (long)plan.producers * plan.messages;

    if (tally->committed + tally->refused < want)
        return false;
    return plan.answer == ANSWER_DEFER || plan.answer == ANSWER_DOWN ||
           plan.answer == ANSWER_BOUNCE ||
           tally->delivered >= tally->committed * plan.rcpts;
}

/* ---- options */

static const struct option_row {
    char letter;
    int *number;
} numbers[] = {
    {'d', &plan.deferred },
    {'i', &plan.incoming },
    {'e', &plan.empty    },
    {'m', &plan.messages },
    {'r', &plan.rcpts    },
    {'p', &plan.producers},
    {'a', &plan.agents   },
    {'s', &plan.sites    },
    {'z', &plan.size     },
    {'w', &plan.wait     },
    {'l', &plan.slow     },
};

static enum answer
answer_of(const char *name)
{
    static const char *const names[] = {"sent", "claim",  "defer",
                                        "down", "bounce", "die"};

    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(names[i], name) == 0)
            return (enum answer)i;
    fprintf(stderr, "driver: unknown answer %s\n", name);
    exit(64);
}

/* -c settings, -k milliseconds that qmgr goes on afterwards. */
static const char *
options(int argc, char **argv, int *linger)
{
    const char *main_cf = "";
    int c;

    while ((c = getopt(argc, argv, "m:r:p:a:s:z:w:l:c:o:k:e:d:i:")) != -1) {
        for (size_t i = 0; i < COUNT(numbers); i++)
            if (numbers[i].letter == c)
                *numbers[i].number = atoi(optarg);
        if (c == 'c')
            main_cf = optarg;
        if (c == 'o')
            plan.answer = answer_of(optarg);
        if (c == 'k')
            *linger = atoi(optarg);
    }
    if (argc - optind != 2) {
        fprintf(stderr,
                "usage: driver [-m messages] [-r rcpts] [-p producers] "
                "[-a agents] [-s sites] [-z size] [-w seconds] [-l ms] "
                "[-c main.cf text] [-o sent|claim|defer|down|bounce|die] "
                "[-k ms] [-e 1] [-d deferred] [-i incoming] QMGR FOLDER\n");
        exit(64);
    }
    plan.qmgr = argv[optind];
    plan.dir = argv[optind + 1];
    return main_cf;
}

static int
make_folder(void)
{
    char *mailbox = arena_fmt(own.life, "%s/mailbox", plan.dir);
    char *public = arena_fmt(own.life, "%s/public", plan.dir);
    int fd;

    if ((mkdir(plan.dir, 0755) < 0 || mkdir(mailbox, 0777) < 0 ||
         mkdir(public, 0755) < 0) &&
        errno != EEXIST)
        die(plan.dir);
    fd = sock_listen_unix(arena_fmt(own.life, "%s/qmgr", public),
                          SOCK_SEQPACKET, 0666);
    if (fd < 0)
        die("public/qmgr");
    return fd;
}

int
main(int argc, char **argv)
{
    int ends[2], listener, linger = 0;
    const char *main_cf = options(argc, argv, &linger);

    own.life = arena_new("driver", (size_t)1 << 28);
    tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    listener = make_folder();
    if (plan.deferred)
        fill(plan.deferred, true);
    if (plan.incoming)
        fill(plan.incoming, false);
    if (!sock_pair(ends))
        die("socketpair");
    start_qmgr(ends[1]);
    close(ends[1]);
    own.qmgr = (struct link){
        .fd = ends[0], .self = SIDE(MASTER), .peer = SIDE(DAEMON) | SIDE(QMGR)};
    say_hello(main_cf, listener);
    if (link_expect(&own.qmgr, &own.packet, MSG_ready) != LINK_OK)
        die("qmgr is not ready");
    own.began = seconds();
    say_settings(main_cf);
    for (int i = 0; i < plan.producers; i++)
        bring_peer("smtpd", "smtpd", produce, i), own.children++;
    while (!is_done() && seconds() - own.began < plan.wait)
        serve(0);
    report();
    fflush(stdout);
    serve(linger);
    kill(own.pid, SIGTERM);
    close(own.qmgr.fd); /* strace keeps the signal to itself */
    waitpid(own.pid, NULL, 0);
    return is_done() ? 0 : 1;
}
