#include "ipc/message.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "unit/test.h"

static struct packet packet;

struct pair {
    struct link producer, qmgr;
};

static struct pair
open_pair(void)
{
    int ends[2];

    assert_true(sock_pair(ends));
    return (struct pair){
        {ends[0], SIDE(PRODUCER), SIDE(QMGR)    },
        {ends[1], SIDE(QMGR),     SIDE(PRODUCER)}
    };
}

static void
close_pair(struct pair *p)
{
    close(p->producer.fd);
    close(p->qmgr.fd);
    packet_drop(&packet);
}

/* How many descriptors this process has open. */
static int
open_files(void)
{
    int count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void
round_trip(void **state)
{
    struct pair p = open_pair();
    struct msg_queue_open ask = {.size = 1234};
    struct msg_queue_opened opened = {.id = S("A1B2"), .fd = -1};

    (void)state;
    assert_true(send_queue_open(&p.producer, &ask));
    assert_int_equal(link_receive(&p.qmgr, &packet), LINK_OK);
    assert_int_equal(packet.type, MSG_queue_open);
    ask.size = 0;
    assert_true(read_queue_open(&packet, &ask));
    assert_int_equal(ask.size, 1234);

    assert_true(send_queue_opened(&p.qmgr, &opened));
    assert_int_equal(link_expect(&p.producer, &packet, MSG_queue_opened),
                     LINK_OK);
    opened.id = (struct str){0};
    assert_true(read_queue_opened(&packet, &opened));
    assert_str(opened.id, S("A1B2"));
    assert_int_equal(opened.fd, -1);
    assert_string_equal(msg_name(MSG_queue_open), "queue_open");
    close_pair(&p);
}

static void
descriptors(void **state)
{
    struct pair p = open_pair();
    int before = open_files();
    auto_close int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct msg_queue_opened opened = {.id = S("A"), .fd = null};

    (void)state;
    assert_true(send_queue_opened(&p.qmgr, &opened));
    assert_int_equal(link_receive(&p.producer, &packet), LINK_OK);
    assert_true(read_queue_opened(&packet, &opened));
    assert_true(opened.fd >= 0 && opened.fd != null);
    assert_int_equal(fcntl(opened.fd, F_GETFD), FD_CLOEXEC);
    close(opened.fd);

    /* One that nobody takes is closed with the next packet. */
    opened.fd = null;
    assert_true(send_queue_opened(&p.qmgr, &opened));
    assert_int_equal(link_receive(&p.producer, &packet), LINK_OK);
    assert_int_equal(open_files(), before + 2);
    opened.fd = -1;
    assert_true(send_queue_opened(&p.qmgr, &opened));
    assert_int_equal(link_receive(&p.producer, &packet), LINK_OK);
    assert_int_equal(open_files(), before + 1);
    close_pair(&p);
}

static void
many_files(void **state)
{
    int ends[2];
    struct msg_hello hello = {.service = S("smtp"), .role = S("smtpd")};
    auto_close int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_true(sock_pair(ends));

    struct link master = {ends[0], SIDE(MASTER), SIDE(DAEMON)};
    struct link child = {ends[1], SIDE(DAEMON), SIDE(MASTER)};

    for (size_t i = 0; i < SOCK_FILES_MAX; i++)
        hello.files.fd[hello.files.count++] = null;
    assert_true(send_hello(&master, &hello));
    assert_int_equal(link_receive(&child, &packet), LINK_OK);
    assert_true(read_hello(&packet, &hello));
    assert_int_equal(hello.files.count, SOCK_FILES_MAX);
    for (size_t i = 0; i < hello.files.count; i++)
        close(hello.files.fd[i]);
    close(ends[0]);
    close(ends[1]);
}

static void
rights(void **state)
{
    struct pair p = open_pair();
    struct msg_queue_open ask = {.size = 1};

    (void)state;
    /* What a producer may not hear. */
    assert_true(send_queue_open(&p.qmgr, &ask));
    assert_int_equal(link_receive(&p.producer, &packet), LINK_BAD);
    assert_true(send_queue_open(&p.producer, &ask));
    assert_int_equal(link_expect(&p.qmgr, &packet, MSG_queue_commit), LINK_BAD);
    close_pair(&p);
}

/* Every packet that is not whole is refused, and leaks no descriptor. */
static void
malformed(void **state)
{
    struct pair p = open_pair();
    auto_close int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct msg_queue_opened opened = {.id = S("ABCDEF"), .fd = null};
    int before = open_files();

    (void)state;
    assert_true(send_queue_opened(&p.qmgr, &opened));
    assert_int_equal(link_receive(&p.producer, &packet), LINK_OK);

    char whole[64];
    size_t len = packet.body.len + 1;

    memcpy(whole, packet.data, len);
    for (size_t n = 1; n <= len + 1; n++)
        for (size_t files = 0; files < 3; files++) {
            int fds[] = {null, null};
            bool right = n == len && files == 1;

            assert_true(
                sock_send(p.qmgr.fd, (struct str){whole, n}, fds, files));
            assert_int_equal(link_receive(&p.producer, &packet), LINK_OK);
            assert_int_equal(read_queue_opened(&packet, &opened), right);
            if (right)
                close(opened.fd);
            packet_drop(&packet);
            assert_int_equal(open_files(), before);
        }
    whole[0] = (char)MSG_COUNT;
    assert_true(sock_send(p.qmgr.fd, (struct str){whole, len}, NULL, 0));
    assert_int_equal(link_receive(&p.producer, &packet), LINK_BAD);
    assert_string_equal(msg_name(MSG_COUNT), "?");
    close_pair(&p);
}

static void
ends(void **state)
{
    struct pair p = open_pair();
    struct msg_queue_open ask = {.size = 1};

    (void)state;
    assert_int_equal(fcntl(p.qmgr.fd, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(link_receive(&p.qmgr, &packet), LINK_AGAIN);
    close(p.producer.fd);
    assert_int_equal(link_receive(&p.qmgr, &packet), LINK_GONE);
    p.producer.fd = -1;
    assert_false(send_queue_open(&p.qmgr, &ask));
    close_pair(&p);
}

static void
records(void **state)
{
    struct arena *a = arena_new("test", 1 << 16);
    struct buf list = buf_in(a);
    struct rec_addr r;

    (void)state;
    put_addr(&list, &(struct rec_addr){.addr = S("a@b")});
    put_addr(&list, &(struct rec_addr){.addr = S("c@d")});

    struct str rest = buf_str(&list);

    assert_true(get_addr(&rest, &r));
    assert_str(r.addr, S("a@b"));
    assert_true(get_addr(&rest, &r));
    assert_str(r.addr, S("c@d"));
    assert_false(get_addr(&rest, &r));
    arena_free(a);
}

static int
quiet(void **state)
{
    (void)state;
    log_open("test", open("/dev/null", O_WRONLY | O_CLOEXEC), "mail");
    return 0;
}

TESTS_WITHIN(quiet, NULL, TEST(round_trip), TEST(descriptors), TEST(many_files),
             TEST(rights), TEST(malformed), TEST(ends), TEST(records))
