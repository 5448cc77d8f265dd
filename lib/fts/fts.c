#include "fts/fts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sys/disk.h"

#define SETS_MAX     16   /* that are kept when nobody uses them */
#define SEGMENTS_MAX 4096 /* of a folder */
#define SUFFIX       ".words"

struct kept {
    struct segment_folder folder;
    struct fts_set *set;
};

struct fts {
    char *path;
    VEC(struct kept) sets; /* those used last, at the end */
};

struct fts *
fts_open(const char *path)
{
    struct fts *fts = calloc(1, sizeof *fts);

    must(fts != NULL);
    fts->path = strdup(path);
    must(fts->path != NULL);
    return fts;
}

void
fts_rest(struct fts *fts)
{
    for (size_t i = 0; i < fts->sets.len; i++)
        fts_set_close(fts->sets.at[i].set);
    vec_free(&fts->sets);
}

void
fts_close(struct fts *fts)
{
    if (fts == NULL)
        return;
    fts_rest(fts);
    free(fts->path);
    free(fts);
}

/* ---- folders */

struct folder_name {
    char text[48];
};

/* Its GUID and UIDVALIDITY: "0123...ef-5f3759df". */
static struct folder_name
name_of(const struct segment_folder *f)
{
    struct folder_name n;

    for (size_t i = 0; i < sizeof f->guid; i++)
        snprintf(n.text + 2 * i, 3, "%02x", f->guid[i]);
    snprintf(n.text + 2 * sizeof f->guid, 10, "-%08x", f->validity);
    return n;
}

static int
open_top(const struct fts *fts)
{
    return open(fts->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int
open_folder(const struct fts *fts, const struct segment_folder *f)
{
    auto_close int top = open_top(fts);

    return top < 0 ? -1
                   : openat(top, name_of(f).text,
                            O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

/* ---- sets */

void
fts_set_close(struct fts_set *set)
{
    if (set == NULL || --set->users > 0)
        return;
    for (size_t i = 0; i < set->segments.len; i++)
        segment_close(set->segments.at[i]);
    vec_free(&set->segments);
    vec_free(&set->places);
    free(set);
}

static bool
is_segment(const char *name)
{
    return str_ends(str_from(name), S(SUFFIX)) && name[0] != '.';
}

static struct segment *
find_segment(const struct fts_set *set, const char *name)
{
    for (size_t i = 0; set && i < set->segments.len; i++)
        if (strcmp(set->segments.at[i]->name, name) == 0)
            return set->segments.at[i];
    return NULL;
}

static void
add_segment(struct fts_set *set, const struct fts_set *old, int dir,
            const char *name, const struct segment_folder *f)
{
    struct segment *s = find_segment(old, name);
    bool bad = s && s->state == SEGMENT_BAD;

    if (s == NULL) {
        s = segment_open(dir, name, f);
        bad = s == NULL && errno == EBADMSG;
    } else if (!bad) {
        s->users++;
    }
    if (bad)
        unlinkat(dir, name, 0); /* its messages are in none again */
    else if (s)
        *vec_add(&set->segments) = s;
}

static int
by_uid(const void *pa, const void *pb)
{
    const struct fts_place *a = pa, *b = pb;

    return a->uid != b->uid
               ? (a->uid > b->uid) - (a->uid < b->uid)
               : (a->segment > b->segment) - (a->segment < b->segment);
}

static void
make_places(struct fts_set *set)
{
    bool sorted = true;
    uint32_t last = 0;

    for (size_t i = 0; i < set->segments.len; i++) {
        const struct segment *s = set->segments.at[i];

        for (size_t k = 0; k < s->count; k++) {
            if (s->docs[k].uid == 0)
                continue;
            *vec_add(&set->places) =
                (struct fts_place){s->docs[k].uid, (uint16_t)i, (uint16_t)k};
            sorted &= s->docs[k].uid >= last;
            last = s->docs[k].uid;
        }
    }
    if (!sorted)
        qsort(set->places.at, set->places.len, sizeof *set->places.at, by_uid);
}

static int
by_first_uid(const void *pa, const void *pb)
{
    const struct segment *const *a = pa, *const *b = pb;
    uint32_t ua = (*a)->count ? (*a)->docs[0].uid : 0;
    uint32_t ub = (*b)->count ? (*b)->docs[0].uid : 0;

    return (ua > ub) - (ua < ub);
}

static void
count(struct fts_set *set)
{
    for (size_t i = 0; i < set->segments.len; i++) {
        const struct segment *s = set->segments.at[i];
        uint32_t last = s->count ? s->docs[s->count - 1].uid : 0;

        set->count += s->count;
        if (last > set->last)
            set->last = last;
    }
}

static struct fts_set *
read_set(struct fts *fts, const struct segment_folder *f,
         const struct fts_set *old)
{
    struct fts_set *set = calloc(1, sizeof *set);
    int fd = open_folder(fts, f);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;

    must(set != NULL);
    set->users = 1;
    if (dir == NULL) {
        if (fd >= 0)
            close(fd);
        return set;
    }
    while ((e = readdir(dir)) != NULL && set->segments.len < SEGMENTS_MAX)
        if (is_segment(e->d_name))
            add_segment(set, old, fd, e->d_name, f);
    closedir(dir);
    count(set);
    if (set->segments.len > 0)
        qsort(set->segments.at, set->segments.len, sizeof *set->segments.at,
              by_first_uid);
    return set;
}

/* Both sorted; the same objects where nothing has changed. */
static bool
are_same(const struct fts_set *a, const struct fts_set *b)
{
    return a->segments.len == b->segments.len &&
           (a->segments.len == 0 ||
            memcmp(a->segments.at, b->segments.at,
                   a->segments.len * sizeof *a->segments.at) == 0);
}

/* Take a kept set out of the list. */
static struct fts_set *
take_kept(struct fts *fts, const struct segment_folder *f)
{
    for (size_t i = 0; i < fts->sets.len; i++) {
        struct kept k = fts->sets.at[i];

        if (memcmp(&k.folder, f, sizeof *f) != 0)
            continue;
        for (; i + 1 < fts->sets.len; i++)
            fts->sets.at[i] = fts->sets.at[i + 1];
        fts->sets.len--;
        return k.set;
    }
    return NULL;
}

struct fts_set *
fts_set_open(struct fts *fts, const struct segment_folder *f)
{
    struct fts_set *old = take_kept(fts, f);
    struct fts_set *set = read_set(fts, f, old);

    if (old && are_same(old, set)) {
        fts_set_close(set);
        set = old;
    } else {
        fts_set_close(old);
    }
    if (fts->sets.len == SETS_MAX)
        fts_set_close(take_kept(fts, &fts->sets.at[0].folder));
    *vec_add(&fts->sets) = (struct kept){*f, set};
    set->users++;
    return set;
}

/* The first place with that UID or a higher one. */
static size_t
seek(const struct fts_set *set, uint32_t uid, size_t hint)
{
    size_t low = 0, high = set->places.len;

    if (hint < high && set->places.at[hint].uid <= uid)
        low = hint;
    for (size_t i = 0; i < 4 && low < high; i++, low++)
        if (set->places.at[low].uid >= uid)
            return low;
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (set->places.at[middle].uid < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct fts_place *
fts_set_find(struct fts_set *set, uint32_t uid, uint64_t id, size_t *hint)
{
    size_t i;

    if (set->places.len == 0 && set->count > 0)
        make_places(set);
    i = *hint = seek(set, uid, *hint);
    for (; i < set->places.len && set->places.at[i].uid == uid; i++) {
        const struct fts_place *p = &set->places.at[i];
        const struct segment *s = set->segments.at[p->segment];

        if (s->state != SEGMENT_BAD && s->docs[p->doc].id == id)
            return p;
    }
    return NULL;
}

/* ---- writing */

int
fts_lock(struct fts *fts)
{
    if (!disk_make_dir(AT_FDCWD, fts->path) && errno != EEXIST)
        return -1;
    auto_close int top = open_top(fts);
    int fd = top < 0 ? -1
                     : openat(top, "lock",
                              O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return -1;
    (void)!disk_share(fd, top, ""); /* only who made it can */
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    close(fd);
    return -1;
}

int
fts_dir(struct fts *fts, const struct segment_folder *f)
{
    auto_close int top = open_top(fts);

    if (top < 0)
        return -1;
    if (!disk_make_dir(top, name_of(f).text) && errno != EEXIST)
        return -1;
    return openat(top, name_of(f).text,
                  O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

struct fts_name
fts_name_new(void)
{
    struct fts_name n;
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    snprintf(n.text, sizeof n.text, "%llx" SUFFIX,
             (unsigned long long)t.tv_sec * 1000000000 +
                 (unsigned long long)t.tv_nsec);
    return n;
}

void
fts_remove(int dir, struct segment *const *segments, size_t count)
{
    for (size_t i = 0; i < count; i++)
        unlinkat(dir, segments[i]->name, 0);
}

static void
empty(int dir)
{
    DIR *d = fdopendir(dir);
    struct dirent *e;

    if (d == NULL) {
        close(dir);
        return;
    }
    while ((e = readdir(d)) != NULL)
        unlinkat(dir, e->d_name, 0);
    closedir(d);
}

static bool
is_one_of(const char *name, const struct segment_folder *folders, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, name_of(&folders[i]).text) == 0)
            return true;
    return false;
}

void
fts_tidy(struct fts *fts, const struct segment_folder *folders, size_t count)
{
    int top = open_top(fts), dir;
    DIR *d = top < 0 ? NULL : fdopendir(top);
    struct dirent *e;

    if (d == NULL)
        return;
    while ((e = readdir(d)) != NULL) {
        /* Only what has the form of a name of ours. */
        if (strlen(e->d_name) != 41 || e->d_name[32] != '-' ||
            is_one_of(e->d_name, folders, count))
            continue;
        dir = openat(top, e->d_name,
                     O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (dir >= 0)
            empty(dir);
        unlinkat(top, e->d_name, AT_REMOVEDIR);
    }
    closedir(d);
}
