/* SEARCH, SORT, THREAD and their UID forms: RFC 9051 6.4.4, 4731, 5182, 5256,
 * 5267 (ESORT), 9394, 9585. */
#include <string.h>

#include "condstore.h"
#include "fields.h"
#include "found.h"
#include "mail/imap_text.h"
#include "query.h"
#include "sorting.h"
#include "store/changes.h"
#include "sys/io.h"

#define BATCH       512 /* messages that are read of the index at once */
#define PROGRESS_MS 10000

/* A message that its record does not rule out. */
struct candidate {
    struct message m;
    bool fits;
};

struct work {
    const struct command *c;
    enum { READ, LOOK, SORT } phase;
    struct query q;
    struct uid_range *rest; /* that the index is still to be read of */
    size_t rest_count;
    uint32_t last; /* no UID over this is in the view */
    VEC(struct candidate) candidates;
    size_t at; /* the candidate, or the hit, that comes next */
    bool looking;
    VEC(struct hit) hits;
    struct sorting sorting;
    int64_t told;
};

static bool
is_plain(const struct command *c)
{
    return c->id == COMMAND_SEARCH || c->id == COMMAND_UID_SEARCH;
}

static void
drop(struct session *s, void *work)
{
    struct work *w = work;

    (void)s;
    query_free(&w->q);
    sorting_end(&w->sorting);
    vec_free(&w->candidates);
    vec_free(&w->hits);
}

/* A search that fails leaves nothing in "$" (RFC 5182 2.1). */
static enum progress
failed(struct session *s, struct work *w, const struct why *why)
{
    if (w->c->search.returns & RETURN_SAVE)
        found_forget(s);
    reply_why(s, why);
    drop(s, w);
    return DONE;
}

/* ---- what the index says */

static void
judge_record(struct work *w, struct changes_walk *walk, const struct message *m)
{
    struct str fields = {0}, kept;
    enum verdict v;

    if (w->q.wants_fields) {
        kept = changes_blob(walk, m->uid, BLOB_FIELDS);
        if (!fields_read(kept, &fields))
            fields = (struct str){0};
    }
    v = query_record(&w->q, m, fields);
    if (v != VERDICT_NO)
        *vec_add(&w->candidates) =
            (struct candidate){.m = *m, .fits = v == VERDICT_YES};
}

/* What is left of the set behind a UID. */
static void
go_behind(struct work *w, uint32_t uid)
{
    while (w->rest_count > 0 && w->rest->last <= uid) {
        w->rest++;
        w->rest_count--;
    }
    if (w->rest_count > 0 && w->rest->first <= uid)
        w->rest->first = uid + 1;
}

static enum rc
read_batch(struct session *s, struct work *w, struct why *why)
{
    struct changes_walk walk;
    struct message m;
    uint32_t reached = w->last;
    size_t n = 0;
    enum rc rc = changes_begin(&walk, s->box,
                               (struct uid_set){w->rest, w->rest_count}, why);

    if (rc != OK)
        return rc;
    while (n < BATCH && changes_next(&walk, &m) && m.uid <= w->last) {
        judge_record(w, &walk, &m);
        if (++n == BATCH || (n % 16 == 0 && !session_may_go_on(s))) {
            reached = m.uid;
            break;
        }
    }
    if (reached == w->last)
        w->rest_count = 0;
    else
        go_behind(w, reached);
    return changes_end(&walk, why);
}

/* ---- what the messages say */

static void
add_hit(struct work *w, const struct message *m)
{
    *vec_add(&w->hits) = (struct hit){m->uid, m->modseq};
}

/* The next candidate; false where the turn is over. */
static bool
look(struct work *w)
{
    struct candidate *c = &w->candidates.at[w->at];
    enum verdict v = VERDICT_YES;

    if (!c->fits) {
        if (!w->looking)
            query_take(&w->q, &c->m);
        w->looking = true;
        v = query_go_on(&w->q);
        if (v == VERDICT_OPEN)
            return false;
        w->looking = false;
    }
    if (v == VERDICT_YES)
        add_hit(w, &c->m);
    w->at++;
    return true;
}

/* ---- the answer */

static enum progress
finish(struct session *s, struct work *w)
{
    const struct search *c = &w->c->search;
    struct buf b = buf_in(s->command);
    struct why why;

    if (w->sorting.thread) {
        if (sorting_threads(&w->sorting, &b, &why) != OK)
            return failed(s, w, &why);
        conn_put(s->conn, buf_str(&b));
    } else {
        if (!is_plain(w->c))
            w->hits.len = sorting_sort(&w->sorting, w->hits.at, w->hits.len);
        found_say(s, w->c, w->hits.at, w->hits.len, w->q.by_modseq);
        if (c->returns & RETURN_SAVE)
            found_save(s, c, w->hits.at, w->hits.len);
    }
    reply_ok(s, "%s completed", command_name(w->c->id));
    drop(s, w);
    return DONE;
}

/* RFC 9585: a word now and then to who waits long. */
static void
tell_progress(struct session *s, struct work *w)
{
    struct buf tag = buf_in(s->command);
    int64_t now = io_now();

    if (now - w->told < PROGRESS_MS)
        return;
    w->told = now;
    imap_put_string(&tag, s->now.tag);
    say(s, "* OK [INPROGRESS (%s NIL NIL)] Still searching\r\n",
        buf_str(&tag).p);
}

static enum progress
step(struct session *s, void *work)
{
    struct work *w = work;
    struct why why;
    enum rc rc = OK;

    tell_progress(s, w);
    while (session_may_go_on(s)) {
        if (w->phase == SORT) {
            if (w->at == w->hits.len)
                return finish(s, w);
            rc = sorting_add(&w->sorting, w->hits.at[w->at++].uid, &why);
        } else if (w->at < w->candidates.len) {
            if (!look(w))
                return MORE;
            rc = w->q.rc;
            why = w->q.why;
        } else if (w->rest_count > 0) {
            w->candidates.len = w->at = 0;
            rc = read_batch(s, w, &why);
        } else if (is_plain(w->c)) {
            return finish(s, w);
        } else {
            w->at = 0;
            w->phase = SORT;
            sorting_begin(&w->sorting, s, w->c, w->hits.len);
        }
        if (rc != OK)
            return failed(s, w, &why);
    }
    return MORE;
}

/* ---- the beginning */

static bool
charset_is_known(struct session *s, const struct search *c)
{
    if (c->charset.len == 0 || str_ieq(c->charset, S("UTF-8")) ||
        str_ieq(c->charset, S("US-ASCII")))
        return true;
    if (c->returns & RETURN_SAVE)
        found_forget(s);
    reply_no(s, "[BADCHARSET (US-ASCII UTF-8)] Unknown character set");
    return false;
}

/* The part of the set that the view can have, to be cut away from the front. */
static void
make_rest(struct session *s, struct work *w)
{
    struct uid_set set = w->q.within;
    uint32_t count = view_count(s->view);

    w->last = count ? view_uid(s->view, count) : 0;
    w->rest = arena_alloc(s->command, (set.len + 1) * sizeof *w->rest);
    if (count > 0 && set.len > 0)
        memcpy(w->rest, set.at, set.len * sizeof *w->rest);
    w->rest_count = count > 0 ? set.len : 0;
}

void
do_search(struct session *s, const struct command *c)
{
    struct work *w = arena_make(s->command, struct work);
    struct why why;

    if (s->enabled & ENABLED_UTF8 && is_plain(c) && c->search.charset.len) {
        reply_bad(s, "All is UTF-8, as was enabled"); /* RFC 6855 3 */
        return;
    }
    if (!charset_is_known(s, &c->search))
        return;
    if (s->enabled & ENABLED_REV2 && is_plain(c) && !c->search.extended) {
        s->now.search.extended = true; /* RFC 9051 6.4.4 */
        s->now.search.returns = RETURN_ALL;
    }
    w->c = c;
    w->told = io_now();
    if (query_make(&w->q, s, c->search.key, &why) != OK) {
        if (strcmp(why.dsn, "5.5.4") == 0)
            reply_bad(s, "%s", why.text);
        else
            failed(s, w, &why);
        return;
    }
    if (w->q.by_modseq)
        condstore_enable(s);
    make_rest(s, w);
    session_task(s, (struct task){step, drop, w});
}
