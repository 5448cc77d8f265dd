/*
 * postsuper - the queue for the superuser: delete, hold, release, requeue,
 * expire.
 */
#include "cmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/vec.h"
#include "queue.h"

static const char usage[] =
    "usage: postsuper [-c config_dir] [-d queue_id (delete)] [-e queue_id "
    "(expire)] [-f queue_id (expire and/or un-hold)] [-h queue_id (hold)] [-H "
    "queue_id (un-hold)] [-p (purge temporary files)] [-r queue_id (requeue)] "
    "[-s (structure fix)] [-S (redundant structure fix)][-v (verbose)] "
    "[queue...]";

static const char reserved[] =
    "use of this command is reserved for the superuser";

/* In the order of the closing lines. */
static const struct row {
    enum queue_change change;
    const char *letters; /* options that ask for it */
    const char *each, *all;
} rows[] = {
    {QUEUE_CHANGE_REQUEUE, "r",  "requeued",           "Requeued"          },
    {QUEUE_CHANGE_DELETE,  "d",  "removed",            "Deleted"           },
    {QUEUE_CHANGE_EXPIRE,  "ef", "expired",            "Force-expired"     },
    {QUEUE_CHANGE_HOLD,    "h",  "placed on hold",     "Placed on hold"    },
    {QUEUE_CHANGE_RELEASE, "Hf", "released from hold", "Released from hold"},
};

struct request {
    int letter;
    const char *id; /* or ALL, or - */
};

static struct {
    const struct conf *conf;
    struct arena *a;
    const char *dir;
    VEC(struct request) requests;
    struct buf folders; /* "hold deferred " */
    bool named;         /* folders stand on the command line */
    bool purge, mend, down;
    unsigned long done[COUNT(rows)];
    size_t row; /* being worked on */
} state;

/* ---- changes */

static void
count_ids(void *own, struct str ids)
{
    struct str id;

    (void)own;
    while (str_word(&ids, "\n", &id)) {
        fprintf(stderr, "postsuper: %.*s: %s\n", STR(id), rows[state.row].each);
        state.done[state.row]++;
    }
}

static void
take_nothing(void *own, struct str text)
{
    (void)own;
    (void)text;
}

/* qmgr does it; where it does not run, we. */
static void
change(size_t row, struct str ids)
{
    enum queue_change c = rows[row].change;
    struct str words = str_from(
        arena_fmt(state.a, "%.*s%.*s", STR(buf_str(&state.folders)), STR(ids)));
    int status = QUEUE_DOWN;

    if (state.named && state.folders.len == 0)
        return; /* none that has messages */
    state.row = row;
    if (!state.down)
        status = queue_ask(state.conf, queue_change_verb(c), words, count_ids,
                           NULL, NULL);
    if (status == QUEUE_DOWN) {
        state.down = true;
        if (!queue_files_change(state.conf, c, words, count_ids, NULL))
            cmd_fatal(1, "postsuper", "%s: %s", state.conf->queue_directory,
                      strerror(errno));
    } else if (status != 0) {
        cmd_fatal(1, "postsuper", "%s", reserved);
    }
}

static void
change_all_ways(int letter, struct str ids)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strchr(rows[i].letters, letter))
            change(i, ids);
}

static bool
is_id(struct str id)
{
    for (size_t i = 0; i < id.len; i++)
        if (!is_alnum(id.p[i]) && id.p[i] != '_')
            return false;
    return id.len > 0 && id.len <= 100;
}

/* Ids of standard input, the first word of each line, in portions. */
static void
change_from_input(int letter)
{
    struct arena *a = arena_new("ids", (size_t)1 << 20);
    char line[256];

    for (bool more = true; more;) {
        struct buf ids = buf_in(a);

        while (ids.len < 8192 && (more = fgets(line, sizeof line, stdin))) {
            struct str rest = str_from(line), id;

            if (!str_word(&rest, " \t\r\n*!#", &id))
                continue;
            if (is_id(id))
                buf_fmt(&ids, "%.*s ", STR(id));
            else
                fprintf(stderr,
                        "postsuper: warning: invalid mail queue id: %.*s\n",
                        STR(id));
        }
        if (ids.len)
            change_all_ways(letter, buf_str(&ids));
        arena_reset(a);
    }
    arena_free(a);
}

static void
run_request(const struct request *r)
{
    if (strcmp(r->id, "-") == 0)
        change_from_input(r->letter);
    else if (is_id(str_from(r->id)))
        change_all_ways(r->letter, str_from(r->id));
    else
        fprintf(stderr, "postsuper: warning: invalid mail queue id: %s\n",
                r->id);
}

/* A line for each thing that was asked for, also of 0 messages: as Debian's
 * postsuper 3.7.11 says it. */
static void
close_report(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool asked = false;

        for (size_t k = 0; k < state.requests.len; k++)
            asked |=
                strchr(rows[i].letters, state.requests.at[k].letter) != NULL;
        if (asked)
            fprintf(stderr, "postsuper: %s: %lu message%s\n", rows[i].all,
                    state.done[i], state.done[i] == 1 ? "" : "s");
    }
}

/* ---- order */

/* A running qmgr has done it at its start, and keeps it so. */
static void
put_in_order(void)
{
    if (queue_ask(state.conf, "counts", S(""), take_nothing, NULL, NULL) !=
        QUEUE_DOWN)
        return;
    state.down = true;

    size_t mended = state.mend ? queue_files_mend(state.conf) : 0;
    size_t purged = state.purge ? queue_files_purge(state.conf) : 0;

    if (mended)
        fprintf(stderr, "postsuper: Moved to their folder: %zu message%s\n",
                mended, mended == 1 ? "" : "s");
    if (purged)
        fprintf(stderr, "postsuper: Purged: %zu unfinished file%s\n", purged,
                purged == 1 ? "" : "s");
}

/* ---- options */

static void
read_options(int argc, char **argv)
{
    int c;

    while ((c = getopt(argc, argv, "c:d:e:f:h:H:pr:sSv")) != -1)
        switch (c) {
        case 'c':
            state.dir = optarg;
            break;
        case 'p':
            state.purge = true;
            break;
        case 's':
        case 'S':
            state.mend = true;
            break;
        case 'v':
            break;
        case '?':
            cmd_fatal(1, "postsuper", "%s", usage);
        default:
            *vec_add(&state.requests) = (struct request){c, optarg};
        }
}

/* Folders of Postfix that hold no messages here may be named, too. */
static void
read_folders(char **argv)
{
    static const char *const mail[] = {"hold", "incoming", "active",
                                       "deferred"};
    static const char *const other[] = {"maildrop", "bounce",  "defer", "trace",
                                        "flush",    "corrupt", "saved"};

    for (; *argv; argv++) {
        bool known = false;

        for (size_t i = 0; i < COUNT(mail); i++)
            if (strcmp(*argv, mail[i]) == 0) {
                buf_fmt(&state.folders, "%s ", *argv);
                known = true;
            }
        for (size_t i = 0; i < COUNT(other); i++)
            known |= strcmp(*argv, other[i]) == 0;
        if (!known)
            cmd_fatal(1, "postsuper", "invalid directory name: %s", *argv);
        state.named = true;
    }
}

int
postsuper_main(int argc, char **argv)
{
    state.a = arena_new("postsuper", (size_t)256 << 20);
    state.folders = buf_in(state.a);
    read_options(argc, argv);
    read_folders(argv + optind);
    state.conf = cmd_conf(state.a, state.dir, "postsuper", 1);
    if (geteuid() != 0 && access(state.conf->queue_directory, W_OK) < 0)
        cmd_fatal(1, "postsuper", "%s", reserved);
    if (state.requests.len == 0)
        state.purge = state.mend = true;
    if (state.purge || state.mend)
        put_in_order();
    for (size_t i = 0; i < state.requests.len; i++)
        run_request(&state.requests.at[i]);
    close_report();
    return 0;
}
