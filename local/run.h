/*
 * run.h - a command that takes a message on its standard input.
 *
 * It runs as its user and nobody else, in a session of its own, with only the
 * environment and the descriptors given here. What it writes is kept (the
 * beginning) for the report. Whoever exceeds the time is killed with all it
 * started.
 */
#ifndef LOCAL_RUN_H
#define LOCAL_RUN_H

#include "store/copier.h"
#include "sys/priv.h"

struct run {
    const char *shown; /* the command, for texts */
    char **argv, **env;
    const struct priv_user *user; /* never root */
    const char *chroot;           /* NULL: none */
    const char *dir;              /* where it starts; "/" if that fails */
    bool must_dir;                /* or TEMP if that fails */
    int64_t limit;                /* milliseconds */
    int64_t file_limit;           /* largest file it may write; 0: none */
    struct str head, tail;        /* before and after the content */
    struct copier *content;
};

/*
 * Run it to its end. Status 0 is OK; else the code that its output begins with
 * ("4.2.2 text"), or sysexits.h, decides. *output is the beginning of what it
 * wrote, on one line.
 */
enum rc run_command(struct arena *a, const struct run *r, struct str *output,
                    struct why *why) MUST_USE;

/*
 * A command as argv: with `shell` (its words, then the command); directly
 * where no byte of it means anything to a shell; else by sh -c. A word that is
 * no program and has no "/" in it may be a shell's own command: sh then.
 */
char **run_words(struct arena *a, struct str command, const char *shell);

/* The environment that export_environment names, with PATH; NULL at the end.
 * `names` is a list of names and name=value, braces hold blanks together. */
char **run_environment(struct arena *a, const char *names);

#endif
