#include "qmgr/desk.h"

#include "qmgr/qmgr.h"
#include "unit/test.h"

static struct desk desk;
static struct message mails[3];
static struct question questions[3];

static void
send_it(struct question *q, struct peer *p)
{
    desk_hand(&desk, q, p);
}

static void
too_late(void *self)
{
    struct question *q = self;

    q->timer = NULL;
    assert_ptr_equal(desk_end(q), &mails[0]);
    loop_stop(qmgr.loop);
}

/* Nobody is asked of master for more workers. */
static void
begin(void)
{
    qmgr = (struct qmgr){.loop = loop_new(), .stopping = true};
    desk_init(&desk, "rewrite", send_it);
    for (size_t i = 0; i < COUNT(mails); i++) {
        mails[i] = (struct message){0};
        questions[i] = (struct question){0};
    }
}

static void
end(void)
{
    assert_true(list_empty(&desk.waiting));
    assert_true(list_empty(&desk.asked));
    loop_free(qmgr.loop);
}

static void
ask(size_t i)
{
    desk_ask(&desk, &questions[i], &mails[i], 1000000, too_late);
}

/* Which one a worker has. */
static size_t
had_by(const struct peer *p)
{
    return (size_t)((struct question *)p->request - questions);
}

static void
answered(struct peer *p, size_t i)
{
    assert_int_equal(had_by(p), i);
    assert_ptr_equal(desk_end(&questions[i]), &mails[i]);
    assert_false(mails[i].waiting);
    assert_null(p->request);
    crew_rest(&desk.crew, p);
    desk_run(&desk);
}

static void
one_after_the_other(void **state)
{
    struct peer one = {0}, two = {0};

    (void)state;
    begin();
    for (size_t i = 0; i < 3; i++)
        ask(i);
    assert_true(mails[0].waiting && desk.crew.needed);
    crew_join(&desk.crew, &one);
    crew_join(&desk.crew, &two);
    assert_int_equal(had_by(&two), 1);
    answered(&one, 0);
    answered(&one, 2);
    assert_null(one.request);
    answered(&two, 1);
    assert_ptr_equal(crew_idle(&desk.crew), &two);
    end();
}

/* Who dies has asked nothing; what he had is next. */
static void
taken_back(void **state)
{
    struct peer one = {0}, two = {0};

    (void)state;
    begin();
    ask(0);
    ask(1);
    crew_join(&desk.crew, &one);
    assert_int_equal(had_by(&one), 0);
    desk_take_back(&desk, one.request);
    assert_null(questions[0].peer);
    assert_true(mails[0].waiting);
    crew_join(&desk.crew, &two);
    answered(&two, 0);
    answered(&two, 1);
    end();
}

static void
withdrawn(void **state)
{
    struct peer one = {0};

    (void)state;
    begin();
    crew_join(&desk.crew, &one);
    ask(0);
    ask(1);
    assert_null(desk_withdraw(&desk, &mails[2]));

    /* one that nobody has is ended at once */
    assert_ptr_equal(desk_withdraw(&desk, &mails[1]), &questions[1]);
    assert_null(questions[1].peer);
    assert_false(mails[1].waiting);
    assert_null(desk_end(&questions[1]));

    /* the other stays with him */
    assert_ptr_equal(desk_withdraw(&desk, &mails[0]), &questions[0]);
    assert_ptr_equal(questions[0].peer, &one);
    assert_null(desk_withdraw(&desk, &mails[0]));
    assert_null(desk_end(&questions[0]));
    assert_null(one.request);
    end();
}

/* Nobody came for it. */
static void
late(void **state)
{
    (void)state;
    begin();
    desk_ask(&desk, &questions[0], &mails[0], 0, too_late);
    loop_run(qmgr.loop);
    assert_false(mails[0].waiting);
    end();
}

TESTS(TEST(one_after_the_other), TEST(taken_back), TEST(withdrawn), TEST(late))
