#include "sys/proc.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/test.h"

static char *environment[] = {"PATH=/usr/bin:/bin", "WORD=blue", NULL};

struct source {
    size_t left;
    bool fails;
};

static ssize_t
letters(void *own, char *to, size_t room)
{
    struct source *s = own;
    size_t n = s->left < room ? s->left : room;

    if (n == 0)
        return s->fails ? -1 : 0;
    memset(to, 'x', n);
    s->left -= n;
    return (ssize_t)n;
}

static enum rc
run(const char *command, struct source *in, int64_t limit, struct proc_end *end)
{
    static struct arena *a;
    struct why why;
    char *argv[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
    struct proc_job job = {.argv = argv,
                           .env = environment,
                           .input = in ? letters : NULL,
                           .own = in,
                           .limit = limit,
                           .output_max = 100};

    if (a == NULL)
        a = arena_new("test", 64 << 20);
    return proc_run(a, &job, end, &why);
}

static void
status_and_output_come_back(void **unused)
{
    struct proc_end end;

    (void)unused;
    assert_int_equal(run("echo out; echo err >&2; exit 3", NULL, 0, &end), OK);
    assert_int_equal(WEXITSTATUS(end.status), 3);
    assert_str(end.output, S("out\nerr\n"));
    assert_false(end.late);
}

static void
input_is_fed_while_output_is_read(void **unused)
{
    struct source in = {.left = 3000000};
    struct proc_end end;

    (void)unused;
    assert_int_equal(run("tee /dev/stderr | wc -c | tr -d ' '", &in, 0, &end),
                     OK);
    assert_int_equal(end.status, 0);
    assert_int_equal(end.output.len, 100); /* no more is kept */
    in.left = 1000000;
    assert_int_equal(run("wc -c | tr -d ' '", &in, 0, &end), OK);
    assert_str(end.output, S("1000000\n"));
}

static void
input_need_not_be_read(void **unused)
{
    struct source in = {.left = 1000000};
    struct proc_end end;

    (void)unused;
    assert_int_equal(run("exit 0", &in, 0, &end), OK);
    assert_int_equal(end.status, 0);
}

static void
input_that_fails_kills_it(void **unused)
{
    struct source in = {.left = 10, .fails = true};
    struct proc_end end;

    (void)unused;
    assert_int_equal(run("cat; sleep 100", &in, 0, &end), TEMP);
    assert_true(WIFSIGNALED(end.status));
}

static void
time_is_limited_for_the_whole_group(void **unused)
{
    struct proc_end end;

    (void)unused;
    assert_int_equal(run("echo $$; sleep 100 | sleep 100", NULL, 200, &end),
                     OK);
    assert_true(end.late);
    assert_int_equal(WTERMSIG(end.status), SIGKILL);
}

static void
children_that_stay_do_not_hold_it_up(void **unused)
{
    struct proc_end end;

    (void)unused;
    assert_int_equal(run("sleep 3 & exit 4", NULL, 0, &end), OK);
    assert_int_equal(WEXITSTATUS(end.status), 4);
}

static void
it_starts_clean(void **unused)
{
    struct proc_end end;
    int extra = dup(0);

    (void)unused;
    assert_int_equal(run("echo $WORD $HOME; umask; pwd; ls /proc/self/fd | wc "
                         "-l | tr -d ' '",
                         NULL, 0, &end),
                     OK);
    /* 0 to 2, and the one ls reads the folder with */
    assert_str(end.output, S("blue\n0077\n/\n4\n"));
    close(extra);
}

static void
a_socket_takes_the_place_of_both(void **unused)
{
    struct arena *a = arena_new("test", 1 << 20);
    char *argv[] = {"cat", NULL};
    char back[16] = "";
    struct proc_job job = {.argv = argv, .env = environment};
    struct proc_end end;
    struct why why;
    int ends[2];

    (void)unused;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(write(ends[0], "hello", 5), 5);
    shutdown(ends[0], SHUT_WR);
    job.socket = ends[1];
    assert_int_equal(proc_run(a, &job, &end, &why), OK);
    assert_int_equal(read(ends[0], back, sizeof back), 5);
    assert_string_equal(back, "hello");
    close(ends[0]);
    close(ends[1]);
    arena_free(a);
}

static void
what_cannot_start_says_why(void **unused)
{
    struct arena *a = arena_new("test", 1 << 20);
    char *argv[] = {"/nonexistent/program", NULL};
    struct proc_job job = {.argv = argv, .env = environment};
    struct proc_end end;
    struct why why;

    (void)unused;
    assert_int_equal(proc_run(a, &job, &end, &why), TEMP);
    assert_string_equal(
        why.text, "cannot run /nonexistent/program: No such file or directory");
    job.dir = "/nonexistent";
    assert_int_equal(proc_run(a, &job, &end, &why), TEMP);
    assert_non_null(strstr(why.text, "cannot enter /nonexistent"));
    arena_free(a);
}

TESTS(TEST(status_and_output_come_back),
      TEST(input_is_fed_while_output_is_read), TEST(input_need_not_be_read),
      TEST(input_that_fails_kills_it),
      TEST(time_is_limited_for_the_whole_group),
      TEST(children_that_stay_do_not_hold_it_up), TEST(it_starts_clean),
      TEST(a_socket_takes_the_place_of_both), TEST(what_cannot_start_says_why))
