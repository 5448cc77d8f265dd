/*
 * segment.h - a file of the index: the tokens of some messages of one folder.
 *
 * Written once, then never changed. All is found by offsets from its
 * beginning; numbers are those of the machine, which an index never leaves.
 *
 *   struct segment_head        with a CRC-32C of all but what it begins with
 *   struct segment_doc ...     the messages, by UID
 *   for each area of messages:
 *     words    one behind the other: its bytes, then numbers
 *     marks    where to begin to count: one for each MARK_EVERY bytes of words
 *     lists    of messages (postings.h), in the order of the words
 *     rows     u32 offsets of lists in `grams`: row r has the grams whose
 *              number ends (its low bits) with r, up to the next one's offset
 *     grams    lists of messages
 *
 * No byte of a word is below '0', and each byte of the numbers behind it is: 5
 * bits a byte, low ones first, the last byte with 4 bits and 0x20. So words are
 * searched by searching bytes. Words stand in the order in which messages had
 * them first; the first number is twice how many messages after that of the
 * word before that was. It is one more where other messages have the word, too;
 * then the second number is how many bytes the list of these takes.
 */
#ifndef FTS_SEGMENT_H
#define FTS_SEGMENT_H

#include "base/buf.h"

#define SEGMENT_MAGIC    "PostaS2\n"
#define SEGMENT_DOCS_MAX 8192

/* Which texts of a message. */
enum fts_area {
    FTS_FIELDS, /* fields of its header that are asked for by name */
    FTS_HEADER, /* others, and headers of its parts */
    FTS_BODY,
    FTS_AREAS,
};

/* The first word that begins at this many bytes or further on. */
struct segment_mark {
    uint32_t list;  /* offset of its list */
    uint16_t first; /* message that had the word before it first */
    uint16_t skip;  /* bytes up to it */
};

#define MARK_EVERY 1024

struct segment_area {
    uint32_t words, words_len;
    uint32_t marks, mark_count;
    uint32_t lists, lists_len;
    uint32_t rows, row_count; /* a power of two, or 0; offsets: one more */
    uint32_t grams, grams_len;
};

/* Of which folder, and of what texts: those are mapped by rules that change
 * with versions of what has them. */
struct segment_folder {
    uint8_t guid[16];
    uint32_t validity; /* UIDVALIDITY */
    uint32_t version;
};

struct segment_head {
    char magic[8];
    uint32_t crc, doc_count;
    struct segment_folder folder;
    uint32_t docs;
    uint32_t full; /* 1: has as much as one segment should */
    uint64_t size; /* of the file */
    struct segment_area area[FTS_AREAS];
};

enum { DOC_CUT = 1 }; /* was too large: it may have other tokens too */

struct segment_doc {
    uint32_t uid, flags;
    uint64_t id; /* of the content */
};

/* One that is mapped. */
struct segment {
    struct str file;
    const struct segment_head *head;
    const struct segment_doc *docs;
    uint32_t count; /* of messages */
    unsigned users;
    bool is_mapped;
    enum { SEGMENT_NEW, SEGMENT_GOOD, SEGMENT_BAD } state;
    char name[]; /* in its folder */
};

/* Map one; NULL with errno, EBADMSG where it is none of that folder. Its bytes
 * are checked by segment_is_good. */
struct segment *segment_open(int dir, const char *name,
                             const struct segment_folder *f);
/* From bytes that live as long, for tests; as segment_open. */
struct segment *segment_from(struct str file, const char *name,
                             const struct segment_folder *f);
/* One user less; the last one unmaps it. */
void segment_close(struct segment *s);

/* Is it as it was written? Reads all of it the first time. */
bool segment_is_good(struct segment *s);

/* Bits of messages. */
#define SEGMENT_BITS ((size_t)SEGMENT_DOCS_MAX / 64)

static inline void
bit_set(uint64_t *bits, size_t i)
{
    bits[i / 64] |= UINT64_C(1) << (i % 64);
}

static inline bool
bit_is_set(const uint64_t *bits, size_t i)
{
    return bits[i / 64] >> (i % 64) & 1;
}

/* Set the bits of messages with a word that has `part` in it: at its beginning
 * if `first`, at its end if `last`. */
void segment_words(const struct segment *s, enum fts_area area, struct str part,
                   bool first, bool last, uint64_t *bits);

/* Set the bits of messages that have all the grams of `part`; where it has
 * none (it is too short): of those that have any. */
void segment_grams(const struct segment *s, enum fts_area area, struct str part,
                   uint64_t *bits);

/* ---- writing */

/* The numbers behind a word. */
void segment_put_number(struct buf *b, uint32_t number);

/* The CRC of a file, from that of what is behind its head. */
uint32_t segment_crc(const struct segment_head *h, uint32_t crc);

#endif
