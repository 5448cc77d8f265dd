#include "store/quota.h"

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
#define LOCK_MS   1000
#define OPEN_MAX  10 /* times that the file is replaced under our hands */

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

static const struct quota_watch *watcher;

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
    int64_t bytes, messages;
};

static void
count_messages(struct count *c, int maildir, const char *part)
{
    DIR *d = disk_list(maildir, part);
    struct stat st;
    struct name n;

    if (d == NULL)
        return;
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
    DIR *d = disk_list(dir, name);

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

/*
 * Wait for a lock, but not for ever: the file is the user's, who may lock it
 * for as long as he likes. Without it a count may be wrong until the next one.
 */
static void
lock(int fd, int kind)
{
    const struct timespec pause = {.tv_nsec = 1000000};

    for (int i = 0; i < LOCK_MS && flock(fd, kind | LOCK_NB) < 0; i++)
        nanosleep(&pause, NULL);
}

static bool
has_name(int fd, int dir, const char *name)
{
    struct stat mine, named;

    return fstat(fd, &mine) == 0 && fstatat(dir, name, &named, 0) == 0 &&
           mine.st_ino == named.st_ino;
}

static bool
is_file(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* Open and locked, while it has its name. -1 with errno. */
static int
hold(int dir, const char *name, int kind)
{
    for (int i = 0;; i++) {
        int fd = disk_open(dir, name, O_RDWR | O_APPEND | O_NONBLOCK);

        if (fd < 0)
            return -1;
        if (is_file(fd)) {
            lock(fd, kind);
            if (i == OPEN_MAX || has_name(fd, dir, name))
                return fd;
        }
        close(fd);
        if (i == OPEN_MAX) {
            errno = EINVAL;
            return -1;
        }
    }
}

/* The one who counts makes the file, so that there is something to lock. */
static int
hold_alone(int dir)
{
    int fd = hold(dir, FILE_NAME, LOCK_EX);

    if (fd < 0 && errno == ENOENT) {
        fd = disk_create(dir, FILE_NAME, 0600);
        if (fd >= 0) {
            (void)!disk_share(fd, dir, "");
            close(fd);
        }
        fd = hold(dir, FILE_NAME, LOCK_EX);
    }
    return fd;
}

static off_t
size_of(int fd)
{
    struct stat st;

    return fd >= 0 && fstat(fd, &st) == 0 ? st.st_size : 0;
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

/* Does the file say it, and may that be relied on? */
static bool
is_known(int dir, const struct quota_limits *limits, struct quota_sum *sum)
{
    struct arena *a = arena_new("quota", 4 << 20);
    struct text_stamp stamp;
    struct str text;
    struct why why;
    bool good =
        text_read(a, dir, FILE_NAME, 0, FILE_MAX, &text, &stamp, &why) == OK &&
        quota_parse(text, sum) && same_limits(&sum->limits, limits) &&
        stamp.size <= GROWN && sum->bytes >= 0 && sum->messages >= 0;

    if (good && is_over(sum, limits) &&
        time(NULL) - stamp.mtime / 1000000000 > OLD)
        good = false;
    arena_free(a);
    return good;
}

/* Programs that know no lock of ours may add a line meanwhile. */
static void
count_all(int dir, int fd, bool fs, struct quota_sum *sum)
{
    for (int i = 0; i < TRIES; i++) {
        struct count c = {0};
        off_t size = size_of(fd);

        count_maildir(&c, dir, ".", fs, 0);
        sum->bytes = c.bytes;
        sum->messages = c.messages;
        if (size_of(fd) == size)
            break;
    }
}

/* What was counted holds, also where it cannot be written down. */
static void
recount(int dir, bool fs, const struct quota_limits *limits,
        struct quota_sum *sum)
{
    auto_close int fd = hold_alone(dir);
    struct why why;

    if (fd >= 0 && is_known(dir, limits, sum))
        return; /* somebody else was faster */
    *sum = (struct quota_sum){.limits = *limits};
    count_all(dir, fd, fs, sum);
    if (fd < 0 || dotlock_take(dir, FILE_NAME ".lock", NULL, 0, &why) != OK)
        return;
    (void)!write_sum(dir, sum, &why);
    dotlock_drop(dir, FILE_NAME ".lock");
}

enum rc
quota_get(const char *root, bool fs, const struct quota_limits *limits,
          struct quota_sum *sum, struct why *why)
{
    auto_close int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    *sum = (struct quota_sum){.limits = *limits};
    if (dir < 0 && errno == ENOENT)
        return OK; /* nothing yet */
    if (dir < 0)
        return store_fail(errno, why, "cannot open %s", root);
    if (!is_known(dir, limits, sum))
        recount(dir, fs, limits, sum);
    return OK;
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

/* Changes. */

#define PATH_ROOM 4096

static bool
file_path(char path[PATH_ROOM], const char *root)
{
    return snprintf(path, PATH_ROOM, "%s/" FILE_NAME, root) < PATH_ROOM;
}

void
quota_begin(const char *root, struct quota_turn *turn)
{
    char path[PATH_ROOM];

    *turn = (struct quota_turn){.fd = -1, .root = root};
    if (file_path(path, root))
        turn->fd = hold(AT_FDCWD, path, LOCK_SH);
}

void
quota_watch(const struct quota_watch *watch)
{
    watcher = watch;
}

/* All that the file said before the line that we have just written to it. */
static void
look_back(struct quota_turn *turn, off_t line)
{
    off_t end = lseek(turn->fd, 0, SEEK_CUR) - line;
    struct arena *a = arena_new("quota", (size_t)FILE_MAX + 4096);

    if (end > 0 && end <= FILE_MAX) {
        char *text = arena_alloc(a, (size_t)end);

        turn->watched =
            pread(turn->fd, text, (size_t)end, 0) == end &&
            quota_parse((struct str){text, (size_t)end}, &turn->before);
        turn->now = turn->before;
    }
    arena_free(a);
}

static bool
has_crossed(const struct quota_turn *t, const struct quota_line *line)
{
    int64_t at = quota_line_at(line, &t->now.limits);
    int64_t before = line->messages ? t->before.messages : t->before.bytes;
    int64_t now = line->messages ? t->now.messages : t->now.bytes;

    if (at == 0)
        return false;
    return line->below ? before >= at && now < at : before < at && now >= at;
}

static void
tell_watcher(const struct quota_turn *turn)
{
    for (size_t i = 0; i < watcher->count; i++)
        if (has_crossed(turn, &watcher->lines[i])) {
            watcher->crossed(turn->root, &watcher->lines[i], &turn->now);
            return;
        }
}

void
quota_note(struct quota_turn *turn, int64_t bytes, int64_t messages)
{
    char line[64];
    int len = snprintf(line, sizeof line, "%12lld %12lld\n", (long long)bytes,
                       (long long)messages);

    if (bytes == 0 && messages == 0)
        return;
    /* One write: lines of several writers do not mix. */
    bool first = !turn->changed;

    turn->changed = true;
    if (turn->fd < 0)
        return;
    /* Half a line would make another number of the next one. */
    if (!disk_write(turn->fd, (struct str){line, (size_t)len})) {
        (void)!disk_truncate(turn->fd, 0);
        return;
    }
    if (first && watcher)
        look_back(turn, len);
    turn->now.bytes += bytes;
    turn->now.messages += messages;
}

void
quota_end(struct quota_turn *turn)
{
    if (turn->fd >= 0)
        close(turn->fd);
    else if (turn->changed)
        quota_forget(turn->root); /* it may have been made since */
    turn->fd = -1;
    if (turn->watched)
        tell_watcher(turn);
}

/* Emptied, not removed: who has it locked goes on in the same file. */
void
quota_forget(const char *root)
{
    char path[PATH_ROOM];

    if (!file_path(path, root))
        return;
    auto_close int fd = disk_open(AT_FDCWD, path, O_WRONLY | O_NONBLOCK);

    if (fd >= 0 && is_file(fd))
        (void)!disk_truncate(fd, 0);
}

struct quota_limits
quota_limits_of(const char *root)
{
    auto_close int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct arena *a = arena_new("quota", 4 << 20);
    struct quota_sum sum = {0};
    struct text_stamp stamp;
    struct str text;
    struct why why;

    if (dir < 0 ||
        text_read(a, dir, FILE_NAME, 0, FILE_MAX, &text, &stamp, &why) != OK ||
        !quota_parse(text, &sum))
        sum.limits = (struct quota_limits){0};
    arena_free(a);
    return sum.limits;
}
