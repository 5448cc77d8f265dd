#include "queue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "queue/journal.h"
#include "queue/listing.h"
#include "sys/disk.h"

static struct arena *
file_memory(void)
{
    static struct arena *a;

    if (a == NULL)
        a = arena_new("queue file", (size_t)256 << 20);
    arena_reset(a);
    return a;
}

static int64_t
now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* One file of the queue. */
struct place {
    int dir;
    enum spool_folder folder;
    struct queue_id id;
    int64_t seal;
};

static const char *
path_of(const struct place *p)
{
    static char path[SPOOL_PATH_MAX];

    return spool_path(p->folder, p->id, p->seal, path);
}

/* Its descriptor, loaded into f; -1 if that is no message. */
static int
open_place(const struct place *p, int flags, struct queue_file *f)
{
    struct why why;
    int fd = disk_open(p->dir, path_of(p), flags);

    if (fd >= 0 &&
        queue_load(file_memory(), fd, p->seal, f, &why) != QUEUE_WHOLE)
        base_close_scope(&fd);
    return fd;
}

static void
list_place(const struct place *p, queue_take *take, void *own)
{
    struct queue_file f;
    char id[QUEUE_ID_MAX];
    auto_close int fd = open_place(p, O_RDONLY, &f);

    if (fd < 0)
        return;

    struct arena *a = arena_new("listing", (size_t)256 << 20);
    struct buf b = buf_in(a);
    struct str folder = str_from(spool_folder_name(p->folder));

    listing_message(&b, str_from(queue_id_text(p->id, id)), folder, &f);
    listing_rcpts(a, &b, &f, 0, SIZE_MAX);
    take(own, buf_str(&b));
    arena_free(a);
}

bool
queue_files_list(const struct conf *conf, queue_take *take, void *own)
{
    auto_close int dir = queue_folder(conf);

    if (dir < 0)
        return false;
    for (int f = SPOOL_INCOMING; f < SPOOL_CORRUPT; f++) {
        struct place p = {.dir = dir, .folder = (enum spool_folder)f};
        struct spool_walk w = spool_walk(dir, p.folder);

        while (spool_next(&w, &p.id, &p.seal))
            list_place(&p, take, own);
    }
    return true;
}

/* ---- changes */

static const struct {
    const char *verb;
    enum queue_mark marks[2]; /* 0: none */
    enum spool_folder to;
    unsigned from; /* bits of folders */
} changes[QUEUE_CHANGES] = {
#define ALL_FOLDERS 7u
    [QUEUE_CHANGE_DELETE] = {"delete",  {0},                 SPOOL_FOLDERS, ALL_FOLDERS                                },
    [QUEUE_CHANGE_HOLD] = {"hold",
                             {QUEUE_HOLD},
                             SPOOL_HOLD,                                    1u << SPOOL_INCOMING | 1u << SPOOL_DEFERRED},
    [QUEUE_CHANGE_RELEASE] = {"release",
                             {QUEUE_RELEASE},
                             SPOOL_DEFERRED,                                1u << SPOOL_HOLD                           },
    [QUEUE_CHANGE_REQUEUE] = {"requeue",
                             {QUEUE_RELEASE, QUEUE_REQUEUE},
                             SPOOL_INCOMING,                                ALL_FOLDERS                                },
    [QUEUE_CHANGE_EXPIRE] = {"expire",
                             {QUEUE_FORCE},
                             SPOOL_FOLDERS,                                 ALL_FOLDERS                                },
};

const char *
queue_change_verb(enum queue_change change)
{
    return changes[change].verb;
}

static bool
mark_place(const struct place *p, const enum queue_mark *marks)
{
    struct queue_file f;
    auto_close int fd = open_place(p, O_RDWR, &f);

    if (fd < 0)
        return false;
    for (size_t i = 0; i < 2; i++)
        if (marks[i] &&
            !queue_add_mark(file_memory(), fd, &f.at, now_us(), marks[i]))
            return false;
    return true;
}

static bool
move_place(struct place *p, enum spool_folder to)
{
    char path[SPOOL_PATH_MAX];

    return to == SPOOL_FOLDERS || to == p->folder ||
           disk_move(p->dir, path_of(p), p->dir,
                     spool_path(to, p->id, p->seal, path));
}

static bool
change_place(struct place *p, enum queue_change change)
{
    if (!(changes[change].from & 1u << p->folder))
        return false;
    if (change == QUEUE_CHANGE_DELETE)
        return disk_remove(p->dir, path_of(p));
    return mark_place(p, changes[change].marks) &&
           move_place(p, changes[change].to);
}

static bool
same_id(struct queue_id a, struct queue_id b)
{
    return a.time == b.time && a.tail == b.tail && a.is_long == b.is_long;
}

/* Is the id among the words, or ALL of the folders that the words name? */
static bool
is_meant(const struct place *p, struct str words)
{
    unsigned folders = 0;
    bool named = false;
    struct str word;

    while (str_word(&words, " \n", &word)) {
        enum spool_folder f;
        struct queue_id id;

        if (spool_folder_find(word, &f))
            folders |= 1u << f;
        else if (str_eq(word, S("ALL")))
            named = true;
        else if (queue_id_parse(word, &id) && same_id(id, p->id))
            named = true;
    }
    return named && (folders == 0 || folders & 1u << p->folder);
}

bool
queue_files_change(const struct conf *conf, enum queue_change change,
                   struct str words, queue_take *take, void *own)
{
    auto_close int dir = queue_folder(conf);
    char line[QUEUE_ID_MAX + 1], id[QUEUE_ID_MAX];

    if (dir < 0)
        return false;
    /* What is moved goes to a folder that has been walked, or is not meant
     * any more: incoming is walked first, as requeued mail ends there. */
    static const enum spool_folder order[] = {SPOOL_INCOMING, SPOOL_HOLD,
                                              SPOOL_DEFERRED};

    for (size_t i = 0; i < COUNT(order); i++) {
        struct place p = {.dir = dir, .folder = order[i]};
        struct spool_walk w = spool_walk(dir, p.folder);

        while (spool_next(&w, &p.id, &p.seal)) {
            if (!is_meant(&p, words) || !change_place(&p, change))
                continue;
            snprintf(line, sizeof line, "%s\n", queue_id_text(p.id, id));
            take(own, str_from(line));
        }
    }
    return true;
}

/* ---- order */

/* The walk of deferred knows which part a file stands in, its id which one it
 * belongs to. */
static size_t
mend_part(int dir, int part)
{
    struct spool_walk w = spool_walk(dir, SPOOL_DEFERRED);
    struct place p = {.dir = dir, .folder = SPOOL_DEFERRED};
    char is[SPOOL_PATH_MAX], name[QUEUE_NAME_MAX];
    size_t count = 0;

    w.part = part;
    while (spool_next(&w, &p.id, &p.seal)) {
        if (w.part != part + 1)
            break;
        snprintf(is, sizeof is, "deferred/%02X/%s", (unsigned)part & 0xff,
                 queue_name(p.id, p.seal, name));
        if (strcmp(is, path_of(&p)) != 0)
            count += disk_move(dir, is, dir, path_of(&p));
    }
    spool_walk_end(&w);
    return count;
}

size_t
queue_files_mend(const struct conf *conf)
{
    auto_close int dir = queue_folder(conf);
    struct stat st;
    struct why why;
    size_t count = 0;

    if (dir < 0 || fstatat(dir, "deferred", &st, 0) < 0 ||
        spool_make(dir, st.st_uid, st.st_gid, &why) != OK)
        return 0;
    for (int part = 0; part < SPOOL_PARTS; part++)
        count += mend_part(dir, part);
    return count;
}

size_t
queue_files_purge(const struct conf *conf)
{
    auto_close int dir = queue_folder(conf);
    struct place p = {.dir = dir, .folder = SPOOL_INCOMING};
    struct spool_walk w = spool_walk(dir, SPOOL_INCOMING);
    struct queue_file f;
    struct why why;
    struct stat st;
    size_t count = 0;

    while (dir >= 0 && spool_next(&w, &p.id, &p.seal)) {
        auto_close int fd = disk_open(dir, path_of(&p), O_RDONLY);

        /* Mode 0600 was claimed: qmgr knows what to do about it. */
        if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0777) != 0600 &&
            queue_load(file_memory(), fd, p.seal, &f, &why) == QUEUE_UNFINISHED)
            count += disk_remove(dir, path_of(&p));
    }
    return count;
}
