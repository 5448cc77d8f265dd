#include "import_state.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "access/names.h"
#include "base/buf.h"
#include "base/hash.h"
#include "store/changes.h"
#include "store/text.h"
#include "sys/disk.h"

#define HEAD     "posta-import 1 "
#define FILE_MAX ((off_t)1 << 30)

/* Of a folder: its UIDVALIDITY, and 1; or it has had several. */
#define MIXED ((uintptr_t)1 << 33)

struct import_state {
    struct arena *life;
    int dir, fd; /* fd -1: nothing is written */
    const char *name;
    struct str source;
    struct hash *ids;      /* "KEY validity id" */
    struct hash *contents; /* "KEY hash": how many */
    struct hash *folders;  /* "KEY": see MIXED */
    struct str key, name_here;
    uint32_t validity;
    bool by_content;
    bool torn; /* the file does not end with a line */

    /* A batch that may have been stored. */
    struct str pending_key, to_name;
    uint32_t pending_validity, to_validity, to_next;
    VEC(struct import_id) pending;
    bool pending_whole;
};

uint64_t
import_hash(uint64_t h, struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.p[i] != '\r')
            h = (h ^ (unsigned char)bytes.p[i]) * UINT64_C(0x100000001b3);
    return h;
}

/* ---- what is known: numbers are kept in place of pointers */

static uintptr_t
number_get(const struct hash *h, struct str key)
{
    return (uintptr_t)hash_get(h, key);
}

static void
number_put(struct hash *h, struct str key, uintptr_t number)
{
    if (number)
        *hash_put(h, key) = (void *)number;
    else
        (void)hash_del(h, key);
}

static struct str
id_key(struct arena *a, struct str key, uint32_t validity, struct str id)
{
    return str_from(arena_fmt(a, "%.*s\n%u %.*s", STR(key), validity, STR(id)));
}

static struct str
content_key(struct arena *a, struct str key, uint64_t hash)
{
    return str_from(
        arena_fmt(a, "%.*s\n%016llx", STR(key), (unsigned long long)hash));
}

/* Of what this run copies content is not noted: a source may have the same
 * message twice. */
static void
note_pending(struct import_state *s, bool contents)
{
    struct arena *a = arena_new("import", (size_t)64 << 20);
    struct str key;

    for (size_t i = 0; i < s->pending.len; i++) {
        const struct import_id *m = &s->pending.at[i];

        arena_reset(a);
        if (!str_eq(m->id, S(IMPORT_NO_ID)))
            number_put(s->ids,
                       id_key(a, s->pending_key, s->pending_validity, m->id),
                       1);
        key = content_key(a, s->pending_key, m->hash);
        if (contents)
            number_put(s->contents, key, number_get(s->contents, key) + 1);
    }
    arena_free(a);
    s->pending.len = 0;
    s->pending_whole = false;
}

static void
note_folder(struct import_state *s, struct str key, uint32_t validity)
{
    uintptr_t kept = number_get(s->folders, key);

    number_put(s->folders, key,
               kept == 0 || kept == (uintptr_t)validity + 1
                   ? (uintptr_t)validity + 1
                   : MIXED);
}

/* ---- the file */

/* "12 rest" */
static bool
take_number(struct str *rest, uint64_t *n)
{
    struct str first;

    return str_cut(rest, ' ', &first) && str_num(first, n);
}

/* "77 12 Archive/2024": where it was to go. */
static void
take_batch(struct import_state *s, struct str rest)
{
    uint64_t validity, next;

    s->pending.len = 0;
    s->pending_whole = false;
    s->to_name = S("");
    if (!take_number(&rest, &validity) || !take_number(&rest, &next))
        return;
    s->to_validity = (uint32_t)validity;
    s->to_next = (uint32_t)next;
    s->to_name = rest;
}

static void
take_line(struct import_state *s, struct str line, struct str *key,
          uint32_t *validity)
{
    struct str rest = str_sub(line, 2, line.len), text;
    uint64_t n, hash;

    switch (line.len ? line.p[0] : 0) {
    case 'F':
        if (take_number(&rest, &n)) {
            *key = rest;
            *validity = (uint32_t)n;
            note_folder(s, *key, *validity);
        }
        break;
    case 'B':
        s->pending_key = *key;
        s->pending_validity = *validity;
        take_batch(s, rest);
        break;
    case 'M':
        if (str_cut(&rest, ' ', &text) && str_hex(rest, &hash))
            *vec_add(&s->pending) = (struct import_id){text, hash};
        break;
    case 'E':
        s->pending_whole = true;
        break;
    case 'C':
        note_pending(s, true);
        break;
    default:
        break;
    }
}

static enum rc
put(struct import_state *s, struct str lines, bool sync, struct why *why)
{
    bool good = !s->torn || disk_write(s->fd, S("\n"));

    s->torn = false;
    if (!good || !disk_write(s->fd, lines) ||
        (sync && (!disk_sync(s->fd) || !disk_sync_dir(s->dir))))
        return store_fail(errno, why, "cannot write %s", s->name);
    return OK;
}

static enum rc
read_all(struct import_state *s, struct why *why)
{
    struct text_stamp stamp;
    struct str text, line, key = S("");
    uint32_t validity = 0;
    enum rc rc =
        text_read(s->life, s->dir, s->name, 0, FILE_MAX, &text, &stamp, why);

    if (rc != OK)
        return rc;
    if (text.len == 0)
        return s->fd < 0 ? OK
                         : put(s,
                               str_from(arena_fmt(s->life, HEAD "%.*s\n",
                                                  STR(s->source))),
                               false, why);
    s->torn = !str_ends(text, S("\n"));
    (void)str_cut(&text, '\n', &line);
    if (!str_skip(&line, S(HEAD)) || !str_eq(line, s->source))
        return fail(why, "5.2.0", "%s is broken; remove it to copy all again",
                    s->name);
    while (str_cut(&text, '\n', &line))
        take_line(s, line, &key, &validity);
    if (!s->pending_whole)
        s->pending.len = 0;
    return OK;
}

static bool
open_file(struct import_state *s)
{
    s->fd = disk_open(s->dir, s->name, O_WRONLY | O_APPEND);
    if (s->fd < 0 && errno == ENOENT)
        s->fd = disk_create(s->dir, s->name, 0600);
    if (s->fd < 0 && errno == EEXIST) /* another import has made it */
        s->fd = disk_open(s->dir, s->name, O_WRONLY | O_APPEND);
    return s->fd >= 0;
}

enum rc
import_state_open(struct arena *life, const char *root, struct str source,
                  bool write, struct import_state **state, struct why *why)
{
    struct import_state *s = arena_make(life, struct import_state);

    *state = s;
    s->life = arena_new("import state", (size_t)FILE_MAX + (1 << 20));
    s->dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    s->fd = -1;
    s->source = source;
    s->name = arena_fmt(life, "posta-import-%016llx",
                        (unsigned long long)import_hash(IMPORT_HASH, source));
    s->ids = hash_new();
    s->contents = hash_new();
    s->folders = hash_new();
    if (s->dir < 0)
        return store_fail(errno, why, "cannot open %s", root);
    if (write && !open_file(s))
        return store_fail(errno, why, "cannot write %s", s->name);
    if (write && !disk_lock(s->fd))
        return fail(why, "4.2.0", "another import from there is at work");
    return read_all(s, why);
}

/* ---- a batch whose fate is not known */

static bool
hash_file(struct mailbox *box, uint32_t uid, uint64_t *hash)
{
    static char piece[64 << 10];
    int file;
    off_t at = 0;
    ssize_t n;
    struct why why;

    if (mailbox_file(box, uid, &file, &why) != OK)
        return false;
    auto_close int fd = file;

    *hash = IMPORT_HASH;
    while ((n = disk_read(fd, piece, sizeof piece, at)) > 0) {
        *hash = import_hash(*hash, (struct str){piece, (size_t)n});
        at += n;
    }
    return n == 0;
}

struct stored {
    uint32_t uid;
    uint64_t hash;
};

/*
 * Did the batch get the UIDs from `first` on, and at[i] one of them? Its
 * messages stand there, one behind the other, in its order; some may have been
 * expunged or moved away since.
 */
static bool
is_batch_at(const struct import_state *s, const struct stored *at, size_t len,
            size_t i, uint64_t first, uint32_t next)
{
    uint64_t end = first + s->pending.len;

    if (first < s->to_next || end > next)
        return false;
    while (i > 0 && at[i - 1].uid >= first)
        i--;
    for (; i < len && at[i].uid < end; i++)
        if (at[i].hash != s->pending.at[at[i].uid - first].hash)
            return false;
    return true;
}

static bool
is_batch_among(const struct import_state *s, const struct stored *at,
               size_t len, uint32_t next)
{
    for (size_t i = 0; i < len; i++)
        for (size_t k = 0; k < s->pending.len && k < at[i].uid; k++)
            if (at[i].hash == s->pending.at[k].hash &&
                is_batch_at(s, at, len, i, at[i].uid - k, next))
                return true;
    return false;
}

/* UIDs first, as nothing may be asked in a walk. */
static enum rc
was_stored(struct import_state *s, struct mailbox *box, bool *stored,
           struct why *why)
{
    const struct uid_range range = {s->to_next, UINT32_MAX};
    VEC(struct stored) found = {0};
    struct mailbox_status status;
    struct changes_walk w;
    struct message m;
    enum rc rc = mailbox_status(box, false, &status, why);

    *stored = false;
    if (rc != OK || status.validity != s->to_validity)
        return rc;
    rc = changes_begin(&w, box, (struct uid_set){&range, 1}, why);
    while (rc == OK && changes_next(&w, &m))
        *vec_add(&found) = (struct stored){.uid = m.uid};
    if (rc == OK)
        rc = changes_end(&w, why);
    size_t n = 0;

    for (size_t i = 0; rc == OK && i < found.len; i++)
        if (hash_file(box, found.at[i].uid, &found.at[i].hash))
            found.at[n++] = found.at[i];
    *stored = rc == OK && is_batch_among(s, found.at, n, status.next);
    vec_free(&found);
    return rc;
}

enum rc
import_state_settle(struct import_state *s, struct home *home, char separator,
                    struct why *why)
{
    struct str name = names_divided(s->life, s->to_name, '/', separator);
    struct mailbox *box;
    bool stored = false;
    enum rc rc;

    if (s->pending.len == 0)
        return OK;
    rc = mailbox_open(home, name, &box, why);
    if (rc == OK) {
        rc = was_stored(s, box, &stored, why);
        mailbox_close(box);
    } else if (rc == PERM) {
        rc = OK; /* there is no such folder */
    }
    if (rc == OK && stored) {
        rc = put(s, S("C\n"), false, why);
        note_pending(s, true);
    }
    s->pending.len = 0;
    return rc;
}

enum rc
import_state_folder(struct import_state *s, struct str key, uint32_t validity,
                    struct str name, struct why *why)
{
    s->key = arena_str(s->life, key);
    s->name_here = arena_str(s->life, name);
    s->validity = validity;
    note_folder(s, key, validity);
    s->by_content = validity == 0 || number_get(s->folders, key) == MIXED;
    if (s->fd < 0)
        return OK;
    return put(s,
               str_from(arena_fmt(s->life, "F %u %.*s\n", validity, STR(key))),
               false, why);
}

bool
import_state_knows(const struct import_state *s, struct str id)
{
    struct arena *a = arena_new("import", 1 << 20);
    bool known = number_get(s->ids, id_key(a, s->key, s->validity, id)) != 0;

    arena_free(a);
    return known;
}

bool
import_state_by_content(const struct import_state *s)
{
    return s->by_content;
}

bool
import_state_takes(struct import_state *s, uint64_t hash)
{
    struct arena *a = arena_new("import", 1 << 20);
    struct str key = content_key(a, s->key, hash);
    uintptr_t count = number_get(s->contents, key);

    if (count)
        number_put(s->contents, key, count - 1);
    arena_free(a);
    return count > 0;
}

enum rc
import_state_batch(struct import_state *s, const struct import_id *ids,
                   size_t count, struct mailbox *box, struct why *why)
{
    struct arena *a = arena_new("import", (size_t)64 << 20);
    struct buf b = buf_in(a);
    struct mailbox_status status;
    enum rc rc = mailbox_status(box, false, &status, why);

    s->pending.len = 0;
    s->pending_key = s->key;
    s->pending_validity = s->validity;
    buf_fmt(&b, "B %u %u %.*s\n", status.validity, status.next,
            STR(s->name_here));
    for (size_t i = 0; i < count; i++) {
        *vec_add(&s->pending) = ids[i];
        buf_fmt(&b, "M %.*s %016llx\n", STR(ids[i].id),
                (unsigned long long)ids[i].hash);
    }
    buf_add(&b, S("E\n"));
    if (rc == OK)
        rc = put(s, buf_str(&b), true, why);
    arena_free(a);
    return rc;
}

enum rc
import_state_stored(struct import_state *s, struct why *why)
{
    note_pending(s, false);
    return put(s, S("C\n"), false, why);
}
