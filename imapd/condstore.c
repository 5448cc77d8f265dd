#include "condstore.h"

#include "set.h"
#include "store/changes.h"

static const struct uid_range every = {1, UINT32_MAX};

void
condstore_enable(struct session *s)
{
    if (s->enabled & ENABLED_CONDSTORE)
        return;
    s->enabled |= ENABLED_CONDSTORE;
    if (s->box)
        say(s, "* OK [HIGHESTMODSEQ %llu] Highest\r\n",
            (unsigned long long)view_modseq(s->view));
}

void
condstore_put_highest(struct session *s, struct buf *b)
{
    struct mailbox_status status;
    struct why why;

    if (s->enabled & (ENABLED_CONDSTORE | ENABLED_QRESYNC) &&
        mailbox_status(s->box, false, &status, &why) == OK)
        buf_fmt(b, "[HIGHESTMODSEQ %llu] ", (unsigned long long)status.modseq);
}

struct uid_set
condstore_both(struct session *s, struct uid_set a, struct uid_set b)
{
    struct uid_range *at =
        arena_alloc(s->command, (a.len + b.len + 1) * sizeof *at);
    size_t n = 0;

    for (size_t i = 0, k = 0; i < a.len && k < b.len;) {
        struct uid_range x = a.at[i], y = b.at[k];
        uint32_t first = x.first > y.first ? x.first : y.first;
        uint32_t last = x.last < y.last ? x.last : y.last;

        if (first <= last)
            at[n++] = (struct uid_range){first, last};
        if (x.last < y.last)
            i++;
        else
            k++;
    }
    return (struct uid_set){at, n};
}

/* Without those that the view still has: they are told of as expunged, with
 * what that means for numbers. */
static struct uid_set
not_in_view(struct session *s, struct uid_set set)
{
    VEC(struct uid_range) out = {0};
    struct uid_range *at;
    size_t len = 0;

    for (size_t i = 0; i < set.len; i++) {
        struct uid_range r = set.at[i];
        uint32_t seq = view_rank(s->view, r.first), uid;

        while ((uid = view_uid(s->view, ++seq)) != 0 && uid <= r.last) {
            if (uid > r.first)
                *vec_add(&out) = (struct uid_range){r.first, uid - 1};
            r.first = uid + 1;
        }
        if (r.first <= r.last)
            *vec_add(&out) = r;
    }
    len = out.len;
    at = arena_alloc(s->command, (len + 1) * sizeof *at);
    if (len > 0)
        memcpy(at, out.at, len * sizeof *at);
    vec_free(&out);
    return (struct uid_set){at, len};
}

enum rc
condstore_say_vanished(struct session *s, uint64_t since, struct uid_set within,
                       struct why *why)
{
    struct buf b = buf_in(s->command);
    struct uid_set gone;
    enum rc rc = changes_vanished(s->box, since, s->command, &gone, why);

    if (rc != OK)
        return rc;
    gone = not_in_view(s, condstore_both(s, gone, within));
    if (gone.len == 0)
        return OK;
    put_uids(&b, gone);
    conn_put(s->conn, S("* VANISHED (EARLIER) "));
    conn_put(s->conn, buf_str(&b));
    conn_put(s->conn, S("\r\n"));
    return OK;
}

/* ---- SELECT (QRESYNC ...) */

/* The numbers of a set one by one; 0 at its end. */
struct numbers {
    const struct seq_set *set;
    size_t place;
    uint32_t next;
};

static uint32_t
next_number(struct numbers *n)
{
    if (n->place == n->set->count)
        return 0;
    const struct seq_range *r = &n->set->at[n->place];

    if (n->next < r->from)
        n->next = r->from;
    uint32_t found = n->next++;

    if (found >= r->to) {
        n->place++;
        n->next = 0;
    }
    return found;
}

/* 3.2.5.2: the client says which UIDs it has for some numbers. Up to the last
 * one that is right it has missed no expunge. */
static uint32_t
matches_up_to(struct session *s, const struct select *c)
{
    struct numbers seqs = {.set = &c->match_seqs};
    struct numbers uids = {.set = &c->match_uids};
    uint32_t matched = 0, seq, uid;

    while ((seq = next_number(&seqs)) && (uid = next_number(&uids)) &&
           view_uid(s->view, seq) == uid)
        matched = uid;
    return matched;
}

static struct uid_set
known(struct session *s, const struct select *c)
{
    struct uid_range *at;

    if (c->known.count == 0)
        return (struct uid_set){&every, 1};

    struct seq_set set = set_resolve(s->command, &c->known, UINT32_MAX);

    at = arena_alloc(s->command, (set.count + 1) * sizeof *at);
    for (size_t i = 0; i < set.count; i++)
        at[i] = (struct uid_range){set.at[i].from, set.at[i].to};
    return (struct uid_set){at, set.count};
}

static enum rc
tell_vanished(struct session *s, const struct select *c,
              const struct mailbox_status *status, struct why *why)
{
    struct uid_range behind = every;
    struct uid_set within = known(s, c);

    /* Of what the history has the matches would only hide a part. */
    if (c->modseq < status->floor)
        behind.first = matches_up_to(s, c) + 1;
    if (behind.first > 1)
        within = condstore_both(s, within, (struct uid_set){&behind, 1});
    return condstore_say_vanished(s, c->modseq, within, why);
}

static enum progress
tell_changed(struct session *s, void *work)
{
    if (!news_flags(s, work))
        return MORE;
    reply_ok(s, "[%s] Selected", s->read_only ? "READ-ONLY" : "READ-WRITE");
    return DONE;
}

void
condstore_resync(struct session *s, const struct select *c)
{
    struct walk *walk = arena_make(s->command, struct walk);
    struct uid_set changed = {0};
    struct mailbox_status status;
    struct why why;
    enum rc rc = mailbox_status(s->box, false, &status, &why);

    if (rc == OK && status.validity == c->uidvalidity &&
        c->modseq < status.modseq) {
        rc = tell_vanished(s, c, &status, &why);
        if (rc == OK)
            rc = changes_since(s->box, c->modseq, s->command, &changed, &why);
    }
    if (rc != OK) {
        session_deselect(s, 0);
        reply_why(s, &why);
        return;
    }
    walk_begin(walk, s, condstore_both(s, changed, known(s, c)));
    session_task(s, (struct task){.step = tell_changed, .work = walk});
}
