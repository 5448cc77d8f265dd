/*
 * search_text.h - is a text in a message? (RFC 9051 6.4.4: HEADER, BODY, TEXT)
 *
 * Case does not matter (casemap.h). Header fields are unfolded and decoded,
 * texts without transfer encoding and in UTF-8; what is found is in one field
 * or one part, never across their bounds. Other parts than texts are not
 * searched.
 */
#ifndef MAIL_SEARCH_TEXT_H
#define MAIL_SEARCH_TEXT_H

#include "base/convert.h"
#include "mail/casemap.h"
#include "mail/structure.h"

/* `scratch` is reset before and while it works. `more` may be NULL. */
struct searching {
    struct arena *scratch;
    struct converters *more;
    struct matcher *matcher; /* of another arena */
};

/* In the body of a field of that name. An empty text is in each. */
bool search_field(struct searching *s, struct str header, struct str name);

/* In a field, name and all, or in a line that is none. */
bool search_header(struct searching *s, struct str header);

/* BODY: in the texts. */
bool search_body(struct searching *s, struct str message,
                 const struct structure *structure);

/* TEXT: there, or in the header of the message or of any of its parts. */
bool search_text(struct searching *s, struct str message,
                 const struct structure *structure);

#endif
