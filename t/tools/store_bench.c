/*
 * store_bench - what the mailbox store costs, and how that grows.
 *
 *     store_bench FOLDER [COUNT...]
 *
 * Makes a Maildir of COUNT messages below FOLDER (which should be on a real
 * disk), and prints milliseconds, one column a count. "new process" means that
 * nothing of it was open.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/append.h"
#include "store/changes.h"
#include "store/copy.h"
#include "store/expunge.h"
#include "store/folders.h"
#include "store/view.h"

#define COLUMNS 8

static struct bench {
    struct arena *a;
    const char *top, *root;
    struct home *home;
    struct mailbox *box, *other;
    struct view *view;
    uint32_t count;
    struct why why;
} bench;

static void
check(enum rc rc)
{
    if (rc == OK)
        return;
    fprintf(stderr, "store_bench: %s\n", bench.why.text);
    exit(1);
}

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
make_maildir(uint32_t count)
{
    static const char *const parts[] = {"", "/tmp", "/new", "/cur"};
    char body[4096];

    bench.root = arena_fmt(bench.a, "%s/%u", bench.top, count);
    bench.count = count;
    for (size_t i = 0; i < COUNT(parts); i++)
        mkdir(arena_fmt(bench.a, "%s%s", bench.root, parts[i]), 0700);
    memset(body, 'x', sizeof body);
    memcpy(body, "Subject: s\n\n", 12);
    for (uint32_t i = 0; i < count; i++) {
        char path[400];

        snprintf(path, sizeof path, "%s/cur/%u.M%uP1.host,S=4096,W=4098:2,",
                 bench.root, 1700000000 + i / 10, i);
        auto_close int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        if (fd < 0 || write(fd, body, sizeof body) < 0)
            exit(1);
    }
}

static void
login(void)
{
    struct home_settings s = {.root = bench.root};

    check(home_open(&s, &bench.home, &bench.why));
    check(mailbox_open(bench.home, S("INBOX"), &bench.box, &bench.why));
    check(view_open(bench.box, true, &bench.view, &bench.why));
}

static void
logout(void)
{
    view_close(bench.view);
    mailbox_close(bench.box);
    home_close(bench.home);
}

static void
again(void)
{
    logout();
    login();
}

static void
nothing(void)
{
}

static void
one_more_view(void)
{
    struct mailbox *box;
    struct view *v;

    check(mailbox_open(bench.home, S("INBOX"), &box, &bench.why));
    check(view_open(box, true, &v, &bench.why));
    view_close(v);
    mailbox_close(box);
}

static void
status(void)
{
    struct mailbox_status s;

    check(folder_status(bench.home, S("INBOX"), true, &s, &bench.why));
}

static void
store(uint32_t first, uint32_t last, unsigned flags)
{
    struct uid_range r = {first, last};
    struct flags_change c = {.how = FLAGS_REPLACE, .flags = flags};
    struct flags_done done;

    check(flags_store(bench.box, (struct uid_set){&r, 1}, &c, bench.a, &done,
                      &bench.why));
}

static void
store_one(void)
{
    static unsigned flags;

    store(bench.count / 2, bench.count / 2, ++flags & 31);
}

static void
store_all(void)
{
    store(1, UINT32_MAX, FLAG_SEEN);
}

static void
flush(void)
{
    check(flags_flush(bench.box, SIZE_MAX, NULL, &bench.why));
}

static void
walk(void)
{
    struct uid_range all = {1, UINT32_MAX};
    struct changes_walk w;
    struct message m;

    check(changes_begin(&w, bench.box, (struct uid_set){&all, 1}, &bench.why));
    while (changes_next(&w, &m))
        continue;
    check(changes_end(&w, &bench.why));
}

static void
sync_box(void)
{
    check(mailbox_sync(bench.box, NULL, &bench.why));
}

/* Until mtimes can be relied on. */
static void
settle(void)
{
    usleep(100000);
}

/* Somebody else was here. */
static void
touch_cur(void)
{
    const char *cur = arena_fmt(bench.a, "%s/cur", bench.root);
    const struct timespec old[] = {{.tv_sec = 1700000000 + rand() % 1000000},
                                   {.tv_sec = 1700000000 + rand() % 1000000}};

    utimensat(AT_FDCWD, cur, old, 0);
}

static void
deliver(void)
{
    static unsigned n;
    const char *path = arena_fmt(bench.a, "%s/new/19%u.M1.h", bench.root, ++n);

    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static void
take_news(void)
{
    struct view_news news;

    sync_box();
    check(view_update(bench.view, true, bench.a, &news, &bench.why));
}

static void
changes(void)
{
    struct mailbox_status s;

    for (uint32_t i = 0; i < 100; i++)
        store(1 + i * (bench.count / 100), 1 + i * (bench.count / 100), 1);
    check(mailbox_status(bench.box, false, &s, &bench.why));
}

static void
qresync(void)
{
    struct mailbox_status s;
    struct uid_set set;

    check(mailbox_status(bench.box, false, &s, &bench.why));
    check(changes_since(bench.box, s.modseq - 100, bench.a, &set, &bench.why));
    check(
        changes_vanished(bench.box, s.modseq - 100, bench.a, &set, &bench.why));
}

static void
append(int messages)
{
    struct append *ap = append_new(bench.box);
    struct uid_set uids;
    char body[4096];

    memset(body, 'x', sizeof body);
    for (int i = 0; i < messages; i++) {
        check(append_message(ap, 0, 0, 1700000000, &bench.why));
        check(append_write(ap, (struct str){body, sizeof body}, &bench.why));
    }
    check(append_commit(ap, bench.a, &uids, &bench.why));
}

static void
append_one(void)
{
    append(1);
}

static void
append_hundred(void)
{
    append(100);
}

static void
expunge(void)
{
    struct uid_range r = {1, bench.count < 2000 ? 100 : 1000};
    struct uid_set gone;

    check(expunge_messages(bench.box, (struct uid_set){&r, 1}, false, bench.a,
                           &gone, &bench.why));
}

static void
open_other(void)
{
    check(folder_create(bench.home, S("Other"), (struct str){0}, &bench.why));
    check(mailbox_open(bench.home, S("Other"), &bench.other, &bench.why));
}

static void
move(void)
{
    uint32_t half = bench.count / 2;
    struct uid_range r = {half, half + (bench.count < 2000 ? 99 : 999)};
    struct uid_set from, to;

    const struct copy_how how = {.move = true, .flags = FLAG_ALL};

    check(copy_messages(bench.box, (struct uid_set){&r, 1}, bench.other, &how,
                        bench.a, &from, &to, &bench.why));
}

static void
close_other(void)
{
    mailbox_close(bench.other);
}

static void
lose_index(void)
{
    logout();
    if (system(arena_fmt(bench.a, "rm -r %s/posta-index", bench.root)) != 0)
        exit(1);
}

static const struct {
    const char *what;
    void (*before)(void), (*run)(void);
    int times;
} rows[] = {
    {"take over a Maildir without an index", nothing,    login,          1  },
    {"",                                     settle,     sync_box,       1  },
    {"open in a new process, and a view",    nothing,    again,          5  },
    {"one more view of an open mailbox",     nothing,    one_more_view,  100},
    {"STATUS",                               nothing,    status,         100},
    {"walk all records",                     nothing,    walk,           10 },
    {"sync, nothing changed",                nothing,    sync_box,       100},
    {"sync, cur/ must be listed",            touch_cur,  sync_box,       5  },
    {"a delivery: sync and news",            deliver,    take_news,      20 },
    {"one flag",                             nothing,    store_one,      200},
    {"... into its file name",               store_one,  flush,          50 },
    {"a flag of all",                        nothing,    store_all,      1  },
    {"... into the file names",              nothing,    flush,          1  },
    {"QRESYNC: 100 changes",                 changes,    qresync,        20 },
    {"append one of 4 KiB, durable",         nothing,    append_one,     50 },
    {"append 100 at once, durable",          nothing,    append_hundred, 3  },
    {"move 1,000 (of 1,000: 100)",           open_other, move,           1  },
    {"",                                     nothing,    close_other,    1  },
    {"expunge 1,000 (of 1,000: 100)",        nothing,    expunge,        1  },
    {"",                                     nothing,    lose_index,     1  },
    {"the index is made anew",               nothing,    login,          1  },
    {"",                                     nothing,    logout,         1  },
};

/* Milliseconds for one run. */
static double
measure(size_t row)
{
    double total = 0;

    for (int i = 0; i < rows[row].times; i++) {
        rows[row].before();

        double start = now();

        rows[row].run();
        total += now() - start;
    }
    return total / rows[row].times;
}

int
main(int argc, char **argv)
{
    static const char *const counts[] = {"1000", "10000", "100000"};
    static double ms[COUNT(rows)][COLUMNS];
    int columns = argc > 2 ? argc - 2 : (int)COUNT(counts);

    if (argc < 2 || columns > COLUMNS)
        return 1;
    for (int c = 0; c < columns; c++) {
        const char *count = argc > 2 ? argv[2 + c] : counts[c];

        bench.a = arena_new("bench", (size_t)1 << 30);
        bench.top = arena_fmt(bench.a, "%s/posta-store-bench.%d", argv[1],
                              (int)getpid());
        mkdir(bench.top, 0700);
        make_maildir((uint32_t)strtoul(count, NULL, 10));
        for (size_t i = 0; i < COUNT(rows); i++)
            ms[i][c] = measure(i);
        if (system(arena_fmt(bench.a, "rm -rf %s", bench.top)) != 0)
            return 1;
        arena_free(bench.a);
    }
    printf("%-40s", "milliseconds");
    for (int c = 0; c < columns; c++)
        printf(" %10s", argc > 2 ? argv[2 + c] : counts[c]);
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].what[0] == '\0')
            continue;
        printf("\n%-40s", rows[i].what);
        for (int c = 0; c < columns; c++)
            printf(" %10.3f", ms[i][c]);
    }
    printf("\n");
    return 0;
}
