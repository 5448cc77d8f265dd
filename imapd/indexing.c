#include "indexing.h"

#include <stdlib.h>
#include <unistd.h>

#include "access/index_job.h"
#include "base/log.h"
#include "sys/charsets.h"
#include "sys/io.h"

#define QUIET_MS  1000  /* without a change or a search: what comes first */
#define UNREST_MS 20000 /* so long it waits for that */
#define WORK_MS   3     /* in one go */
#define PAUSE_MS  6     /* between them: a third of one processor at most */
#define BUSY_MS   30    /* while a session is at work */
#define VAIN_MS   10000 /* after there was nothing to do */
#define REST_MS   60000 /* after a search */
#define WAITING   64    /* folders */

struct indexing {
    VEC(struct fts_home) homes;
    VEC(struct mailbox *) waiting; /* held */
    struct converters *charsets;
    struct index_job *job;
    struct timer *timer, *rest;
    int64_t wanted;       /* the last time */
    int64_t unrest_since; /* it waits for quiet; 0: it does not */
    bool in_vain;         /* the last job found nothing to do */
};

/* The index of a home, by where it is. */
struct fts_home {
    const char *path;
    struct fts *fts;
    bool tidied;
};

void
indexing_begin(struct imap *imap)
{
    imap->indexing = arena_make(imap->user->life, struct indexing);
    imap->indexing->charsets = charsets_new(imap->user->life);
}

static struct fts_home *
index_of(struct imap *imap, const struct home *home)
{
    struct indexing *x = imap->indexing;
    const char *path = home_index(home);

    for (size_t i = 0; i < x->homes.len; i++)
        if (strcmp(x->homes.at[i].path, path) == 0)
            return &x->homes.at[i];

    struct fts_home *h = vec_add(&x->homes);

    *h = (struct fts_home){
        .path = arena_cstr(imap->user->life, str_from(path)),
        .fts = words_open(home),
    };
    return h;
}

static struct fts_set *
set_of(struct imap *imap, struct mailbox *box, struct mailbox_status *status)
{
    struct segment_folder folder;
    struct why why;

    if (mailbox_status(box, false, status, &why) != OK)
        return NULL;
    folder = words_folder(status);
    return fts_set_open(index_of(imap, mailbox_home(box))->fts, &folder);
}

/* A search is often followed by another one; an idle process is small. */
static void
rest(void *self)
{
    struct imap *imap = self;
    struct indexing *x = imap->indexing;

    x->rest = NULL;
    for (size_t i = 0; i < x->homes.len; i++)
        fts_rest(x->homes.at[i].fts);
}

struct fts_set *
indexing_set(struct imap *imap, struct mailbox *box)
{
    struct indexing *x = imap->indexing;
    struct mailbox_status status;

    if (!imap->user->conf->imap_search_index)
        return NULL;
    loop_cancel(x->rest);
    x->rest = loop_after(imap->user->loop, REST_MS, rest, imap);
    return set_of(imap, box, &status);
}

/* ---- when */

static void step(void *self);

static void
later(struct imap *imap, int64_t ms)
{
    if (imap->indexing->timer == NULL)
        imap->indexing->timer = loop_after(imap->user->loop, ms, step, imap);
}

/* Is much of the folder not in the index, or much of the index not in the
 * folder, as far as numbers tell? */
static bool
is_worth_it(struct imap *imap, struct mailbox *box)
{
    struct mailbox_status status;
    struct fts_set *set = set_of(imap, box, &status);
    size_t known = set ? set->count : 0;
    uint32_t last = set ? set->last : 0;
    bool worth = set && status.messages >= INDEX_MIN &&
                 (status.next > last + INDEX_MIN ||
                  status.messages >= known + INDEX_MIN ||
                  known >= 2 * (size_t)status.messages + INDEX_MIN ||
                  index_job_has_small(set));

    fts_set_close(set);
    return worth;
}

void
indexing_want(struct imap *imap, struct mailbox *box)
{
    struct indexing *x = imap->indexing;

    if (!imap->user->conf->imap_search_index || x->waiting.len == WAITING)
        return;
    x->wanted = io_now();
    for (size_t i = 0; i < x->waiting.len; i++)
        if (x->waiting.at[i] == box)
            return;
    mailbox_hold(box);
    *vec_add(&x->waiting) = box;
    later(imap, x->in_vain ? VAIN_MS : QUIET_MS);
}

/* ---- the work */

static bool
somebody_works(const struct imap *imap)
{
    for (size_t i = 0; i < imap->sessions.len; i++)
        if (imap->sessions.at[i]->task.step)
            return true;
    return false;
}

/* ms to wait for quiet. A client that brings messages, or searches, would share
 * its processor with us, and what comes at once is made one segment. But no
 * mail comes so fast for ever that it could never be searched. */
static int64_t
unrest(struct indexing *x)
{
    int64_t now = io_now(), left = x->wanted + QUIET_MS - now;

    if (left <= 0)
        x->unrest_since = 0;
    else if (x->unrest_since == 0)
        x->unrest_since = now;
    else if (now - x->unrest_since >= UNREST_MS)
        return 0;
    return left > 0 ? left : 0;
}

/* The next folder, if there is one that is worth it, and the index of its home
 * is ours to write. */
static bool
next_job(struct imap *imap)
{
    struct indexing *x = imap->indexing;

    while (x->waiting.len > 0) {
        struct mailbox *box = x->waiting.at[0];
        struct fts_home *index = index_of(imap, mailbox_home(box));
        int lock;

        vec_drop(&x->waiting, 0);
        if (!index->tidied)
            words_tidy(index->fts, mailbox_home(box)); /* once a process */
        index->tidied = true;
        if (is_worth_it(imap, box) && (lock = fts_lock(index->fts)) >= 0)
            x->job = index_job_new(x->charsets, box, index->fts, lock);
        mailbox_let_go(box);
        if (x->job)
            return true;
    }
    return false;
}

static void
work(struct imap *imap)
{
    struct indexing *x = imap->indexing;
    struct why why;
    enum rc rc;

    if (index_job_step(x->job, WORK_MS, &rc, &why))
        return;
    x->in_vain = rc != OK || !index_job_has_written(x->job);
    if (rc == TEMP)
        log_warn("imap(%.*s): %s", STR(imap->user->user), why.text);
    index_job_free(x->job);
    x->job = NULL;
    x->unrest_since = 0; /* what comes now may gather again */
}

static void
step(void *self)
{
    struct imap *imap = self;
    struct indexing *x = imap->indexing;
    int64_t wait = somebody_works(imap) ? BUSY_MS : unrest(x);

    x->timer = NULL;
    if (wait > 0) {
        later(imap, wait);
        return;
    }
    if (x->job == NULL && !next_job(imap)) {
        if (x->rest == NULL)
            rest(imap);
        return;
    }
    work(imap);
    later(imap, PAUSE_MS);
}
