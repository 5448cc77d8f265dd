/* SEARCH, SORT, THREAD and their UID forms: RFC 9051 6.4.4, 4731, 5182, 5256,
 * 5267 (ESORT), 9394, 9585, 9738. */
#include <string.h>

#include "condstore.h"
#include "finder.h"
#include "limit.h"
#include "searching.h"
#include "sorting.h"

/* THREAD says its response piece by piece: nothing else is said meanwhile. */
enum phase { FIND, LEARN, ORDER, SAY_THREADS };

struct work {
    const struct command *c;
    enum phase phase;
    struct finder finder;
    size_t at; /* the hit that comes next */
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
    finder_end(&w->finder);
    sorting_end(&w->sorting);
}

static enum progress
failed(struct session *s, struct work *w, const struct why *why)
{
    searching_refuse(s, why);
    drop(s, w);
    return DONE;
}

static enum progress
finish(struct session *s, struct work *w)
{
    reply_ok(s, "%s completed", command_name(w->c->id));
    drop(s, w);
    return DONE;
}

static void
say_found(struct session *s, struct work *w)
{
    const struct search *c = &w->c->search;
    struct finder *f = &w->finder;

    if (w->phase == ORDER)
        f->hits.len = sorting_take(&w->sorting, f->hits.at);
    found_say(s, w->c, f, NULL);
    if (c->returns & RETURN_SAVE)
        found_save(s, c, f->hits.at, f->hits.len);
}

/* ---- the phases; *done: go on with the next one */

static enum rc
find(struct session *s, struct work *w, bool *done, struct why *why)
{
    enum rc rc = finder_go_on(&w->finder, done, why);

    if (rc != OK || !*done || is_plain(w->c))
        return rc;
    return sorting_begin(&w->sorting, s, w->c, w->finder.hits.len, why);
}

static enum rc
learn(struct session *s, struct work *w, bool *done, struct why *why)
{
    size_t left = w->finder.hits.len - w->at;
    size_t n = left < SORTING_SOME ? left : SORTING_SOME;
    const struct hit *hits = w->finder.hits.at + w->at;

    (void)s;
    w->at += n;
    *done = n == left;
    return n > 0 ? sorting_add(&w->sorting, hits, n, why) : OK;
}

static enum rc
order(struct session *s, struct work *w, bool *done, struct why *why)
{
    enum rc rc = sorting_order(&w->sorting, done, why);

    if (rc == OK && *done && w->sorting.thread)
        conn_put(s->conn, w->sorting.count ? S("* THREAD ") : S("* THREAD"));
    return rc;
}

static enum rc
say_threads(struct session *s, struct work *w, bool *done, struct why *why)
{
    struct buf b = buf_in(s->command);

    (void)why;
    *done = sorting_put_threads(&w->sorting, &b);
    if (*done)
        buf_add(&b, S("\r\n"));
    conn_put(s->conn, buf_str(&b));
    return OK;
}

static enum phase
last_phase(const struct work *w)
{
    if (is_plain(w->c))
        return FIND;
    return w->sorting.thread ? SAY_THREADS : ORDER;
}

static enum progress
step(struct session *s, void *work)
{
    static enum rc (*const phases[])(struct session *, struct work *, bool *,
                                     struct why *) = {
        [FIND] = find,
        [LEARN] = learn,
        [ORDER] = order,
        [SAY_THREADS] = say_threads,
    };
    struct work *w = work;
    struct why why;

    if (w->phase < SAY_THREADS)
        say_progress(s, &w->told);
    while (session_may_go_on(s)) {
        bool done;

        if (phases[w->phase](s, w, &done, &why) != OK)
            return failed(s, w, &why);
        if (!done)
            continue;
        if (w->phase == last_phase(w)) {
            if (!w->sorting.thread)
                say_found(s, w);
            return finish(s, w);
        }
        w->phase++;
    }
    return MORE;
}

/* RFC 9738 3.1, 3.3: as many messages are searched as may be. SORT has its
 * keys in the index and is not limited, a part of a thread is none. */
static bool
limit(struct session *s, struct work *w)
{
    struct uid_set all = w->finder.q.within;

    switch (w->c->id) {
    case COMMAND_SORT:
    case COMMAND_UID_SORT:
        return true;
    case COMMAND_THREAD:
    case COMMAND_UID_THREAD:
        return limit_lowest(s, all) == 0;
    default:
        finder_narrow(&w->finder, limit_cut(s, all));
        return true;
    }
}

void
do_search(struct session *s, const struct command *c)
{
    struct work *w = arena_make(s->command, struct work);
    struct why why;

    if (!searching_charset(s, c))
        return;
    if (s->enabled & ENABLED_REV2 && is_plain(c) && !c->search.extended) {
        s->now.search.extended = true; /* RFC 9051 6.4.4 */
        s->now.search.returns = RETURN_ALL;
    }
    w->c = c;
    if (finder_begin(&w->finder, s, s->box, s->view, c->search.key, &why) !=
        OK) {
        failed(s, w, &why);
        return;
    }
    if (!limit(s, w)) {
        limit_refuse(s, 0, "Too many messages to make threads of");
        drop(s, w);
        return;
    }
    if (w->finder.q.by_modseq)
        condstore_enable(s);
    session_task(s, (struct task){.step = step, .drop = drop, .work = w});
}
