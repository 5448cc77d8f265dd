/*
 * spawn - a command for each connection (spawn(8)): policy servers and the
 * like, with the connection as their standard input, output and error.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/child.h"
#include "sys/priv.h"
#include "sys/proc.h"

struct spawn {
    struct priv_user user;
    char **argv;
    char **env;
    int64_t limit;
};

static struct spawn spawn;

/* "user:group" */
static void
find_user(struct arena *a, const char *text)
{
    struct str group = str_from(text), name;
    bool pair = str_cut(&group, ':', &name);
    struct why why;

    if (priv_find_user(arena_cstr(a, name), &spawn.user, &why) != OK ||
        (pair &&
         priv_find_group(arena_cstr(a, group), &spawn.user.gid, &why) != OK))
        log_fatal("user=%s: %s; name a user that exists", text, why.text);
    if (spawn.user.uid == 0 || spawn.user.gid == 0)
        log_fatal("user=%s: a command must not run as root", text);
}

/* argv= takes all that follows. */
static void
find_command(struct daemon *d)
{
    bool user = false;

    for (char **arg = d->args; *arg && spawn.argv == NULL; arg++) {
        struct str value = str_from(*arg);

        if (str_skip(&value, S("user="))) {
            find_user(d->life, value.p);
            user = true;
        } else if (str_skip(&value, S("argv="))) {
            spawn.argv = arg;
            *arg = arena_cstr(d->life, value);
        } else if (!str_eq(value, S("-v"))) {
            log_fatal("unknown argument \"%s\"; write user=NAME argv=COMMAND",
                      *arg);
        }
    }
    if (!user || spawn.argv == NULL || spawn.argv[0][0] == '\0')
        log_fatal("service %s: user= or argv= is missing in master.cf",
                  d->service);
    if (d->unprivileged && spawn.user.uid != geteuid())
        log_fatal("service %s: only root can run a command as another user",
                  d->service);
}

/* The names of export_environment, or NAME=VALUE. */
static char **
environment(struct daemon *d)
{
    struct str rest = str_from(d->conf->export_environment), word;
    size_t room = 2, n = 0;

    while (str_word(&rest, ", \t\r\n", &word))
        room++;
    char **env = arena_alloc(d->life, room * sizeof *env);

    env[n++] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    rest = str_from(d->conf->export_environment);
    while (str_word(&rest, ", \t\r\n", &word)) {
        const char *name = arena_cstr(d->life, word);
        const char *value = str_find(word, '=') < 0 ? getenv(name) : NULL;

        if (str_find(word, '=') >= 0)
            env[n++] = arena_cstr(d->life, word);
        else if (value)
            env[n++] = arena_fmt(d->life, "%s=%s", name, value);
    }
    return env;
}

static void
prepare(struct daemon *d)
{
    find_command(d);
    spawn.env = environment(d);
    spawn.limit = conf_transport_time(d->conf, d->service, "_time_limit",
                                      d->conf->command_time_limit);
}

static void
report(const struct proc_end *end)
{
    if (end->late)
        log_warn("%s: command time limit exceeded", spawn.argv[0]);
    else if (WIFSIGNALED(end->status))
        log_warn("command %s killed by signal %d", spawn.argv[0],
                 WTERMSIG(end->status));
    else if (WEXITSTATUS(end->status) != 0)
        log_warn("command %s exit status %d", spawn.argv[0],
                 WEXITSTATUS(end->status));
}

static void
work(struct daemon *d)
{
    struct proc_job job = {.argv = spawn.argv,
                           .env = spawn.env,
                           .user = d->unprivileged ? NULL : &spawn.user,
                           .limit = spawn.limit};
    struct arena *a = arena_new("command", 1 << 20);
    struct sockaddr_storage peer;
    struct proc_end end;
    struct why why;
    socklen_t len;

    while ((job.socket = daemon_accept(d, &peer, &len)) >= 0) {
        arena_reset(a);
        if (proc_run(a, &job, &end, &why) == OK)
            report(&end);
        else
            log_warn("%s", why.text);
        close(job.socket);
    }
}

int
main(int argc, char **argv)
{
    static const struct program program = {
        .name = "spawn", .prepare = prepare, .work = work};

    return daemon_main(argc, argv, &program);
}
