/* The file of a segment, made area by area. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/crc.h"
#include "fts/builder_own.h"
#include "fts/postings.h"
#include "sys/disk.h"

#define TEMPORARY "new"
#define SLICE     ((size_t)1 << 15) /* things done in a step */
#define OUT_MAX   ((size_t)1 << 29)
#define ROW_SHARE 24 /* no more than one message in so many has a row */

struct writing {
    struct arena *arena;  /* of an area */
    struct arena *sorted; /* of words, whatever their area */
    size_t phase, at;     /* which, and how far */
    enum fts_area area;
    uint16_t *docs; /* word by word or row by row */
    uint32_t *row;  /* where each row ends in `docs` */
    uint32_t row_count;
    uint32_t mark_count;
    uint16_t first; /* message that had the last word first */
    struct buf words, marks, lists, rows;
    int fd;
    uint64_t size; /* of the file so far */
    uint32_t crc;  /* of that, but for the head */
    int error;     /* of the disk */
};

void
writing_free(struct writing *w)
{
    if (w == NULL)
        return;
    if (w->fd >= 0)
        close(w->fd);
    arena_free(w->arena);
    arena_free(w->sorted);
    free(w);
}

static struct writing *
writing_new(int dir)
{
    struct writing *w = calloc(1, sizeof *w);

    must(w != NULL);
    w->arena = arena_new("search index", OUT_MAX);
    w->sorted = arena_new("search index words", OUT_MAX);
    w->size = sizeof(struct segment_head);
    w->fd = openat(dir, TEMPORARY,
                   O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (w->fd < 0 || !disk_share(w->fd, dir, "") ||
        lseek(w->fd, (off_t)w->size, SEEK_SET) < 0)
        w->error = errno;
    return w;
}

/* What is done, in order; true when the whole is. */
typedef bool phase_run(struct builder *b, struct writing *w);

/* ---- words */

/* Sorted by counting: first, where the messages of each word go. */
static bool
place_words(struct builder *b, struct writing *w)
{
    uint32_t place = 0;

    for (size_t i = 0; i < b->words.len; i++) {
        b->words.at[i].place = place;
        place += b->words.at[i].count;
    }
    w->docs = arena_alloc(w->sorted, (place + 1) * sizeof *w->docs);
    return true;
}

static bool
sort_words(struct builder *b, struct writing *w)
{
    size_t done = 0;

    for (; w->at < b->docs.len && done < SLICE; w->at++) {
        uint32_t i = w->at ? b->had.end.at[w->at - 1] : 0;

        for (; i < b->had.end.at[w->at]; i++, done++)
            w->docs[b->words.at[b->had.at.at[i]].place++] = (uint16_t)w->at;
    }
    return w->at == b->docs.len;
}

/* Marks are due for each MARK_EVERY bytes. */
static void
put_mark(struct writing *w)
{
    const size_t at = w->mark_count * (size_t)MARK_EVERY;
    const struct segment_mark m = {
        .list = (uint32_t)w->lists.len,
        .first = w->first,
        .skip = (uint16_t)(w->words.len - at),
    };

    buf_add(&w->marks, (struct str){(const char *)&m, sizeof m});
    w->mark_count++;
}

static void
put_word(struct builder *b, struct writing *w, const struct word *word)
{
    const uint16_t *docs = w->docs + word->place - word->count;
    const uint32_t after = (uint32_t)docs[0] - w->first;
    const size_t before = w->lists.len;

    while (w->mark_count * (size_t)MARK_EVERY <= w->words.len)
        put_mark(w);
    buf_add(&w->words, (struct str){b->texts.at + word->at, word->len});
    segment_put_number(&w->words, after << 1 | (word->count > 1));
    w->first = docs[0];
    if (word->count == 1)
        return;
    postings_put(&w->lists, docs + 1, word->count - 1, docs[0] + 1u,
                 (uint32_t)b->docs.len);
    segment_put_number(&w->words, (uint32_t)(w->lists.len - before));
}

static bool
put_words(struct builder *b, struct writing *w)
{
    if (w->at == 0) {
        arena_reset(w->arena);
        w->words = buf_in(w->arena);
        w->marks = buf_in(w->arena);
        w->lists = buf_in(w->arena);
        w->mark_count = 0;
        w->first = 0;
    }
    for (size_t n = 0; w->at < b->words.len && n < SLICE / 4; w->at++, n++)
        if (b->words.at[w->at].area == w->area && b->words.at[w->at].count)
            put_word(b, w, &b->words.at[w->at]);
    return w->at == b->words.len;
}

/* ---- grams */

/* Few messages need few rows, which then have several grams. */
static uint32_t
rows_for(size_t grams, size_t docs)
{
    uint32_t rows = 256;

    while (rows < GRAMS && rows * docs < grams * ROW_SHARE)
        rows *= 2;
    return grams ? rows : 0;
}

static bool
place_rows(struct builder *b, struct writing *w)
{
    struct grams_had *g = &b->grams[w->area];
    uint32_t place = 0;

    arena_reset(w->arena);
    w->row_count = rows_for(g->at.len, b->docs.len);
    w->row = arena_alloc(w->arena, (w->row_count + 1) * sizeof *w->row);
    w->docs = arena_alloc(w->arena, (g->at.len + 1) * sizeof *w->docs);
    w->rows = buf_in(w->arena);
    w->lists = buf_in(w->arena);
    for (size_t i = 0; i < g->at.len; i++)
        w->row[g->at.at[i] & (w->row_count - 1)]++;
    for (size_t i = 0; i < w->row_count; i++) {
        uint32_t count = w->row[i];

        w->row[i] = place;
        place += count;
    }
    return true;
}

static bool
sort_rows(struct builder *b, struct writing *w)
{
    struct grams_had *g = &b->grams[w->area];
    size_t done = 0;

    for (; w->at < b->docs.len && done < SLICE; w->at++) {
        uint32_t i = w->at ? g->end.at[w->at - 1] : 0;

        for (; i < g->end.at[w->at]; i++, done++)
            w->docs[w->row[g->at.at[i] & (w->row_count - 1)]++] =
                (uint16_t)w->at;
    }
    return w->at == b->docs.len;
}

static void
put_u32(struct buf *b, size_t n)
{
    uint32_t u = (uint32_t)n;

    buf_add(b, (struct str){(const char *)&u, sizeof u});
}

static bool
put_rows(struct builder *b, struct writing *w)
{
    for (size_t n = 0; w->at < w->row_count && n < SLICE / 4; w->at++, n++) {
        uint32_t from = w->at ? w->row[w->at - 1] : 0;

        put_u32(&w->rows, w->lists.len);
        if (w->row[w->at] > from)
            postings_put(&w->lists, w->docs + from, w->row[w->at] - from, 0,
                         (uint32_t)b->docs.len);
    }
    if (w->at < w->row_count)
        return false;
    put_u32(&w->rows, w->lists.len);
    return true;
}

/* ---- the file */

static void
append_bytes(struct writing *w, struct str bytes)
{
    if (w->error == 0 && bytes.len > 0 && !disk_write(w->fd, bytes))
        w->error = errno;
    w->crc = crc32c(w->crc, bytes);
    w->size += bytes.len;
}

/* Where it is then. */
static uint32_t
append(struct writing *w, struct str section)
{
    append_bytes(w, str_sub(S("\0\0\0\0\0\0\0"), 0, -w->size % 8));

    const uint32_t at = (uint32_t)w->size;

    append_bytes(w, section);
    return at;
}

static bool
append_docs(struct builder *b, struct writing *w)
{
    b->head.docs = append(w, (struct str){(const char *)b->docs.at,
                                          b->docs.len * sizeof *b->docs.at});
    b->head.doc_count = (uint32_t)b->docs.len;
    return true;
}

static bool
append_words(struct builder *b, struct writing *w)
{
    struct segment_area *a = &b->head.area[w->area];

    a->words = append(w, buf_str(&w->words));
    a->words_len = (uint32_t)w->words.len;
    a->marks = append(w, buf_str(&w->marks));
    a->mark_count = w->mark_count;
    a->lists = append(w, buf_str(&w->lists));
    a->lists_len = (uint32_t)w->lists.len;
    return true;
}

static bool
append_rows(struct builder *b, struct writing *w)
{
    struct segment_area *a = &b->head.area[w->area];

    a->rows = append(w, buf_str(&w->rows));
    a->row_count = w->row_count;
    a->grams = append(w, buf_str(&w->lists));
    a->grams_len = (uint32_t)w->lists.len;
    return true;
}

static bool
write_head(struct builder *b, struct writing *w)
{
    b->head.size = w->size;
    b->head.full = builder_is_full(b);
    b->head.crc = segment_crc(&b->head, w->crc);
    if (w->error == 0 &&
        !disk_pwrite(w->fd,
                     (struct str){(const char *)&b->head, sizeof b->head}, 0))
        w->error = errno;
    return true;
}

/* All words come before grams, as they share what sorts them. */
#define WORDS(area)                                                            \
    {put_words, area},                                                         \
    {                                                                          \
        append_words, area                                                     \
    }
#define ROWS(area)                                                             \
    {place_rows, area}, {sort_rows, area}, {put_rows, area},                   \
    {                                                                          \
        append_rows, area                                                      \
    }

static const struct {
    phase_run *run;
    enum fts_area area;
} phases[] = {
    {place_words, FTS_FIELDS},
    {sort_words,  FTS_FIELDS},
    {append_docs, FTS_FIELDS},
    WORDS(FTS_FIELDS),
    WORDS(FTS_HEADER),
    WORDS(FTS_BODY),
    ROWS(FTS_FIELDS),
    ROWS(FTS_HEADER),
    ROWS(FTS_BODY),
    {write_head,  FTS_FIELDS},
};

/* What a full disk has not taken must not fill it. */
static enum rc
give_up(int dir, int error, struct why *why)
{
    unlinkat(dir, TEMPORARY, 0);
    errno = error;
    return fail(why, "4.3.0", "cannot write a search index: %m");
}

enum rc
builder_write(struct builder *b, int dir, const char *name, bool *done,
              struct why *why)
{
    struct writing *w = b->writing;

    *done = false;
    if (w == NULL)
        w = b->writing = writing_new(dir);
    w->area = phases[w->phase].area;
    if (w->error == 0 && phases[w->phase].run(b, w)) {
        w->phase++;
        w->at = 0;
    }
    if (w->error == 0 && w->phase == COUNT(phases)) {
        *done = disk_publish(dir, TEMPORARY, name);
        w->error = *done ? 0 : errno;
    }
    return w->error ? give_up(dir, w->error, why) : OK;
}
