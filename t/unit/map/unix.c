/* The system's users and groups as tables. */
#include "unit/tables.h"

static void
users_and_groups(void **state)
{
    struct map *users = map_open("proxy:unix:passwd.byname", NULL);
    struct map *groups = map_open("unix:group.byname", NULL);

    (void)state;
    assert_non_null(strstr(ask(users, "root"), "root:x:0:0:"));
    assert_non_null(strstr(ask(users, "ROOT"), "root:x:0:0:"));
    assert_answer(users, "no-such-user-here", NULL);
    assert_answer(users, "", NULL);
    assert_non_null(strstr(ask(groups, "root"), "root:x:0:"));
    assert_answer(groups, "no-such-group", NULL);
}

static void
answers_stay_bounded(void **state)
{
    struct map *users = map_open("unix:passwd.byname", NULL);
    char name[32];

    (void)state;
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "nobody-%d", i);
        assert_answer(users, name, NULL);
    }
    assert_non_null(strstr(ask(users, "root"), "root:x:0:0:"));
}

TESTS_WITHIN(set_up, tear_down, TEST(users_and_groups),
             TEST(answers_stay_bounded))
