/*
 * charset.h - text of other character sets as UTF-8.
 *
 * Those of western mail, by table: UTF-8, US-ASCII, ISO-8859-1 and -15,
 * windows-1252. No iconv: it reads files. Who may do that hands it in as `more`
 * (base/convert.h), which may be NULL everywhere.
 */
#ifndef MAIL_CHARSET_H
#define MAIL_CHARSET_H

#include "base/convert.h"

/* Append text as UTF-8; what is no character becomes U+FFFD. False, and
 * nothing is appended, where the character set is not known. */
bool charset_to_utf8(struct buf *out, struct str charset, struct str text);

/* The same, with more of them. */
bool charset_convert(struct buf *out, struct converters *more,
                     struct str charset, struct str text);

/* A text that comes in pieces: a converter in the arena or of `more`; NULL
 * where the character set is not known. Close it. */
struct converter *charset_open(struct arena *a, struct converters *more,
                               struct str charset);

/*
 * Append text that does not say what it is, as headers have it: as UTF-8 where
 * it is that, else as windows-1252, which is what it most often is.
 */
void charset_guess(struct buf *out, struct str text);

#endif
