#include "sys/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/test.h"

/* Ids that no account has; nothing of the user database is needed. */
#define SOMEBODY 61300
#define ANOTHER  61301

static char folder[] = "/tmp/posta-priv-XXXXXX";

/* What a process that has given up rights finds; `status` is its exit. */
static int
in_child(void (*body)(void))
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* Ends the child with the line's number, so a failure can be found. */
#define want(cond) ((cond) ? (void)0 : _exit(__LINE__ % 256))

static struct priv
role(unsigned may, uint64_t caps)
{
    return (struct priv){
        .role = "test",
        .user = {.uid = geteuid() ? geteuid() : SOMEBODY,
                 .gid = geteuid() ? getegid() : SOMEBODY},
        .may = may,
        .caps = caps,
        .folders = {folder                                      },
        .filter = PRIV_FILTER_ON,
    };
}

static void
numbers_and_names_are_users(void **unused)
{
    struct priv_user u;
    struct why why;

    (void)unused;
    assert_int_equal(priv_find_user("61300", &u, &why), OK);
    assert_int_equal(u.uid, 61300);
    assert_int_equal(u.gid, 61300);
    assert_int_equal(priv_find_user("61300:7", &u, &why), OK);
    assert_int_equal(u.gid, 7);
    assert_int_equal(priv_find_user("root", &u, &why), OK);
    assert_int_equal(u.uid, 0);
    assert_int_equal(priv_find_user("no-such-user-here", &u, &why), PERM);
    assert_string_equal(why.text, "no such user");
    assert_int_equal(priv_find_user("12:x", &u, &why), PERM);
    assert_int_equal(priv_find_user("", &u, &why), PERM);
}

static void
numbers_and_names_are_groups(void **unused)
{
    struct why why;
    gid_t gid;

    (void)unused;
    assert_int_equal(priv_find_group("61300", &gid, &why), OK);
    assert_int_equal(gid, 61300);
    assert_int_equal(priv_find_group("root", &gid, &why), OK);
    assert_int_equal(gid, 0);
    assert_int_equal(priv_find_group("no-such-group-here", &gid, &why), PERM);
}

static void
groups_are_added_once(void **unused)
{
    struct priv_user u = {.gid = 1, .groups = {5}, .ngroups = 1};
    struct priv_user other = {
        .gid = 6, .groups = {5, 7},
             .ngroups = 2
    };

    (void)unused;
    priv_add_groups(&u, &other);
    assert_int_equal(u.ngroups, 3);
    assert_int_equal(u.groups[1], 6);
    assert_int_equal(u.groups[2], 7);
}

static void
enter_and_try(void)
{
    struct priv p = role(PRIV_READ | PRIV_WRITE, 0);
    struct why why;
    char path[64];

    want(priv_enter(&p, &why) == OK);
    want(getuid() == p.user.uid && geteuid() == p.user.uid);
    want(open("/etc/passwd", O_RDONLY) >= 0);
    snprintf(path, sizeof path, "%s/file", folder);
    want(open(path, O_WRONLY | O_CREAT, 0600) >= 0);
    want(unlink(path) == 0);
    /* Permissions would allow this one: landlock does not. */
    want(open("/dev/shm/posta-priv", O_WRONLY | O_CREAT, 0600) < 0);
    want(errno == EACCES || errno == ENOENT);
    want(open("/tmp/posta-priv", O_WRONLY | O_CREAT, 0600) < 0);
    want(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
}

static void
a_role_can_do_its_work_and_no_more(void **unused)
{
    (void)unused;
    assert_int_equal(in_child(enter_and_try), 0);
}

static struct priv now;

static void
enter_now(void)
{
    struct why why;

    /* What the log says of it is not for the test's output. */
    dup2(open("/dev/null", O_WRONLY), 2);
    want(priv_enter(&now, &why) == OK);
}

static void
do_execute(void)
{
    char *argv[] = {"true", NULL};

    enter_now();
    execv("/bin/true", argv);
}

static void
do_setuid(void)
{
    enter_now();
    (void)!setuid(0);
}

static void
do_internet(void)
{
    enter_now();
    socket(AF_INET, SOCK_STREAM, 0);
}

static void
do_open(void)
{
    enter_now();
    open("/etc/passwd", O_RDONLY);
}

static void
do_ptrace(void)
{
    enter_now();
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void
make_fifo(const char *where)
{
    char path[64];

    enter_now();
    snprintf(path, sizeof path, "%s/fifo", where);
    want(mkfifo(path, 0600) == 0);
    want(unlink(path) == 0);
}

static void
do_fifo(void)
{
    make_fifo(folder);
}

static void
do_fifo_elsewhere(void)
{
    make_fifo("/tmp");
}

static void
do_device(void)
{
    char path[64];

    enter_now();
    snprintf(path, sizeof path, "%s/null", folder);
    mknod(path, S_IFCHR | 0600, makedev(1, 3));
}

/* An ASan build has no filter, as the sanitizer has calls of its own. */
static bool
filtered(int status)
{
#if defined(__SANITIZE_ADDRESS__)
    (void)status;
    return true;
#else
    return WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGSYS;
#endif
}

/* As it is, or with a filter that was made ahead. */
static void
try_calls(void (*take_role)(unsigned may))
{
    take_role(PRIV_READ);
    assert_true(filtered(in_child(do_execute)));
    assert_true(filtered(in_child(do_setuid)));
    assert_true(filtered(in_child(do_internet)));
    assert_true(filtered(in_child(do_ptrace)));
    assert_int_equal(in_child(do_open), 0);
    take_role(PRIV_NET);
    assert_int_equal(in_child(do_internet), 0);
    assert_true(filtered(in_child(do_open)));
    now.filter = PRIV_FILTER_OFF;
    assert_int_equal(in_child(do_open), 0);
}

static void
take_role(unsigned may)
{
    now = role(may, 0);
}

static struct arena *filters;

static void
take_role_ahead(unsigned may)
{
    struct why why;

    now = role(may, 0);
    assert_int_equal(priv_calls_make(&now, filters, &now.calls, &why), OK);
}

static void
other_system_calls_end_the_process(void **unused)
{
    struct why why;

    (void)unused;
    try_calls(take_role);
    filters = arena_new("filters", 1 << 20);
    try_calls(take_role_ahead);
    assert_int_equal(priv_calls_make(&now, NULL, &now.calls, &why), OK);
    assert_null(now.calls); /* there is to be none */
    arena_free(filters);
}

static void
a_fifo_takes_a_right_of_its_own(void **unused)
{
    (void)unused;
    take_role(PRIV_READ | PRIV_WRITE | PRIV_FIFO);
    assert_int_equal(in_child(do_fifo), 0);
    assert_int_not_equal(in_child(do_fifo_elsewhere), 0);
    assert_true(filtered(in_child(do_device)));
    take_role(PRIV_READ | PRIV_WRITE);
    assert_true(filtered(in_child(do_fifo)));
    now.filter = PRIV_FILTER_LOG; /* landlock by itself */
    assert_int_not_equal(in_child(do_fifo), 0);
}

/* The role of whoever delivers: as root, any user; else oneself. */
static struct priv
deliverer(void)
{
    struct priv p =
        role(PRIV_RUN, geteuid() ? 0 : 1u << CAP_SETUID | 1u << CAP_SETGID);

    p.user = (struct priv_user){.uid = geteuid(), .gid = getegid()};
    return p;
}

static void
become_and_return(void)
{
    struct priv p = deliverer();
    bool root = geteuid() == 0;
    struct priv_user u = {.uid = root ? ANOTHER : geteuid(),
                          .gid = root ? ANOTHER : getegid()};
    struct why why;
    char path[64];
    struct stat st;
    int fd, signal_now = 0;

    want(priv_enter(&p, &why) == OK);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    want(priv_become(&u));
    snprintf(path, sizeof path, "%s/theirs", folder);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    want(fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == u.uid);
    if (root)
        want(open("/etc/shadow", O_RDONLY) < 0);
    priv_return();
    want(prctl(PR_GET_PDEATHSIG, &signal_now) == 0 && signal_now == SIGKILL);
    want((uid_t)setfsuid((uid_t)-1) == geteuid());
}

static void
files_are_touched_as_the_user(void **unused)
{
    (void)unused;
    assert_int_equal(in_child(become_and_return), 0);
}

static void
become_somebody_else(void)
{
    struct priv p = deliverer();
    struct priv_user u = {.uid = SOMEBODY + 5, .gid = SOMEBODY + 5};
    struct why why;

    want(priv_enter(&p, &why) == OK);
    if (geteuid() == 0)
        want(priv_become(&u));
    else
        want(!priv_become(&u) && errno == EPERM);
}

static void
only_root_becomes_somebody_else(void **unused)
{
    (void)unused;
    assert_int_equal(in_child(become_somebody_else), 0);
}

static void
drop_for_good(void)
{
    struct priv p = deliverer();
    bool root = geteuid() == 0;
    struct priv_user u = {.uid = root ? ANOTHER : geteuid(),
                          .gid = root ? ANOTHER : getegid()};
    struct why why;

    want(priv_enter(&p, &why) == OK);
    want(priv_drop(&u));
    want(getuid() == u.uid && geteuid() == u.uid && getgid() == u.gid);
    want(setuid(0) < 0 && setuid(SOMEBODY) < 0);
    want(!priv_drop(&(struct priv_user){.uid = SOMEBODY, .gid = SOMEBODY}));
}

static void
a_command_cannot_come_back(void **unused)
{
    (void)unused;
    assert_int_equal(in_child(drop_for_good), 0);
}

static int
make_folder(void **unused)
{
    (void)unused;
    return mkdtemp(folder) && chmod(folder, 0777) == 0 ? 0 : -1;
}

static int
remove_folder(void **unused)
{
    char path[64];

    (void)unused;
    snprintf(path, sizeof path, "%s/theirs", folder);
    unlink(path);
    return rmdir(folder);
}

TESTS_WITHIN(make_folder, remove_folder, TEST(numbers_and_names_are_users),
             TEST(numbers_and_names_are_groups), TEST(groups_are_added_once),
             TEST(a_role_can_do_its_work_and_no_more),
             TEST(other_system_calls_end_the_process),
             TEST(a_fifo_takes_a_right_of_its_own),
             TEST(files_are_touched_as_the_user),
             TEST(only_root_becomes_somebody_else),
             TEST(a_command_cannot_come_back))
