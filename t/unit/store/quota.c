#include "store/quota.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/copy.h"
#include "store/expunge.h"
#include "store/folders.h"
#include "store/maildir.h"
#include "unit/store/maildir.h"

static void
texts(void **state)
{
    static const struct {
        const char *text;
        bool good;
        int64_t bytes, messages, max_bytes, max_messages;
    } cases[] = {
        {"100S,5C\n  10 1\n -5 -1\n",         true,  5,  0,  100, 5},
        {"100S\n10 1\nx\n3\n9 9 9\n5 1",      true,  19, 10, 100, 0},
        {"5C\n",                              true,  0,  0,  0,   5},
        {"0S\n99999999999999999999 1\n7 1\n", true,  7,  1,  0,   0},
        {"S\n1 1\n",                          false, 0,  0,  0,   0},
        {"",                                  false, 0,  0,  0,   0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct quota_sum s;

        assert_int_equal(quota_parse(str_from(cases[i].text), &s),
                         cases[i].good);
        if (!cases[i].good)
            continue;
        assert_int_equal(s.bytes, cases[i].bytes);
        assert_int_equal(s.messages, cases[i].messages);
        assert_int_equal(s.limits.bytes, cases[i].max_bytes);
        assert_int_equal(s.limits.messages, cases[i].max_messages);
    }
}

static void
note(struct user *u, int64_t bytes, int64_t messages)
{
    struct quota_turn turn;

    quota_begin(u->root, &turn);
    quota_note(&turn, bytes, messages);
    quota_end(&turn);
}

/* The file says so, and so does a count. */
static void
holds(struct user *u, int64_t bytes, int64_t messages)
{
    struct quota_limits limits = {1 << 20, 0};
    struct quota_sum sum;

    for (int i = 0; i < 2; i++) {
        good(quota_get(u->root, false, &limits, &sum, &u->why));
        assert_int_equal(sum.bytes, bytes);
        assert_int_equal(sum.messages, messages);
        quota_forget(u->root);
    }
    good(quota_get(u->root, false, &limits, &sum, &u->why));
}

static void
counted(void **state)
{
    struct user *u = user_new();
    struct quota_limits limits = {1000, 10};
    struct quota_sum sum;

    (void)state;
    user_put(u, "new/1.h,S=100");
    user_put(u, "cur/2.h:2,S");
    assert_int_equal(mkdir(arena_fmt(u->a, "%s/.A", u->root), 0700), 0);
    assert_int_equal(mkdir(arena_fmt(u->a, "%s/.A/cur", u->root), 0700), 0);
    user_put(u, ".A/cur/3.h,S=300:2,");
    good(quota_get(u->root, false, &limits, &sum, &u->why));
    assert_int_equal(sum.bytes, 417);
    assert_int_equal(sum.messages, 3);
    assert_str(file_text(u->a, arena_fmt(u->a, "%s/maildirsize", u->root)),
               S("1000S,10C\n         417            3\n"));

    /* From now on only what is added counts. */
    note(u, 500, 1);
    good(quota_check(u->root, false, &limits, 83, 1, &u->why));
    assert_int_equal(quota_check(u->root, false, &limits, 84, 1, &u->why),
                     PERM);
    assert_string_equal(u->why.dsn, "5.2.2");
    assert_int_equal(quota_check(u->root, false, &limits, 0, 7, &u->why), PERM);
    note(u, -500, -1);
    good(quota_check(u->root, false, &limits, 583, 1, &u->why));

    /* Other limits, or nonsense, are counted anew. */
    note(u, -5000, -1);
    good(quota_get(u->root, false, &limits, &sum, &u->why));
    assert_int_equal(sum.bytes, 417);
    limits.bytes = 2000;
    note(u, 77, 1);
    good(quota_get(u->root, false, &limits, &sum, &u->why));
    assert_int_equal(sum.bytes, 417);
    limits = (struct quota_limits){0};
    good(quota_check(u->root, false, &limits, 1 << 30, 1, &u->why));
    user_end(u);
}

/* Many store, expunge and look at once, so that it is counted in between. */
static void
work(struct user *u, int worker)
{
    struct quota_limits limits = {1 << 20, 0};
    struct quota_turn turn;

    for (int n = 0; n < 200; n++) {
        const char *tmp = arena_fmt(u->a, "tmp/%d.%d.h,S=20", worker, n);
        const char *new = arena_fmt(u->a, "new/%d.%d.h,S=20", worker, n);

        user_put(u, tmp);
        quota_begin(u->root, &turn);
        quota_note(&turn, 20, 1);
        user_move(u, tmp, new);
        quota_end(&turn);
        good(quota_check(u->root, false, &limits, 20, 1, &u->why));
        if (n % 3)
            continue;
        quota_begin(u->root, &turn);
        unlink(arena_fmt(u->a, "%s/%s", u->root, new));
        quota_note(&turn, -20, -1);
        quota_end(&turn);
    }
    _exit(0);
}

static void
races(void **state)
{
    struct user *u = user_new();
    struct quota_limits limits = {1 << 20, 0};
    struct quota_sum sum;
    int status;

    (void)state;
    for (int i = 0; i < 4; i++)
        if (fork() == 0)
            work(u, i);
    while (wait(&status) > 0)
        assert_int_equal(status, 0);
    good(quota_get(u->root, false, &limits, &sum, &u->why));
    assert_int_equal(sum.messages, 4 * 133);
    assert_int_equal(sum.bytes, 4 * 133 * 20);
    user_end(u);
}

/* Whoever is killed leaves a count that is too high, and is counted anew when
 * that says that the mailbox is full. */
static void
killed(void **state)
{
    struct user *u = user_new();
    struct quota_limits limits = {200, 0};
    struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    struct quota_turn turn;

    (void)state;
    user_put(u, "new/1.h,S=100");
    good(quota_check(u->root, false, &limits, 100, 1, &u->why));
    quota_begin(u->root, &turn);
    quota_note(&turn, 101, 1);
    close(turn.fd); /* as the kernel does */
    assert_int_equal(quota_check(u->root, false, &limits, 0, 0, &u->why), PERM);
    assert_int_equal(
        utimensat(AT_FDCWD, arena_fmt(u->a, "%s/maildirsize", u->root), old, 0),
        0);
    good(quota_check(u->root, false, &limits, 100, 1, &u->why));
    user_end(u);
}

/* What a user may put there. */
static void
odd_files(void **state)
{
    struct user *u = user_new();
    const char *path = arena_fmt(u->a, "%s/maildirsize", u->root);
    struct quota_limits limits = {200, 0};
    struct quota_sum sum;

    (void)state;
    user_put(u, "new/1.h,S=100");
    assert_int_equal(mkfifo(path, 0600), 0);
    note(u, 1, 1);
    good(quota_get(u->root, false, &limits, &sum, &u->why));
    assert_int_equal(sum.bytes, 100);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("new/1.h,S=100", path), 0);
    note(u, 1, 1);
    good(quota_get(u->root, false, &limits, &sum, &u->why));
    assert_int_equal(sum.bytes, 100);
    assert_str(file_text(u->a, arena_fmt(u->a, "%s/new/1.h,S=100", u->root)),
               S("Subject: x\n\ntext\n"));
    user_end(u);
}

/* What the store's own changes come to. */
static void
stored(void **state)
{
    struct user *u = user_new();
    struct quota_limits limits = {1 << 20, 0};
    struct store_message m = message("A: b\n", "\ntext\n"); /* 11 bytes */
    const struct uid_range all = {1, UINT32_MAX};
    struct uid_set set = {&all, 1}, from, to;
    struct mailbox *box;
    struct quota_sum sum;

    (void)state;
    const struct copy_how copied = {.flags = FLAG_ALL};
    const struct copy_how moved = {.move = true, .flags = FLAG_ALL};

    user_login(u);
    good(quota_get(u->root, false, &limits, &sum, &u->why));
    assert_int_equal(sum.messages, 0);
    good(maildir_save(u->a, u->root, u->root, &m, &u->why));
    good(folder_create(u->home, S("A"), (struct str){0}, &u->why));
    good(mailbox_open(u->home, S("A"), &box, &u->why));
    good(copy_messages(u->box, set, box, &copied, u->a, &from, &to, &u->why));
    holds(u, 22, 2);
    good(copy_messages(box, set, u->box, &moved, u->a, &from, &to, &u->why));
    holds(u, 22, 2);
    good(maildir_save(u->a, u->root, arena_fmt(u->a, "%s/.A", u->root), &m,
                      &u->why));
    holds(u, 33, 3);
    good(expunge_messages(u->box, set, false, u->a, &from, &u->why));
    holds(u, 11, 1);
    good(folder_delete(u->home, S("A"), &u->why));
    holds(u, 0, 0);
    mailbox_close(box);
    user_logout(u);
    user_end(u);
}

/* One letter for each crossing, through a pipe that all processes have. */
static const struct quota_line lines[] = {
    {false, false, true,  95},
    {false, false, true,  80},
    {false, true,  false, 30},
    {true,  false, true,  90},
};
static int crossings[2];

static void
crossed(const char *root, const struct quota_line *line,
        const struct quota_sum *now)
{
    char letter = (char)('a' + (line - lines));

    (void)root;
    assert_true(!line->below || now->bytes < 900);
    assert_int_equal(write(crossings[1], &letter, 1), 1);
}

static const struct quota_watch watch = {lines, COUNT(lines), crossed};

static const char *
letters(void)
{
    static char text[64];
    ssize_t n = read(crossings[0], text, sizeof text - 1);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void
told(const char *wanted)
{
    assert_string_equal(letters(), wanted);
}

static void
warned(void **state)
{
    struct user *u = user_new();
    struct quota_limits limits = {1000, 0};
    struct quota_sum sum;

    (void)state;
    assert_int_equal(pipe2(crossings, O_NONBLOCK | O_CLOEXEC), 0);
    quota_watch(&watch);
    note(u, 900, 1); /* nobody counts yet */
    told("");
    good(quota_get(u->root, false, &limits, &sum, &u->why));
    assert_int_equal(sum.bytes, 0);
    note(u, 799, 1);
    told("");
    note(u, 100, 1);
    told("b");
    note(u, 51, 1);
    told("a");
    note(u, 0, 0);
    note(u, -50, 0);
    told("");
    note(u, -1, 0);
    told("d");
    note(u, 51, 1); /* across one, again */
    told("a");
    note(u, -200, 0);
    told("d");
    note(u, 500, 30); /* of several the first */
    told("a");

    /* What was taken back has crossed nothing. */
    struct quota_turn turn;

    note(u, -1000, 0);
    told("d");
    quota_begin(u->root, &turn);
    quota_note(&turn, 900, 1);
    quota_note(&turn, -900, -1);
    quota_end(&turn);
    told("");
    quota_watch(NULL);
    close(crossings[0]);
    close(crossings[1]);
    user_end(u);
}

/* Whoever of many crosses it, it is told once; of two, who told the first may
 * be the slower one. */
static void
warned_once(void **state)
{
    struct user *u = user_new();
    struct quota_limits limits = {1000, 0};
    struct quota_sum sum;
    int status;

    (void)state;
    assert_int_equal(pipe2(crossings, O_NONBLOCK | O_CLOEXEC), 0);
    quota_watch(&watch);
    good(quota_get(u->root, false, &limits, &sum, &u->why));
    for (int worker = 0; worker < 8; worker++)
        if (fork() == 0) {
            for (int n = 0; n < 20; n++)
                note(u, 6, 0);
            _exit(0);
        }
    while (wait(&status) > 0)
        assert_int_equal(status, 0);

    const char *text = letters();

    assert_int_equal(strlen(text), 2);
    assert_true(strchr(text, 'a') && strchr(text, 'b'));
    quota_watch(NULL);
    close(crossings[0]);
    close(crossings[1]);
    user_end(u);
}

/* Where only half a line finds room on the disk, the next one must not become
 * the rest of it. */
static void
half_a_line(void **state)
{
    struct user *u = user_new();
    const char *file = arena_fmt(u->a, "%s/maildirsize", u->root);
    struct quota_limits limits = {0, 100};
    struct quota_sum sum;
    struct rlimit all, some;
    struct stat st;

    (void)state;
    good(quota_get(u->root, false, &limits, &sum, &u->why));
    assert_int_equal(stat(file, &st), 0);
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
    some = all;
    some.rlim_cur = (rlim_t)st.st_size + 12;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &some), 0);
    note(u, 12, 1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
    note(u, 500, 1);
    good(quota_check(u->root, false, &limits, 500, 1, &u->why));
    good(quota_get(u->root, false, &limits, &sum, &u->why));
    assert_int_equal(sum.bytes, 0); /* as a count finds it */
    assert_int_equal(sum.messages, 0);
    user_end(u);
}

TESTS(TEST(texts), TEST(counted), TEST(races), TEST(killed), TEST(odd_files),
      TEST(stored), TEST(warned), TEST(warned_once), TEST(half_a_line))
