/*
 * words.h - encoded words in headers (RFC 2047, RFC 2231 5).
 */
#ifndef MAIL_WORDS_H
#define MAIL_WORDS_H

#include "base/convert.h"

/*
 * A header text as UTF-8: encoded words decoded, blanks between two of them
 * dropped. Words that are broken or of an unknown character set stay as they
 * are; so do bytes that are no UTF-8. The result may hold line ends and other
 * control bytes that somebody encoded: mask them before they reach a header,
 * a log or a terminal.
 */
struct str words_decode(struct arena *a, struct str text);

/*
 * The same for a reader: words of more character sets (`more` may be NULL), a
 * character that was cut in two by the end of a word is put together, and
 * bytes outside of words that are no UTF-8 are guessed (charset.h). Always
 * UTF-8.
 */
struct str words_read(struct arena *a, struct converters *more,
                      struct str text);

/* A field's body as one line of UTF-8, for SEARCH, SORT and for people. */
struct str words_read_field(struct arena *a, struct converters *more,
                            struct str body);

#endif
