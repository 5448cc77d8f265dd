#include "auth/last_use.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/disk.h"
#include "tls/digest.h"

#define MAGIC     "POSTA LAST USE 1"
#define FIRST_SET 64
#define KEY       16
#define FILE_SIZE                                                              \
    (FIRST_SET + (off_t)sizeof(struct record) * LAST_USE_WAYS * LAST_USE_SETS)

/* As it stands in the file, on machines of either order. */
struct record {
    uint8_t key[KEY];
    uint8_t when[8];
    char service[8];
};

static int64_t
when_of(const struct record *r)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < 8; i++)
        value |= (uint64_t)r->when[i] << 8 * i;
    return (int64_t)value;
}

static bool
is_ours(int fd)
{
    char magic[sizeof MAGIC - 1];
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_size == FILE_SIZE &&
           disk_read(fd, magic, sizeof magic, 0) == sizeof magic &&
           memcmp(magic, MAGIC, sizeof magic) == 0;
}

/* Nobody sees a file that is not whole. */
static int
make(int dir, const char *name)
{
    char tmp[300];
    int fd;

    snprintf(tmp, sizeof tmp, ".%s.%d", name, (int)getpid());
    disk_remove(dir, tmp);
    fd = disk_create(dir, tmp, 0600);
    if (fd < 0)
        return -1;
    if (disk_pwrite(fd, S(MAGIC), 0) && disk_truncate(fd, FILE_SIZE) &&
        disk_publish(dir, tmp, name))
        return fd;
    disk_remove(dir, tmp);
    close(fd);
    return -1;
}

enum rc
last_use_open(int dir, const char *name, bool write, struct last_use *l,
              struct why *why)
{
    l->fd = disk_open(dir, name, write ? O_RDWR : O_RDONLY);
    if (l->fd >= 0 && is_ours(l->fd))
        return OK;
    last_use_close(l);
    if (write)
        l->fd = make(dir, name);
    else
        errno = ENOENT;
    return l->fd >= 0 ? OK : fail(why, "4.3.0", "cannot open %s: %m", name);
}

void
last_use_close(struct last_use *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

static void
make_key(struct str user, unsigned app, uint8_t key[KEY])
{
    char number[16];
    uint8_t out[DIGEST_MAX];

    snprintf(number, sizeof number, "%u", app);
    const struct str pieces[] = {user, S("\0"), str_from(number)};

    digest_of(DIGEST_SHA256, pieces, COUNT(pieces), out);
    memcpy(key, out, KEY);
}

/* The set of a key: where it begins, and its records. */
static bool
read_set(const struct last_use *l, const uint8_t key[KEY], off_t *at,
         struct record set[LAST_USE_WAYS])
{
    size_t size = sizeof *set * LAST_USE_WAYS;
    unsigned n = (key[0] | (unsigned)key[1] << 8) % LAST_USE_SETS;

    *at = FIRST_SET + (off_t)(size * n);
    return l->fd >= 0 &&
           disk_read(l->fd, (char *)set, size, *at) == (ssize_t)size;
}

/* That of the key, else the oldest; free ones are the oldest of all. */
static size_t
choose(const struct record set[LAST_USE_WAYS], const uint8_t key[KEY])
{
    size_t oldest = 0;

    for (size_t i = 0; i < LAST_USE_WAYS; i++) {
        if (when_of(&set[i]) != 0 && memcmp(set[i].key, key, KEY) == 0)
            return i;
        if (when_of(&set[i]) < when_of(&set[oldest]))
            oldest = i;
    }
    return oldest;
}

bool
last_use_set(const struct last_use *l, struct str user, unsigned app,
             struct str service, int64_t when)
{
    struct record set[LAST_USE_WAYS], new = {0};
    size_t i;
    off_t at;

    make_key(user, app, new.key);
    if (!read_set(l, new.key, &at, set))
        return false;
    i = choose(set, new.key);
    for (unsigned n = 0; n < 8; n++)
        new.when[n] = (uint8_t)((uint64_t)when >> 8 * n);
    memcpy(new.service, service.p ? service.p : "",
           service.len < sizeof new.service ? service.len : sizeof new.service);
    return disk_pwrite(l->fd, (struct str){(char *)&new, sizeof new},
                       at + (off_t)(i * sizeof new));
}

bool
last_use_get(const struct last_use *l, struct str user, unsigned app,
             struct last_used *used)
{
    struct record set[LAST_USE_WAYS];
    uint8_t key[KEY];
    size_t i;
    off_t at;

    make_key(user, app, key);
    if (!read_set(l, key, &at, set))
        return false;
    i = choose(set, key);
    if (when_of(&set[i]) == 0 || memcmp(set[i].key, key, KEY) != 0)
        return false;
    used->when = when_of(&set[i]);
    memcpy(used->service, set[i].service, sizeof set[i].service);
    used->service[sizeof set[i].service] = '\0';
    return true;
}
