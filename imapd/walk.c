#include "session.h"
#include "set.h"
#include "store/changes.h"

bool
set_uids(struct session *s, const struct seq_set *set, bool uid,
         struct uid_set *out)
{
    uint32_t count = view_count(s->view);
    uint32_t last = uid && count > 0 ? view_uid(s->view, count) : count;
    struct seq_set all;
    struct uid_range *at;

    if (set->saved) {
        *out = s->saved;
        return true;
    }
    all = set_resolve(s->command, set, last);
    if (!uid && set_highest(&all) > count)
        return false;
    at = arena_alloc(s->command, (all.count + 1) * sizeof *at);
    for (size_t i = 0; i < all.count; i++)
        at[i] = uid ? (struct uid_range){all.at[i].from, all.at[i].to}
                    : (struct uid_range){view_uid(s->view, all.at[i].from),
                                         view_uid(s->view, all.at[i].to)};
    *out = (struct uid_set){at, all.count};
    return true;
}

struct uid_set
set_uids_there(struct session *s, const struct view *view,
               const struct seq_set *set, bool uid)
{
    uint32_t count = view_count(view);
    uint32_t last = uid && count > 0 ? view_uid(view, count) : count;
    struct uid_range *at;
    struct seq_set all;
    size_t n = 0;

    if (set->saved)
        return s->saved;
    all = set_resolve(s->command, set, last);
    at = arena_alloc(s->command, (all.count + 1) * sizeof *at);
    for (size_t i = 0; i < all.count; i++) {
        uint32_t from = all.at[i].from, to = all.at[i].to;

        if (uid)
            at[n++] = (struct uid_range){from, to};
        else if (from <= count)
            at[n++] = (struct uid_range){
                view_uid(view, from), view_uid(view, to < count ? to : count)};
    }
    return (struct uid_set){at, n};
}

/* How many messages have UIDs up to this one. */
static uint32_t
rank_of_end(const struct view *view, uint32_t last)
{
    return last == UINT32_MAX ? view_count(view) : view_rank(view, last + 1);
}

uint32_t
range_count(const struct view *view, struct uid_range r, uint32_t *before)
{
    *before = view_rank(view, r.first);
    return rank_of_end(view, r.last) - *before;
}

static struct uid_range
range_here(const struct walk *w)
{
    return w->set.at[w->down ? w->set.len - 1 - w->place : w->place];
}

/* Stand where the first message of the range is the next one. */
static void
enter(struct walk *w)
{
    if (w->place == w->set.len)
        return;
    w->seq = w->down ? rank_of_end(w->view, range_here(w).last) + 1
                     : view_rank(w->view, range_here(w).first);
}

void
walk_begin(struct walk *w, const struct session *s, struct uid_set set)
{
    *w = (struct walk){.view = s->view, .set = set, .down = s->lowest > 0};
    enter(w);
}

void
walk_begin_up(struct walk *w, const struct session *s, struct uid_set set)
{
    *w = (struct walk){.view = s->view, .set = set};
    enter(w);
}

bool
walk_next(struct walk *w, uint32_t *seq, uint32_t *uid)
{
    while (w->place < w->set.len) {
        struct uid_range r = range_here(w);
        uint32_t next = w->down ? w->seq - 1 : w->seq + 1;
        uint32_t here = next > 0 ? view_uid(w->view, next) : 0;

        if (here >= r.first && here <= r.last) {
            *seq = w->seq = next;
            *uid = here;
            return true;
        }
        w->place++;
        enter(w);
    }
    return false;
}

void
uids_extend(struct uid_range *at, size_t *len, uint32_t uid)
{
    if (*len > 0 && at[*len - 1].last + 1 == uid)
        at[*len - 1].last = uid;
    else
        at[(*len)++] = (struct uid_range){uid, uid};
}

struct uid_set
walk_take(struct walk *w, struct arena *a, size_t max)
{
    struct uid_range *at = arena_alloc(a, max * sizeof *at);
    size_t len = 0;
    uint32_t seq, uid;

    for (size_t n = 0; n < max && walk_next(w, &seq, &uid); n++)
        uids_extend(at, &len, uid);
    return (struct uid_set){at, len};
}

/* Of n rows, that with the i-th lowest UID. */
static struct walk_row *
upward(const struct walk *w, struct walk_row *rows, size_t n, size_t i)
{
    return &rows[w->down ? n - 1 - i : i];
}

enum rc
walk_read(struct walk *w, struct mailbox *box, struct walk_row *rows,
          size_t *count, struct why *why)
{
    struct uid_range at[WALK_ROWS];
    struct changes_walk records;
    struct message m;
    size_t n = 0, len = 0, i = 0;
    uint32_t seq, uid;

    for (; n < WALK_ROWS && walk_next(w, &seq, &uid); n++)
        rows[n] = (struct walk_row){
            .seq = seq, .m.uid = uid, .gone = true, .place = w->place};
    *count = n;
    if (n == 0)
        return OK;
    for (size_t k = 0; k < n; k++)
        uids_extend(at, &len, upward(w, rows, n, k)->m.uid);
    enum rc rc = changes_begin(&records, box, (struct uid_set){at, len}, why);

    if (rc != OK)
        return rc;
    while (changes_next(&records, &m)) {
        while (upward(w, rows, n, i)->m.uid < m.uid)
            i++;
        upward(w, rows, n, i)->m = m;
        upward(w, rows, n, i)->gone = false;
    }
    return changes_end(&records, why);
}

void
walk_back(struct walk *w, const struct walk_row *row)
{
    w->seq = w->down ? row->seq + 1 : row->seq - 1;
    w->place = row->place;
}
