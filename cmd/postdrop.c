/*
 * postdrop - put one message from standard input into maildrop/.
 *
 * The only command that writes where others cannot, with the group of the
 * maildrop; so it does little: it checks the head of the message, the size
 * and who may submit, and makes one file. What it is given, the form of
 * queue/drop.h, comes from a user: pickup believes none of it either.
 */
#include "cmd.h"
#include "help.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "map/map.h"
#include "queue/drop.h"
#include "sys/disk.h"
#include "sys/sock.h"

#define TEMPFAIL 75 /* sysexits: sendmail tells its caller to try again */
#define RCPTS_MEMORY                                                           \
    ((size_t)16 << 20) /* which also bounds what pickup needs */

static struct {
    int dir; /* maildrop/ */
    int file;
    char name[40];
    volatile sig_atomic_t made;
} state = {.dir = -1, .file = -1};

static void
forget(void)
{
    if (state.made)
        disk_remove(state.dir, state.name);
    state.made = false;
}

static int NORETURN give_up(const char *fmt, ...) PRINTF(1, 2);

static int
give_up(const char *fmt, ...)
{
    va_list args;

    forget();
    fputs("postdrop: fatal: ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    exit(TEMPFAIL);
}

static void
interrupted(int signo)
{
    /* Not forget(): only what a signal handler may do. */
    if (state.made)
        unlinkat(state.dir, state.name, 0);
    signal(signo, SIG_DFL);
    raise(signo);
}

/* A user's own configuration must not tell a set-gid program where to write. */
static void
check_dir(struct arena *life, const char *dir)
{
    if (!getauxval(AT_SECURE) || dir == NULL ||
        strcmp(dir, cmd_config_dir(NULL)) == 0)
        return;

    const struct conf *own = cmd_conf(life, NULL, "postdrop", TEMPFAIL);
    const char *lists[] = {own->alternate_config_directories,
                           own->multi_instance_directories};

    for (size_t i = 0; i < COUNT(lists); i++) {
        struct str rest = str_from(lists[i]), word;

        while (str_word(&rest, " ,\t\r\n", &word))
            if (str_eq(word, str_from(dir)))
                return;
    }
    give_up("the folder %s is not in alternate_config_directories of the "
            "system's main.cf",
            dir);
}

static void
check_user(const struct conf *conf)
{
    struct passwd *pw = getpwuid(getuid());
    const char *user = pw ? pw->pw_name : "unknown";
    bool found = false;
    struct why why;
    struct match_list *list = match_open(
        "authorized_submit_users", conf->authorized_submit_users, false, &why);

    if (getuid() == 0)
        return;
    if (list == NULL || match_word(list, str_from(user), &found, &why) != OK)
        give_up("%s", why.text);
    if (!found)
        give_up("user %s(%ld) is not allowed to submit mail", user,
                (long)getuid());
}

static void
make_file(void)
{
    struct timespec now;
    uint32_t salt;

    for (int tries = 0; tries < 100; tries++) {
        clock_gettime(CLOCK_REALTIME, &now);
        if (getrandom(&salt, sizeof salt, 0) != sizeof salt)
            salt = (uint32_t)getpid();
        snprintf(state.name, sizeof state.name, "%llX%05lX%08X",
                 (unsigned long long)now.tv_sec,
                 (unsigned long)now.tv_nsec / 1000, (unsigned)salt);
        state.file = disk_create(state.dir, state.name, 0600);
        state.made = state.file >= 0;
        if (state.made)
            return;
        if (errno != EEXIST)
            break;
    }
    give_up("cannot create a file in maildrop: %s; is %s set-gid to the "
            "group of that folder (posta set-permissions)?",
            strerror(errno), program_invocation_short_name);
}

/* The head, and whatever of the content came with it. */
static struct str
read_head(struct arena *life, struct drop *drop)
{
    struct arena *tries = arena_new("recipients", RCPTS_MEMORY);
    struct buf b = buf_in(life);
    struct why why = {0};
    size_t content;

    while (b.len < DROP_HEAD_MAX) {
        ssize_t n = read(0, buf_space(&b, 65536), 65536);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            give_up("cannot read the message: %s", strerror(errno));
        b.len += (size_t)n;
        arena_reset(tries);
        if (drop_get(tries, buf_str(&b), drop, &content, &why) == OK)
            return buf_str(&b);
        if (n == 0)
            break;
    }
    give_up("the message is malformed: %s", why.text);
}

static void
write_message(struct str first, int64_t limit)
{
    static char data[65536];
    int64_t size = (int64_t)first.len;
    struct str piece = first;

    for (;;) {
        if (limit > 0 && size > limit + DROP_HEAD_MAX)
            give_up("message file too big: the limit is %lld bytes",
                    (long long)limit);
        if (!disk_write(state.file, piece))
            give_up("cannot write to maildrop: %s", strerror(errno));
        ssize_t n = read(0, data, sizeof data);

        if (n == 0)
            return;
        if (n < 0 && errno == EINTR)
            n = 0;
        if (n < 0)
            give_up("cannot read the message: %s", strerror(errno));
        piece = (struct str){data, (size_t)n};
        size += n;
    }
}

/* Only now does pickup take it; only then has the user our word. */
static void
complete(void)
{
    if (!disk_mode(state.file, DROP_COMPLETE) || !disk_sync(state.file))
        give_up("cannot write to maildrop: %s", strerror(errno));
    state.made = false;
}

static void
wake_pickup(const char *queue)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/public/pickup", queue);

    int fifo = open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    auto_close int fd = fifo >= 0 ? fifo : sock_connect_unix(path, SOCK_STREAM);

    /* EPIPE: it has heard us already. */
    if (fd < 0 || (write(fd, "W", 1) != 1 && errno != EPIPE))
        fprintf(stderr, "postdrop: warning: mail system is down; the message "
                        "will be delivered when it is up\n");
}

static const char *
options(int argc, char **argv)
{
    const char *dir = NULL;
    int c;

    while ((c = getopt(argc, argv, "c:rv")) != -1) {
        if (c == 'c') {
            dir = optarg;
        } else if (c == '?') {
            fputs(help_text("postdrop"), stderr);
            exit(TEMPFAIL);
        }
    }
    return dir;
}

static void
catch_signals(void)
{
    static const int caught[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

    for (size_t i = 0; i < COUNT(caught); i++)
        if (signal(caught[i], SIG_IGN) != SIG_IGN)
            signal(caught[i], interrupted);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

int
postdrop_main(int argc, char **argv)
{
    struct arena *life = arena_new("postdrop", 16 << 20);
    const char *dir = options(argc, argv);
    struct drop drop;

    umask(022);
    check_dir(life, dir);
    const struct conf *conf = cmd_conf(life, dir, "postdrop", TEMPFAIL);

    check_user(conf);
    state.dir = open(arena_fmt(life, "%s/maildrop", conf->queue_directory),
                     O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (state.dir < 0)
        give_up("cannot open %s/maildrop: %s; `posta check` makes it",
                conf->queue_directory, strerror(errno));
    catch_signals();
    struct str head = read_head(life, &drop);

    make_file();
    write_message(head, conf->message_size_limit);
    complete();
    wake_pickup(conf->queue_directory);
    return 0;
}
