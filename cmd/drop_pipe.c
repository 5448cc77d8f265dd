#include "sendmail.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void
drop_pipe_open(struct sendmail *s, struct drop_pipe *p)
{
    const char *path =
        arena_fmt(s->life, "%s/postdrop", s->conf->command_directory);
    char *plain[] = {"postdrop", "-r", NULL};
    char *with_dir[] = {"postdrop", "-r", "-c",
                        (char *)(uintptr_t)s->config_dir, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        sendmail_fatal("cannot make a pipe: %s", strerror(errno));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], 0);

    int error = posix_spawn(&p->pid, path, &actions, NULL,
                            s->config_dir ? with_dir : plain, environ);

    if (error != 0)
        sendmail_fatal("cannot run %s: %s", path, strerror(error));
    posix_spawn_file_actions_destroy(&actions);
    close(ends[0]);
    p->fd = ends[1];
}

bool
drop_pipe_write(struct drop_pipe *p, struct str data)
{
    while (data.len > 0) {
        ssize_t n = write(p->fd, data.p, data.len);

        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0)
            data = str_sub(data, (size_t)n, data.len);
    }
    return true;
}

int
drop_pipe_close(struct drop_pipe *p)
{
    int status;

    close(p->fd);
    while (waitpid(p->pid, &status, 0) < 0)
        if (errno != EINTR)
            return SENDMAIL_TEMPFAIL;
    return WIFEXITED(status) ? WEXITSTATUS(status) : SENDMAIL_TEMPFAIL;
}
