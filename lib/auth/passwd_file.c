#include "auth/passwd_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/hash.h"
#include "sys/disk.h"

/* Where a user's line begins, found by the hash of his name. The table is
 * never more than half full. */
struct slot {
    uint32_t hash;
    uint32_t at; /* offset + 1; 0: free */
};

/* What was read at one time. */
struct contents {
    struct arena *arena;
    struct str text;
    struct slot *slots;
    size_t mask, count;
    struct stat st;
};

struct passwd_file {
    struct arena *arena; /* of the object itself */
    const char *path;
    struct contents now;
};

static bool
line_at(struct str text, size_t at, struct passwd_user *u)
{
    struct str rest = str_sub(text, at, text.len), line;

    str_cut(&rest, '\n', &line);
    return passwd_line_parse(line, u);
}

/* The slot of that name, or the free one where it would be. */
static struct slot *
slot_of(const struct contents *c, struct str name)
{
    uint32_t hash = (uint32_t)hash_of(name);
    struct passwd_user u;

    for (size_t i = hash;; i++) {
        struct slot *s = &c->slots[i & c->mask];

        if (s->at == 0 || (s->hash == hash && line_at(c->text, s->at - 1, &u) &&
                           str_eq(u.name, name)))
            return s;
    }
}

static size_t
count_lines(struct str text)
{
    size_t lines = 1;

    for (size_t i = 0; i < text.len; i++)
        lines += text.p[i] == '\n';
    return lines;
}

static size_t
slots_for(size_t lines)
{
    size_t n = 16;

    while (n < 2 * lines)
        n *= 2;
    return n;
}

static void
make_index(struct contents *c)
{
    struct str rest = c->text, line;
    struct passwd_user u;

    while (rest.len > 0) {
        size_t at = c->text.len - rest.len;

        str_cut(&rest, '\n', &line);
        if (!passwd_line_parse(line, &u))
            continue;
        struct slot *s = slot_of(c, u.name);

        if (s->at != 0)
            continue;
        s->hash = (uint32_t)hash_of(u.name);
        s->at = (uint32_t)at + 1;
        c->count++;
    }
}

/* As many bytes as the file had when it was opened, or up to its end. */
static bool
read_text(int fd, char *to, size_t size, size_t *len)
{
    ssize_t n;

    for (*len = 0; *len < size; *len += (size_t)n) {
        n = disk_read(fd, to + *len, size - *len, (off_t)*len);
        if (n <= 0)
            return n == 0;
    }
    return true;
}

static enum rc
contents_read(const char *path, struct contents *c, struct why *why)
{
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    size_t size, slots;
    char *text;

    if (fd < 0 || fstat(fd, &c->st) < 0)
        return fail(why, "4.3.0", "cannot open %s: %m", path);
    if (!S_ISREG(c->st.st_mode) || c->st.st_size > PASSWD_FILE_MAX)
        return fail(why, "4.3.0", "%s is no file, or is too large", path);
    size = (size_t)c->st.st_size;
    /* The index is counted only when the text is there: at most a line a
     * byte. */
    c->arena = arena_new("passwd-file", 64 * size + (1u << 20));
    text = arena_alloc(c->arena, size + 1);
    if (!read_text(fd, text, size, &c->text.len)) {
        arena_free(c->arena);
        return fail(why, "4.3.0", "cannot read %s: %m", path);
    }
    c->text.p = text;
    slots = slots_for(count_lines(c->text));
    c->mask = slots - 1;
    c->slots = arena_alloc(c->arena, slots * sizeof *c->slots);
    make_index(c);
    return OK;
}

static void
contents_drop(struct contents *c)
{
    explicit_bzero((char *)(uintptr_t)c->text.p, c->text.len);
    arena_free(c->arena);
}

enum rc
passwd_file_open(const char *path, struct passwd_file **f, struct why *why)
{
    struct contents now = {0};
    enum rc rc = contents_read(path, &now, why);
    struct arena *a;

    *f = NULL;
    if (rc != OK)
        return rc;
    a = arena_new("passwd-file name", 1 << 16);
    *f = arena_make(a, struct passwd_file);
    (*f)->arena = a;
    (*f)->path = arena_cstr(a, str_from(path));
    (*f)->now = now;
    return OK;
}

void
passwd_file_close(struct passwd_file *f)
{
    if (f == NULL)
        return;
    contents_drop(&f->now);
    arena_free(f->arena);
}

bool
passwd_file_changed(const struct passwd_file *f)
{
    const struct stat *was = &f->now.st;
    struct stat st;

    return stat(f->path, &st) == 0 &&
           (st.st_dev != was->st_dev || st.st_ino != was->st_ino ||
            st.st_size != was->st_size ||
            st.st_mtim.tv_sec != was->st_mtim.tv_sec ||
            st.st_mtim.tv_nsec != was->st_mtim.tv_nsec);
}

enum rc
passwd_file_reload(struct passwd_file *f, struct why *why)
{
    struct contents now = {0};
    enum rc rc = contents_read(f->path, &now, why);

    if (rc != OK)
        return rc;
    contents_drop(&f->now);
    f->now = now;
    return OK;
}

void
passwd_file_stat(const struct passwd_file *f, struct stat *st)
{
    *st = f->now.st;
}

bool
passwd_file_find(const struct passwd_file *f, struct str name,
                 struct passwd_user *u)
{
    const struct slot *s = slot_of(&f->now, name);

    return s->at != 0 && line_at(f->now.text, s->at - 1, u);
}

bool
passwd_file_next(const struct passwd_file *f, size_t *pos,
                 struct passwd_user *u)
{
    struct str text = f->now.text, rest, line;

    while (*pos < text.len) {
        size_t at = *pos;

        rest = str_sub(text, at, text.len);
        str_cut(&rest, '\n', &line);
        *pos = text.len - rest.len;
        /* Not the second line of somebody. */
        if (passwd_line_parse(line, u) &&
            slot_of(&f->now, u->name)->at == at + 1)
            return true;
    }
    return false;
}

size_t
passwd_file_count(const struct passwd_file *f)
{
    return f->now.count;
}
