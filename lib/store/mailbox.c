#include "store/mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "store/flags.h"
#include "store/folders.h"
#include "store/own.h"
#include "store/state.h"
#include "sys/disk.h"

#define BOX_LIMIT ((size_t)16 << 20)
#define RESERVE   1000000 /* mod-sequences allowed at a time */

int64_t
dir_mtime(int dir)
{
    struct stat st;

    if (fstat(dir, &st) < 0 || st.st_nlink == 0)
        return 0;
    return st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
}

static bool
open_part(const struct mailbox *box, const char *name, int *fd)
{
    if (*fd < 0)
        *fd = openat(box->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *fd >= 0;
}

/*
 * Has what is left of a folder without new/, cur/ and tmp/ been a Maildir? LIST
 * shows those of Maildir++ that the index knows without looking, so they are
 * opened, as by Dovecot. In the fs layout it only has others in it. errno
 * stays.
 */
static bool
was_maildir(struct mailbox *box)
{
    struct home *h = box->home;
    struct index_folder f;
    struct why why;
    int error = errno;
    bool was = folder_is_at(h, arena_cstr(box->arena, box->path));

    if (!was && !h->fs && home_check(h, &why) == OK) {
        kv_env_read(h->kv);
        was = index_folder_get(h->kv, box->path, &f);
        (void)!kv_env_end(h->kv, &why);
    }
    errno = error;
    return was;
}

/* A Maildir in parts gets the others. */
static bool
open_parts(struct mailbox *box)
{
    static const char *const names[] = {"tmp", "new", "cur"};
    bool new = open_part(box, "new", &box->new);
    bool cur = open_part(box, "cur", &box->cur);
    struct stat st;
    bool tmp = fstatat(box->dir, "tmp", &st, 0) == 0;

    if (tmp && !box->home->bare)
        leftovers_remove(box->dir, &st, time(NULL));
    if (new &&cur && tmp)
        return true;
    if (!new && !cur && !tmp && !was_maildir(box))
        return false;
    for (size_t i = 0; i < COUNT(names); i++)
        (void)!disk_make_dir(box->dir, names[i]);
    return open_part(box, "new", &box->new) && open_part(box, "cur", &box->cur);
}

static void
close_made(struct mailbox *box)
{
    while (box->nmade > 0)
        close(box->made[--box->nmade]);
}

static void
release(struct mailbox *box)
{
    int *const fds[] = {&box->dir, &box->new, &box->cur};

    for (size_t i = 0; i < COUNT(fds); i++)
        if (*fds[i] >= 0)
            close(*fds[i]);
    close_made(box);
    vec_free(&box->views);
    vec_free(&box->kept);
    arena_free(box->keeps);
    arena_free(box->words);
    arena_free(box->arena);
}

static struct mailbox *
find_open(struct home *h, struct str path)
{
    for (size_t i = 0; i < h->boxes.len; i++)
        if (!h->boxes.at[i]->gone && str_eq(h->boxes.at[i]->path, path))
            return h->boxes.at[i];
    return NULL;
}

static enum rc
no_folder(struct why *why)
{
    return fail(why, "5.2.0", "there is no folder of that name");
}

static struct mailbox *
box_new(struct home *h, struct str name, const char *path)
{
    struct arena *a = arena_new("mailbox", BOX_LIMIT);
    struct mailbox *box = arena_make(a, struct mailbox);

    box->home = h;
    box->arena = a;
    box->words = arena_new("keywords", BOX_LIMIT);
    box->keeps = arena_new("kept", KEEP_LIMIT);
    box->name = arena_str(a, name);
    box->path = arena_str(a, str_from(path));
    box->new = box->cur = -1;
    box->dir = openat(h->dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return box;
}

struct mailbox *
mailbox_at(struct home *h, struct str path)
{
    struct mailbox *box = find_open(h, path);

    if (box == NULL) {
        char name[PATH_LEN + 1];

        snprintf(name, sizeof name, "%.*s", STR(path));
        box = box_new(h, path, name);
        if (box->dir < 0 || !open_parts(box)) {
            release(box);
            return NULL;
        }
        *vec_add(&h->boxes) = box;
    }
    mailbox_hold(box);
    return box;
}

/* Where the disk is full what the index knows can be read all the same; news
 * wait until there is room. */
static enum rc
sync_if_possible(struct mailbox *box, bool names, struct why *why)
{
    enum rc rc =
        names ? mailbox_sync(box, NULL, why) : mailbox_sync_but_names(box, why);
    struct index_folder f;
    struct why unknown;

    if (rc == OK || box->gone || mailbox_read(box, &f, &unknown) != OK ||
        mailbox_end(box, &unknown) != OK)
        return rc;
    log_warn("%s/%.*s: what is new there is not seen: %s", box->home->root,
             STR(box->path), why->text);
    return OK;
}

static enum rc
open_synced(struct home *h, struct str name, bool names, struct mailbox **out,
            struct why *why)
{
    struct arena *a = arena_new("open", 1 << 20);
    const char *path;
    enum rc rc = home_path(h, a, name, &path, why);
    struct mailbox *box = rc == OK ? find_open(h, str_from(path)) : NULL;
    bool was_open = box != NULL;

    *out = NULL;
    if (rc == OK && box == NULL) {
        box = box_new(h, name, path);
        if (box->dir < 0 || !open_parts(box))
            rc = errno == ENOENT || errno == ENOTDIR
                     ? no_folder(why)
                     : store_fail(errno, why, "cannot open %s", path);
        if (rc == OK)
            *vec_add(&h->boxes) = box;
        else
            release(box);
    }
    arena_free(a);
    if (rc != OK)
        return rc;
    box->users++;
    rc = sync_if_possible(box, names, why);
    if (rc == OK) {
        *out = box;
        return OK;
    }
    /* There may be another folder of that name now. */
    bool again = was_open && box->gone;

    mailbox_close(box);
    return again ? open_synced(h, name, names, out, why) : rc;
}

enum rc
mailbox_open(struct home *h, struct str name, struct mailbox **out,
             struct why *why)
{
    return open_synced(h, name, true, out, why);
}

enum rc
mailbox_open_to_add(struct home *h, struct str name, struct mailbox **out,
                    struct why *why)
{
    return open_synced(h, name, false, out, why);
}

void
mailbox_again(struct mailbox *box)
{
    must(box->users > 0);
    box->users++;
}

bool
mailbox_gone(const struct mailbox *box)
{
    return box->gone;
}

static void
release_unused(struct mailbox *box)
{
    struct home *h = box->home;

    if (box->users > 0 || box->holders > 0)
        return;
    for (size_t i = 0; i < h->boxes.len; i++)
        if (h->boxes.at[i] == box) {
            vec_drop(&h->boxes, i);
            break;
        }
    release(box);
}

void
mailbox_hold(struct mailbox *box)
{
    box->holders++;
}

void
mailbox_let_go(struct mailbox *box)
{
    box->holders--;
    release_unused(box);
}

struct home *
mailbox_home(const struct mailbox *box)
{
    return box->home;
}

struct str
mailbox_path(const struct mailbox *box)
{
    return box->path;
}

void
mailbox_close(struct mailbox *box)
{
    struct why why;

    if (box == NULL || --box->users > 0)
        return;
    mailbox_hold(box); /* a removed index may be found now */
    (void)!mailbox_kept(box, &why);
    if (!box->gone)
        (void)!flags_flush(box, SIZE_MAX, NULL, &why);
    mailbox_let_go(box);
}

bool
mailbox_is_there(struct mailbox *box, const struct index_folder *f)
{
    struct stat named, mine;
    char path[PATH_LEN + 1];

    if (f && box->record == f->id && box->record_of == box->home->generation)
        return true;
    snprintf(path, sizeof path, "%.*s", STR(box->path));
    if (fstatat(box->home->dir, path, &named, 0) < 0 ||
        fstat(box->dir, &mine) < 0 || named.st_ino != mine.st_ino ||
        named.st_dev != mine.st_dev) {
        box->gone = true;
        return false;
    }
    box->record = f ? f->id : 0;
    box->record_of = box->home->generation;
    return true;
}

void
mailbox_doubt_place(struct mailbox *box)
{
    box->record = 0;
}

/* Transactions. */

enum { TRIES = 3 };

static enum rc
begin(struct mailbox *box, bool write, struct why *why)
{
    enum rc rc = home_check(box->home, why);

    if (rc != OK)
        return rc;
    if (write)
        return kv_env_write(box->home->kv, why);
    kv_env_read(box->home->kv);
    return OK;
}

static void
undo(struct mailbox *box, bool write)
{
    struct why why;

    if (write)
        kv_env_abort(box->home->kv);
    else
        (void)!kv_env_end(box->home->kv, &why);
}

/* A folder that the index does not know, after it was made anew, is read from
 * the disk first. */
static enum rc
enter(struct mailbox *box, bool write, struct index_folder *f, struct why *why)
{
    enum rc rc = OK;

    *f = (struct index_folder){0};
    if (box->gone)
        return no_folder(why);
    for (int i = 0; i < TRIES; i++) {
        rc = begin(box, write, why);
        if (rc != OK && kv_env_gone(box->home->kv))
            continue;
        if (rc != OK)
            return rc;
        if (index_folder_get(box->home->kv, box->path, f) &&
            mailbox_is_there(box, f))
            return OK;
        undo(box, write);
        if (box->gone)
            return no_folder(why);
        rc = mailbox_sync(box, NULL, why);
        if (rc != OK)
            return rc;
    }
    return rc != OK ? rc
                    : fail(why, "4.2.0", "the index of %.*s cannot be made",
                           STR(box->name));
}

enum rc
mailbox_read(struct mailbox *box, struct index_folder *f, struct why *why)
{
    return enter(box, false, f, why);
}

enum rc
mailbox_end(struct mailbox *box, struct why *why)
{
    return kv_env_end(box->home->kv, why);
}

enum rc
mailbox_write(struct mailbox *box, struct index_folder *f, struct why *why)
{
    return enter(box, true, f, why);
}

enum rc
mailbox_write_text(struct mailbox *box, const char *name, bool fresh,
                   struct str text, struct text_stamp *stamp, struct why *why)
{
    if (!fresh || box->nmade == COUNT(box->made))
        return text_write(box->dir, name, text, stamp, why);

    enum rc rc =
        text_make(box->dir, name, text, stamp, &box->made[box->nmade], why);

    box->nmade += rc == OK;
    return rc;
}

/* What was made is on disk before the index tells of it. */
static enum rc
settle_made(struct mailbox *box, struct why *why)
{
    enum rc rc = OK;

    if (box->nmade > 0)
        rc = text_settle(box->dir, box->made, box->nmade, why);
    close_made(box);
    return rc;
}

enum rc
mailbox_commit(struct mailbox *box, struct index_folder *f, struct why *why)
{
    if (settle_made(box, why) != OK) {
        kv_env_abort(box->home->kv);
        return rc_of(why->dsn);
    }
    if (box->own_new && box->own_cur) {
        f->own_new = box->own_new;
        f->own_cur = box->own_cur;
    }
    index_folder_put(box->home->kv, box->path, f);
    enum rc rc = kv_env_commit(box->home->kv, why);

    if (rc == OK && f->modseq > box->told) {
        box->told = f->modseq;
        home_tell(box->home, box->path);
    }
    return rc;
}

void
mailbox_abort(struct mailbox *box)
{
    kv_env_abort(box->home->kv);
}

/* Allow more mod-sequences, on disk, before the first of them is used. */
static enum rc
reserve(struct mailbox *box, struct index_folder *f, struct why *why)
{
    struct arena *a = arena_new("state", 1 << 16);
    struct state_line l = {.kind = 'M', .value = f->modseq + RESERVE};
    struct buf b = buf_in(a);
    struct text_stamp stamp;
    enum rc rc = OK;

    if (!text_stat(box->dir, STATE_FILE, &stamp) || stamp.ino == 0)
        state_put_head(&b, f->validity);
    state_put(&b, &l);
    if (stamp.ino == 0)
        rc = mailbox_write_text(box, STATE_FILE, true, buf_str(&b), &f->state,
                                why);
    else
        rc = state_append(box->dir, buf_str(&b), true, &f->state, why);
    if (rc == OK)
        f->reserved = l.value;
    arena_free(a);
    return rc;
}

enum rc
mailbox_next_modseq(struct mailbox *box, struct index_folder *f,
                    struct why *why)
{
    f->modseq++;
    return f->modseq > f->reserved ? reserve(box, f, why) : OK;
}

enum rc
mailbox_next_modseq_told(struct mailbox *box, struct index_folder *f,
                         struct why *why)
{
    bool all_told = f->flushed >= f->modseq;
    enum rc rc = mailbox_next_modseq(box, f, why);

    if (all_told)
        f->flushed = f->modseq;
    return rc;
}

void
mailbox_own_begin(struct mailbox *box, const struct index_folder *f)
{
    int64_t new = dir_mtime(box->new), cur = dir_mtime(box->cur);

    box->own_good =
        !box->doubt &&
        (new == f->new_mtime || new == box->own_new || new == f->own_new) &&
        (cur == f->cur_mtime || cur == box->own_cur || cur == f->own_cur);
    box->own_new = box->own_good ? new : 0;
}

void
mailbox_own_end(struct mailbox *box, bool in_new)
{
    if (in_new && box->own_good)
        box->own_new = dir_mtime(box->new);
    box->own_cur = box->own_good ? dir_mtime(box->cur) : 0;
}

void
mailbox_own_doubt(struct mailbox *box)
{
    box->own_new = box->own_cur = 0;
    box->doubt = true;
}

/* What is asked of a folder. */

enum rc
mailbox_record(struct mailbox *box, uint32_t uid, struct index_message *m,
               struct why *why)
{
    struct index_folder f;
    enum rc rc = mailbox_read(box, &f, why);

    if (rc != OK)
        return rc;
    bool there = index_message_get(box->home->kv, f.id, uid, m);

    rc = mailbox_end(box, why);
    if (rc == OK && !there)
        rc = fail(why, "5.2.0", "the message has been removed");
    return rc;
}

enum rc
mailbox_message(struct mailbox *box, uint32_t uid, struct message *m,
                struct why *why)
{
    struct index_message r;
    enum rc rc = mailbox_record(box, uid, &r, why);

    if (rc != OK)
        return rc;
    *m = message_from(uid, &r);
    return mailbox_dates(box, m, why);
}

struct message
message_from(uint32_t uid, const struct index_message *r)
{
    return (struct message){
        .uid = uid,
        .flags = r->flags,
        .keywords = r->keywords,
        .modseq = r->modseq,
        .date = r->date,
        .saved = r->saved,
        .size = r->size,
        .vsize = r->vsize,
        .id = {r->id[0], r->id[1], r->id[2], r->id[3], r->id[4], r->id[5],
               r->id[6], r->id[7], r->id[8], r->id[9], r->id[10], r->id[11],
               r->id[12], r->id[13], r->id[14], r->id[15]},
    };
}

enum rc
mailbox_status(struct mailbox *box, bool sizes, struct mailbox_status *s,
               struct why *why)
{
    struct index_folder f;
    enum rc rc = mailbox_read(box, &f, why);

    if (rc != OK)
        return rc;
    rc = mailbox_end(box, why);
    for (uint32_t after = 0; rc == OK && sizes && f.unsized;) {
        rc = mailbox_size_some(box, &after, why);
        if (rc == OK && after == 0)
            return mailbox_status(box, false, s, why);
    }
    if (rc != OK)
        return rc;
    *s = (struct mailbox_status){
        .validity = f.validity,
        .next = f.next,
        .messages = f.messages,
        .unseen = f.unseen,
        .deleted = f.deleted,
        .modseq = f.modseq,
        .floor = f.floor,
        .size = f.vsize,
        .pending = f.modseq > f.flushed || (f.claimed && f.in_new),
    };
    memcpy(s->guid, f.guid, sizeof s->guid);
    return OK;
}

enum rc
mailbox_fields(struct mailbox *box, uint32_t uid, struct arena *a,
               struct str *fields, struct why *why)
{
    struct index_folder f;
    struct index_key k;
    struct str value;
    enum rc rc = mailbox_read(box, &f, why);

    *fields = (struct str){0};
    if (rc != OK)
        return rc;
    if (kv_env_get(box->home->kv, index_key_uid(&k, 'X', f.id, uid), &value))
        *fields = arena_str(a, value);
    return mailbox_end(box, why);
}
