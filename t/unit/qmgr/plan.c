#include "qmgr/plan.h"

#include <string.h>

#include "unit/test.h"

static const struct plan_limits usual = {
    .initial = 5,
    .most = 20,
    .cohorts = 1,
    .grow = {1, PLAN_CONSTANT},
    .shrink = {1, PLAN_CONSTANT},
    .retries = 100,
};

/* A message with recipients at some sites, `batches` at each. */
struct mail {
    unsigned served;
    struct job jobs[10000];
    int left[10000];
};

static struct plan plan;
static struct site sites[10000];
static struct mail list, one;

static void
setup_sites(size_t count, const struct plan_limits *limits)
{
    plan_init(&plan, limits);
    for (size_t i = 0; i < count; i++)
        plan_site(&plan, &sites[i]);
}

static void
add(struct mail *m, size_t site, int batches, bool retry)
{
    m->jobs[site] = (struct job){
        .site = &sites[site], .retry = retry, .served = &m->served};
    m->left[site] = batches;
    plan_add(&m->jobs[site]);
}

/* Start what is due next; whose is it? */
static struct mail *
start(void)
{
    struct job *j = plan_pick(&plan);

    if (j == NULL)
        return NULL;

    struct mail *m = j >= list.jobs && j < list.jobs + 10000 ? &list : &one;
    int *left = &m->left[j - m->jobs];

    m->served++;
    plan_started(j, --*left > 0);
    return m;
}

/* A list of 10,000 recipients at one site does not delay a single one. */
static void
small_overtakes_at_a_site(void **state)
{
    (void)state;
    memset(&list, 0, sizeof list);
    memset(&one, 0, sizeof one);
    setup_sites(1, &usual);
    add(&list, 0, 200, false);
    for (int i = 0; i < 5; i++)
        assert_ptr_equal(start(), &list);
    assert_null(start());
    add(&one, 0, 1, false);
    plan_ended(&sites[0], false, PLAN_UNKNOWN);
    assert_ptr_equal(start(), &one);
    assert_null(start());
}

/* Nor does a list over 10,000 sites. */
static void
small_overtakes_over_sites(void **state)
{
    (void)state;
    memset(&list, 0, sizeof list);
    memset(&one, 0, sizeof one);
    setup_sites(10000, &usual);
    for (size_t i = 0; i < 9999; i++)
        add(&list, i, 1, false);
    for (int i = 0; i < 100; i++)
        assert_ptr_equal(start(), &list);
    add(&one, 9999, 1, false);

    int waited = 0;

    while (start() != &one)
        waited++;
    assert_true(waited <= 1); /* a senior turn may come before */
}

/* A stream of single messages leaves the list a fifth of the turns. */
static void
nobody_starves(void **state)
{
    int of_list = 0;

    (void)state;
    memset(&list, 0, sizeof list);
    setup_sites(1, &usual);
    add(&list, 0, 100000, false);
    while (start())
        continue;
    for (int i = 0; i < 1000; i++) {
        memset(&one, 0, sizeof(one.served));
        one.left[0] = 0;
        add(&one, 0, 1, false);
        plan_ended(&sites[0], false, PLAN_UNKNOWN);

        struct mail *m = start();

        of_list += m == &list;
        if (m == &list)
            plan_remove(&one.jobs[0]);
    }
    assert_in_range(of_list, 150, 250);
}

static void
retries_wait(void **state)
{
    struct plan_limits few = usual;

    (void)state;
    memset(&list, 0, sizeof list);
    memset(&one, 0, sizeof one);
    few.retries = 3;
    setup_sites(100, &few);
    for (size_t i = 0; i < 50; i++)
        add(&list, i, 1, true);
    for (int i = 0; i < 3; i++)
        assert_ptr_equal(start(), &list);
    assert_null(start());
    assert_false(plan_waiting(&plan));
    add(&one, 99, 1, false);
    assert_true(plan_waiting(&plan));
    assert_ptr_equal(start(), &one);
    plan_ended(&sites[0], true, PLAN_GOOD);
    assert_ptr_equal(start(), &list);
}

static void
sites_take_turns(void **state)
{
    int at[3] = {0};

    (void)state;
    memset(&list, 0, sizeof list);
    setup_sites(3, &usual);
    for (size_t i = 0; i < 3; i++)
        add(&list, i, 1000, false);
    for (int i = 0; i < 300; i++) {
        struct job *j = plan_pick(&plan);

        list.served++;
        plan_started(j, true);
        plan_ended(j->site, false, PLAN_UNKNOWN);
        at[j - list.jobs]++;
    }
    for (int i = 0; i < 3; i++)
        assert_in_range(at[i], 90, 110);
}

static void
window_grows_and_shrinks(void **state)
{
    struct plan_limits l = usual;

    (void)state;
    memset(&list, 0, sizeof list);
    l.cohorts = 0;
    setup_sites(1, &l);
    add(&list, 0, 100000, false);
    for (int i = 0; i < 100; i++) {
        while (start())
            continue;
        plan_ended(&sites[0], false, PLAN_GOOD);
    }
    assert_int_equal(sites[0].window, 20);
    while (start())
        continue;
    assert_int_equal(sites[0].busy, 20);
    for (int i = 0; i < 20; i++)
        plan_ended(&sites[0], false, PLAN_DOWN);
    assert_int_equal(sites[0].window, 1);
    assert_int_equal(sites[0].busy, 0);
}

/* One whole cohort of failures: dead, until it is woken. */
static void
dead_sites(void **state)
{
    (void)state;
    memset(&list, 0, sizeof list);
    setup_sites(1, &usual);
    add(&list, 0, 100, false);
    while (start())
        continue;
    for (int i = 0; i < 5 && !sites[0].dead; i++)
        plan_ended(&sites[0], false, PLAN_DOWN);
    assert_true(sites[0].dead);
    assert_null(start());
    plan_wake(&sites[0]);
    assert_ptr_equal(start(), &list);
    plan_rest(&sites[0], true);
    assert_null(start());
    plan_rest(&sites[0], false);
    assert_non_null(start());
}

static void
jobs_can_be_taken_back(void **state)
{
    (void)state;
    memset(&list, 0, sizeof list);
    setup_sites(2, &usual);
    add(&list, 0, 2, false);
    add(&list, 1, 2, false);
    plan_remove(&list.jobs[0]);
    assert_true(plan_site_unused(&sites[0]));
    assert_non_null(start());
    assert_non_null(start());
    assert_null(start());
    assert_null(plan_pick_at(&sites[0]));
}

TESTS(TEST(small_overtakes_at_a_site), TEST(small_overtakes_over_sites),
      TEST(nobody_starves), TEST(retries_wait), TEST(sites_take_turns),
      TEST(window_grows_and_shrinks), TEST(dead_sites),
      TEST(jobs_can_be_taken_back))
