#include "access/members.h"

#include "unit/test.h"

#define ANNA S("anna@example.org")
#define BEN  S("ben@example.org")

struct asker {
    int unused;
};

static int
gone(void **state)
{
    members_free(*state);
    return 0;
}

static int
fresh(void **state)
{
    *state = members_new();
    return 0;
}

static size_t
walk(const struct members *m, const struct member *u)
{
    struct members_place p = {0};
    const struct member *next;
    size_t seen = 0;

    while ((next = members_next(m, &p)))
        seen += u == NULL || next == u;
    return seen;
}

static void
one_process_a_user(void **state)
{
    struct members *m = *state;
    struct member *anna = members_add(m, ANNA, 11);
    struct member *ben = members_add(m, BEN, 12);

    assert_ptr_equal(members_find(m, ANNA), anna);
    assert_ptr_equal(members_find(m, BEN), ben);
    assert_null(members_find(m, S("anna")));
    assert_string_equal(anna->name, "anna@example.org");
    assert_int_equal(ben->pid, 12);
    assert_int_equal(walk(m, NULL), 2);
    members_drop(m, anna);
    assert_null(members_find(m, ANNA));
    assert_int_equal(members_count(m), 1);
    assert_int_equal(walk(m, ben), 1);
}

/* His sessions go on, and the next one is another process's. */
static void
retired(void **state)
{
    struct members *m = *state;
    struct member *old = members_add(m, ANNA, 11);

    member_add(old, S("192.0.2.1"));
    members_retire(m, old);
    members_retire(m, old);
    assert_null(members_find(m, ANNA));

    struct member *new = members_add(m, ANNA, 12);

    assert_int_equal(members_count(m), 2);
    assert_int_equal(walk(m, old), 1);
    assert_int_equal(walk(m, new), 1);
    assert_non_null(member_find(old, 1));
    members_drop(m, old);
    assert_ptr_equal(members_find(m, ANNA), new);
    assert_int_equal(walk(m, NULL), 1);
}

static void
sessions(void **state)
{
    struct member *u = members_add(*state, ANNA, 11);

    for (int i = 0; i < 20; i++)
        member_add(u, i % 4 ? S("192.0.2.1") : S("2001:db8::1"));
    assert_int_equal(member_count(u, S("192.0.2.1")), 15);
    assert_int_equal(member_count(u, S("2001:db8::1")), 5);
    assert_int_equal(member_count(u, S("192.0.2.10")), 0);
    for (unsigned i = 20; i > 0; i -= 2) {
        assert_int_equal(member_find(u, i)->number, i);
        member_remove(u, member_find(u, i));
        assert_null(member_find(u, i));
    }
    assert_int_equal(u->sessions.len, 10);
    assert_null(member_find(u, 0));
    assert_null(member_find(u, 21));

    /* A number means one session for ever. */
    assert_int_equal(member_add(u, S(""))->number, 21);
}

/* A login stage has ended: nothing is sent there. */
static void
forgotten(void **state)
{
    struct members *m = *state;
    struct asker one, two;
    struct member *u = members_add(m, ANNA, 11);

    member_add(u, S(""))->from = &one;
    member_add(u, S(""))->from = &two;
    members_retire(m, u);
    u = members_add(m, ANNA, 12);
    member_add(u, S(""))->from = &one;
    members_forget(m, &one);
    assert_null(member_find(u, 1)->from);

    struct members_place p = {0};

    while ((u = members_next(m, &p)))
        if (u->retired) {
            assert_null(member_find(u, 1)->from);
            assert_ptr_equal(member_find(u, 2)->from, &two);
        }
}

#define FRESH(name) cmocka_unit_test_setup_teardown(name, fresh, gone)

TESTS(FRESH(one_process_a_user), FRESH(retired), FRESH(sessions),
      FRESH(forgotten))
