/*
 * words.h - encoded words in headers (RFC 2047, RFC 2231 5).
 */
#ifndef MAIL_WORDS_H
#define MAIL_WORDS_H

#include "base/arena.h"

/*
 * A header text as UTF-8: encoded words decoded, blanks between two of them
 * dropped. Words that are broken or of an unknown character set stay as they
 * are; so do bytes that are no UTF-8. The result may hold line ends and other
 * control bytes that somebody encoded: mask them before they reach a header,
 * a log or a terminal.
 */
struct str words_decode(struct arena *a, struct str text);

#endif
