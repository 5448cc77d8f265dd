#include "access/index_job.h"

#include <stdlib.h>
#include <unistd.h>

#include "access/message.h"
#include "store/changes.h"
#include "sys/io.h"

#define BATCH       512  /* records read at once */
#define SMALL       2000 /* messages of a small segment */
#define SMALL_MAX   8    /* so many are made one */
#define KEPT_MAX    ((size_t)64 << 20)
#define SCRATCH_MAX ((size_t)64 << 20)

enum phase { BEGIN, COUNT_THEM, READ, WRITE, END };

struct index_job {
    struct converters *charsets;
    struct mailbox *box;
    struct fts *fts;
    struct segment_folder folder;
    int lock;
    struct fts_set *set;
    size_t hint; /* of fts_set_find */
    enum phase phase;

    /* What is there. */
    uint32_t *there; /* messages of each segment */
    bool *replace;   /* segments that are made anew */
    bool replacing;  /* any */
    uint32_t missing;
    uint32_t wanted, read; /* messages to be read; that have been */

    /* Messages, in order. */
    VEC(struct message) batch;
    size_t at;
    uint32_t next; /* UIDs from here on have not been looked at */
    bool last;     /* there is no further batch */

    /* The message that is read. */
    struct opened opened;
    struct text_walk walk;
    bool opening, walking; /* its structure is made; its texts are read */
    struct arena *kept, *scratch;

    struct builder *builder;
    struct fts_name name;
    int dir;
    bool written;
};

struct index_job *
index_job_new(struct converters *charsets, struct mailbox *box, struct fts *fts,
              int lock)
{
    struct index_job *job = calloc(1, sizeof *job);

    must(job != NULL);
    mailbox_hold(box);
    job->charsets = charsets;
    job->box = box;
    job->fts = fts;
    job->lock = lock;
    job->dir = -1;
    job->next = 1;
    job->kept = arena_new("indexing", KEPT_MAX);
    job->scratch = arena_new("indexed text", SCRATCH_MAX);
    return job;
}

static void
end_message(struct index_job *job)
{
    if (job->walking)
        text_end(&job->walk);
    job->opening = job->walking = false;
    message_close(&job->opened);
    arena_reset(job->kept);
}

void
index_job_free(struct index_job *job)
{
    struct why why;

    end_message(job);
    builder_free(job->builder);
    fts_set_close(job->set);
    if (job->dir >= 0)
        close(job->dir);
    close(job->lock);
    vec_free(&job->batch);
    free(job->there);
    free(job->replace);
    arena_free(job->kept);
    arena_free(job->scratch);
    (void)!mailbox_kept(job->box, &why);
    mailbox_let_go(job->box);
    free(job);
}

bool
index_job_has_written(const struct index_job *job)
{
    return job->written;
}

static bool
is_small(const struct segment *s)
{
    return s->count < SMALL && !s->head->full;
}

bool
index_job_has_small(const struct fts_set *set)
{
    size_t small = 0;

    for (size_t i = 0; i < set->segments.len; i++)
        small += is_small(set->segments.at[i]);
    return small >= SMALL_MAX;
}

uint32_t
index_job_read(const struct index_job *job, uint32_t *of)
{
    *of = job->wanted;
    return job->read;
}

/* ---- what is there */

static enum rc
begin(struct index_job *job, struct why *why)
{
    struct mailbox_status status;
    enum rc rc = mailbox_status(job->box, false, &status, why);

    if (rc != OK)
        return rc;
    job->folder = words_folder(&status);
    job->set = fts_set_open(job->fts, &job->folder);
    job->there = calloc(job->set->segments.len + 1, sizeof *job->there);
    job->replace = calloc(job->set->segments.len + 1, sizeof *job->replace);
    must(job->there && job->replace);
    job->phase = COUNT_THEM;
    return OK;
}

static enum rc
read_batch(struct index_job *job, struct why *why)
{
    const struct uid_range rest = {job->next, UINT32_MAX};
    struct changes_walk walk;
    struct message m;
    enum rc rc =
        changes_begin(&walk, job->box, (struct uid_set){&rest, 1}, why);

    job->batch.len = job->at = 0;
    if (rc != OK)
        return rc;
    while (job->batch.len < BATCH && changes_next(&walk, &m)) {
        *vec_add(&job->batch) = m;
        job->next = m.uid + 1;
    }
    job->last = job->batch.len < BATCH;
    return changes_end(&walk, why);
}

static const struct fts_place *
find(struct index_job *job, const struct message *m)
{
    return fts_set_find(job->set, m->uid, words_id(m), &job->hint);
}

/* Segments that are as good as empty, and small ones if there are many. */
static void
choose(struct index_job *job)
{
    bool small = index_job_has_small(job->set);

    for (size_t i = 0; i < job->set->segments.len; i++) {
        const struct segment *s = job->set->segments.at[i];

        job->replace[i] = s->state == SEGMENT_BAD ||
                          job->there[i] < s->count / 2 ||
                          (is_small(s) && small);
        job->replacing |= job->replace[i];
        job->wanted += job->replace[i] ? job->there[i] : 0;
    }
}

static enum rc
count(struct index_job *job, struct why *why)
{
    enum rc rc = read_batch(job, why);

    for (size_t i = 0; rc == OK && i < job->batch.len; i++) {
        const struct fts_place *p = find(job, &job->batch.at[i]);

        if (p)
            job->there[p->segment]++;
        else
            job->missing++;
    }
    if (rc != OK || !job->last)
        return rc;
    choose(job);
    job->phase = END;
    if (job->missing < INDEX_MIN && !job->replacing)
        return OK;
    job->wanted += job->missing;
    job->phase = READ;
    job->next = 1;
    job->hint = 0;
    job->batch.len = job->at = 0;
    job->last = false;
    return OK;
}

/* ---- reading messages */

static bool
is_wanted(struct index_job *job, const struct message *m)
{
    const struct fts_place *p = find(job, m);

    return p == NULL || job->replace[p->segment];
}

/* A message that has gone meanwhile is none. */
static enum rc
open_on(struct index_job *job, struct why *why)
{
    const struct message *m = &job->batch.at[job->at - 1];
    enum rc rc = OK;

    if (job->opened.bytes.p == NULL)
        rc = message_bytes(&job->opened, why);
    if (rc == OK)
        rc = message_structure_some(job->kept, &job->opened, why);
    if (rc != OK) {
        end_message(job);
        return rc == PERM ? OK : rc;
    }
    if (!job->opened.has_structure)
        return OK;
    if (job->builder == NULL)
        job->builder = builder_new(&job->folder);
    builder_begin(job->builder, m->uid, words_id(m));
    text_begin(&job->walk, job->scratch, job->charsets, job->opened.bytes,
               &job->opened.s, TEXT_HEADER | TEXT_BODY);
    job->opening = false;
    job->walking = true;
    return OK;
}

static void
read_piece(struct index_job *job)
{
    struct text_piece piece;
    bool more = text_next(&job->walk, &piece);

    if (more && piece.begins)
        builder_text(job->builder, words_area(&piece));
    if (more && builder_put(job->builder, piece.text))
        return;
    builder_end(job->builder);
    end_message(job);
    if (builder_is_full(job->builder))
        job->phase = WRITE;
}

/* All have been read: is there enough to be written? The rest of a folder is,
 * as each search would read it. */
static void
end_reading(struct index_job *job)
{
    size_t have = job->builder ? builder_count(job->builder) : 0;

    if (have >= INDEX_MIN || (have > 0 && (job->replacing || job->written)))
        job->phase = WRITE;
    else
        job->phase = END;
}

static enum rc
read_on(struct index_job *job, struct why *why)
{
    const struct message *m;

    if (job->opening)
        return open_on(job, why);
    if (job->walking) {
        read_piece(job);
        return OK;
    }
    if (job->at == job->batch.len && !job->last)
        return read_batch(job, why);
    if (job->at == job->batch.len) {
        end_reading(job);
        return OK;
    }
    m = &job->batch.at[job->at++];
    if (!is_wanted(job, m))
        return OK;
    job->read++;
    job->opened = (struct opened){.uid = m->uid,
                                  .box = job->box,
                                  .charsets = job->charsets,
                                  .size = m->size,
                                  .vsize = m->vsize};
    job->opening = true;
    return OK;
}

/* ---- writing */

static enum rc
write_on(struct index_job *job, struct why *why)
{
    bool done;
    enum rc rc;

    if (job->dir < 0)
        job->dir = fts_dir(job->fts, &job->folder);
    if (job->dir < 0)
        return fail(why, "4.3.0", "cannot make a search index: %m");
    if (job->name.text[0] == '\0')
        job->name = fts_name_new();
    rc = builder_write(job->builder, job->dir, job->name.text, &done, why);
    if (rc != OK || !done)
        return rc;
    builder_free(job->builder);
    job->builder = NULL;
    job->name.text[0] = '\0';
    job->written = true;
    job->phase = READ;
    return OK;
}

/* What was made anew is not needed any more. */
static void
remove_replaced(struct index_job *job)
{
    if (job->dir < 0)
        job->dir = fts_dir(job->fts, &job->folder);
    for (size_t i = 0; job->dir >= 0 && i < job->set->segments.len; i++)
        if (job->replace[i])
            fts_remove(job->dir, &job->set->segments.at[i], 1);
}

bool
index_job_step(struct index_job *job, int64_t ms, enum rc *rc, struct why *why)
{
    static enum rc (*const phases[])(struct index_job *, struct why *) = {
        [BEGIN] = begin,
        [COUNT_THEM] = count,
        [READ] = read_on,
        [WRITE] = write_on,
    };
    int64_t began = io_now();

    *rc = OK;
    while (*rc == OK && job->phase != END && io_now() - began < ms)
        *rc = phases[job->phase](job, why);
    if (*rc == OK && job->phase == END && job->replacing) {
        remove_replaced(job);
        job->written = true;
    }
    return *rc == OK && job->phase != END;
}
