/*
 * posta start, stop, status and the like: what master is asked for, over its
 * own socket.
 */
#include "control.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"
#include "conf/config.h"
#include "ipc/message.h"

static struct packet packet;

static struct arena *
life(void)
{
    return arena_new("posta", 64 << 20);
}

/* The folder as master will see it. */
static const char *
full(struct arena *a, const char *dir)
{
    char real[PATH_MAX];

    dir = cmd_config_dir(dir);
    return realpath(dir, real) ? arena_fmt(a, "%s", real) : dir;
}

/* One setting, whatever else in main.cf is wrong: what runs can be stopped,
 * and master says what is wrong where it starts. */
static const char *
setting(struct arena *a, const char *dir, const char *name)
{
    struct config config;
    struct str value;
    struct why why;

    if (config_read(a, cmd_config_dir(dir), &config, &why) != OK ||
        config_value(&config, NULL, name, &value, &why) != OK)
        cmd_fatal(1, "posta", "%s", why.text);
    const char *text = arena_cstr(a, value);

    config_free(&config);
    return text;
}

/* A link to the master of this instance; fd -1 if none runs. */
static struct link
connect_to(struct arena *a, const char *dir)
{
    const char *path =
        arena_fmt(a, "%s/private/master", setting(a, dir, "queue_directory"));

    return (struct link){.fd = sock_connect_unix(path, SOCK_SEQPACKET),
                         .self = SIDE(TOOL),
                         .peer = SIDE(MASTER)};
}

static int
not_running(void)
{
    fprintf(stderr, errno == EACCES
                        ? "posta: the mail system belongs to somebody else\n"
                        : "posta: the mail system is not running\n");
    return 1;
}

/*
 * Ask for one thing. Its status, or -1 where nobody answers. The text goes to
 * `out`, or is kept in `into`.
 */
static int
ask(struct arena *a, const char *dir, const char *verb, FILE *out,
    struct buf *into)
{
    struct link link = connect_to(a, dir);
    struct msg_ask_master m = {.verb = str_from(verb)};
    struct msg_master_says says = {0};

    if (link.fd < 0)
        return -1;
    if (!send_ask_master(&link, &m)) {
        close(link.fd);
        return -1;
    }
    /* The end of the link is the last of the answer to stop. */
    while (!says.last &&
           link_expect(&link, &packet, MSG_master_says) == LINK_OK &&
           read_master_says(&packet, &says)) {
        if (into)
            buf_add(into, says.text);
        else
            fprintf(out, "%.*s", STR(says.text));
    }
    close(link.fd);
    return (int)says.status;
}

static int
simple(const char *dir, const char *verb)
{
    struct arena *a = life();
    int status = ask(a, dir, verb, stderr, NULL);

    return status < 0 ? not_running() : status;
}

int
control_stop(int argc, char **argv, const char *dir)
{
    (void)argc;
    (void)argv;
    return simple(dir, "stop");
}

int
control_abort(int argc, char **argv, const char *dir)
{
    (void)argc;
    (void)argv;
    return simple(dir, "abort");
}

int
control_reload(int argc, char **argv, const char *dir)
{
    (void)argc;
    (void)argv;
    return simple(dir, "reload");
}

int
control_logrotate(int argc, char **argv, const char *dir)
{
    (void)argc;
    (void)argv;
    return simple(dir, "logrotate");
}

static int NORETURN
exec_master(const char *dir, const char *how)
{
    struct arena *a = life();
    const char *path =
        arena_fmt(a, "%s/master", setting(a, dir, "daemon_directory"));
    const char *argv[] = {"master", "-c", full(a, dir), how, NULL};

    execv(path, (char **)(uintptr_t)argv);
    fprintf(stderr,
            "posta: cannot run %s: %s; daemon_directory in main.cf says where "
            "the programs are\n",
            path, strerror(errno));
    exit(1);
}

/* What start would find wrong, and missing folders are made. */
int
control_check(int argc, char **argv, const char *dir)
{
    (void)argc;
    (void)argv;
    exec_master(dir, "-k");
}

int
control_start(int argc, char **argv, const char *dir)
{
    (void)argc;
    (void)argv;
    exec_master(dir, "-w");
}

int
control_start_fg(int argc, char **argv, const char *dir)
{
    (void)argc;
    (void)argv;
    exec_master(dir, "-s");
}

/* Run another of the commands on this configuration. */
static int
run_command(struct arena *a, const struct conf *conf, const char *dir,
            const char *name, const char *flag)
{
    const char *path = arena_fmt(a, "%s/%s", conf->command_directory, name);
    const char *argv[] = {name, "-c", full(a, dir), flag, NULL};

    execv(path, (char **)(uintptr_t)argv);
    fprintf(stderr, "posta: cannot run %s: %s\n", path, strerror(errno));
    return 1;
}

int
control_flush(int argc, char **argv, const char *dir)
{
    struct arena *a = life();

    (void)argc;
    (void)argv;
    return run_command(a, cmd_conf(a, dir, "posta", 1), dir, "postqueue", "-f");
}

/* ---- status */

/* "queue": {...} of qmgr, or null where it does not answer. */
static struct str
queue_counts(struct arena *a, const char *dir)
{
    struct link link = {.self = SIDE(TOOL), .peer = SIDE(QMGR)};
    struct msg_ask_queue m = {.verb = S("counts")};
    struct msg_queue_says says;
    struct str text = S("null");

    link.fd = sock_connect_unix(
        arena_fmt(a, "%s/public/qmgr", setting(a, dir, "queue_directory")),
        SOCK_SEQPACKET);
    if (link.fd < 0)
        return text;
    if (sock_timeout(link.fd, 10000) && send_ask_queue(&link, &m) &&
        link_expect(&link, &packet, MSG_queue_says) == LINK_OK &&
        read_queue_says(&packet, &says) && says.status == 0)
        text = arena_str(a, says.text);
    close(link.fd);
    return text;
}

/* The value of "name": in a JSON text of ours, up to a comma or line end. */
static struct str
member(struct str json, const char *name)
{
    struct arena *a = life();
    struct str key = str_from(arena_fmt(a, "\"%s\": ", name));
    ssize_t at = str_search(json, key);
    struct str value = S(""), rest;

    if (at >= 0) {
        rest = str_sub(json, (size_t)at + key.len, json.len);
        str_cut(&rest, '\n', &value);
        if (value.len && value.p[value.len - 1] == ',')
            value.len--;
    }
    arena_free(a);
    return value;
}

int
control_status(int argc, char **argv, const char *dir)
{
    struct arena *a = life();
    bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
    struct buf b = buf_in(a);
    struct str text, queue;

    if (ask(a, dir, "status", NULL, &b) != 0)
        return not_running();
    text = str_trim(buf_str(&b));
    queue = queue_counts(a, dir);
    if (json) {
        text.len -= str_ends(text, S("}"));
        text = str_trim(text);
        printf("%.*s,\n  \"queue\": %.*s\n}\n", STR(text), STR(queue));
    } else {
        struct str pid = member(text, "pid"), up = member(text, "uptime");

        printf("posta: the mail system is %.*s: PID: %.*s, up %.*s s, queue: "
               "%.*s\n",
               STR(str_eq(member(text, "state"), S("\"stopping\""))
                       ? S("stopping")
                       : S("running")),
               STR(pid), STR(up), STR(queue));
    }
    return 0;
}

/* ---- set-permissions */

static unsigned
id_of(const char *name, bool group)
{
    uint64_t number;
    struct passwd *pw = group ? NULL : getpwnam(name);
    struct group *gr = group ? getgrnam(name) : NULL;

    if (pw)
        return pw->pw_uid;
    if (gr)
        return gr->gr_gid;
    if (str_num(str_from(name), &number) && number < UINT_MAX)
        return (unsigned)number;
    cmd_fatal(1, "posta", "there is no %s %s; `posta init` makes it",
              group ? "group" : "user", name);
}

static bool
give(const char *path, unsigned uid, unsigned gid, mode_t mode)
{
    if (lchown(path, uid, gid) == 0 && chmod(path, mode) == 0)
        return true;
    if (errno == ENOENT)
        return true;
    fprintf(stderr, "posta: %s: %s\n", path, strerror(errno));
    return false;
}

int
control_set_permissions(int argc, char **argv, const char *dir)
{
    struct arena *a = life();
    const struct conf *conf = cmd_conf(a, dir, "posta", 1);
    static const char *const setgid[] = {"postdrop", "postqueue"};
    bool good = true;

    (void)argc;
    (void)argv;
    if (geteuid() != 0)
        cmd_fatal(1, "posta", "only root can set permissions");
    unsigned owner = id_of(conf->mail_owner, false);
    unsigned drop = id_of(conf->setgid_group, true);
    const struct {
        const char *name;
        unsigned gid;
        mode_t mode;
    } folders[] = {
        {"incoming", owner, 0700 },
        {"deferred", owner, 0700 },
        {"hold",     owner, 0700 },
        {"corrupt",  owner, 0700 },
        {"public",   drop,  02710},
        {"private",  owner, 0710 },
        {"maildrop", drop,  01730},
    };

    for (size_t i = 0; i < COUNT(folders); i++)
        good &=
            give(arena_fmt(a, "%s/%s", conf->queue_directory, folders[i].name),
                 owner, folders[i].gid, folders[i].mode);
    good &= give(conf->data_directory, owner, owner, 0700);
    for (size_t i = 0; i < COUNT(setgid); i++) {
        const char *path =
            arena_fmt(a, "%s/%s", conf->command_directory, setgid[i]);
        struct stat st;

        /* A link to the common binary must never become set-gid. */
        if (lstat(path, &st) == 0 && S_ISREG(st.st_mode))
            good &= give(path, 0, drop, 02755);
    }
    return good ? 0 : 1;
}

int
control_upgrade(int argc, char **argv, const char *dir)
{
    (void)argc;
    (void)argv;
    (void)dir;
    printf("posta: nothing in the configuration needs an upgrade\n");
    return 0;
}
