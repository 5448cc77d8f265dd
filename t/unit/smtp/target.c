/* Which addresses are tried, and in which order; names are in a hosts file. */
#include "smtp/target.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit/test.h"

static struct arena *arena;
static struct dns *dns;
static const struct conf *conf;
static struct settings *settings;
static struct own *own;
static struct targets found;
static struct why why;

static int
set_up(void **state)
{
    char path[] = "/tmp/posta-hosts-XXXXXX";
    int fd = mkstemp(path);
    struct dns_options o = {.servers = "127.0.0.1:1", .hosts = path};

    (void)state;
    dprintf(fd, "192.0.2.1 four.test\n192.0.2.2 four.test\n"
                "192.0.2.3 four.test\n2001:db8::1 both.test\n"
                "192.0.2.9 both.test\n2001:db8::2 both.test\n"
                "192.0.2.10 both.test\n192.0.2.11 both.test\n"
                "192.0.2.77 me.test\n");
    close(fd);
    arena = arena_new("test", (size_t)16 << 20);
    conf = conf_from_text(arena,
                          "myhostname = m.test\n"
                          "inet_interfaces = 192.0.2.77\n"
                          "smtp_dns_support_level = disabled\n"
                          "smtp_mx_address_limit = 4\n",
                          &why);
    dns = dns_open(arena, &o, &why);
    unlink(path);
    settings = settings_read(arena, conf, false, NULL, &why);
    own = own_read(arena, conf, dns, settings->families);
    return settings ? 0 : -1;
}

static enum rc
find(const char *text)
{
    struct nexthop hop;

    assert_int_equal(
        nexthop_parse(str_from(text), false, settings->port, &hop, &why), OK);
    return targets_find(settings, own, dns, &hop, arena, &found, &why);
}

/* How often the addresses of a host come first when they are shuffled. */
static void
equals_are_shuffled(void **state)
{
    int first[4] = {0};

    (void)state;
    for (int i = 0; i < 300; i++) {
        assert_int_equal(find("[four.test]"), OK);
        assert_int_equal(found.count, 3);

        const struct sockaddr_in *sa = (const void *)&found.at[0].sa;

        first[ntohl(sa->sin_addr.s_addr) & 3]++;
        assert_true(found.at[0].best && found.at[2].best);
    }
    for (int i = 1; i < 4; i++)
        assert_true(first[i] > 50);
}

static void
or_not(void **state)
{
    (void)state;
    settings->randomize_addresses = false;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(find("[four.test]"), OK);

        const struct sockaddr_in *sa = (const void *)&found.at[0].sa;

        assert_int_equal(ntohl(sa->sin_addr.s_addr), 0xc0000201);
    }
    settings->randomize_addresses = true;
}

static size_t
count_family(int family)
{
    size_t n = 0;

    for (size_t i = 0; i < found.count; i++)
        n += found.at[i].sa.ss_family == family;
    return n;
}

static void
families_are_balanced(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        assert_int_equal(find("[both.test]"), OK);
        assert_int_equal(found.count, 4);
        assert_int_equal(count_family(AF_INET), 2);
        assert_int_equal(count_family(AF_INET6), 2);
    }
    settings->mx_address_limit = 3;
    assert_int_equal(find("[both.test]"), OK);
    assert_int_equal(found.count, 3);
    settings->mx_address_limit = 4;
}

static void
a_family_may_come_first(void **state)
{
    (void)state;
    settings->first = DNS_V6;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(find("[both.test]"), OK);
        assert_int_equal(found.at[0].sa.ss_family, AF_INET6);
        assert_int_equal(found.at[1].sa.ss_family, AF_INET6);
        assert_int_equal(found.at[2].sa.ss_family, AF_INET);
    }
    settings->first = 0;
}

static void
ourselves(void **state)
{
    (void)state;
    assert_int_equal(find("[me.test]"), PERM);
    assert_string_equal(why.dsn, "5.4.6");
    assert_int_equal(find("192.0.2.77"), PERM);
    assert_int_equal(find("[me.test]:26"), OK);
}

static void
nowhere(void **state)
{
    (void)state;
    assert_int_equal(find("[none.test]"), PERM);
    assert_string_equal(why.dsn, "5.4.4");
}

TESTS_WITHIN(set_up, NULL, TEST(equals_are_shuffled), TEST(or_not),
             TEST(families_are_balanced), TEST(a_family_may_come_first),
             TEST(ourselves), TEST(nowhere))
