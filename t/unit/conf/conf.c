#include "conf/conf.h"

#include <unistd.h>

#include "conf/snapshot.h"
#include "unit/test.h"

static const char site[] = "# a site\n"
                           "myhostname = mail.example.org\n"
                           "message_size_limit = 1000\n"
                           "message_size_limit = 2000\n"
                           "own = ${recipient_delimiter?{yes}:{no}}\n"
                           "slow_destination_concurrency_limit = 3\n"
                           "slow_destination_rate_delay = 2m\n";

static void
check_site(const struct conf *c)
{
    assert_string_equal(c->myhostname, "mail.example.org");
    assert_string_equal(c->mydomain, "example.org");
    assert_string_equal(c->myorigin, "mail.example.org");
    assert_int_equal(c->message_size_limit, 2000);
    assert_string_equal(conf_get(c, "own"), "no");
    assert_string_equal(conf_get(c, "message_size_limit"), "2000");
    assert_null(conf_get(c, "nothing"));
    assert_int_equal(
        conf_transport_int(c, "slow", "destination_concurrency_limit", 7), 3);
    assert_int_equal(
        conf_transport_int(c, "fast", "destination_concurrency_limit", 7), 7);
    assert_int_equal(
        conf_transport_time(c, "slow", "destination_rate_delay", 1), 120000);
}

static void
text_fills_the_fields(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct why why;
    const struct conf *c = conf_from_text(a, site, &why);

    (void)state;
    assert_non_null(c);
    check_site(c);
    assert_null(conf_from_text(a, "message_size_limit = 1k\n", &why));
    assert_non_null(strstr(why.text, "message_size_limit"));
    assert_null(conf_from_text(a, "what\n", &why));
    assert_null(conf_from_text(a, "myhostname = $myhostname\n", &why));
    arena_free(a);
}

static void
snapshot_comes_back(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct settings *s = settings_new(a);
    struct names *names = names_new(a, NULL);
    struct why why;

    (void)state;
    assert_int_equal(settings_parse(s, str_from(site), "main.cf", &why), OK);
    auto_close int fd = conf_snapshot(s, names, &why);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), -1);
    const struct conf *c = conf_from_snapshot(a, fd, &why);

    assert_non_null(c);
    check_site(c);
    settings_free(s);
    names_free(names);
    arena_free(a);
}

TESTS(TEST(text_fills_the_fields), TEST(snapshot_comes_back))
