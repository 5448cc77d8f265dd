#include "sys/sock.h"

#include <unistd.h>

#include "unit/test.h"

static void
a_peer_that_has_gone_is_seen(void **state)
{
    static char data[SOCK_PACKET_MAX];
    int ends[2], files[SOCK_FILES_MAX];
    size_t count;

    (void)state;
    assert_true(sock_pair(ends));
    assert_false(sock_peer_gone(ends[0]));
    assert_true(sock_send(ends[1], S("a question"), NULL, 0));
    assert_false(sock_peer_gone(ends[0]));
    close(ends[1]);
    assert_true(sock_peer_gone(ends[0]));
    assert_int_equal(sock_recv(ends[0], data, files, &count), 10);
    assert_true(sock_peer_gone(ends[0]));
    close(ends[0]);
}

TESTS(TEST(a_peer_that_has_gone_is_seen))
