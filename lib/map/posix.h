/*
 * posix.h - POSIX regular expressions in PCRE's words.
 */
#ifndef MAP_POSIX_H
#define MAP_POSIX_H

#include "base/buf.h"
#include "base/why.h"

/*
 * Rewrite an extended or basic regular expression, as regex(7) and the GNU C
 * library have them, for PCRE2. What matches is the same; where alternatives
 * of different length match, PCRE takes the first and not the longest.
 */
enum rc posix_to_pcre(struct str re, bool extended, struct buf *out,
                      struct why *why) MUST_USE;

#endif
