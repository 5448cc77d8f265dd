/*
 * Look-ups against a name server of our own: a child on a loopback port that
 * answers from a table.
 */
#include "dns/dns.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/test.h"

/* One record a row; the data is wire format. rcode rows have type 0. */
static const struct row {
    const char *name; /* wire format */
    unsigned type, rcode;
    const char *data;
    size_t len;
} zone[] = {
#define ROW(name, type, data)                                                  \
    {                                                                          \
        name, type, 0, data, sizeof(data) - 1                                  \
    }
#define RCODE(name, rcode)                                                     \
    {                                                                          \
        name, 0, rcode, "", 0                                                  \
    }
    ROW("\1a\4test", DNS_MX, "\0\x14\2m2\4test\0"),
    ROW("\1a\4test", DNS_MX, "\0\x0a\2m1\4test\0"),
    ROW("\2m1\4test", DNS_A, "\x7f\0\0\1"),
    ROW("\2m1\4test", DNS_AAAA, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"),
    ROW("\2m2\4test", DNS_A, "\x7f\0\0\2"),
    ROW("\1b\4test", DNS_CNAME, "\2b2\4test\0"),
    ROW("\2b2\4test", DNS_CNAME, "\2m2\4test\0"),
    ROW("\1x\4test", DNS_CNAME, "\1y\4test\0"),
    ROW("\1y\4test", DNS_CNAME, "\1x\4test\0"),
    RCODE("\4fail\4test", 2),
    RCODE("\4none\4test", 3),
    ROW("\1"
        "2\1"
        "0\1"
        "0\003127\7in-addr\4arpa",
        DNS_PTR, "\2m2\4test\0"),
    ROW("\1"
        "3\1"
        "0\1"
        "0\003127\7in-addr\4arpa",
        DNS_PTR, "\2m2\4test\0"),
};

static int *asked; /* shared: how many questions the server has had */
static struct sockaddr_in server;
static pid_t child;

static size_t
answer_one(unsigned char *p, size_t len)
{
    size_t name_len = strlen((char *)p + 12), end = 12 + name_len + 5;
    unsigned type = (unsigned)p[end - 3];
    unsigned count = 0, rcode = 0;

    if (end > len)
        return 0;
    len = end;
    for (size_t i = 0; i < COUNT(zone); i++) {
        const struct row *z = &zone[i];

        if (strlen(z->name) != name_len ||
            strncasecmp(z->name, (char *)p + 12, name_len))
            continue;
        if (z->type == 0) {
            rcode = z->rcode;
        } else if (z->type == type || z->type == DNS_CNAME) {
            unsigned char head[] = {0xc0, 12, 0, (unsigned char)z->type,
                                    0,    1,  0, 0,
                                    0,    60, 0, (unsigned char)z->len};

            memcpy(p + len, head, sizeof head);
            memcpy(p + len + sizeof head, z->data, z->len);
            len += sizeof head + z->len;
            count++;
        }
    }
    p[2] |= 0x80;
    p[3] = (unsigned char)(0x80 | rcode);
    p[7] = (unsigned char)count;
    p[11] = 0;
    return len;
}

static void
serve(int fd)
{
    unsigned char p[1500];
    struct sockaddr_in from;

    for (;;) {
        socklen_t size = sizeof from;
        ssize_t n = recvfrom(fd, p, 512, 0, (struct sockaddr *)&from, &size);

        if (n < 12)
            continue;
        ++*asked;
        size_t len = answer_one(p, (size_t)n);

        sendto(fd, p, len, 0, (struct sockaddr *)&from, size);
    }
}

static struct arena *arena;
static struct dns *dns;
static struct why why;
static struct dns_answer answer;

static int
set_up(void **state)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t len = sizeof server;

    (void)state;
    server = (struct sockaddr_in){.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(fd, (struct sockaddr *)&server, sizeof server) < 0)
        return -1;
    getsockname(fd, (struct sockaddr *)&server, &len);
    asked = mmap(NULL, sizeof *asked, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(fd);
    }
    close(fd);
    arena = arena_new("test", (size_t)64 << 20);

    struct dns_options o = {
        .servers = arena_fmt(arena, "127.0.0.1:%d", ntohs(server.sin_port)),
        .timeout = 60000, /* whoever asks again is counted twice */
        .hosts = "/dev/null"};

    dns = dns_open(arena, &o, &why);
    return dns ? 0 : -1;
}

static int
tear_down(void **state)
{
    (void)state;
    dns_close(dns);
    arena_free(arena);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return 0;
}

static void
sorted_mx(void **state)
{
    (void)state;
    assert_int_equal(dns_lookup(dns, S("A.test"), DNS_MX, arena, &answer, &why),
                     OK);
    assert_int_equal(answer.count, 2);
    assert_true(str_eq(answer.records[0].host, S("m1.test")));
    assert_true(str_eq(answer.records[1].host, S("m2.test")));
}

static void
alias_chain(void **state)
{
    (void)state;
    assert_int_equal(dns_lookup(dns, S("b.test"), DNS_A, arena, &answer, &why),
                     OK);
    assert_true(str_eq(answer.name, S("m2.test")));
    assert_memory_equal(answer.records[0].data.p, "\x7f\0\0\2", 4);
}

static void
alias_loop(void **state)
{
    (void)state;
    assert_int_equal(dns_lookup(dns, S("x.test"), DNS_A, arena, &answer, &why),
                     PERM);
    assert_int_equal(answer.state, DNS_LOOP);
    assert_string_equal(why.dsn, "5.4.3");
}

static void
failures(void **state)
{
    (void)state;
    assert_int_equal(
        dns_lookup(dns, S("none.test"), DNS_MX, arena, &answer, &why), PERM);
    assert_int_equal(answer.state, DNS_NXDOMAIN);
    assert_string_equal(why.dsn, "5.4.4");
    assert_string_equal(why.text,
                        "Host or domain name not found. Name service error "
                        "for name=none.test type=MX: Host not found");
    assert_int_equal(
        dns_lookup(dns, S("m1.test"), DNS_MX, arena, &answer, &why), PERM);
    assert_int_equal(answer.state, DNS_NODATA);
    assert_int_equal(
        dns_lookup(dns, S("fail.test"), DNS_MX, arena, &answer, &why), TEMP);
    assert_int_equal(answer.state, DNS_FAILED);
    assert_string_equal(why.text,
                        "Host or domain name not found. Name service error "
                        "for name=fail.test type=MX: Host not found, try "
                        "again");
    assert_int_equal(
        dns_lookup(dns, S("no..name"), DNS_MX, arena, &answer, &why), PERM);
    assert_int_equal(answer.state, DNS_INVALID);
}

static void
cached(void **state)
{
    static const struct dns_question ahead[] = {
        {S("m1.test"),   DNS_A},
        {S("m2.test"),   DNS_A},
        {S("fail.test"), DNS_A},
        {S("no..name"),  DNS_A}
    };

    (void)state;
    dns_ask_ahead(dns, ahead, COUNT(ahead));

    int before = *asked;

    for (int i = 0; i < 3; i++)
        for (size_t q = 0; q < COUNT(ahead); q++)
            (void)!dns_lookup(dns, ahead[q].name, ahead[q].type, arena, &answer,
                              &why);
    assert_int_equal(*asked, before);
}

static void
addresses(void **state)
{
    unsigned any = DNS_V4 | DNS_V6 | DNS_FROM_DNS;

    (void)state;
    assert_int_equal(
        dns_addresses(dns, S("m1.test"), any, arena, &answer, &why), OK);
    assert_int_equal(answer.count, 2);
    assert_int_equal(answer.records[0].type, DNS_AAAA);
    assert_int_equal(answer.records[1].type, DNS_A);
    assert_int_equal(
        dns_addresses(dns, S("192.0.2.7"), any, arena, &answer, &why), OK);
    assert_int_equal(answer.count, 1);
    assert_memory_equal(answer.records[0].data.p, "\xc0\0\2\7", 4);
    assert_int_equal(
        dns_addresses(dns, S("none.test"), any, arena, &answer, &why), PERM);
    assert_non_null(strstr(why.text, "type=A: Host not found"));
    assert_int_equal(
        dns_addresses(dns, S("fail.test"), any, arena, &answer, &why), TEMP);
}

static void
peers(void **state)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};
    struct dns_peer peer;

    (void)state;
    sa.sin_addr.s_addr = htonl(0x7f000002);
    dns_peer_of(dns, (struct sockaddr *)&sa, arena, &peer);
    assert_int_equal(peer.rc, OK);
    assert_true(str_eq(peer.name, S("m2.test")));

    sa.sin_addr.s_addr = htonl(0x7f000003);
    dns_peer_of(dns, (struct sockaddr *)&sa, arena, &peer);
    assert_int_equal(peer.rc, PERM);
    assert_int_equal(peer.reverse_rc, OK);
    assert_true(str_eq(peer.name, S("unknown")));
    assert_true(str_eq(peer.reverse, S("m2.test")));
    assert_string_equal(
        peer.why.text,
        "hostname m2.test does not resolve to address 127.0.0.3");

    sa.sin_addr.s_addr = htonl(0x7f000004);
    dns_peer_of(dns, (struct sockaddr *)&sa, arena, &peer);
    assert_int_equal(peer.reverse_rc, PERM);
    assert_true(str_eq(peer.reverse, S("unknown")));
}

static void
hosts_file(void **state)
{
    char path[] = "/tmp/posta-hosts-XXXXXX";
    int fd = mkstemp(path);
    struct sockaddr_in6 sa = {.sin6_family = AF_INET6};
    struct dns_options o = {.servers = "127.0.0.1:1", .hosts = path};
    struct dns_peer peer;

    (void)state;
    dprintf(fd, "# comment\n192.0.2.1 One.test one\n::1\tsix.test # x\n"
                "junk line\n192.0.2.2 one.test\n");
    close(fd);

    struct dns *d = dns_open(arena, &o, &why);

    unlink(path);
    assert_non_null(d);
    assert_int_equal(dns_addresses(d, S("ONE.test"), DNS_V4 | DNS_FROM_HOSTS,
                                   arena, &answer, &why),
                     OK);
    assert_int_equal(answer.count, 2);
    assert_int_equal(dns_addresses(d, S("two.test"), DNS_V4 | DNS_FROM_HOSTS,
                                   arena, &answer, &why),
                     PERM);
    sa.sin6_addr = in6addr_loopback;
    dns_peer_of(d, (struct sockaddr *)&sa, arena, &peer);
    assert_int_equal(peer.rc, OK);
    assert_true(str_eq(peer.name, S("six.test")));
    dns_close(d);
}

static void
reverse_names(void **state)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(0xc0000201)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                              .sin6_addr = in6addr_loopback};

    (void)state;
    assert_true(str_eq(dns_reverse_name((struct sockaddr *)&v4, S(""), arena),
                       S("1.2.0.192.in-addr.arpa")));
    assert_true(
        str_eq(dns_reverse_name((struct sockaddr *)&v4, S("bl.test"), arena),
               S("1.2.0.192.bl.test")));
    assert_true(
        str_starts(dns_reverse_name((struct sockaddr *)&v6, S(""), arena),
                   S("1.0.0.0.0.")));
}

static void
bad_servers(void **state)
{
    struct dns_options o = {.servers = "not an address"};

    (void)state;
    assert_null(dns_open(arena, &o, &why));
    assert_string_equal(why.dsn, "4.3.5");
}

TESTS_WITHIN(set_up, tear_down, TEST(sorted_mx), TEST(alias_chain),
             TEST(alias_loop), TEST(failures), TEST(cached), TEST(addresses),
             TEST(peers), TEST(hosts_file), TEST(reverse_names),
             TEST(bad_servers))
