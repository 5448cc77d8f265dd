/* The client against a service that says what it is told to: a child. */
#include "auth/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/sock.h"
#include "unit/test.h"

#define GREETING                                                               \
    "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tX-OWN\tprivate\n"            \
    "MECH\tGSSAPI\tmutual-auth\nSPID\t1\nCUID\t1\nDONE\n"

struct fixture {
    char folder[64], path[80];
    struct arena *a;
    struct auth_client *client;
    pid_t server;
};

static size_t
read_line(int fd, char *line, size_t room)
{
    size_t len = 0;

    while (len + 1 < room && read(fd, line + len, 1) == 1 && line[len] != '\n')
        len++;
    line[len] = '\0';
    return len;
}

/* One connection for each script: what is said to one request after the
 * other; NULL closes. */
static void
serve(int listener, const char *const *scripts)
{
    while (*scripts) {
        int fd = accept(listener, NULL, NULL);
        char line[4096];

        if (write(fd, GREETING, sizeof GREETING - 1) < 0)
            _exit(1);
        read_line(fd, line, sizeof line); /* VERSION, CPID */
        read_line(fd, line, sizeof line);
        for (; *scripts && **scripts; scripts++)
            if (read_line(fd, line, sizeof line) == 0 ||
                write(fd, *scripts, strlen(*scripts)) < 0)
                _exit(1);
        scripts += *scripts != NULL;
        close(fd);
    }
    _exit(0);
}

static struct fixture
start(const char *const *scripts)
{
    struct fixture f = {.folder = "/tmp/posta-unit-XXXXXX",
                        .a = arena_new("test", 1 << 20)};
    struct why why;

    assert_non_null(mkdtemp(f.folder));
    snprintf(f.path, sizeof f.path, "%s/socket", f.folder);
    if (scripts) {
        int listener = sock_listen_unix(f.path, SOCK_STREAM, 0600);

        assert_true(listener >= 0);
        f.server = fork();
        if (f.server == 0)
            serve(listener, scripts);
        close(listener);
    }
    f.client = auth_client_new(f.a, f.folder, S("socket"), NULL, NULL, &why);
    assert_non_null(f.client);
    return f;
}

static void
end(struct fixture *f)
{
    int status = 0;

    if (f->server) {
        assert_int_equal(waitpid(f->server, &status, 0), f->server);
        assert_int_equal(status, 0);
    }
    unlink(f->path);
    rmdir(f->folder);
}

static enum auth_step
begin(struct fixture *f, struct auth_says *says)
{
    struct dovecot_request request = {.mech = S("PLAIN"),
                                      .service = S("smtp"),
                                      .has_resp = true,
                                      .resp = S("x")};

    return auth_client_begin(f->client, f->a, &request, says);
}

static void
mechanisms(void **state)
{
    static const char *const scripts[] = {"", NULL};
    struct fixture f = start(scripts);
    const struct auth_mech *mechs;
    size_t count;

    (void)state;
    assert_true(auth_client_mechs(f.client, &mechs, &count));
    assert_int_equal(count, 2);
    assert_str(mechs[0].name, S("PLAIN"));
    assert_int_equal(mechs[0].properties, SASL_PLAINTEXT);
    assert_str(mechs[1].name, S("GSSAPI"));
    end(&f);
    /* It is gone, and what it said is remembered. */
    assert_true(auth_client_mechs(f.client, &mechs, &count));
    assert_int_equal(count, 2);
}

static void
answers(void **state)
{
    static const char *const scripts[] = {
        "OK\t1\tuser=alice\n",
        "FAIL\t2\tuser=bob\treason=no\n",
        "FAIL\t3\ttemp\n",
        "FAIL\t1\nOK\t4\tuser=carol\n",
        "CONT\t5\tYWJj\n",
        "OK\t5\tuser=dave\n",
        "",
        NULL,
    };
    struct fixture f = start(scripts);
    struct auth_says says;

    (void)state;
    assert_int_equal(begin(&f, &says), AUTH_DONE);
    assert_str(says.user, S("alice"));
    assert_int_equal(begin(&f, &says), AUTH_REFUSED);
    assert_str(says.user, S("bob"));
    assert_str(says.reason, S("no"));
    assert_int_equal(begin(&f, &says), AUTH_UNSURE);
    assert_true(says.reason.len > 0);
    assert_int_equal(begin(&f, &says), AUTH_DONE);
    assert_str(says.user, S("carol"));
    assert_int_equal(begin(&f, &says), AUTH_CHALLENGE);
    assert_str(says.challenge, S("abc"));
    assert_int_equal(auth_client_feed(f.client, f.a, S("y"), &says), AUTH_DONE);
    assert_str(says.user, S("dave"));
    end(&f);
}

static void
a_connection_that_ended_is_made_anew(void **state)
{
    static const char *const scripts[] = {"OK\t1\tuser=alice\n", "",
                                          "OK\t1\tuser=bob\n", "", NULL};
    struct fixture f = start(scripts);
    struct auth_says says;

    (void)state;
    assert_int_equal(begin(&f, &says), AUTH_DONE);
    assert_int_equal(begin(&f, &says), AUTH_DONE);
    assert_str(says.user, S("bob"));
    end(&f);
    assert_int_equal(begin(&f, &says), AUTH_UNSURE);
    assert_int_equal(auth_client_feed(f.client, f.a, S("y"), &says),
                     AUTH_UNSURE);
}

static void
too_long_a_response_is_not_sent(void **state)
{
    static const char *const scripts[] = {"OK\t2\tuser=alice\n", "", NULL};
    struct fixture f = start(scripts);
    struct dovecot_request request = {
        .mech = S("PLAIN"), .service = S("smtp"), .has_resp = true};
    struct auth_says says;

    (void)state;
    request.resp = arena_str(f.a, (struct str){arena_alloc(f.a, 20000), 20000});
    assert_int_equal(auth_client_begin(f.client, f.a, &request, &says),
                     AUTH_REFUSED);
    assert_int_equal(begin(&f, &says), AUTH_DONE);
    end(&f);
}

static void
places(void **state)
{
    static const struct {
        const char *where;
        bool good;
    } rows[] = {
        {"private/auth",        true },
        {"/run/auth",           true },
        {"unix:private/auth",   true },
        {"inet:127.0.0.1:1000", true },
        {"inet:[::1]:1000",     true },
        {"inet:host",           false},
        {"inet:host:0",         false},
        {"inet:host:70000",     false},
        {"inet:[::1:1000",      false},
        {"inet::1000",          false},
        {"unix:",               false},
        {"",                    false},
    };
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct why why;
        bool good = auth_client_new(a, "/q", str_from(rows[i].where), NULL,
                                    NULL, &why) != NULL;

        if (good != rows[i].good)
            fail_msg("%s: %d", rows[i].where, good);
    }
    arena_free(a);
}

TESTS(TEST(mechanisms), TEST(answers),
      TEST(a_connection_that_ended_is_made_anew),
      TEST(too_long_a_response_is_not_sent), TEST(places))
