#include "finder.h"

#include <string.h>

#include "access/fields.h"
#include "store/changes.h"

#define BATCH 512 /* messages that are read of the index at once */

/* A message that its record does not rule out. */
struct candidate {
    struct message m;
    bool fits;
};

/* The part of the set that the view can have, to be cut away from the front. */
static void
make_rest(struct finder *f)
{
    struct uid_set set = f->q.within;
    uint32_t count = view_count(f->q.view);

    f->last = count ? view_uid(f->q.view, count) : 0;
    f->rest = arena_alloc(f->q.s->command, (set.len + 1) * sizeof *f->rest);
    if (count > 0 && set.len > 0)
        memcpy(f->rest, set.at, set.len * sizeof *f->rest);
    f->rest_count = count > 0 ? set.len : 0;
}

enum rc
finder_begin(struct finder *f, struct session *s, struct mailbox *box,
             struct view *view, const struct search_key *key, struct why *why)
{
    *f = (struct finder){0};
    enum rc rc = query_make(&f->q, s, box, view, key, why);

    if (rc == OK)
        make_rest(f);
    return rc;
}

void
finder_narrow(struct finder *f, struct uid_set set)
{
    f->q.within = set;
    make_rest(f);
}

void
finder_end(struct finder *f)
{
    query_free(&f->q);
    vec_free(&f->candidates);
    vec_free(&f->hits);
}

/* ---- what the index says */

static void
judge_record(struct finder *f, struct changes_walk *walk,
             const struct message *m)
{
    enum verdict v = query_record(&f->q, m, (struct str){0});
    struct str fields;

    if (v == VERDICT_OPEN && f->q.wants_fields &&
        fields_read(changes_blob(walk, m->uid, BLOB_FIELDS), &fields))
        v = query_record(&f->q, m, fields);
    if (v != VERDICT_NO)
        *vec_add(&f->candidates) =
            (struct candidate){.m = *m, .fits = v == VERDICT_YES};
}

/* What is left of the set behind a UID. */
static void
go_behind(struct finder *f, uint32_t uid)
{
    while (f->rest_count > 0 && f->rest->last <= uid) {
        f->rest++;
        f->rest_count--;
    }
    if (f->rest_count > 0 && f->rest->first <= uid)
        f->rest->first = uid + 1;
}

static enum rc
read_batch(struct finder *f, struct why *why)
{
    struct changes_walk walk;
    struct message m;
    uint32_t reached = f->last;
    size_t n = 0;
    enum rc rc = changes_begin(&walk, f->q.box,
                               (struct uid_set){f->rest, f->rest_count}, why);

    if (rc != OK)
        return rc;
    while (n < BATCH && changes_next(&walk, &m) && m.uid <= f->last) {
        judge_record(f, &walk, &m);
        if (++n == BATCH || (n % 16 == 0 && !session_may_go_on(f->q.s))) {
            reached = m.uid;
            break;
        }
    }
    if (reached == f->last)
        f->rest_count = 0;
    else
        go_behind(f, reached);
    return changes_end(&walk, why);
}

/* ---- what the messages say */

/* The next candidate; false where the turn is over. */
static bool
look(struct finder *f)
{
    struct candidate *c = &f->candidates.at[f->at];
    enum verdict v = VERDICT_YES;

    if (!c->fits) {
        if (!f->looking)
            query_take(&f->q, &c->m);
        f->looking = true;
        v = query_go_on(&f->q);
        if (v == VERDICT_OPEN)
            return false;
        f->looking = false;
    }
    if (v == VERDICT_YES)
        *vec_add(&f->hits) = (struct hit){c->m.uid, c->m.modseq};
    f->at++;
    return true;
}

enum rc
finder_go_on(struct finder *f, bool *done, struct why *why)
{
    enum rc rc = OK;

    *done = false;
    if (!query_ask(&f->q))
        return OK;
    while (rc == OK && session_may_go_on(f->q.s)) {
        if (f->at < f->candidates.len) {
            if (!look(f))
                return OK;
            rc = f->q.rc;
            *why = f->q.why;
        } else if (f->rest_count > 0) {
            f->candidates.len = f->at = 0;
            rc = read_batch(f, why);
        } else {
            *done = true;
            return OK;
        }
    }
    return rc;
}
