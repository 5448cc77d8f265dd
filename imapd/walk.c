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

void
walk_begin(struct walk *w, const struct session *s, struct uid_set set)
{
    *w = (struct walk){.view = s->view, .set = set};
    if (set.len > 0)
        w->seq = view_rank(s->view, set.at[0].first);
}

bool
walk_next(struct walk *w, uint32_t *seq, uint32_t *uid)
{
    while (w->place < w->set.len && w->seq < view_count(w->view)) {
        uint32_t here = view_uid(w->view, w->seq + 1);
        const struct uid_range *r = &w->set.at[w->place];

        if (here > r->last) {
            if (++w->place < w->set.len)
                w->seq = view_rank(w->view, w->set.at[w->place].first);
            continue;
        }
        *seq = ++w->seq;
        *uid = here;
        return true;
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

enum rc
walk_read(struct walk *w, struct mailbox *box, struct walk_row *rows,
          size_t *count, struct why *why)
{
    struct uid_range at[WALK_ROWS];
    struct changes_walk records;
    struct message m;
    size_t n = 0, len = 0, i = 0;
    uint32_t seq, uid;

    for (; n < WALK_ROWS && walk_next(w, &seq, &uid); n++) {
        rows[n] = (struct walk_row){
            .seq = seq, .m.uid = uid, .gone = true, .place = w->place};
        uids_extend(at, &len, uid);
    }
    *count = n;
    if (n == 0)
        return OK;
    enum rc rc = changes_begin(&records, box, (struct uid_set){at, len}, why);

    if (rc != OK)
        return rc;
    while (changes_next(&records, &m)) {
        while (rows[i].m.uid < m.uid)
            i++;
        rows[i].m = m;
        rows[i].gone = false;
    }
    return changes_end(&records, why);
}

void
walk_back(struct walk *w, const struct walk_row *row)
{
    w->seq = row->seq - 1;
    w->place = row->place;
}
