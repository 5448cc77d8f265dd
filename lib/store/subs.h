/*
 * subs.h - the text files of a user's root that name folders.
 *
 * subscriptions is Dovecot's: a name a line, in modified UTF-7 with "." or "/"
 * between its parts (version 1, no header), or after "V<TAB>2" and an empty
 * line with its parts divided by tabs, in which \001 escapes (version 2: "t" is
 * a tab, "r" CR, "n" LF, "0" NUL, "1" itself). posta-special-use has "\Sent
 * \Archive", a tab, and the folder's path a line.
 */
#ifndef STORE_SUBS_H
#define STORE_SUBS_H

#include "base/buf.h"

#define SUBS_FILE "subscriptions"
#define USES_FILE "posta-special-use"
#define SUBS_MAX  ((off_t)4 << 20)

/* Take the header off; the version, 1 or 2. */
int subs_head(struct str *text);

/* Take the next name off, its parts divided by tabs; `divider` is what divides
 * them in version 1. False at the end. Names that cannot be are stepped over.
 */
bool subs_next(struct arena *a, struct str *text, int version, char divider,
               struct str *name);

void subs_put_head(struct buf *b, int version);
/* The line of such a name. */
void subs_put(struct buf *b, int version, char divider, struct str name);

/* Special uses: the same for posta-special-use. */
bool uses_next(struct str *text, struct str *use, struct str *path);
void uses_put(struct buf *b, struct str use, struct str path);
/* Words that begin with "\", divided by single blanks. */
bool uses_valid(struct str use);

#endif
