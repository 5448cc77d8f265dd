#include "plan.h"

#define SENIOR_TURN 5

void
plan_init(struct plan *p, const struct plan_limits *limits)
{
    *p = (struct plan){.limits = *limits};
    for (size_t i = 0; i < PLAN_RANKS; i++)
        list_init(&p->ready[i]);
}

void
plan_site(struct plan *p, struct site *s)
{
    *s = (struct site){.plan = p, .window = p->limits.initial};
    for (size_t i = 0; i < PLAN_RANKS; i++)
        list_init(&s->jobs[i]);
}

bool
plan_site_unused(const struct site *s)
{
    return s->ranks == 0 && s->busy == 0 && !s->dead && !s->resting;
}

static int
lowest(unsigned ranks)
{
    return __builtin_ctz(ranks);
}

static int
highest(unsigned ranks)
{
    return 31 - __builtin_clz(ranks);
}

/* 0 for the first batch, 1 for the second, 2 for the next two, four ... */
static int
rank_of(const struct job *j)
{
    unsigned served = *j->served;
    int rank = served ? highest(served) + 1 : 0;

    if (rank >= PLAN_RETRY)
        rank = PLAN_RETRY - 1;
    return j->retry ? PLAN_RETRY + rank : rank;
}

static void
unlist_job(struct job *j)
{
    struct site *s = j->site;

    list_remove(&j->in_site);
    if (list_empty(&s->jobs[j->rank]))
        s->ranks &= ~(1u << j->rank);
}

static void
list_job(struct job *j)
{
    j->rank = rank_of(j);
    list_add(&j->site->jobs[j->rank], &j->in_site);
    j->site->ranks |= 1u << j->rank;
}

static void
unlist_site(struct site *s)
{
    struct plan *p = s->plan;

    if (!list_linked(&s->in_ready))
        return;
    list_remove(&s->in_ready);
    if (list_empty(&p->ready[s->rank]))
        p->ranks &= ~(1u << s->rank);
}

static bool
may_start(const struct site *s)
{
    return s->ranks && !s->dead && !s->resting && s->busy < s->window;
}

/* Stand where it belongs now; a site whose rank is the same keeps its place. */
static void
list_site(struct site *s)
{
    struct plan *p = s->plan;
    int rank;

    if (!may_start(s)) {
        unlist_site(s);
        return;
    }
    rank = lowest(s->ranks);
    if (list_linked(&s->in_ready) && s->rank == rank)
        return;
    unlist_site(s);
    s->rank = rank;
    list_add(&p->ready[rank], &s->in_ready);
    p->ranks |= 1u << rank;
}

void
plan_add(struct job *j)
{
    list_job(j);
    list_site(j->site);
}

void
plan_remove(struct job *j)
{
    unlist_job(j);
    list_site(j->site);
}

/* A job's rank may have grown since it was listed: ranks are put right when
 * somebody looks, at most once for each rank. */
static struct job *
first_job(struct site *s, bool senior)
{
    for (;;) {
        int rank = senior ? highest(s->ranks) : lowest(s->ranks);
        struct job *j =
            list_item(list_first(&s->jobs[rank]), struct job, in_site);

        if (rank_of(j) == rank)
            return j;
        unlist_job(j);
        list_job(j);
    }
}

static unsigned
allowed_ranks(const struct plan *p)
{
    unsigned fresh = (1u << PLAN_RETRY) - 1;

    return p->retries < p->limits.retries ? p->ranks : p->ranks & fresh;
}

struct job *
plan_pick(struct plan *p)
{
    bool senior = ++p->turn % SENIOR_TURN == 0;

    for (;;) {
        unsigned ranks = allowed_ranks(p);

        if (ranks == 0)
            return NULL;

        int rank = senior ? highest(ranks) : lowest(ranks);
        struct site *s =
            list_item(list_first(&p->ready[rank]), struct site, in_ready);

        first_job(s, false);
        if (lowest(s->ranks) == rank)
            return first_job(s, s->turn % SENIOR_TURN == SENIOR_TURN - 1);
        list_site(s);
    }
}

struct job *
plan_pick_at(struct site *s)
{
    bool retries = s->plan->retries < s->plan->limits.retries;

    if (!may_start(s))
        return NULL;

    struct job *j = first_job(s, false);

    return j->retry && !retries ? NULL : j;
}

void
plan_started(struct job *j, bool more)
{
    struct site *s = j->site;

    s->busy++;
    s->turn++;
    s->plan->retries += j->retry;
    unlist_job(j);
    if (more)
        list_job(j);
    unlist_site(s); /* to the end of the line */
    list_site(s);
}

/* Newton's method; windows are small, so this is near enough. */
static double
root(double x)
{
    double r = x;

    for (int i = 0; i < 12 && r * r > x; i++)
        r = (r + x / r) / 2;
    return r;
}

static double
feedback(const struct plan_feedback *f, int64_t window)
{
    double w = (double)window;

    switch (f->kind) {
    case PLAN_INVERSE:
        return f->value / w;
    case PLAN_INVERSE_ROOT:
        return f->value / root(w);
    default:
        return f->value;
    }
}

/* No more than can be used: an idle site's window must not grow for ever. */
static void
grow(struct site *s)
{
    const struct plan_limits *l = &s->plan->limits;
    double step = feedback(&l->grow, s->window);

    s->failed_cohorts = 0;
    if ((l->most && s->window >= l->most) ||
        s->window >= s->busy + 1 + l->initial)
        return;
    for (s->success += step; s->success + step / 2 >= 1; s->success -= 1) {
        s->window++;
        s->failure = 0;
    }
    if (l->most && s->window > l->most)
        s->window = l->most;
}

static void
shrink(struct site *s)
{
    const struct plan_limits *l = &s->plan->limits;
    double step = feedback(&l->shrink, s->window);

    s->failed_cohorts += 1.0 / (double)s->window;
    if (l->cohorts > 0 && s->failed_cohorts >= (double)l->cohorts) {
        s->dead = true;
        return;
    }
    for (s->failure -= step; s->failure - step / 2 < 0; s->failure += 1) {
        s->window--;
        s->success = 0;
    }
    if (s->window < 1)
        s->window = 1;
}

void
plan_ended(struct site *s, bool retry, enum plan_outcome outcome)
{
    s->busy--;
    s->plan->retries -= retry;
    if (outcome == PLAN_GOOD)
        grow(s);
    if (outcome == PLAN_DOWN && !s->dead)
        shrink(s);
    list_site(s);
}

void
plan_wake(struct site *s)
{
    s->dead = false;
    s->window = s->plan->limits.initial;
    s->success = s->failure = s->failed_cohorts = 0;
    list_site(s);
}

void
plan_rest(struct site *s, bool resting)
{
    s->resting = resting;
    list_site(s);
}

bool
plan_waiting(const struct plan *p)
{
    return allowed_ranks(p) != 0;
}
