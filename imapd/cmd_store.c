/* STORE and UID STORE: RFC 9051 6.4.6, 7162 3.1.3, 9738. */
#include "condstore.h"
#include "limit.h"
#include "rights.h"
#include "store/ranges.h"

/* The bits of keywords that are named; made where they are new and `make`. */
static enum rc
keyword_bits(struct session *s, const struct flags *f, bool make,
             uint64_t *bits, struct why *why)
{
    const struct keywords *names;
    enum rc rc;

    if (make)
        return mailbox_keyword_bits(s->box, f->keywords, f->count, bits, why);
    *bits = 0;
    rc = mailbox_keywords(s->box, &names, why);
    for (size_t i = 0; rc == OK && i < f->count; i++) {
        int bit = keywords_find(names, f->keywords[i]);

        if (bit >= 0)
            *bits |= UINT64_C(1) << bit;
    }
    return rc;
}

/* What the user has no right to change stays as it is (RFC 4314 4). */
static void
limit_change(const struct session *s, struct flags_change *change)
{
    unsigned flags = rights_flags(s->rights);

    change->flags &= flags;
    change->kept = FLAG_ALL & ~flags;
    if (!(s->rights & RIGHT_WRITE))
        change->kept_keywords = UINT64_MAX;
}

static enum rc
find_change(struct session *s, const struct store *c, struct flags_change *out,
            struct why *why)
{
    static const enum flags_how how[] = {
        [STORE_REPLACE] = FLAGS_REPLACE,
        [STORE_ADD] = FLAGS_ADD,
        [STORE_REMOVE] = FLAGS_REMOVE,
    };

    *out = (struct flags_change){
        .how = how[c->how],
        .flags = c->flags.system,
        .conditional = c->guarded,
        .unchanged_since = c->unchanged_since,
    };
    limit_change(s, out);
    if (!(s->rights & RIGHT_WRITE))
        return OK;
    return keyword_bits(s, &c->flags, c->how != STORE_REMOVE, &out->keywords,
                        why);
}

/* At least one of the flags must be his to change. */
static bool
may_change(const struct session *s, const struct flags *f)
{
    unsigned flags = rights_flags(s->rights);

    if (f->count == 0 && f->system == 0)
        return flags != 0;
    return f->system & flags || (f->count > 0 && s->rights & RIGHT_WRITE);
}

/* With CONDSTORE a silent STORE is told of too: the new mod-sequence. */
static void
tell_modseq(struct session *s, struct uid_set changed, uint64_t modseq)
{
    struct walk w;
    uint32_t seq, uid;

    walk_begin(&w, s, changed);
    while (walk_next(&w, &seq, &uid))
        if (s->enabled & ENABLED_UIDONLY)
            say(s, "* %u UIDFETCH (MODSEQ (%llu))\r\n", uid,
                (unsigned long long)modseq);
        else
            say(s, "* %u FETCH (UID %u MODSEQ (%llu))\r\n", seq, uid,
                (unsigned long long)modseq);
}

/* Those that failed the condition, as what the client named them by. */
static void
put_modified(struct session *s, struct buf *b, struct uid_set set)
{
    struct walk w;
    uint32_t seq, uid;
    const char *comma = "";

    buf_add(b, S("[MODIFIED "));
    walk_begin(&w, s, set);
    while (walk_next(&w, &seq, &uid)) {
        buf_fmt(b, "%s%u", comma, s->now.uid ? uid : seq);
        comma = ",";
    }
    buf_add(b, S("] "));
}

#define STORE_SOME 4096 /* messages of a step */

struct work {
    const struct store *store;
    struct flags_change change;
    struct walk walk;
    struct ranges changed, modified;
    struct walk *tell; /* the changed ones, when all is stored: NOTIFY leaves
                          this to us */
};

static void
drop(struct session *s, void *work)
{
    struct work *w = work;

    (void)s;
    vec_free(&w->changed.list);
    vec_free(&w->modified.list);
}

static enum rc
store_some(struct session *s, struct work *w, struct uid_set set,
           struct why *why)
{
    struct flags_done done;
    enum rc rc = flags_store(s->box, set, &w->change, s->command, &done, why);

    if (rc != OK)
        return rc;
    if (w->change.how != FLAGS_REMOVE && w->change.flags & FLAG_DELETED)
        s->tally.deleted += uid_set_count(done.changed);
    if (done.modseq && (w->store->silent || !news_tells_flags(s)))
        view_skip(s->view, done.before, done.modseq);
    if (w->store->silent && s->enabled & ENABLED_CONDSTORE)
        tell_modseq(s, done.changed, done.modseq);
    if (!w->store->silent && !news_tells_flags(s))
        ranges_add_set(&w->changed, done.changed);
    ranges_add_set(&w->modified, done.modified);
    flags_soon(s->imap);
    return OK;
}

static void
finish(struct session *s, struct work *w)
{
    struct uid_set modified = ranges_take(&w->modified, s->command);
    struct buf code = buf_in(s->command);

    if (modified.len > 0)
        put_modified(s, &code, modified);
    reply_ok(s, "%.*sStored", STR(buf_str(&code)));
}

static enum progress
step(struct session *s, void *work)
{
    struct work *w = work;
    struct why why;

    if (w->tell == NULL) {
        struct uid_set set = walk_take(&w->walk, s->command, STORE_SOME);

        if (set.len > 0 && store_some(s, w, set, &why) != OK) {
            drop(s, w);
            reply_why(s, &why);
            return DONE;
        }
        if (set.len > 0)
            return MORE;
        w->tell = arena_make(s->command, struct walk);
        walk_begin(w->tell, s, ranges_take(&w->changed, s->command));
    }
    if (!news_flags(s, w->tell))
        return MORE;
    finish(s, w);
    return DONE;
}

void
do_store(struct session *s, const struct command *c)
{
    struct work *w = arena_make(s->command, struct work);
    struct uid_set set;
    struct why why;

    w->store = &s->now.store;
    if (!rights_let(s, 0))
        return;
    if (!may_change(s, &w->store->flags)) {
        reply_no(s, "[NOPERM] You have not the right to change these flags");
        return;
    }
    if (!set_uids(s, &w->store->set, c->uid, &set)) {
        reply_bad(s, "There is no message of that number");
        return;
    }
    set = limit_cut(s, set);
    if (w->store->guarded)
        condstore_enable(s);
    if (find_change(s, w->store, &w->change, &why) != OK) {
        reply_why(s, &why);
        return;
    }
    walk_begin_up(&w->walk, s, set);
    session_task(s, (struct task){.step = step, .drop = drop, .work = w});
}
