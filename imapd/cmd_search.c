/* SEARCH, SORT, THREAD and their UID forms: RFC 9051 6.4.4, 4731, 5182, 5256,
 * 5267 (ESORT), 9394, 9585, 9738. */
#include <string.h>

#include "condstore.h"
#include "finder.h"
#include "limit.h"
#include "searching.h"
#include "sorting.h"

struct work {
    const struct command *c;
    struct finder finder;
    bool sort; /* all has been found */
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
    const struct search *c = &w->c->search;
    struct finder *f = &w->finder;
    struct buf b = buf_in(s->command);
    struct why why;

    if (w->sorting.thread) {
        if (sorting_threads(&w->sorting, &b, &why) != OK)
            return failed(s, w, &why);
        conn_put(s->conn, buf_str(&b));
    } else {
        if (!is_plain(w->c))
            f->hits.len = sorting_sort(&w->sorting, f->hits.at, f->hits.len);
        found_say(s, w->c, f, NULL);
        if (c->returns & RETURN_SAVE)
            found_save(s, c, f->hits.at, f->hits.len);
    }
    reply_ok(s, "%s completed", command_name(w->c->id));
    drop(s, w);
    return DONE;
}

static enum rc
add_some(struct work *w, struct why *why)
{
    size_t left = w->finder.hits.len - w->at;
    size_t n = left < SORTING_SOME ? left : SORTING_SOME;
    const struct hit *hits = w->finder.hits.at + w->at;

    w->at += n;
    return sorting_add(&w->sorting, hits, n, why);
}

static enum progress
step(struct session *s, void *work)
{
    struct work *w = work;
    struct finder *f = &w->finder;
    struct why why;
    enum rc rc = OK;

    searching_tell(s, &w->told);
    while (rc == OK && session_may_go_on(s)) {
        bool found = true;

        if (!w->sort)
            rc = finder_go_on(f, &found, &why);
        else if (w->at < f->hits.len)
            rc = add_some(w, &why);
        else
            return finish(s, w);
        if (rc == OK && !found)
            return MORE;
        if (rc == OK && !w->sort && is_plain(w->c))
            return finish(s, w);
        if (rc == OK && !w->sort)
            sorting_begin(&w->sorting, s, w->c, f->hits.len);
        w->sort = true;
    }
    return rc == OK ? MORE : failed(s, w, &why);
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
