#include "sys/board.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/test.h"

static struct sockaddr_storage
address(const char *text)
{
    struct sockaddr_storage ss = {0};
    struct sockaddr_in *in = (void *)&ss;
    struct sockaddr_in6 *in6 = (void *)&ss;

    if (inet_pton(AF_INET, text, &in->sin_addr) == 1)
        ss.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1)
        ss.ss_family = AF_INET6;
    else
        ss.ss_family = AF_UNIX;
    return ss;
}

static struct board *
fresh(void)
{
    int fd;
    struct board *b = board_make(&fd);

    assert_non_null(b);
    close(fd);
    return b;
}

static void
places_are_taken_and_cleared(void **unused)
{
    struct board *b = fresh();
    unsigned p, q;

    (void)unused;
    assert_true(board_take(b, 1, &p));
    assert_true(board_take(b, 2, &q));
    assert_int_equal(p, 0);
    assert_int_equal(q, 1);
    assert_int_equal(board_count(b, 1, BOARD_STARTING), 1);
    board_set(b, 1, p, BOARD_IDLE);
    assert_int_equal(board_count(b, 1, BOARD_IDLE), 1);
    board_clear(b, p);
    assert_int_equal(board_count(b, 1, BOARD_IDLE), 0);
    assert_true(board_take(b, 2, &p));
    assert_int_equal(p, 0);
}

static void
a_full_board_says_so(void **unused)
{
    struct board *b = fresh();
    unsigned p;

    (void)unused;
    for (unsigned i = 0; i < BOARD_PLACES; i++)
        assert_true(board_take(b, 0, &p));
    assert_false(board_take(b, 0, &p));
}

static void
only_the_last_place_calls_and_once(void **unused)
{
    struct board *b = fresh();
    unsigned p, q;

    (void)unused;
    assert_true(board_take(b, 3, &p));
    assert_true(board_take(b, 3, &q));
    board_set(b, 3, p, BOARD_BUSY);
    assert_false(board_must_call(b, 3)); /* q is starting */
    board_set(b, 3, q, BOARD_BUSY);
    assert_true(board_must_call(b, 3));
    assert_false(board_must_call(b, 3)); /* master knows */
    board_looked(b, 3);
    assert_true(board_must_call(b, 3));
}

static void
a_renewal_is_asked_for_once(void **unused)
{
    struct board *b = fresh();

    (void)unused;
    assert_false(board_take_renewal(b, 3));
    assert_true(board_ask_renewal(b, 3));
    assert_false(board_ask_renewal(b, 3));
    assert_false(board_take_renewal(b, 4));
    assert_true(board_take_renewal(b, 3));
    assert_true(board_ask_renewal(b, 3));
}

static void
connections_are_counted_by_crew_and_address(void **unused)
{
    struct board *b = fresh();
    struct sockaddr_storage a4 = address("192.0.2.1"),
                            mapped = address("::ffff:192.0.2.1"),
                            other = address("192.0.2.2"),
                            none = address("local");
    unsigned p[4];

    (void)unused;
    for (unsigned i = 0; i < 4; i++)
        assert_true(board_take(b, i == 3 ? 2 : 1, &p[i]));
    assert_int_equal(board_client_enter(b, 1, p[0], (void *)&a4), 1);
    assert_int_equal(board_client_enter(b, 1, p[1], (void *)&other), 1);
    assert_int_equal(board_client_enter(b, 1, p[2], (void *)&mapped), 2);
    assert_int_equal(board_client_enter(b, 2, p[3], (void *)&a4), 1);
    assert_int_equal(board_client_enter(b, 2, p[3], (void *)&none), 0);
    board_clear(b, p[0]); /* its worker was killed */
    assert_int_equal(board_client_enter(b, 1, p[2], (void *)&a4), 1);
    board_client_leave(b, p[2]);
    assert_true(board_take(b, 1, &p[0]));
    assert_int_equal(board_client_enter(b, 1, p[0], (void *)&a4), 1);
}

static void
rates_add_up_in_a_window(void **unused)
{
    struct board *b = fresh();
    struct sockaddr_storage a = address("2001:db8::1"),
                            other = address("2001:db8::2");
    const int64_t long_unit = 3600000;

    (void)unused;
    assert_int_equal(
        board_rate_add(b, 1, (void *)&a, BOARD_MESSAGES, 1, long_unit), 1);
    assert_int_equal(
        board_rate_add(b, 1, (void *)&a, BOARD_MESSAGES, 4, long_unit), 5);
    assert_int_equal(
        board_rate_add(b, 1, (void *)&a, BOARD_LOGINS, 1, long_unit), 1);
    assert_int_equal(
        board_rate_add(b, 2, (void *)&a, BOARD_MESSAGES, 1, long_unit), 1);
    assert_int_equal(
        board_rate_add(b, 1, (void *)&other, BOARD_MESSAGES, 1, long_unit), 1);
    /* A window that is over counts from the start. */
    assert_int_equal(board_rate_add(b, 1, (void *)&a, BOARD_MESSAGES, 2, 0), 2);
}

static void
a_flood_of_addresses_never_counts_too_high(void **unused)
{
    struct board *b = fresh();

    (void)unused;
    for (uint32_t i = 0; i < 200000; i++) {
        struct sockaddr_in in = {.sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl(i + 1)};

        assert_int_equal(
            board_rate_add(b, 1, (void *)&in, BOARD_CONNECTIONS, 1, 3600000),
            1);
    }
}

static void
another_process_sees_the_same(void **unused)
{
    int fd, status;
    struct board *b = board_make(&fd);
    unsigned p;

    (void)unused;
    assert_true(board_take(b, 1, &p));
    pid_t pid = fork();

    if (pid == 0) {
        struct board *mine = board_map(fd);

        if (mine == NULL)
            _exit(1);
        board_set(mine, 1, p, BOARD_BUSY);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(board_count(b, 1, BOARD_BUSY), 1);
    close(fd);
}

static void
what_is_no_board_is_refused(void **unused)
{
    int ends[2];

    (void)unused;
    assert_int_equal(pipe(ends), 0);
    assert_null(board_map(ends[0]));
    close(ends[0]);
    close(ends[1]);
}

static void
tickets(void **state)
{
    int fd;
    struct board *b = board_make(&fd);
    struct board_ticket_key keys[2], one = {.name = "one"},
                                     two = {.name = "two"};

    (void)state;
    assert_non_null(b);
    assert_int_equal(board_ticket_keys(b, keys), 0);
    board_put_ticket_key(b, &one);
    assert_int_equal(board_ticket_keys(b, keys), 1);
    assert_memory_equal(&keys[0], &one, sizeof one);
    board_put_ticket_key(b, &two);
    assert_int_equal(board_ticket_keys(b, keys), 2);
    assert_memory_equal(&keys[0], &two, sizeof two);
    assert_memory_equal(&keys[1], &one, sizeof one);
    board_no_tickets(b);
    assert_int_equal(board_ticket_keys(b, keys), 0);

    uint32_t before = board_generation(b);

    board_next_generation(b);
    assert_int_equal(board_generation(b), before + 1);
    close(fd);
}

static void
logins_are_counted_by_name(void **unused)
{
    int fd;
    struct board *b = board_make(&fd);
    struct sockaddr_in a = {.sin_family = AF_INET};

    (void)unused;
    assert_non_null(b);
    for (uint32_t i = 1; i <= 3; i++)
        assert_int_equal(board_login_add(b, S("alice@example.test"),
                                         BOARD_MESSAGES, 1, 1000000),
                         i);
    assert_int_equal(
        board_login_add(b, S("alice@example.tes"), BOARD_MESSAGES, 1, 1000000),
        1);
    assert_int_equal(board_login_add(b, S("alice@example.test"),
                                     BOARD_RECIPIENTS, 7, 1000000),
                     7);
    assert_int_equal(board_login_add(b, S(""), BOARD_MESSAGES, 1, 1000000), 1);
    assert_int_equal(
        board_rate_add(b, 1, (void *)&a, BOARD_MESSAGES, 1, 1000000), 1);
    close(fd);
}

TESTS(TEST(tickets), TEST(logins_are_counted_by_name),
      TEST(places_are_taken_and_cleared), TEST(a_full_board_says_so),
      TEST(only_the_last_place_calls_and_once),
      TEST(a_renewal_is_asked_for_once),
      TEST(connections_are_counted_by_crew_and_address),
      TEST(rates_add_up_in_a_window),
      TEST(a_flood_of_addresses_never_counts_too_high),
      TEST(another_process_sees_the_same), TEST(what_is_no_board_is_refused))
