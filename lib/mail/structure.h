/*
 * structure.h - what a message is made of, worked out once and kept.
 *
 * One pass over a message makes its *structure*: some 300 bytes for a simple
 * mail that an index keeps, and from which IMAP's ENVELOPE, BODY and
 * BODYSTRUCTURE are written and sections are found (section.h) without
 * looking at the message again.
 *
 * The message may have LF or CRLF line ends, also mixed; a bare CR is no line
 * end. Offsets are those of the bytes as stored; what is sent has CRLF, so it
 * is longer by one for each LF without CR before it (`bare`).
 *
 * A header goes up to the first empty line, as all IMAP servers have it: lines
 * in it that are no field are passed over. A boundary is a line of its own,
 * blanks behind it allowed (RFC 2046 5.1.1), so it is never the beginning of
 * another one. The innermost open multipart gets it. The line end before it is
 * part of it. An encoding around parts is ignored (RFC 2045 6.4 forbids it).
 *
 * Bounded: what is nested deeper, or comes after so many parts, is content;
 * longer fields are cut; when all texts are over their limit, parts that come
 * later have neither parameters nor envelopes. Time and memory grow with the
 * size of the message's headers and its number of lines, at most.
 */
#ifndef MAIL_STRUCTURE_H
#define MAIL_STRUCTURE_H

#include "base/buf.h"
#include "mail/mime.h"

#define STRUCTURE_PARTS_MAX 10000
#define STRUCTURE_DEPTH_MAX 100               /* parts around a part */
#define STRUCTURE_FIELD_MAX ((size_t)1 << 18) /* of a field that is read */
#define STRUCTURE_TEXTS_MAX ((size_t)4 << 20) /* of all that is kept */

/* A version of the format and of what is made: raised with each change, so
 * that an index makes its structures anew. */
#define STRUCTURE_VERSION 2

enum structure_kind {
    STRUCTURE_LEAF,
    STRUCTURE_MULTIPART, /* its parts follow */
    STRUCTURE_MESSAGE,   /* message/rfc822, message/global: its one part is the
                            message in it */
};

/* One part, in the order in which they stand in the message. */
struct structure_part {
    enum structure_kind kind;
    enum mime_encoding encoding;
    bool is_message;     /* its header is that of a message */
    bool is_text;        /* text/anything */
    bool is_global;      /* message/global */
    uint32_t depth;      /* 0 is the message */
    uint32_t next;       /* index of the first part behind those in it */
    size_t header, body; /* where they begin */
    size_t end;          /* of the body */
    uint64_t header_bare, body_bare, body_lines;
    struct str fields;   /* "TEXT" "PLAIN" (...) NIL NIL "7BIT"; of a multipart
                            only the subtype */
    struct str extended; /* what follows in BODYSTRUCTURE */
    struct str envelope; /* where is_message */
};

struct structure {
    size_t size;   /* as stored */
    uint64_t bare; /* RFC822.SIZE is size + bare */
    bool has_nul;  /* somewhere in the message */
    struct structure_part *parts;
    size_t count;
    struct str marks; /* private; see section.h */
};

/* The structure of a message, as bytes to keep. */
struct str structure_make(struct arena *a, struct str message);

/*
 * The same in steps, as a large message takes a while:
 *
 *     structure_begin → structure_step until it is true → structure_drop
 *
 * All of it is in the arena, `made` too; the message must stay.
 */
struct structure_maker;
struct structure_maker *structure_begin(struct arena *a, struct str message);
/* Go on for some thousand lines; true: *made is all of it, which is told
 * once. */
bool structure_step(struct structure_maker *m, struct str *made) MUST_USE;
/* At any time; NULL is none. */
void structure_drop(struct structure_maker *m);

/* Read one; texts are views of `kept`. False where it is damaged, of another
 * version, or not that of a message of so many bytes. */
bool structure_read(struct arena *a, struct str kept, size_t size,
                    struct structure *s) MUST_USE;

/* RFC822.SIZE and ENVELOPE alone, without reading the rest; wide
 * (imap_text.h). False as above. */
bool structure_summary(struct str kept, uint64_t *size,
                       struct str *envelope) MUST_USE;

/* What a client understands. */
enum {
    STRUCTURE_REV2 = 1,     /* message/global has an envelope */
    STRUCTURE_EXTENDED = 2, /* BODYSTRUCTURE, not BODY */
};

/* Append the value of BODY or BODYSTRUCTURE; wide. */
void structure_put_body(const struct structure *s, unsigned flags,
                        struct buf *out);

#endif
