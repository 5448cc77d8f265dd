/*
 * charsets.h - the character sets that iconv(3) knows.
 *
 * The only door to iconv, which loads a shared object for a character set that
 * it has not used yet: a process that may not read files opens those it wants
 * first (charsets_warm), and does without the others.
 */
#ifndef SYS_CHARSETS_H
#define SYS_CHARSETS_H

#include "base/convert.h"

/* At most this many texts at a time; some that are not in use are kept ready. */
#define CHARSETS_OPEN 16

struct converters *charsets_new(struct arena *a);

/* Load those that mail has, in the order of how often; before the sandbox. */
void charsets_warm(struct converters *c);

/* Close all. */
void charsets_free(struct converters *c);

#endif
