/*
 * postqueue - the queue for everybody: list it, have it flushed.
 *
 * Runs set-gid so that it may connect to qmgr; who is allowed what is decided
 * there, by the user that the kernel says we are.
 */
#include "cmd.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "mail/domain.h"
#include "queue.h"

#define UNAVAILABLE 69 /* sysexits */

static const char usage[] =
    "usage: postqueue -f | postqueue -i queueid | postqueue -j | postqueue -p "
    "| postqueue -s site";

static struct {
    const struct conf *conf;
    char text[512]; /* what qmgr says is wrong */
} state;

static void NORETURN
not_allowed(const char *what)
{
    struct passwd *pw = getpwuid(getuid());

    cmd_fatal(QUEUE_DENIED, "postqueue",
              "User %s(%ld) is not allowed to %s "
              "the mail queue",
              pw ? pw->pw_name : "unknown", (long)getuid(), what);
}

static void
keep_text(void *own, struct str text)
{
    (void)own;
    snprintf(state.text, sizeof state.text, "%.*s", STR(text));
}

/* ---- list */

/* The superuser, and whose queue it is; not by the rights of set-gid. */
static bool
may_read_files(void)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/incoming", state.conf->queue_directory);
    return access(path, R_OK | X_OK) == 0;
}

static void
list_files(struct queue_show *show)
{
    const char *why = strerror(errno);

    if (!may_read_files())
        cmd_fatal(UNAVAILABLE, "postqueue",
                  "Queue report unavailable - mail system is down (Connect "
                  "to the queue manager: %s)",
                  why);
    fprintf(stderr,
            "postqueue: warning: Mail system is down -- accessing queue "
            "directly (Connect to the queue manager: %s)\n",
            why);
    if (!queue_files_list(state.conf, queue_show_records, show))
        cmd_fatal(UNAVAILABLE, "postqueue", "%s: %s",
                  state.conf->queue_directory, strerror(errno));
}

/* Records while all is well, else a text that says what is wrong. */
static int
list(bool json)
{
    struct queue_show show = {.json = json,
                              .wide = state.conf->enable_long_queue_ids};

    switch (
        queue_ask(state.conf, "list", S(""), queue_show_records, &show, NULL)) {
    case 0:
        break;
    case QUEUE_DOWN:
        if (show.messages)
            cmd_fatal(UNAVAILABLE, "postqueue",
                      "the queue manager went away: %s", strerror(errno));
        list_files(&show);
        break;
    default:
        not_allowed("view");
    }
    queue_show_end(&show);
    if (fflush(stdout) != 0 && errno != EPIPE)
        cmd_fatal(74, "postqueue", "output write error: %s", strerror(errno));
    return 0;
}

/* ---- flush */

static int
flush(const char *verb, const char *arg)
{
    switch (queue_ask(state.conf, verb, str_from(arg), keep_text, NULL, NULL)) {
    case 0:
        return 0;
    case QUEUE_DOWN:
        cmd_fatal(UNAVAILABLE, "postqueue",
                  "Cannot flush mail queue - mail system is down");
    case QUEUE_DENIED:
        not_allowed("flush");
    default:
        cmd_fatal(UNAVAILABLE, "postqueue", "%s: %s", arg, state.text);
    }
}

static int
flush_id(const char *id)
{
    struct str text = str_from(id);
    struct queue_id parsed;

    if (!queue_id_parse(text, &parsed))
        cmd_fatal(UNAVAILABLE, "postqueue",
                  "Cannot flush queue ID - invalid name: \"%.100s%s\"", id,
                  text.len > 100 ? "..." : "");
    return flush("flush_id", id);
}

static int
flush_site(const char *site)
{
    struct str s = str_from(site);

    if (!domain_is_hostname(s) && !domain_is_literal(s, NULL))
        cmd_fatal(UNAVAILABLE, "postqueue",
                  "Cannot flush mail queue - invalid destination: "
                  "\"%.100s%s\"",
                  site, s.len > 100 ? "..." : "");
    return flush("flush_site", site);
}

/* ---- options */

struct options {
    const char *dir, *arg;
    int mode; /* the option letter; 0: none */
};

static void
choose(struct options *o, int mode, const char *arg)
{
    if (o->mode)
        cmd_fatal(UNAVAILABLE, "postqueue", "%s", usage);
    o->mode = mode;
    o->arg = arg;
}

static struct options
read_options(int argc, char **argv)
{
    struct options o = {0};
    int c;

    while ((c = getopt(argc, argv, "c:fi:jps:v")) != -1) {
        if (c == 'c')
            o.dir = optarg;
        else if (c != 'v' && c != '?')
            choose(&o, c, optarg);
        else if (c == '?')
            cmd_fatal(UNAVAILABLE, "postqueue", "%s", usage);
    }
    if (o.mode == 0 || optind < argc)
        cmd_fatal(UNAVAILABLE, "postqueue", "%s", usage);
    return o;
}

int
postqueue_main(int argc, char **argv)
{
    struct options o = read_options(argc, argv);

    /* A folder of the caller's choice: then only with his own rights. */
    if (o.dir && getauxval(AT_SECURE) && getuid() != 0 &&
        setregid(getgid(), getgid()) < 0)
        cmd_fatal(UNAVAILABLE, "postqueue", "setregid: %s", strerror(errno));
    state.conf = cmd_conf(arena_new("postqueue", (size_t)64 << 20), o.dir,
                          "postqueue", UNAVAILABLE);
    switch (o.mode) {
    case 'f':
        return flush("flush", "");
    case 'i':
        return flush_id(o.arg);
    case 's':
        return flush_site(o.arg);
    default:
        return list(o.mode == 'j');
    }
}
