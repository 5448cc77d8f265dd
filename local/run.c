#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "exits.h"
#include "mail/dsn.h"
#include "sys/io.h"

#define OUTPUT_MAX 4096
#define PATH       "PATH=/usr/bin:/bin"

/* A command at work. */
struct child {
    pid_t pid;
    int process; /* pidfd */
    int in, out; /* its standard input; what it writes */
    int64_t until;
    struct str left; /* of what is being written */
    int stage;       /* head, content, tail */
    char *output;
    size_t len;
    int status;
};

static void NORETURN
give_up(const char *what, const char *name)
{
    dprintf(STDERR_FILENO, "%s %s: %s\n", what, name, strerror(errno));
    _exit(75); /* EX_TEMPFAIL: the administrator can mend it */
}

static void
reset_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int signo = 1; signo < NSIG; signo++)
        signal(signo, SIG_DFL);
}

static void
limit_files(int64_t size)
{
    struct rlimit limit = {.rlim_cur = (rlim_t)size, .rlim_max = (rlim_t)size};

    if (size > 0)
        setrlimit(RLIMIT_FSIZE, &limit);
}

static void
enter_folders(const struct run *r)
{
    if (r->chroot && (chroot(r->chroot) < 0 || chdir("/") < 0))
        give_up("cannot change root to", r->chroot);
    if (!priv_drop(r->user))
        give_up("cannot become the user for", r->shown);
    if (r->dir && chdir(r->dir) < 0 && (r->must_dir || chdir("/") < 0))
        give_up("cannot change to folder", r->dir);
}

/* In the child. */
static void NORETURN
become_command(const struct run *r, int in, int out)
{
    setsid();
    reset_signals();
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
        dup2(out, STDERR_FILENO) < 0)
        _exit(75);
    limit_files(r->file_limit);
    umask(077);
    enter_folders(r);
    environ = r->env;
    execvp(r->argv[0], r->argv);

    /* Perhaps it is a command of the shell itself. */
    if (errno == ENOENT && strchr(r->argv[0], '/') == NULL)
        execl("/bin/sh", "sh", "-c", r->shown, NULL);
    give_up("cannot run", r->argv[0]);
}

static void
close_all(struct child *c)
{
    int *fds[] = {&c->in, &c->out, &c->process};

    for (size_t i = 0; i < COUNT(fds); i++)
        if (*fds[i] >= 0)
            close(*fds[i]);
}

static bool
start(struct child *c, const struct run *r)
{
    int in[2], out[2];

    if (pipe2(in, O_CLOEXEC) < 0)
        return false;
    if (pipe2(out, O_CLOEXEC) < 0) {
        close(in[0]);
        close(in[1]);
        return false;
    }
    log_flush();
    c->pid = fork();
    if (c->pid == 0)
        become_command(r, in[0], out[1]);
    close(in[0]);
    close(out[1]);
    c->in = in[1];
    c->out = out[0];
    fcntl(c->in, F_SETFL, O_NONBLOCK);
    fcntl(c->out, F_SETFL, O_NONBLOCK);
    if (c->pid > 0)
        c->process = (int)syscall(SYS_pidfd_open, c->pid, 0);
    return c->pid > 0 && c->process >= 0;
}

/* What is to be written next; empty when all has been. */
static bool
next_piece(struct child *c, const struct run *r)
{
    while (c->left.len == 0 && c->stage < 3) {
        if (c->stage == 0)
            c->left = r->head;
        else if (c->stage == 2)
            c->left = r->tail;
        else if (!copier_next(r->content, &c->left))
            return false;
        if (c->stage != 1 || c->left.len == 0)
            c->stage++;
    }
    return true;
}

static void
end_input(struct child *c)
{
    close(c->in);
    c->in = -1;
}

/* Write as much as it takes. False where the queue file cannot be read. A
 * command that does not read to the end may still be content. */
static bool
feed(struct child *c, const struct run *r)
{
    for (;;) {
        if (!next_piece(c, r))
            return false;
        if (c->left.len == 0)
            break;
        ssize_t n = write(c->in, c->left.p, c->left.len);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (n < 0)
            break;
        c->left = str_sub(c->left, (size_t)n, c->left.len);
    }
    end_input(c);
    return true;
}

/* Keep the first bytes, read the rest too: nobody is to wait for us. */
static void
take_output(struct child *c)
{
    char more[4096];
    ssize_t n;

    while ((n = read(c->out, more, sizeof more)) > 0) {
        size_t room = OUTPUT_MAX - c->len;
        size_t used = (size_t)n < room ? (size_t)n : room;

        memcpy(c->output + c->len, more, used);
        c->len += used;
    }
    if (n == 0) {
        close(c->out);
        c->out = -1;
    }
}

static void
kill_all(const struct child *c)
{
    kill(-c->pid, SIGKILL);
    kill(c->pid, SIGKILL);
}

enum end { ENDED, TIMED_OUT, UNREADABLE };

static enum end
attend(struct child *c, const struct run *r)
{
    for (;;) {
        struct pollfd fds[] = {
            {.fd = c->process, .events = POLLIN },
            {.fd = c->out,     .events = POLLIN },
            {.fd = c->in,      .events = POLLOUT},
        };
        int64_t left = c->until - io_now();

        if (left <= 0)
            return TIMED_OUT;
        int n = poll(fds, COUNT(fds), left < INT32_MAX ? (int)left : INT32_MAX);

        if (n < 0 && errno != EINTR)
            return UNREADABLE;
        if (n <= 0)
            continue;
        if (fds[1].revents)
            take_output(c);
        if (fds[0].revents)
            return ENDED;
        if (fds[2].revents && !feed(c, r))
            return UNREADABLE;
    }
}

static struct str
one_line(struct arena *a, const char *text, size_t len)
{
    char *p = arena_cstr(a, (struct str){text, len});

    for (size_t i = 0; i < len; i++)
        if ((unsigned char)p[i] < 32 || p[i] == 127)
            p[i] = ' ';
    return str_trim((struct str){p, len});
}

static enum rc
say_output(struct why *why, const char *dsn, const char *what,
           struct str output)
{
    return fail(why, dsn, "%s%s%.*s", what,
                output.len ? ". Command output: " : "", STR(output));
}

static enum rc
judge_signal(struct arena *a, const struct run *r, int signo, struct str output,
             struct why *why)
{
    return say_output(
        why, "4.3.0",
        arena_fmt(a, "Command died with signal %d: \"%s\"", signo, r->shown),
        output);
}

static enum rc
judge_status(struct arena *a, const struct run *r, int status,
             struct str output, struct why *why)
{
    const struct exits *e = exits_find(status);
    struct str text = output;
    char code[10];

    if (dsn_cut_code(&text, code) && (code[0] == '4' || code[0] == '5'))
        return fail(why, code, "%.*s", STR(text));
    if (e)
        return say_output(why, e->dsn, e->text, output);
    return say_output(
        why, "5.3.0",
        arena_fmt(a, "Command died with status %d: \"%s\"", status, r->shown),
        output);
}

static enum rc
judge(struct arena *a, const struct run *r, const struct child *c, enum end end,
      struct str output, struct why *why)
{
    if (end == UNREADABLE)
        return fail(why, "4.3.0", "error reading message: %m");
    if (end == TIMED_OUT)
        return say_output(
            why, "5.3.0",
            arena_fmt(a, "Command time limit exceeded: \"%s\"", r->shown),
            output);
    if (WIFSIGNALED(c->status))
        return judge_signal(a, r, WTERMSIG(c->status), output, why);
    if (WEXITSTATUS(c->status) == 0)
        return OK;
    return judge_status(a, r, WEXITSTATUS(c->status), output, why);
}

enum rc
run_command(struct arena *a, const struct run *r, struct str *output,
            struct why *why)
{
    struct child c = {.process = -1, .until = io_now() + r->limit};

    must(r->user->uid != 0);
    *output = S("");
    if (!start(&c, r)) {
        if (c.pid > 0)
            kill_all(&c);
        if (c.pid > 0)
            waitpid(c.pid, NULL, 0);
        close_all(&c);
        return fail(why, "4.3.0", "cannot start a command: %m");
    }
    c.output = arena_alloc(a, OUTPUT_MAX);
    enum end end = attend(&c, r);
    int error = errno;

    if (end != ENDED)
        kill_all(&c);
    while (waitpid(c.pid, &c.status, 0) < 0 && errno == EINTR)
        ;
    if (c.out >= 0)
        take_output(&c);
    close_all(&c);
    *output = one_line(a, c.output, c.len);
    errno = error;
    return judge(a, r, &c, end, *output, why);
}

static const char plain[] =
    "1234567890!@%-_=+:,./"
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ \t";

static char **
split_words(struct arena *a, struct str text, struct str last)
{
    size_t n = 0, room = text.len / 2 + 3;
    char **argv = arena_alloc(a, room * sizeof *argv);
    struct str word;

    while (str_word(&text, " \t\r\n", &word))
        argv[n++] = arena_cstr(a, word);
    if (last.p)
        argv[n++] = arena_cstr(a, last);
    return argv;
}

char **
run_words(struct arena *a, struct str command, const char *shell)
{
    const char *text = arena_cstr(a, command);

    if (*shell)
        return split_words(a, str_from(shell), command);
    if (text[strspn(text, plain)] == '\0' && str_trim(command).len)
        return split_words(a, command, (struct str){0});
    return split_words(a, S("/bin/sh -c"), command);
}

/* One word of a list, or what stands between braces. */
static bool
next_item(struct str *rest, struct str *item)
{
    *rest = str_trim(*rest);
    while (str_skip(rest, S(",")))
        *rest = str_trim(*rest);
    if (!str_skip(rest, S("{")))
        return str_word(rest, " ,\t\r\n", item);
    bool closed = str_cut(rest, '}', item);

    *item = str_trim(*item);
    return closed;
}

char **
run_environment(struct arena *a, const char *names)
{
    struct str rest = str_from(names), item;
    char **env = arena_alloc(a, (rest.len / 2 + 3) * sizeof *env);
    bool path = false;
    size_t n = 0;

    while (next_item(&rest, &item)) {
        const char *text = arena_cstr(a, item);
        const char *value = strchr(text, '=') ? NULL : getenv(text);

        if (value)
            text = arena_fmt(a, "%s=%s", text, value);
        if (strchr(text, '=') == NULL)
            continue;
        path |= str_starts(str_from(text), S("PATH="));
        env[n++] = arena_cstr(a, str_from(text));
    }
    if (!path)
        env[n++] = arena_cstr(a, S(PATH));
    return env;
}
