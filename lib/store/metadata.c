#include "store/metadata.h"

#include "mail/base64.h"
#include "store/dotlock.h"
#include "store/folder_files.h"
#include "store/text.h"

#define LOCK       METADATA_FILE ".lock"
#define WORK_LIMIT ((size_t)64 << 20)

bool
metadata_next(struct arena *a, struct str *text, struct metadata_note *n)
{
    struct str line;

    while (text->len > 0) {
        struct buf value = buf_in(a);

        str_cut(text, '\n', &line);
        if (str_cut(&line, '\t', &n->path) && str_cut(&line, '\t', &n->entry) &&
            str_starts(n->entry, S("/")) && base64_decode(&value, line)) {
            n->value = buf_str(&value);
            return true;
        }
    }
    return false;
}

enum rc
metadata_load(struct home *h, struct arena *a, struct metadata_notes *notes,
              struct why *why)
{
    VEC(struct metadata_note) found = {0};
    struct text_stamp stamp;
    struct metadata_note n;
    struct str text;
    enum rc rc = text_read(a, h->dir, METADATA_FILE, 0, METADATA_MAX * 2, &text,
                           &stamp, why);

    *notes = (struct metadata_notes){0};
    while (rc == OK && metadata_next(a, &text, &n))
        *vec_add(&found) = n;
    notes->count = found.len;
    notes->at = arena_alloc(a, (found.len + 1) * sizeof *notes->at);
    if (found.len > 0)
        memcpy(notes->at, found.at, found.len * sizeof *notes->at);
    vec_free(&found);
    return rc;
}

static void
put(struct buf *b, const struct metadata_note *n)
{
    buf_fmt(b, "%.*s\t%.*s\t", STR(n->path), STR(n->entry));
    base64_encode(b, n->value);
    buf_addc(b, '\n');
}

static bool
is_same(const struct metadata_note *a, const struct metadata_note *b)
{
    return str_eq(a->path, b->path) && str_ieq(a->entry, b->entry);
}

/* The last word on an entry counts. */
static bool
is_replaced(const struct metadata_note *n, const struct metadata_note *by,
            size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_same(n, &by[i]))
            return true;
    return false;
}

static enum rc
write_all(struct home *h, struct str text, struct why *why)
{
    struct text_stamp stamp;

    if (text.len > METADATA_MAX)
        return fail(why, "5.2.2", "there is no room for more notes");
    return text_write(h->dir, METADATA_FILE, text, &stamp, why);
}

static enum rc
set(struct home *h, struct arena *a, const struct metadata_note *notes,
    size_t count, struct why *why)
{
    struct buf b = buf_in(a);
    struct metadata_notes old;
    size_t there = 0;
    enum rc rc = metadata_load(h, a, &old, why);

    if (rc != OK)
        return rc;
    for (size_t i = 0; i < old.count; i++)
        if (!is_replaced(&old.at[i], notes, count)) {
            there += str_eq(old.at[i].path, notes[0].path);
            put(&b, &old.at[i]);
        }
    for (size_t i = 0; i < count; i++)
        if (notes[i].value.p &&
            !is_replaced(&notes[i], notes + i + 1, count - i - 1)) {
            there++;
            put(&b, &notes[i]);
        }
    if (there > METADATA_ENTRIES)
        return fail(why, "5.3.4", "the folder has too many notes");
    return write_all(h, buf_str(&b), why);
}

enum rc
metadata_set(struct home *h, const struct metadata_note *notes, size_t count,
             struct why *why)
{
    struct arena *a;
    enum rc rc = count ? dotlock_take(h->dir, LOCK, NULL, LOCK_WAIT, why) : OK;

    if (rc != OK || count == 0)
        return rc;
    a = arena_new("metadata", WORK_LIMIT);
    rc = set(h, a, notes, count, why);
    arena_free(a);
    dotlock_drop(h->dir, LOCK);
    home_tell(h, S(""));
    return rc;
}

static enum rc
move(struct home *h, struct arena *a, struct str from, const char *to,
     struct why *why)
{
    struct buf b = buf_in(a);
    struct metadata_notes old;
    struct str rest;
    bool changed = false;
    enum rc rc = metadata_load(h, a, &old, why);

    if (rc != OK)
        return rc;
    for (size_t i = 0; i < old.count; i++) {
        struct metadata_note *n = &old.at[i];

        if (to && path_is_below(h, n->path, from, &rest)) {
            n->path = str_from(arena_fmt(a, "%s%.*s", to, STR(rest)));
            changed = true;
        } else if (to == NULL && str_eq(n->path, from)) {
            changed = true;
            continue;
        }
        put(&b, n);
    }
    return changed ? write_all(h, buf_str(&b), why) : OK;
}

enum rc
metadata_move(struct home *h, struct str from, const char *to, struct why *why)
{
    struct text_stamp stamp;
    struct arena *a;
    enum rc rc;

    if (text_stat(h->dir, METADATA_FILE, &stamp) && stamp.ino == 0)
        return OK;
    rc = dotlock_take(h->dir, LOCK, NULL, LOCK_WAIT, why);
    if (rc != OK)
        return rc;
    a = arena_new("metadata", WORK_LIMIT);
    rc = move(h, a, from, to, why);
    arena_free(a);
    dotlock_drop(h->dir, LOCK);
    return rc;
}
