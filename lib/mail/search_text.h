/*
 * search_text.h - the texts of a message that SEARCH looks at (RFC 9051 6.4.4:
 * HEADER, BODY, TEXT), mapped (casemap.h), for whoever looks for something in
 * them or makes an index of them.
 *
 * Header fields are unfolded and decoded, texts without transfer encoding and
 * in UTF-8; what is found is in one field or one part, never across their
 * bounds. Other parts than texts are not searched.
 */
#ifndef MAIL_SEARCH_TEXT_H
#define MAIL_SEARCH_TEXT_H

#include "base/convert.h"
#include "mail/body.h"
#include "mail/header.h"
#include "mail/needles.h"
#include "mail/structure.h"

/* Raised with each change of what texts are, so that indexes of them are made
 * anew. */
#define TEXT_VERSION 1

/* Kinds of texts. */
enum {
    TEXT_HEADER = 1, /* a field, name and all, or a line that is none */
    TEXT_BODY = 2,   /* the text of a part */
};

struct text_piece {
    unsigned kind;
    bool begins;       /* a text does */
    bool of_message;   /* its own header, not that of a part */
    enum header_id id; /* of a field */
    struct str text;   /* mapped, whole characters; may be empty */
};

/* A walk through all texts, in pieces of some KiB. */
struct text_walk {
    /* private */
    struct arena *scratch;
    struct converters *more;
    struct str message;
    const struct structure *s;
    unsigned kinds;
    size_t part;
    enum { TEXT_AT_PART, TEXT_IN_HEADER, TEXT_IN_FIELD, TEXT_IN_BODY } at;
    struct str header, rest; /* not yet read, not yet mapped */
    struct text_piece now;
    struct buf mapped;
    struct body body;
};

/* `scratch` is reset before and while it walks; `more` may be NULL. Message
 * and structure stay until it is over. */
void text_begin(struct text_walk *w, struct arena *scratch,
                struct converters *more, struct str message,
                const struct structure *s, unsigned kinds);
bool text_next(struct text_walk *w, struct text_piece *piece);
/* Where it was not walked to its end. */
void text_end(struct text_walk *w);

/* Look for needles in the body of the next field of that name, which is taken
 * off the header with those before it. False: there is no other. An empty
 * needle is in each. */
bool search_field(struct arena *scratch, struct converters *more,
                  struct needles *n, struct str *header, struct str name);

#endif
