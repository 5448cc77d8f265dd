/*
 * body.h - the content of a part, decoded, in pieces: for BINARY (RFC 3516),
 * SEARCH and PREVIEW. Memory does not grow with the message.
 */
#ifndef MAIL_BODY_H
#define MAIL_BODY_H

#include "base/convert.h"
#include "mail/decode.h"
#include "mail/section.h"

struct body {
    struct run run; /* private */
    struct decoder decoder;
    struct converter *converter;
    struct buf in, out, text;
    enum { BODY_BYTES, BODY_TEXT, BODY_GUESS } as;
    bool ended;
};

/* Is its transfer encoding one that can be undone? Else: NO [UNKNOWN-CTE]. */
bool body_is_known(const struct structure_part *p);

/*
 * The bytes of a part without their transfer encoding, NUL and all; line ends
 * that were not encoded are CRLF. A part that holds others is as it is sent.
 */
void body_open(struct arena *a, struct str message, const struct structure *s,
               const struct structure_part *p, struct body *b);

/* The same for BINARY[]: the message, header and all, with nothing decoded. */
void body_open_message(struct arena *a, struct str message,
                       const struct structure *s, struct body *b);

/* A text as UTF-8, always. What the character set does not say is guessed,
 * also where `more` (may be NULL) does not know it. */
void body_open_text(struct arena *a, struct str message,
                    const struct structure *s, const struct structure_part *p,
                    struct converters *more, struct body *b);

/* The next piece, never empty, good until the next call; false at the end. Of
 * text, whole characters. */
bool body_next(struct body *b, struct str *piece);

/* Where it was not read to its end. */
void body_close(struct body *b);

/* How many bytes there are in all (BINARY.SIZE), of one that was just opened
 * and has no encoding; false where they must be counted. */
bool body_known_size(const struct body *b, uint64_t *size);

/* A parameter of the part's Content-Type, as bytes; empty where there is
 * none. */
struct str body_param(struct arena *a, struct str message,
                      const struct structure_part *p, struct str name);

#endif
