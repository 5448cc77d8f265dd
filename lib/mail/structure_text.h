/*
 * structure_text.h - the texts of a structure (structure.h): ENVELOPE and the
 * fields of BODYSTRUCTURE, from header fields.
 */
#ifndef MAIL_STRUCTURE_TEXT_H
#define MAIL_STRUCTURE_TEXT_H

#include "mail/header.h"
#include "mail/mime.h"

/* Those of one header; fields that come twice: addresses are put together,
 * the first Content- field and the last of the others count. */
enum {
    FIELD_FROM,
    FIELD_SENDER,
    FIELD_REPLY_TO,
    FIELD_TO,
    FIELD_CC,
    FIELD_BCC,
    FIELD_LISTS
};

struct texts {
    struct arena *scratch; /* emptied for each field */
    struct str date, subject, in_reply_to, message_id;
    struct str type, encoding, id, description;
    struct str disposition, language, location, md5;
    struct buf lists[FIELD_LISTS]; /* "(...)(...)" */
};

/* Begin another header. */
void texts_reset(struct texts *t);
void texts_take(struct texts *t, const struct header_field *f);

/* "(NIL "subject" ...)" */
void texts_put_envelope(const struct texts *t, struct buf *out);

/* What stands before the size, and what follows in BODYSTRUCTURE. `type` is
 * what texts_type gave. */
struct texts_type {
    struct str type, subtype; /* as written, or the default */
    struct str params;        /* what follows in the field */
};

/* What the part is, where nothing else is said: in_digest a message. */
struct texts_type texts_type(const struct texts *t, bool in_digest);

void texts_put_leaf(const struct texts *t, const struct texts_type *type,
                    struct buf *out);
void texts_put_leaf_extended(const struct texts *t, struct buf *out);
void texts_put_multipart_extended(const struct texts *t,
                                  const struct texts_type *type,
                                  struct buf *out);

#endif
