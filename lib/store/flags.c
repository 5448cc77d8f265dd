#include "store/flags.h"

#include "store/name.h"
#include "store/own.h"
#include "store/ranges.h"

static void
apply(struct index_message *m, const struct flags_change *c)
{
    switch (c->how) {
    case FLAGS_ADD:
        m->flags |= c->flags;
        m->keywords |= c->keywords;
        break;
    case FLAGS_REMOVE:
        m->flags &= ~c->flags;
        m->keywords &= ~c->keywords;
        break;
    case FLAGS_REPLACE:
        m->flags = (m->flags & c->kept) | (c->flags & ~c->kept);
        m->keywords = (m->keywords & c->kept_keywords) |
                      (c->keywords & ~c->kept_keywords);
        break;
    }
}

struct store {
    struct mailbox *box;
    struct index_folder f;
    const struct flags_change *change;
    struct ranges changed, modified;
    uint64_t modseq;
    uint32_t run, last; /* messages in a row that changed; 0: none */
};

static void
end_run(struct store *s)
{
    if (s->run)
        index_changed_put(s->box->home->kv, &s->f, s->run, s->last);
    s->run = 0;
}

static void
change_one(struct store *s, struct kv_walk *w)
{
    struct index_message old = index_message_of(w->value), m = old;
    uint32_t uid = index_uid_of(w->key);

    if (s->change->conditional && m.modseq > s->change->unchanged_since) {
        ranges_add(&s->modified, uid);
        end_run(s);
        return;
    }
    apply(&m, s->change);
    if (m.flags == old.flags && m.keywords == old.keywords) {
        end_run(s);
        return;
    }
    m.modseq = s->modseq;
    m.worded |= (m.keywords & ~LETTERS_MASK) != 0;
    index_count(&s->f, &old, (uint32_t)-1);
    index_count(&s->f, &m, 1);
    kv_walk_set(w, (struct str){(const char *)&m, sizeof m});
    ranges_add(&s->changed, uid);
    s->run = s->run ? s->run : uid;
    s->last = uid;
}

static void
change_range(struct store *s, const struct uid_range *r)
{
    struct kv_env *kv = s->box->home->kv;
    struct index_key prefix, from;
    struct kv_walk w;

    kv_walk_begin(&w, kv, index_key(&prefix, 'M', s->f.id),
                  index_key_uid(&from, 'M', s->f.id, r->first));
    while (kv_walk_next(&w) && index_uid_of(w.key) <= r->last)
        change_one(s, &w);
    kv_walk_end(&w);
    end_run(s);
}

enum rc
flags_store(struct mailbox *box, struct uid_set set,
            const struct flags_change *change, struct arena *a,
            struct flags_done *done, struct why *why)
{
    struct store s = {.box = box, .change = change};
    enum rc rc = mailbox_write(box, &s.f, why);

    *done = (struct flags_done){0};
    if (rc != OK)
        return rc;
    done->before = s.f.modseq;
    rc = mailbox_next_modseq(box, &s.f, why);
    s.modseq = s.f.modseq;
    for (size_t i = 0; rc == OK && i < set.len; i++)
        change_range(&s, &set.at[i]);
    done->changed = ranges_take(&s.changed, a);
    done->modified = ranges_take(&s.modified, a);
    if (rc == OK && done->changed.len) {
        done->modseq = s.modseq;
        return mailbox_commit(box, &s.f, why);
    }
    mailbox_abort(box);
    return rc;
}

enum rc
flags_claim_recent(struct mailbox *box, uint32_t *first, struct why *why)
{
    struct index_folder f;
    enum rc rc = mailbox_read(box, &f, why);

    *first = 0;
    if (rc != OK)
        return rc;
    rc = mailbox_end(box, why);
    *first = f.recent;
    if (rc != OK || (f.recent == f.next && (f.claimed || f.in_new == 0)))
        return rc;
    if (mailbox_write(box, &f, why) != OK)
        return OK; /* who cannot note it can read all the same */
    *first = f.recent;
    f.recent = f.next;
    f.claimed = f.in_new != 0;
    (void)!mailbox_commit(box, &f, why);
    return OK;
}

enum rc
mailbox_recent(struct mailbox *box, uint32_t *count, struct why *why)
{
    struct index_folder f;
    struct index_key prefix, from;
    struct kv_walk w;
    enum rc rc = mailbox_read(box, &f, why);

    *count = 0;
    if (rc != OK)
        return rc;
    kv_walk_begin(&w, box->home->kv, index_key(&prefix, 'M', f.id),
                  index_key_uid(&from, 'M', f.id, f.recent));
    while (kv_walk_next(&w))
        ++*count;
    kv_walk_end(&w);
    return mailbox_end(box, why);
}
