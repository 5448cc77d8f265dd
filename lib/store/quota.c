#include "store/quota.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/dotlock.h"
#include "store/name.h"
#include "store/text.h"
#include "sys/disk.h"

#define FILE_NAME "maildirsize"
#define FILE_MAX  ((off_t)1 << 20)
#define GROWN     5120      /* bytes of the file, then it is counted anew */
#define OLD       (15 * 60) /* seconds, if it says that there is too much */
#define DEPTH_MAX 32
#define TRIES     3

static bool
number(struct str word, int64_t *value)
{
    bool minus = str_skip(&word, S("-"));
    uint64_t n;

    /* So that a million lines do not overflow. */
    if (!str_num(word, &n) || n > INT64_MAX >> 20)
        return false;
    *value = minus ? -(int64_t)n : (int64_t)n;
    return true;
}

/* "10000000S,5000C" */
static bool
limits_of(struct str line, struct quota_limits *limits)
{
    struct str word;
    int64_t n;
    bool more = true;

    *limits = (struct quota_limits){0};
    while (more) {
        more = str_cut(&line, ',', &word);
        word = str_trim(word);
        if (word.len < 2 || !number(str_sub(word, 0, word.len - 1), &n) ||
            n < 0)
            return false;
        if (word.p[word.len - 1] == 'S')
            limits->bytes = n;
        else if (word.p[word.len - 1] == 'C')
            limits->messages = n;
    }
    return true;
}

bool
quota_parse(struct str text, struct quota_sum *sum)
{
    struct str line, bytes, messages;
    int64_t b, m;

    *sum = (struct quota_sum){0};
    if (!str_cut(&text, '\n', &line) || !limits_of(line, &sum->limits))
        return false;
    while (str_cut(&text, '\n', &line)) {
        if (str_word(&line, " \t", &bytes) &&
            str_word(&line, " \t", &messages) && number(bytes, &b) &&
            number(messages, &m)) {
            sum->bytes += b;
            sum->messages += m;
        }
    }
    return true;
}

/* Counting. */

struct count {
    struct arena *a;
    int64_t bytes, messages;
    int64_t newest; /* mtime of the folders that were listed */
};

static void
note_mtime(struct count *c, int fd)
{
    struct stat st;
    int64_t mtime;

    if (fstat(fd, &st) < 0)
        return;
    mtime = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
    if (mtime > c->newest)
        c->newest = mtime;
}

static DIR *
open_list(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);

    if (d == NULL && fd >= 0)
        close(fd);
    return d;
}

static void
count_messages(struct count *c, int maildir, const char *part)
{
    DIR *d = open_list(maildir, part);
    struct stat st;
    struct name n;

    if (d == NULL)
        return;
    note_mtime(c, dirfd(d));
    for (struct dirent *e; (e = readdir(d));) {
        if (!name_parse(str_from(e->d_name), &n))
            continue;
        if (n.size == 0 && fstatat(dirfd(d), e->d_name, &st, 0) == 0)
            n.size = (uint64_t)st.st_size;
        c->bytes += (int64_t)n.size;
        c->messages++;
    }
    closedir(d);
}

static bool
is_folder(const char *name, bool fs)
{
    struct str s = str_from(name);

    if (!fs)
        return s.len > 1 && s.p[0] == '.' && s.p[1] != '.';
    return s.p[0] != '.' && !str_eq(s, S("cur")) && !str_eq(s, S("new")) &&
           !str_eq(s, S("tmp")) && !str_eq(s, S("posta-index"));
}

static void
count_maildir(struct count *c, int dir, const char *name, bool fs, int depth)
{
    DIR *d = open_list(dir, name);

    if (d == NULL)
        return;
    count_messages(c, dirfd(d), "new");
    count_messages(c, dirfd(d), "cur");
    for (struct dirent *e;
         depth < DEPTH_MAX && (fs || depth == 0) && (e = readdir(d));)
        if (e->d_type != DT_REG && is_folder(e->d_name, fs))
            count_maildir(c, dirfd(d), e->d_name, fs, depth + 1);
    closedir(d);
}

static enum rc
write_sum(int dir, const struct quota_sum *sum, struct why *why)
{
    struct arena *a = arena_new("quota", 1 << 16);
    struct buf b = buf_in(a);
    struct text_stamp stamp;

    if (sum->limits.bytes || sum->limits.messages == 0)
        buf_fmt(&b, "%lldS", (long long)sum->limits.bytes);
    if (sum->limits.messages)
        buf_fmt(&b, "%s%lldC", b.len ? "," : "",
                (long long)sum->limits.messages);
    buf_fmt(&b, "\n%12lld %12lld\n", (long long)sum->bytes,
            (long long)sum->messages);
    enum rc rc = text_write(dir, FILE_NAME, buf_str(&b), &stamp, why);

    arena_free(a);
    return rc;
}

static off_t
size_of(int fd)
{
    struct stat st;

    return fd >= 0 && fstat(fd, &st) == 0 ? st.st_size : 0;
}

/* What was added to the old file since it had that size. */
static void
add_tail(int fd, off_t from, struct quota_sum *sum)
{
    char text[8192] = "0S\n";
    struct quota_sum tail;
    ssize_t n = pread(fd, text + 3, sizeof text - 3, from);

    if (n > 0 && quota_parse((struct str){text, 3 + (size_t)n}, &tail)) {
        sum->bytes += tail.bytes;
        sum->messages += tail.messages;
    }
}

/* Put the sum in the old file's place; lines that come too late for the count
 * are taken along, and nobody of us writes to the old one meanwhile. */
static enum rc
replace(int dir, off_t counted, struct quota_sum *sum, struct why *why)
{
    auto_close int old = disk_open(dir, FILE_NAME, O_RDONLY);

    if (old >= 0 && flock(old, LOCK_EX) < 0)
        return store_fail(errno, why, "cannot lock %s", FILE_NAME);
    if (counted && size_of(old) > counted)
        add_tail(old, counted, sum);
    return write_sum(dir, sum, why);
}

static off_t
named_size(int dir)
{
    struct stat st;

    return fstatat(dir, FILE_NAME, &st, 0) == 0 ? st.st_size : 0;
}

/* Count all there is; the file is replaced if no folder changed meanwhile. What
 * is stored and not yet added, or added and not yet stored, in that moment, is
 * counted wrong until the next time. */
static enum rc
recount(int dir, bool fs, const struct quota_limits *limits,
        struct quota_sum *sum, struct why *why)
{
    for (int i = 0; i < TRIES; i++) {
        struct count before = {0}, after = {0};

        count_maildir(&before, dir, ".", fs, 0);
        *sum = (struct quota_sum){*limits, before.bytes, before.messages};
        count_maildir(&after, dir, ".", fs, 0);

        off_t counted = named_size(dir);

        if (before.newest != after.newest || before.messages != after.messages)
            continue;
        if (dotlock_take(dir, FILE_NAME ".lock", 0, why) != OK)
            return OK; /* somebody else counts too */

        enum rc rc = replace(dir, counted, sum, why);

        dotlock_drop(dir, FILE_NAME ".lock");
        return rc;
    }
    return OK; /* it is near enough; the next one writes it down */
}

static bool
same_limits(const struct quota_limits *a, const struct quota_limits *b)
{
    return a->bytes == b->bytes && a->messages == b->messages;
}

static bool
is_over(const struct quota_sum *s, const struct quota_limits *limits)
{
    return (limits->bytes && s->bytes > limits->bytes) ||
           (limits->messages && s->messages > limits->messages);
}

static enum rc
get(int dir, bool fs, const struct quota_limits *limits, struct quota_sum *sum,
    struct why *why)
{
    struct arena *a = arena_new("quota", 4 << 20);
    struct text_stamp stamp;
    struct str text;
    enum rc rc = text_read(a, dir, FILE_NAME, 0, FILE_MAX, &text, &stamp, why);
    bool good = rc == OK && quota_parse(text, sum) &&
                same_limits(&sum->limits, limits) && stamp.size <= GROWN &&
                sum->bytes >= 0 && sum->messages >= 0;

    if (good && is_over(sum, limits) &&
        time(NULL) - stamp.mtime / 1000000000 > OLD)
        good = false;
    arena_free(a);
    return good ? OK : recount(dir, fs, limits, sum, why);
}

static int
open_root(const char *root)
{
    return open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

enum rc
quota_get(const char *root, bool fs, const struct quota_limits *limits,
          struct quota_sum *sum, struct why *why)
{
    auto_close int dir = open_root(root);

    *sum = (struct quota_sum){.limits = *limits};
    if (dir < 0 && errno == ENOENT)
        return OK; /* nothing yet */
    if (dir < 0)
        return store_fail(errno, why, "cannot open %s", root);
    return get(dir, fs, limits, sum, why);
}

enum rc
quota_check(const char *root, bool fs, const struct quota_limits *limits,
            int64_t bytes, int64_t messages, struct why *why)
{
    struct quota_sum sum;
    enum rc rc = OK;

    if (limits->bytes == 0 && limits->messages == 0)
        return OK;
    rc = quota_get(root, fs, limits, &sum, why);
    sum.bytes += bytes;
    sum.messages += messages;
    if (rc == OK && is_over(&sum, limits))
        rc = fail(why, "5.2.2", "the mailbox is full");
    return rc;
}

/* The file that has the name while we may write to it; -1 with errno. */
static int
open_to_add(int dir)
{
    struct stat mine, named;

    for (;;) {
        int fd = disk_open(dir, FILE_NAME, O_WRONLY | O_APPEND);

        if (fd < 0 || flock(fd, LOCK_SH) < 0 || fstat(fd, &mine) < 0)
            return fd;
        if (fstatat(dir, FILE_NAME, &named, 0) == 0 &&
            named.st_ino == mine.st_ino)
            return fd;
        close(fd);
    }
}

enum rc
quota_add(const char *root, int64_t bytes, int64_t messages, struct why *why)
{
    auto_close int dir = open_root(root);
    char line[64];
    int len = snprintf(line, sizeof line, "%12lld %12lld\n", (long long)bytes,
                       (long long)messages);
    auto_close int fd = dir < 0 ? -1 : open_to_add(dir);

    if (fd < 0 && errno == ENOENT)
        return OK;
    /* One write: lines of several writers do not mix. */
    if (fd < 0 || !disk_write(fd, (struct str){line, (size_t)len}))
        return store_fail(errno, why, "cannot write %s", FILE_NAME);
    return OK;
}
