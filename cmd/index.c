/* posta index: makes the index of words that SEARCH asks. */
#include "index.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "access/index_job.h"
#include "access/mail.h"
#include "access/names.h"
#include "base/log.h"
#include "cmd.h"
#include "owner.h"
#include "store/folders.h"
#include "sys/charsets.h"
#include "sys/priv.h"

/* Exit statuses (sysexits.h). */
enum {
    PARTLY = 1, /* some folders could not be done; told */
    USAGE = 64,
    NO_USER = 67,
    STORE = 73,
    LATER = 75,
    OFF = 78,
};

#define STEP_MS  200
#define say(...) cmd_say("posta index", __VA_ARGS__)

static const char usage[] =
    "usage: posta index [options] [USER [MAILBOX...]]\n"
    "\n"
    "Makes the index of words of a user's mailboxes, so that searching them "
    "takes no\n"
    "reading. IMAP does that by itself, for mailboxes that are used. USER may "
    "be left\n"
    "out by who is not root.\n"
    "\n"
    "  --rebuild  forget what there is first\n"
    "  --drop     only forget it\n"
    "  --quiet    say nothing but what goes wrong\n";

struct indexer {
    struct arena *life;
    const struct conf *conf;
    bool rebuild, drop, quiet;
    struct home *home;
    struct fts *fts;
    struct converters *charsets;
    size_t failed; /* folders */
};

/* On a terminal the line is written over until it is the last. */
static void
show(const struct indexer *x, struct str name, uint32_t read, uint32_t of,
     bool last)
{
    const bool terminal = isatty(STDOUT_FILENO);

    if (x->quiet || (!last && (!terminal || of == 0)))
        return;
    printf("%s%.*s: ", terminal ? "\r" : "", STR(name));
    if (of > 0)
        printf("%u of %u messages read", read, of);
    else
        printf("nothing to do");
    fputs(last ? "\n" : "", stdout);
    fflush(stdout);
}

/* What there is of that folder. */
static enum rc
forget(const struct indexer *x, struct mailbox *box, struct why *why)
{
    struct mailbox_status status;
    struct segment_folder folder;
    struct fts_set *set;
    enum rc rc = mailbox_status(box, false, &status, why);

    if (rc != OK)
        return rc;
    folder = words_folder(&status);

    auto_close int dir = fts_dir(x->fts, &folder);

    if (dir < 0)
        return fail(why, "4.3.0", "cannot open the index: %m");
    set = fts_set_open(x->fts, &folder);
    fts_remove(dir, set->segments.at, set->segments.len);
    fts_set_close(set);
    return OK;
}

static enum rc
make(const struct indexer *x, struct mailbox *box, int lock, struct str name,
     struct why *why)
{
    struct index_job *job = index_job_new(x->charsets, box, x->fts, lock);
    uint32_t read, of;
    enum rc rc;

    while (index_job_step(job, STEP_MS, &rc, why)) {
        read = index_job_read(job, &of);
        show(x, name, read, of, false);
    }
    read = index_job_read(job, &of);
    index_job_free(job);
    if (rc == OK)
        show(x, name, read, of, true);
    return rc;
}

/* One folder; nobody else writes the index meanwhile. */
static enum rc
work(const struct indexer *x, struct mailbox *box, struct str name,
     struct why *why)
{
    enum rc rc = OK;
    int lock = fts_lock(x->fts);

    if (lock < 0)
        return fail(why, "4.3.0",
                    errno == EWOULDBLOCK
                        ? "another process is writing the index"
                        : "cannot write the index: %m");
    if (x->rebuild || x->drop)
        rc = forget(x, box, why);
    if (rc == OK && !x->drop)
        return make(x, box, lock, name, why);
    close(lock);
    return rc;
}

static void
do_folder(struct indexer *x, struct str name)
{
    struct mailbox *box;
    struct why why;
    enum rc rc = mailbox_open(x->home, name, &box, &why);

    if (rc == OK) {
        rc = work(x, box, name, &why);
        mailbox_close(box);
    }
    if (rc == OK)
        return;
    say("%.*s: %s", STR(name), why.text);
    x->failed++;
}

static enum rc
do_all(struct indexer *x, struct why *why)
{
    struct folder_list list;
    enum rc rc = folders_list(x->home, x->life, &list, why);

    for (size_t i = 0; rc == OK && i < list.len; i++)
        if (list.at[i].bits & FOLDER_SELECTABLE)
            do_folder(x, list.at[i].name);
    if (rc == OK)
        words_tidy(x->fts, x->home);
    return rc;
}

/* As the user: 0, or the exit status. */
static int
run(struct indexer *x, struct user *u, char *const *names, size_t count)
{
    const struct names inner = names_of(x->conf);
    struct user_folders folders = {0};
    struct why why;
    enum rc rc = OK;

    x->charsets = charsets_new(x->life);
    charsets_warm(x->charsets);
    if (owner_become(u, "index", PRIV_READ | PRIV_WRITE, &folders, &why) !=
            OK ||
        user_mail_open(u, &x->home, &why) != OK) {
        say("%s", why.text);
        return STORE;
    }
    x->fts = words_open(x->home);
    for (size_t i = 0; i < count; i++)
        do_folder(x, names_told(&inner, str_from(names[i])));
    if (count == 0)
        rc = do_all(x, &why);
    if (rc == OK)
        rc = home_sync(x->home, &why);
    if (rc != OK)
        say("%s", why.text);
    fts_close(x->fts);
    home_close(x->home);
    return rc != OK ? STORE : x->failed ? PARTLY : 0;
}

static bool
take_options(struct indexer *x, int argc, char **argv, bool *help)
{
    static const struct option longs[] = {
        {"rebuild", no_argument, NULL, 'r'},
        {"drop",    no_argument, NULL, 'd'},
        {"quiet",   no_argument, NULL, 'q'},
        {"help",    no_argument, NULL, 'h'},
        {NULL,      0,           NULL, 0  },
    };
    int c;

    optind = 0;
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        x->rebuild |= c == 'r';
        x->drop |= c == 'd';
        x->quiet |= c == 'q';
        *help |= c == 'h';
        if (c == '?')
            return false;
    }
    return *help ||
           (!(x->rebuild && x->drop) && (optind < argc || geteuid() != 0));
}

int
index_main(int argc, char **argv, const char *dir)
{
    struct indexer x = {.life = arena_new("index", (size_t)256 << 20)};
    bool help = false, good = take_options(&x, argc, argv, &help);
    const char *name = good && optind < argc ? argv[optind++] : NULL;
    struct user u;
    struct why why;
    enum rc rc;

    if (help || !good) {
        fputs(usage, good ? stdout : stderr);
        return good ? 0 : USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    log_open("posta index", STDERR_FILENO, "mail");
    x.conf = cmd_conf(x.life, dir, "posta index", STORE);
    if (!x.conf->imap_search_index && !x.drop) {
        say("imap_search_index is off, so nobody would ask it");
        return OFF;
    }
    rc = owner_find(&u, x.life, x.conf, name, "index", &why);
    if (rc == OK)
        return run(&x, &u, argv + optind, (size_t)(argc - optind));
    say("%s", why.text);
    return rc == TEMP ? LATER : NO_USER;
}
