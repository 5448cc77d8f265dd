/*
 * proc.h - run somebody's command, with limits on time and output.
 *
 * No shell is involved unless argv names one. The command gets a process
 * group of its own, no descriptor but 0-2, default signals, umask 077, and it
 * is told (SIGTERM) when the process that started it dies.
 */
#ifndef SYS_PROC_H
#define SYS_PROC_H

#include "base/arena.h"
#include "base/why.h"
#include "sys/priv.h"

struct proc_job {
    char *const *argv; /* argv[0]: a path, or a name for env's PATH */
    char *const *env;
    const struct priv_user *user; /* for good; NULL: as we are */
    const char *dir;              /* entered as that user; NULL: "/" */

    /* What it reads: up to room bytes at a time; 0 at the end, -1 where the
     * rest cannot be had (then it is killed). NULL: nothing. It need not read
     * all of it. */
    ssize_t (*input)(void *own, char *to, size_t room);
    void *own;

    int socket; /* instead of input and output: its 0, 1 and 2; 0: none */

    int64_t limit;     /* milliseconds, then its group is killed; 0: none */
    size_t output_max; /* bytes kept of what it prints, 0: none */
};

struct proc_end {
    int status;        /* as of waitpid */
    bool late;         /* its time was over */
    struct str output; /* standard output and error, NUL behind it */
};

/*
 * Run it and wait for its end. TEMP where it could not be started, or its
 * input failed; else OK, and *end says how it went.
 */
enum rc proc_run(struct arena *a, const struct proc_job *job,
                 struct proc_end *end, struct why *why) MUST_USE;

#endif
