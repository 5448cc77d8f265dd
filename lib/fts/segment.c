#include "fts/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/crc.h"
#include "fts/tokens.h"

/* What a CRC covers begins behind it. */
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

bool
segment_is_good(struct segment *s)
{
    if (s->state == SEGMENT_NEW)
        s->state =
            crc32c(0, str_sub(s->file, CRC_END, s->file.len)) == s->head->crc
                ? SEGMENT_GOOD
                : SEGMENT_BAD;
    return s->state == SEGMENT_GOOD;
}

/* ---- lists */

void
segment_put_number(struct buf *b, uint64_t n)
{
    for (; n > 0x7f; n >>= 7)
        buf_addc(b, (char)(n | 0x80));
    buf_addc(b, (char)n);
}

static bool
take_number(struct str *from, uint64_t *n)
{
    unsigned shift = 0;

    for (*n = 0; from->len > 0 && shift < 63; shift += 7) {
        unsigned char c = (unsigned char)from->p[0];

        *from = str_sub(*from, 1, from->len);
        *n |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80)
            return true;
    }
    return false;
}

static size_t
count_different(const uint16_t *docs, size_t count)
{
    size_t n = count > 0;

    for (size_t i = 1; i < count; i++)
        n += docs[i] != docs[i - 1];
    return n;
}

void
segment_put_list(struct buf *b, const uint16_t *docs, size_t count, size_t of)
{
    size_t n = count_different(docs, count), last = 0;

    segment_put_number(b, n);
    if (n > of / 8) {
        unsigned char *bits = (unsigned char *)buf_space(b, of / 8 + 1);

        memset(bits, 0, of / 8 + 1);
        for (size_t i = 0; i < count; i++)
            bits[docs[i] / 8] |= (unsigned char)(1 << docs[i] % 8);
        b->len += of / 8 + 1;
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (i == 0 || docs[i] != docs[i - 1]) {
            segment_put_number(b, docs[i] - last);
            last = docs[i] + 1u;
        }
}

static void
add_bits(struct str bytes, size_t count, uint64_t *bits)
{
    size_t len = count / 8 + 1;

    for (size_t i = 0; i < len && i < bytes.len && i < SEGMENT_BITS * 8; i++)
        bits[i / 8] |= (uint64_t)(unsigned char)bytes.p[i] << (i % 8 * 8);
}

/* What is damaged ends there; bits over the count are nobody's. */
static void
add_list(const struct segment *s, struct str list, uint64_t *bits)
{
    uint64_t n, step, next = 0;

    if (!take_number(&list, &n))
        return;
    if (n > s->count / 8) {
        add_bits(list, s->count, bits);
        return;
    }
    for (; n > 0 && take_number(&list, &step); n--) {
        if (step >= s->count || next + step >= s->count)
            return;
        bit_set(bits, next + step);
        next += step + 1;
    }
}

/* ---- words */

void
segment_put_place(struct buf *b, uint32_t place)
{
    for (; place > 0xf; place >>= 5)
        buf_addc(b, (char)(place & 0x1f));
    buf_addc(b, (char)(0x20 | place));
}

/* The number behind a word; the view is behind it then. */
static bool
take_place(struct str *from, uint64_t *place)
{
    unsigned shift = 0;

    for (*place = 0; from->len > 0 && shift < 40; shift += 5) {
        unsigned char c = (unsigned char)from->p[0];

        if (c >= '0')
            return false;
        *from = str_sub(*from, 1, from->len);
        *place |= (uint64_t)(c & 0x1f) << shift;
        if (c >= 0x20)
            return true;
    }
    return false;
}

static bool
is_word_byte(const char *p)
{
    return (unsigned char)*p >= '0';
}

static void
add_word(const struct segment *s, const struct segment_area *a, uint64_t place,
         uint64_t *bits)
{
    uint64_t at = place >> 1;

    if (!(place & 1) && at < s->count)
        bit_set(bits, at);
    if (place & 1 && at < a->lists_len)
        add_list(s, (struct str){s->file.p + a->lists + at, a->lists_len - at},
                 bits);
}

void
segment_words(const struct segment *s, enum fts_area area, struct str part,
              bool first, bool last, uint64_t *bits)
{
    const struct segment_area *a = &s->head->area[area];
    struct str rest = {s->file.p + a->words, a->words_len};
    const char *begin = rest.p, *hit;
    uint64_t place;

    while (part.len > 0 && rest.len >= part.len &&
           (hit = memmem(rest.p, rest.len, part.p, part.len)) != NULL) {
        const char *end = hit + part.len, *stop = rest.p + rest.len;
        bool fits = (!first || hit == begin || !is_word_byte(hit - 1)) &&
                    (!last || end == stop || !is_word_byte(end));

        if (!fits) {
            rest = (struct str){hit + 1, (size_t)(stop - hit) - 1};
            continue;
        }
        while (end < stop && is_word_byte(end))
            end++;
        rest = (struct str){end, (size_t)(stop - end)};
        if (take_place(&rest, &place))
            add_word(s, a, place, bits);
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
        add_list(s, row_of(s, a, row), bits);
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
        add_list(s, row_of(s, a, tokens_gram(part.p + i) & (a->row_count - 1)),
                 one);
        any = 0;
        for (size_t k = 0; k < SEGMENT_BITS; k++)
            any |= all[k] &= one[k];
    }
    for (size_t k = 0; k < SEGMENT_BITS; k++)
        bits[k] |= all[k];
}
