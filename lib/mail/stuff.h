/*
 * stuff.h - content on its way out by SMTP: the inverse of enddata.h.
 *
 * LF becomes CRLF, a dot at the start of a line is doubled, and lines over the
 * limit are broken with CRLF and a blank, as Postfix does
 * (smtp_line_length_limit). A CR before LF is dropped and any other becomes a
 * blank, so nothing that leaves can be taken for the end of the text.
 */
#ifndef MAIL_STUFF_H
#define MAIL_STUFF_H

#include "base/str.h"

struct stuff {
    size_t limit; /* bytes a line, without CRLF; 0: none */
    bool counted; /* BDAT: no dots, no end */

    /* private */
    size_t column;
    bool held_cr;
};

void stuff_begin(struct stuff *s, size_t limit, bool counted);

/* How much room the output of a piece of len bytes may need. */
size_t stuff_room(const struct stuff *s, size_t len);

/* Convert a piece into out (stuff_room); returns the bytes written. */
size_t stuff_put(struct stuff *s, struct str in, char *out);

/* End the last line if it has no end, and without `counted` write ".CRLF";
 * at most 8 bytes. */
size_t stuff_end(struct stuff *s, char *out);

#endif
