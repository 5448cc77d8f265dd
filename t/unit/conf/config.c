#include "conf/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf/conf.h"
#include "unit/test.h"

static const char master_cf[] = "smtp inet n - n - - smtpd\n"
                                " -o message_size_limit=77\n"
                                " -o mine=$service_name/$process_name\n";

struct site {
    char dir[40];
    struct arena *arena;
    struct config config;
};

static void
put(const struct site *s, const char *name, const char *text)
{
    FILE *f = fopen(arena_fmt(s->arena, "%s/%s", s->dir, name), "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* A folder with these files; @ in main.cf stands for its name. */
static void
set_up(struct site *s, const char *main_cf)
{
    const char *at = strchr(main_cf, '@');

    *s = (struct site){.dir = "/tmp/posta-config-XXXXXX",
                       .arena = arena_new("test", 16 << 20)};
    assert_non_null(mkdtemp(s->dir));
    if (at)
        main_cf = arena_fmt(s->arena, "%.*s%s%s", (int)(at - main_cf), main_cf,
                            s->dir, at + 1);
    put(s, "main.cf", main_cf);
    put(s, "master.cf", master_cf);
    put(s, "mailname", "named.example.org\nmore\n");
}

static void
tear_down(struct site *s)
{
    static const char *const names[] = {"main.cf", "master.cf", "mailname"};

    for (size_t i = 0; i < COUNT(names); i++)
        unlink(arena_fmt(s->arena, "%s/%s", s->dir, names[i]));
    rmdir(s->dir);
    config_free(&s->config);
    arena_free(s->arena);
}

static const struct conf *
snapshot(struct site *s, const struct service *service)
{
    struct why why;
    auto_close int fd = config_snapshot(&s->config, service, &why);
    const struct conf *conf =
        fd < 0 ? NULL : conf_from_snapshot(s->arena, fd, &why);

    if (conf == NULL)
        fail_msg("%s", why.text);
    return conf;
}

static void
services_have_their_own(void **state)
{
    struct site s;
    struct why why;

    (void)state;
    set_up(&s, "myhostname = a.example.org\nmyorigin = @/mailname\n"
               "message_size_limit = 1000\n");
    assert_int_equal(config_read(s.arena, s.dir, &s.config, &why), OK);
    const struct conf *own = snapshot(&s, NULL);
    const struct conf *smtpd = snapshot(&s, &s.config.services.at[0]);

    assert_int_equal(own->message_size_limit, 1000);
    assert_int_equal(smtpd->message_size_limit, 77);
    assert_null(conf_get(own, "mine"));
    assert_string_equal(conf_get(smtpd, "mine"), "smtp/smtpd");
    assert_string_equal(conf_get(own, "config_directory"), s.dir);
    assert_string_equal(own->myorigin, "named.example.org");
    assert_string_equal(own->mydomain, "example.org");
    tear_down(&s);
}

static void
values_are_expanded(void **state)
{
    struct site s;
    struct str value;
    struct why why;

    (void)state;
    set_up(&s, "myhostname = $mydomain\nqueue_directory = ${x\n");
    assert_int_equal(config_read(s.arena, s.dir, &s.config, &why), OK);
    /* Neither has a value but through the other. */
    assert_int_equal(config_value(&s.config, NULL, "myhostname", &value, &why), OK);
    assert_str(value, S("localdomain"));
    assert_int_equal(config_value(&s.config, NULL, "nothing", &value, &why), OK);
    assert_str(value, S(""));
    assert_int_equal(config_value(&s.config, NULL, "queue_directory", &value, &why),
                     PERM);
    assert_non_null(strstr(why.text, "main.cf, line 2: queue_directory: "));
    assert_int_equal(config_snapshot(&s.config, NULL, &why), -1);
    assert_non_null(strstr(why.text, "main.cf, line 2: queue_directory: "));
    tear_down(&s);
}

static void
trouble_is_named(void **state)
{
    struct site s;
    struct why why;

    (void)state;
    set_up(&s, "myorigin = @/nothing\n");
    assert_int_equal(config_read(s.arena, s.dir, &s.config, &why), OK);
    assert_int_equal(config_snapshot(&s.config, NULL, &why), -1);
    assert_non_null(strstr(why.text, "line 1: myorigin: open "));
    config_free(&s.config);
    put(&s, "main.cf", "what\n");
    assert_int_equal(config_read(s.arena, s.dir, &s.config, &why), PERM);
    assert_non_null(strstr(why.text, "main.cf, line 1: missing '='"));
    unlink(arena_fmt(s.arena, "%s/main.cf", s.dir));
    assert_int_equal(config_read(s.arena, s.dir, &s.config, &why), TEMP);
    assert_non_null(strstr(why.text, "No such file"));
    tear_down(&s);
}

TESTS(TEST(services_have_their_own), TEST(values_are_expanded),
      TEST(trouble_is_named))
