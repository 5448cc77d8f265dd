#include "fts/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/crc.h"
#include "fts/postings.h"
#include "fts/tokens.h"

/* What it covers of the head begins behind it. */
#define CRC_END (offsetof(struct segment_head, crc) + sizeof(uint32_t))

/* ---- opening */

static bool
is_within(const struct segment_head *h, uint64_t at, uint64_t len)
{
    return at >= sizeof *h && at <= h->size && len <= h->size - at;
}

static bool
area_is_sane(const struct segment_head *h, const struct segment_area *a)
{
    return is_within(h, a->words, a->words_len) &&
           is_within(h, a->lists, a->lists_len) &&
           is_within(h, a->grams, a->grams_len) &&
           a->marks % sizeof(uint32_t) == 0 &&
           is_within(h, a->marks,
                     (uint64_t)a->mark_count * sizeof(struct segment_mark)) &&
           (a->row_count & (a->row_count - 1)) == 0 && a->row_count <= GRAMS &&
           a->rows % sizeof(uint32_t) == 0 &&
           is_within(h, a->rows,
                     ((uint64_t)a->row_count + 1) * sizeof(uint32_t));
}

static bool
head_is_sane(const struct segment_head *h, size_t size,
             const struct segment_folder *f)
{
    if (memcmp(h->magic, SEGMENT_MAGIC, sizeof h->magic) != 0 ||
        memcmp(&h->folder, f, sizeof *f) != 0 || h->size != size ||
        h->doc_count > SEGMENT_DOCS_MAX || h->docs % 8 != 0 ||
        !is_within(h, h->docs, h->doc_count * sizeof(struct segment_doc)))
        return false;
    for (size_t i = 0; i < FTS_AREAS; i++)
        if (!area_is_sane(h, &h->area[i]))
            return false;
    return true;
}

struct segment *
segment_from(struct str file, const char *name, const struct segment_folder *f)
{
    const struct segment_head *h = (const void *)file.p;
    struct segment *s;

    if (file.len < sizeof *h || !head_is_sane(h, file.len, f))
        return NULL;
    s = calloc(1, sizeof *s + strlen(name) + 1);
    must(s != NULL);
    memcpy(s->name, name, strlen(name) + 1);
    s->file = file;
    s->head = h;
    s->docs = (const void *)(file.p + h->docs);
    s->count = h->doc_count;
    s->users = 1;
    return s;
}

struct segment *
segment_open(int dir, const char *name, const struct segment_folder *f)
{
    auto_close int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct segment *s;
    struct stat st;
    void *p;

    if (fd < 0 || fstat(fd, &st) < 0)
        return NULL;
    errno = EBADMSG;
    if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(struct segment_head))
        return NULL;
    p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return NULL;
    s = segment_from((struct str){p, (size_t)st.st_size}, name, f);
    if (s) {
        s->is_mapped = true;
        return s;
    }
    munmap(p, (size_t)st.st_size);
    errno = EBADMSG;
    return NULL;
}

void
segment_close(struct segment *s)
{
    if (--s->users > 0)
        return;
    if (s->is_mapped)
        munmap((void *)(uintptr_t)s->file.p, s->file.len);
    free(s);
}

uint32_t
segment_crc(const struct segment_head *h, uint32_t crc)
{
    const char *p = (const char *)h;

    return crc32c(crc, (struct str){p + CRC_END, sizeof *h - CRC_END});
}

bool
segment_is_good(struct segment *s)
{
    const struct str rest = str_sub(s->file, sizeof *s->head, s->file.len);

    if (s->state == SEGMENT_NEW)
        s->state = segment_crc(s->head, crc32c(0, rest)) == s->head->crc
                       ? SEGMENT_GOOD
                       : SEGMENT_BAD;
    return s->state == SEGMENT_GOOD;
}

/* ---- words */

void
segment_put_number(struct buf *b, uint32_t number)
{
    for (; number > 0xf; number >>= 5)
        buf_addc(b, (char)(number & 0x1f));
    buf_addc(b, (char)(0x20 | number));
}

static bool
is_word_byte(const char *p)
{
    return (unsigned char)*p >= '0';
}

/* 0 where it is damaged. */
static uint32_t
take_number(const char **p, const char *end)
{
    uint32_t number = 0;

    for (unsigned shift = 0; *p < end && !is_word_byte(*p) && shift < 30;
         shift += 5) {
        unsigned char c = (unsigned char)*(*p)++;

        number |= (uint32_t)(c & 0x1f) << shift;
        if (c >= 0x20)
            return number;
    }
    return 0;
}

/* A word, what messages have it, and those before it. */
struct entry {
    const char *begin, *end; /* the end is behind its numbers */
    uint32_t first;          /* message */
    uint32_t list, len;      /* of the others; 0: there are none */
};

/* The next one; `first` and `list` are those of the one before. */
static struct entry
read_entry(const struct segment_area *a, const struct entry *before,
           const char *stop)
{
    struct entry e = {
        .begin = before->end,
        .end = before->end,
        .first = before->first,
        .list = before->list + before->len,
    };
    uint32_t number;

    while (e.end < stop && is_word_byte(e.end))
        e.end++;
    number = take_number(&e.end, stop);
    e.first += number >> 1;
    e.len = number & 1 ? take_number(&e.end, stop) : 0;
    if (e.list > a->lists_len || e.len > a->lists_len - e.list)
        e.list = e.len = 0;
    if (e.end == e.begin)
        e.end = stop; /* damaged */
    return e;
}

/* As if it were the one before the first that is marked. */
static struct entry
read_mark(const struct segment *s, const struct segment_area *a, size_t i)
{
    const struct segment_mark *m = (const void *)(s->file.p + a->marks);
    struct entry e = {.begin = s->file.p + a->words};

    if (i >= a->mark_count ||
        (uint64_t)i * MARK_EVERY + m[i].skip > a->words_len)
        e.end = e.begin + a->words_len;
    else
        e = (struct entry){
            .end = e.begin + i * MARK_EVERY + m[i].skip,
            .first = m[i].first,
            .list = m[i].list,
        };
    return e;
}

/* Read on from *e, or from the mark before it, to the word that p is in. */
static void
seek(const struct segment *s, const struct segment_area *a, const char *p,
     struct entry *e)
{
    const char *words = s->file.p + a->words, *stop = words + a->words_len;

    while (p > words && is_word_byte(p - 1))
        p--;

    const size_t mark = (size_t)(p - words) / MARK_EVERY;

    if (e->end == NULL || e->end < words + mark * MARK_EVERY)
        *e = read_mark(s, a, mark);
    do
        *e = read_entry(a, e, stop);
    while (e->begin < p && e->end < stop);
}

static void
add_entry(const struct segment *s, const struct segment_area *a,
          const struct entry *e, uint64_t *bits)
{
    if (e->first >= s->count)
        return;
    bit_set(bits, e->first);
    if (e->len > 0)
        postings_add((struct str){s->file.p + a->lists + e->list, e->len},
                     e->first + 1, s->count, bits);
}

void
segment_words(const struct segment *s, enum fts_area area, struct str part,
              bool first, bool last, uint64_t *bits)
{
    const struct segment_area *a = &s->head->area[area];
    const char *begin = s->file.p + a->words, *stop = begin + a->words_len;
    const char *at = begin, *hit;
    struct entry e = {0};

    while (part.len > 0 &&
           (hit = memmem(at, (size_t)(stop - at), part.p, part.len)) != NULL) {
        const char *end = hit + part.len;

        at = hit + 1;
        if ((first && hit > begin && is_word_byte(hit - 1)) ||
            (last && end < stop && is_word_byte(end)))
            continue;
        seek(s, a, hit, &e);
        add_entry(s, a, &e, bits);
        at = e.end;
    }
}

/* ---- grams */

static struct str
row_of(const struct segment *s, const struct segment_area *a, uint32_t row)
{
    const uint32_t *at = (const void *)(s->file.p + a->rows);

    if (at[row] > at[row + 1] || at[row + 1] > a->grams_len)
        return S("");
    return (struct str){s->file.p + a->grams + at[row], at[row + 1] - at[row]};
}

static void
add_all_rows(const struct segment *s, const struct segment_area *a,
             uint64_t *bits)
{
    for (uint32_t row = 0; row < a->row_count; row++)
        postings_add(row_of(s, a, row), 0, s->count, bits);
}

void
segment_grams(const struct segment *s, enum fts_area area, struct str part,
              uint64_t *bits)
{
    const struct segment_area *a = &s->head->area[area];
    uint64_t all[SEGMENT_BITS], one[SEGMENT_BITS], any = 1;

    if (a->row_count == 0)
        return;
    if (part.len < 3) {
        add_all_rows(s, a, bits);
        return;
    }
    memset(all, 0xff, sizeof all);
    for (size_t i = 0; i + 3 <= part.len && any; i++) {
        memset(one, 0, sizeof one);
        postings_add(row_of(s, a, tokens_gram(part.p + i) & (a->row_count - 1)),
                     0, s->count, one);
        any = 0;
        for (size_t k = 0; k < SEGMENT_BITS; k++)
            any |= all[k] &= one[k];
    }
    for (size_t k = 0; k < SEGMENT_BITS; k++)
        bits[k] |= all[k];
}
