/*
 * section.h - pieces of a message as IMAP names them: BODY[1.2.HEADER]
 * (RFC 9051 6.4.5), and their bytes as they are sent, with CRLF.
 *
 * Nothing is copied but selected header fields: a *run* walks over the message
 * as stored and gives it in spans with line ends in between.
 */
#ifndef MAIL_SECTION_H
#define MAIL_SECTION_H

#include "mail/structure.h"

enum section_text {
    SECTION_ALL, /* BODY[], BODY[1] */
    SECTION_HEADER,
    SECTION_FIELDS,     /* HEADER.FIELDS (...) */
    SECTION_FIELDS_NOT, /* HEADER.FIELDS.NOT (...) */
    SECTION_TEXT,
    SECTION_MIME,
};

struct section {
    const uint32_t *numbers; /* 1.2.3 */
    size_t depth;
    enum section_text text;
    const struct str *fields; /* names, whatever their case */
    size_t count;
};

/* Bytes of a message, as they are sent. Copy it to walk more than once. */
struct run {
    uint64_t size; /* what is still to come */
    /* private */
    struct str bytes; /* as stored */
    bool convert;     /* has LF without CR */
    bool nul;         /* may have NUL */
    bool after_cr;    /* the byte before was a CR */
    bool owes_lf;     /* a line end was cut in two by a partial fetch */
};

/*
 * The bytes of a section of the message from which s was made. False where
 * there is no such part; the run is empty then. Selected header fields go into
 * the arena.
 */
bool section_find(struct arena *a, struct str message,
                  const struct structure *s, const struct section *section,
                  struct run *run);

/* Selected fields (SECTION_FIELDS, SECTION_FIELDS_NOT) of a header. */
struct run section_fields(struct arena *a, struct str header,
                          const struct section *section);

/* The part that BINARY[numbers] means, NULL where there is none. Without
 * numbers the first one, which stands for the message. */
const struct structure_part *
section_part(const struct structure *s, const uint32_t *numbers, size_t depth);

/* The body of a part. */
struct run section_body(struct str message, const struct structure *s,
                        const struct structure_part *p);

/* Leave out the first bytes, and all behind `count` bytes: <offset.count>.
 * Takes time that does not grow with the offset, by the marks of s. */
void run_cut(struct run *r, struct str message, const struct structure *s,
             uint64_t offset, uint64_t count);

/* The next span, never empty, at most 64 KiB; false at the end. All of them
 * together have as many bytes as was said, even where the message is shorter
 * now. NUL, which may stand in no literal, comes as byte 0x80 (RFC 9051 4.3.1;
 * BINARY is for those). */
bool run_next(struct run *r, struct str *span);

/* As much as fits, copied; less than `room` only at the end. */
size_t run_read(struct run *r, char *to, size_t room);

#endif
