#include "local/run.h"

#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "unit/test.h"

static struct str
joined(struct arena *a, char **list)
{
    struct buf b = buf_in(a);

    for (size_t i = 0; list[i]; i++)
        buf_fmt(&b, "%s%s", i ? "|" : "", list[i]);
    return buf_str(&b);
}

static void
words(void **state)
{
    static const struct {
        const char *command, *shell, *want;
    } cases[] = {
        {"/bin/x -a  b", "",              "/bin/x|-a|b"            },
        {"/bin/x; rm",   "",              "/bin/sh|-c|/bin/x; rm"  },
        {"echo $HOME",   "",              "/bin/sh|-c|echo $HOME"  },
        {"a `b`",        "",              "/bin/sh|-c|a `b`"       },
        {"a\nb",         "",              "/bin/sh|-c|a\nb"        },
        {"a 'b c'",      "",              "/bin/sh|-c|a 'b c'"     },
        {"exit 75",      "",              "exit|75"                },
        {"/bin/x -a",    "/bin/smrsh -c", "/bin/smrsh|-c|/bin/x -a"},
    };
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_str(
            joined(a, run_words(a, str_from(cases[i].command), cases[i].shell)),
            str_from(cases[i].want));
    arena_free(a);
}

static void
environment(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    setenv("TZ", "UTC", 1);
    unsetenv("MAIL_CONFIG");
    setenv("LD_PRELOAD_X", "/tmp/evil.so", 1);
    assert_str(joined(a, run_environment(a, "TZ MAIL_CONFIG")),
               S("TZ=UTC|PATH=/usr/bin:/bin"));
    assert_str(joined(a, run_environment(a, "PATH=/x, { A=b c }, B=")),
               S("PATH=/x|A=b c|B="));
    assert_str(joined(a, run_environment(a, "")), S("PATH=/usr/bin:/bin"));
    arena_free(a);
}

/* What became of a command; it gets "head", the content "body\n", "tail". */
struct outcome {
    enum rc rc;
    struct why why;
    struct str output;
};

static struct outcome
result_of(struct arena *a, const char *command, int64_t limit, struct str head)
{
    struct passwd *pw = getpwnam("nobody");
    struct priv_user user = {.uid = pw->pw_uid, .gid = pw->pw_gid};
    auto_close int fd = memfd_create("content", 0);
    struct store_message m = {.fd = fd, .from = 0, .to = 5};
    struct outcome o;

    if (geteuid() != 0)
        user = (struct priv_user){.uid = geteuid(), .gid = getegid()};
    assert_int_equal(pwrite(fd, "body\n", 5, 0), 5);

    struct run r = {
        .shown = command,
        .argv = run_words(a, str_from(command), ""),
        .env = run_environment(a, "A=x"),
        .user = &user,
        .dir = "/",
        .limit = limit,
        .head = head,
        .tail = S("tail\n"),
        .content = copier_new(a, &m, &(struct copier_style){0}),
    };

    o.rc = run_command(a, &r, &o.output, &o.why);
    return o;
}

static struct outcome
result(struct arena *a, const char *command, int64_t limit)
{
    return result_of(a, command, limit, S("head\n"));
}

static void
outcomes(void **state)
{
    static const struct {
        const char *command;
        enum rc rc;
        const char *dsn, *text;
    } cases[] = {
        {"exit 0",                         OK,   NULL,    NULL                                    },
        {"true",                           OK,   NULL,    NULL                                    },
        {"exit 75",                        TEMP, "4.3.0", "temporary failure"                     },
        {"echo no; exit 75",               TEMP, "4.3.0",
         "temporary failure. Command output: no"                                                  },
        {"exit 67",                        PERM, "5.1.1", "user unknown"                          },
        {"exit 78",                        PERM, "5.3.5", "local configuration error"             },
        {"exit 1",                         PERM, "5.3.0", "Command died with status 1: \"exit 1\""},
        {"echo 4.2.2 box is full; exit 1", TEMP, "4.2.2", "box is full"                           },
        {"echo 5.7.1 go away; exit 75",    PERM, "5.7.1", "go away"                               },
        {"echo 2.0.0 fine; exit 75",       TEMP, "4.3.0",
         "temporary failure. Command output: 2.0.0 fine"                                          },
        {"kill -9 $$",                     TEMP, "4.3.0",
         "Command died with signal 9: \"kill -9 $$\""                                             },
        {"/nothing/there",                 TEMP, "4.3.0",
         "temporary failure. Command output: cannot run /nothing/there: No "
         "such file or directory"                                                                 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena *a = arena_new("test", 8 << 20);
        struct outcome o = result(a, cases[i].command, 60000);

        if (o.rc != cases[i].rc)
            fail_msg("%s: %d %s", cases[i].command, o.rc, o.why.text);
        if (o.rc != OK) {
            assert_string_equal(o.why.dsn, cases[i].dsn);
            assert_string_equal(o.why.text, cases[i].text);
        }
        arena_free(a);
    }
}

static void
in_and_out(void **state)
{
    struct arena *a = arena_new("test", 64 << 20);
    struct outcome o = result(a, "cat", 60000);

    (void)state;
    assert_int_equal(o.rc, OK);
    assert_str(o.output, S("head body tail"));
    o = result(a, "env | sort | grep -v -e SHLVL -e PWD -e ^_; id -u", 60000);
    assert_non_null(strstr(o.output.p, "A=x PATH=/usr/bin:/bin "));
    if (geteuid() == 0)
        assert_str(str_sub(o.output, o.output.len - 5, 5), S("65534"));

    /* More than pipes hold, both ways, and more than is kept. */
    struct str head = {arena_alloc(a, 1000000), 1000000};

    o = result_of(a, "tr '\\0' x", 60000, head);
    assert_int_equal(o.rc, OK);
    assert_int_equal(o.output.len, 4096);
    o = result_of(a, "wc -c", 60000, head);
    assert_str(o.output, S("1000010"));

    /* Who does not read to the end may be content, or not. */
    o = result_of(a, "exec <&-; echo enough", 60000, head);
    assert_int_equal(o.rc, OK);
    assert_str(o.output, S("enough"));
    o = result_of(a, "exec <&-; exit 67", 60000, head);
    assert_int_equal(o.rc, PERM);
    assert_string_equal(o.why.dsn, "5.1.1");
    arena_free(a);
}

/* What a command leaves behind does not hold us; what is too slow is ended
 * with all its children. */
static void
patience(void **state)
{
    struct arena *a = arena_new("test", 64 << 20);
    struct outcome o = result(a, "sleep 3 & exit 0", 60000);

    (void)state;
    assert_int_equal(o.rc, OK);
    /* A busy machine may need more than the first limit to begin it. */
    for (int64_t limit = 300; limit <= 30000; limit *= 10) {
        o = result(a, "echo begun; sleep 1001; true", limit);
        assert_int_equal(o.rc, PERM);
        if (strstr(o.why.text, "output: "))
            break;
    }
    assert_string_equal(o.why.dsn, "5.3.0");
    assert_string_equal(o.why.text,
                        "Command time limit exceeded: \"echo begun; sleep "
                        "1001; true\". Command output: begun");
    arena_free(a);
}

/* As the program does it: rights are given up before anything runs. */
static void
rights(void **state)
{
    const struct priv p = {.role = "test",
                           .may = PRIV_RUN,
                           .caps = 1u << CAP_SETUID | 1u << CAP_SETGID |
                                   1u << CAP_KILL};
    struct why why;

    (void)state;
    assert_int_equal(priv_enter(&p, &why), OK);
}

TESTS(TEST(rights), TEST(words), TEST(environment), TEST(outcomes),
      TEST(in_and_out), TEST(patience))
