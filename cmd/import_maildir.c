/*
 * A Maildir as the source, with the folders of Maildir++ (".A.B"). It is only
 * read: no index is made in it. Messages are known again by their file names.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "import_work.h"
#include "mail/mutf7.h"
#include "store/folders.h"
#include "store/subs.h"
#include "store/text.h"
#include "sys/disk.h"

#define VALIDITY     1 /* names never change */
#define MESSAGES_MAX ((size_t)5000000)
#define KEYWORDS_BIG ((off_t)1 << 20)

struct maildir_file {
    const char *name;
    bool in_new;
};

struct maildir {
    struct import *im;
    struct arena *life, *work;
    int root;
    VEC(const char *) folders; /* "." and ".A.B" */
    VEC(struct maildir_file) files;
    struct keywords keywords; /* of the folder at hand */
};

/* ---- lists */

static DIR *
open_list(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);

    if (d == NULL && fd >= 0)
        close(fd);
    return d;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* One that cannot be read is told. */
static bool
is_folder_there(struct maildir *m, const char *name)
{
    if (name[0] != '.' || name[1] == '\0' || name[1] == '.')
        return false;
    if (faccessat(m->root, arena_fmt(m->life, "%s/cur", name), R_OK, 0) == 0)
        return true;
    if (errno != ENOENT && errno != ENOTDIR) {
        import_say("cannot read folder %s as user %u: %m", name, geteuid());
        m->im->failed++;
    }
    return false;
}

static void
list_folders(struct maildir *m)
{
    DIR *d = open_list(m->root, ".");

    *vec_add(&m->folders) = ".";
    for (struct dirent *e; d && (e = readdir(d));)
        if (is_folder_there(m, e->d_name))
            *vec_add(&m->folders) = arena_cstr(m->life, str_from(e->d_name));
    if (d)
        closedir(d);
    qsort(m->folders.at + 1, m->folders.len - 1, sizeof *m->folders.at,
          by_name);
}

static int
by_arrival(const void *a, const void *b)
{
    const struct maildir_file *x = a, *y = b;

    return name_cmp(str_from(x->name), str_from(y->name));
}

static enum rc
list_files(struct maildir *m, int folder, bool in_new, struct why *why)
{
    DIR *d = open_list(folder, in_new ? "new" : "cur");
    struct name n;

    for (struct dirent *e; d && (e = readdir(d));)
        if (name_parse(str_from(e->d_name), &n) && m->files.len < MESSAGES_MAX)
            *vec_add(&m->files) = (struct maildir_file){
                arena_cstr(m->work, str_from(e->d_name)), in_new};
    if (d == NULL)
        return store_fail(errno, why, "cannot list messages");
    closedir(d);
    return OK;
}

/* ---- messages */

/* The file's letters as IMAP has flags. */
static struct str
flags_of(struct maildir *m, const struct name *n)
{
    static const struct {
        unsigned bit;
        const char *name;
    } system[] = {
        {FLAG_ANSWERED, "\\Answered "},
        {FLAG_FLAGGED,  "\\Flagged " },
        {FLAG_DELETED,  "\\Deleted " },
        {FLAG_SEEN,     "\\Seen "    },
        {FLAG_DRAFT,    "\\Draft "   },
    };
    struct buf b = buf_in(m->work);

    for (size_t i = 0; i < COUNT(system); i++)
        if (n->flags & system[i].bit)
            buf_add(&b, str_from(system[i].name));
    for (int i = 0; i < KEYWORD_LETTERS; i++)
        if (n->keywords >> i & 1 && m->keywords.name[i].len)
            buf_fmt(&b, "%.*s ", STR(m->keywords.name[i]));
    return buf_str(&b);
}

/* A word: names may have blanks. */
static struct str
id_of(struct maildir *m, const struct name *n)
{
    if (str_find(n->base, ' ') < 0)
        return n->base;
    return str_from(
        arena_fmt(m->work, "%016llx",
                  (unsigned long long)import_hash(IMPORT_HASH, n->base)));
}

static enum rc
store_file(struct maildir *m, int fd, struct why *why)
{
    static char piece[64 << 10];
    off_t at = 0;
    ssize_t n;
    enum rc rc = OK;

    while (rc == OK && (n = disk_read(fd, piece, sizeof piece, at)) != 0) {
        if (n < 0)
            return store_fail(errno, why, "cannot read a message");
        rc = import_bytes(m->im, (struct str){piece, (size_t)n}, why);
        at += n;
    }
    return rc;
}

static enum rc
copy_file(struct maildir *m, int folder, const struct maildir_file *f,
          struct why *why)
{
    struct import *im = m->im;
    auto_close int fd = disk_open(
        folder, arena_fmt(m->work, "%s/%s", f->in_new ? "new" : "cur", f->name),
        O_RDONLY | O_NONBLOCK);
    struct name n;
    struct stat st;
    uint64_t keywords;
    unsigned bits;
    enum rc rc;

    must(name_parse(str_from(f->name), &n));
    im->expected++;
    if (import_state_knows(im->state, id_of(m, &n))) {
        im->known++;
        return OK;
    }
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        import_say("%.*s: cannot read %s: %m", STR(im->shown), f->name);
        im->failed++;
        return OK;
    }
    if (im->options->dry) {
        im->copied++;
        return OK;
    }
    rc = import_flags(im, flags_of(m, &n), &bits, &keywords, why);
    if (rc == OK)
        rc = import_begin(im, bits, keywords, st.st_mtim.tv_sec, why);
    if (rc == OK)
        rc = store_file(m, fd, why);
    return rc == OK ? import_end(im, id_of(m, &n), why) : rc;
}

static enum rc
read_folder(struct maildir *m, int folder, struct why *why)
{
    struct text_stamp stamp;
    struct str text;
    enum rc rc;

    m->files.len = 0;
    m->keywords = (struct keywords){0};
    if (text_read(m->work, folder, KEYWORDS_FILE, 0, KEYWORDS_BIG, &text,
                  &stamp, why) == OK)
        keywords_read(&m->keywords, text);
    rc = list_files(m, folder, true, why);
    if (rc == OK)
        rc = list_files(m, folder, false, why);
    if (m->files.len > 0)
        qsort(m->files.at, m->files.len, sizeof *m->files.at, by_arrival);
    return rc;
}

static enum rc
copy_folder(struct maildir *m, const char *path, struct str name,
            struct why *why)
{
    struct import *im = m->im;
    auto_close int folder =
        openat(m->root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum rc rc;

    arena_reset(m->work);
    if (folder < 0)
        return store_fail(errno, why, "cannot open %s", path);
    rc = import_enter(im, str_from(path), VALIDITY, name, S(""), why);
    if (rc == OK)
        rc = read_folder(m, folder, why);
    for (size_t i = 0; rc == OK && i < m->files.len; i++)
        rc = copy_file(m, folder, &m->files.at[i], why);
    if (rc == OK)
        return import_leave(im, why);
    import_abort(im);
    return rc;
}

/* ---- the whole */

static struct str
name_here(struct maildir *m, const char *path)
{
    struct str name = str_from(path);

    if (str_eq(name, S(".")))
        return S("INBOX");
    return import_name(m->im, m->life, str_sub(name, 1, name.len), '.', true);
}

static bool
is_folder(const struct maildir *m, struct str name)
{
    for (size_t i = 0; i < m->folders.len; i++)
        if (str_eq(name_here((struct maildir *)(uintptr_t)m, m->folders.at[i]),
                   name))
            return true;
    return false;
}

static enum rc
subscribe(struct maildir *m, struct why *why)
{
    struct text_stamp stamp;
    struct str text, name;
    enum rc rc =
        text_read(m->life, m->root, SUBS_FILE, 0, SUBS_MAX, &text, &stamp, why);
    int version = rc == OK ? subs_head(&text) : 1;

    while (rc == OK && subs_next(m->life, &text, version, '.', &name)) {
        name = import_name(m->im, m->life, name, '\t', version == 1);
        if (is_folder(m, name) && import_wants(m->im->options, name))
            rc = folder_subscribe(m->im->home, name, true, why);
    }
    return rc;
}

static bool
is_target(const struct maildir *m, const char *target)
{
    struct stat from, to;

    return fstat(m->root, &from) == 0 && stat(target, &to) == 0 &&
           from.st_dev == to.st_dev && from.st_ino == to.st_ino;
}

int
import_maildir(struct import *im, const char *path, const char *target)
{
    struct maildir *m = arena_make(im->life, struct maildir);
    struct why why;
    enum rc rc = OK;

    m->im = im;
    m->life = arena_new("maildir", (size_t)256 << 20);
    m->work = arena_new("folder", (size_t)2 << 30);
    m->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (m->root < 0 || faccessat(m->root, "cur", R_OK, 0) < 0) {
        import_say("%s as user %u: %m", path, geteuid());
        return errno == EACCES ? IMPORT_REFUSED : IMPORT_NO_INPUT;
    }
    if (is_target(m, target)) {
        import_say("%s is where it would go to", path);
        return IMPORT_NO_INPUT;
    }
    list_folders(m);
    for (size_t i = 0; rc == OK && i < m->folders.len; i++) {
        struct str name = name_here(m, m->folders.at[i]);

        if (import_wants(im->options, name))
            rc = copy_folder(m, m->folders.at[i], name, &why);
    }
    if (rc == OK && im->home)
        rc = subscribe(m, &why);
    if (rc == OK)
        return im->failed ? IMPORT_PARTLY : IMPORT_DONE;
    import_say("%s: %s", path, why.text);
    return IMPORT_STORE;
}
