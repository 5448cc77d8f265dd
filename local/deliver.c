#include "deliver.h"

#include "base/buf.h"
#include "base/hash.h"
#include "box.h"
#include "forward.h"
#include "target.h"

/* Marks of destinations that are done, in the queue: 16 digits each. */
#define MARK       16
#define MARKS_ROOM ((size_t)DONE_MAX) /* bytes for those of all recipients */

/* One recipient at work. */
struct work {
    struct job *job;
    const struct rec_rcpt *rcpt;
    struct target **targets; /* each destination once */
    size_t count;
    struct buf done; /* marks */
    enum rc rc;      /* the worst result, and its reason */
    struct why why;
    enum action action;
    struct str pass; /* transport of ACTION_PASS */
};

static uint64_t
fnv(uint64_t h, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3;
    return (h ^ 0xff) * 0x100000001b3;
}

/* What makes two destinations the same, after a restart too. */
static struct str
mark_of(struct arena *a, const struct target *t)
{
    uint64_t h = 0xcbf29ce484222325;
    char kind = (char)('0' + t->kind);

    h = fnv(h, (struct str){&kind, 1});
    h = fnv(h, t->text);
    h = fnv(h, t->transport);
    h = fnv(h, t->rights ? t->rights->name : S(""));
    if (t->kind == TARGET_FORWARD)
        h = fnv(h, t->sender);
    else
        h = fnv(h, t->user ? t->user->name : S(""));
    return str_from(arena_fmt(a, "%016llx", (unsigned long long)h));
}

static bool
is_marked(struct str marks, struct str mark)
{
    for (size_t at = 0; at + MARK <= marks.len; at += MARK)
        if (str_eq(str_sub(marks, at, MARK), mark))
            return true;
    return false;
}

static void
add_mark(struct work *w, const struct target *t)
{
    if (w->done.len + MARK <= MARKS_ROOM / w->job->nrcpts)
        buf_add(&w->done, mark_of(w->job->arena, t));
}

/* Is it new, for this message? Remembers it. */
static bool
is_new(struct work *w, const struct target *t)
{
    struct job *j = w->job;
    int64_t limit = j->conf->duplicate_filter_limit;
    struct str mark = mark_of(j->arena, t);

    if (t->kind == TARGET_FAIL)
        return true;
    if (is_marked(w->rcpt->done, mark) || hash_get(j->seen, mark))
        return false;
    if (limit == 0 || hash_count(j->seen) < (size_t)limit)
        *hash_put(j->seen, mark) = j;
    return true;
}

static void
choose(struct work *w, const struct targets *all)
{
    w->targets = arena_alloc(w->job->arena, all->count * sizeof *w->targets);
    for (size_t i = 0; i < all->count; i++)
        if (is_new(w, &all->at[i]))
            w->targets[w->count++] = &all->at[i];
}

static int
weight(enum rc rc)
{
    return rc == TEMP ? 2 : rc == PERM ? 1 : 0;
}

/* The worst counts; of equals the first. */
static void
add_result(struct work *w, enum rc rc, const struct why *why)
{
    if (w->why.dsn[0] == '\0' || weight(rc) > weight(w->rc)) {
        w->rc = rc;
        w->why = *why;
    }
}

static void
finish_target(struct work *w, const struct target *t, enum rc rc,
              const struct why *why)
{
    add_result(w, rc, why);
    if (rc == OK)
        add_mark(w, t);
    job_log(w->job, w->rcpt, t->who.addr, rc, why);
}

/* What would be done, for a probe. */
static enum rc
describe(const struct target *t, struct why *why)
{
    bool maildir = str_ends(t->text, S("/"));

    switch (t->kind) {
    case TARGET_MAILBOX:
        job_say(why, "2.0.0", "delivers to %s",
                maildir ? "maildir" : "mailbox");
        return OK;
    case TARGET_FILE:
        job_say(why, "2.0.0", "delivers to file: %.*s", STR(t->text));
        return OK;
    case TARGET_COMMAND:
        job_say(why, "2.0.0", "delivers to command: %.*s", STR(t->text));
        return OK;
    case TARGET_FORWARD:
    case TARGET_PASS:
        job_say(why, "2.0.0", "forwards to %.*s", STR(t->who.addr));
        return OK;
    case TARGET_DISCARD:
        job_say(why, "2.0.0", "discarded");
        return OK;
    default:
        *why = *t->why;
        return rc_of(why->dsn);
    }
}

static void
serve(struct work *w, struct target *t)
{
    struct why why = {0};
    enum rc rc;

    if (job_is_probe(w->job) || t->kind == TARGET_DISCARD ||
        t->kind == TARGET_FAIL)
        rc = describe(t, &why);
    else
        rc = target_serve(w->job, w->rcpt, t, w->count == 1, &why);
    finish_target(w, t, rc, &why);
}

/* Take the forwards that can share a message with the first one. */
static size_t
gather(struct work *w, size_t first, struct target **group)
{
    const struct target *like = w->targets[first];
    size_t n = 0;

    for (size_t i = first; i < w->count; i++) {
        struct target *t = w->targets[i];

        if (t == NULL || t->kind != TARGET_FORWARD || t->list != like->list ||
            !str_eq(t->sender, like->sender) ||
            !str_eq(t->delivered, like->delivered))
            continue;
        group[n++] = t;
        w->targets[i] = NULL;
    }
    return n;
}

static void
serve_forwards(struct work *w, size_t first)
{
    struct target **group =
        arena_alloc(w->job->arena, w->count * sizeof *group);
    bool alone = w->count == 1;
    size_t n = gather(w, first, group);
    struct why why;
    enum rc rc = forward_message(w->job, w->rcpt, group, n, alone, &why);

    add_result(w, rc, &why);
    for (size_t i = 0; i < n && rc == OK; i++)
        add_mark(w, group[i]);
    if (alone && rc == OK && !group[0]->list)
        w->action = ACTION_FORWARDED;
    job_log(w->job, w->rcpt, w->rcpt->addr, rc, &why);
}

static void
serve_all(struct work *w)
{
    bool list = false;

    for (size_t i = 0; i < w->count; i++) {
        struct target *t = w->targets[i];

        if (t == NULL)
            continue;
        list |= t->list;
        if (t->kind == TARGET_PASS && !job_is_probe(w->job)) {
            w->action = ACTION_PASS;
            w->pass = t->transport;
            job_say(&w->why, "2.0.0", "passed on");
        } else if (t->kind == TARGET_FORWARD && !job_is_probe(w->job)) {
            serve_forwards(w, i);
        } else {
            serve(w, t);
        }
    }
    if (w->count > 1 && w->rc == OK && !list)
        w->action = ACTION_EXPANDED;
    if (w->count == 0) {
        job_say(&w->why, "2.0.0", "delivered already");
        job_log(w->job, w->rcpt, w->rcpt->addr, OK, &w->why);
    }
}

/* The message is back where it has been. */
static bool
is_loop(struct work *w)
{
    struct why why;

    if (!job_was_delivered_to(w->job, w->rcpt->addr))
        return false;
    add_result(w,
               fail(&why, "5.4.6", "mail forwarding loop for %.*s",
                    STR(w->rcpt->addr)),
               &why);
    job_log(w->job, w->rcpt, w->rcpt->addr, w->rc, &w->why);
    return true;
}

static void
fill_result(const struct work *w, struct rec_result *r)
{
    job_result(w->job, w->rcpt, w->rc, &w->why, r);
    if (w->action == ACTION_PASS)
        r->relay = w->pass;
    r->action = w->rc == OK ? w->action : ACTION_NONE;
    if (r->rc == TEMP)
        r->done = str_from(
            arena_cstr(w->job->arena, (struct str){w->done.p, w->done.len}));
}

/* Most mail goes where the last mail to that user went. */
static void
expect_mailbox(struct job *j, const struct rec_rcpt *rcpt)
{
    struct who who =
        who_parse(j->arena, rcpt->addr, j->conf->recipient_delimiter);
    const struct account *user;
    struct str path;
    struct why why;

    if (!(j->msg.flags & DELIVER_CLAIM) || job_is_probe(j) ||
        account_find(who.user, &user, &why) != OK || user == NULL)
        return;
    path = expand_mailbox(j, user);
    box_expect(j, user, path.p);
}

void
deliver_local(struct job *j, const struct rec_rcpt *rcpt,
              struct rec_result *result)
{
    struct work w = {.job = j, .rcpt = rcpt, .done = buf_in(j->arena)};
    struct targets all = {0};

    buf_add(&w.done, rcpt->done);
    if (!is_loop(&w)) {
        expect_mailbox(j, rcpt);
        expand_recipient(j, rcpt, &all);
        choose(&w, &all);
        serve_all(&w);
    }
    fill_result(&w, result);
}
