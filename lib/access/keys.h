/*
 * keys.h - what SORT by date and THREAD compare, as numbers ready in the index:
 * they read no header.
 */
#ifndef ACCESS_KEYS_H
#define ACCESS_KEYS_H

#include "access/message.h"
#include "mail/thread.h"

/* What is to be kept of a header (BLOB_KEYS). */
struct str keys_make(struct arena *a, struct converters *charsets,
                     struct str header);

/* Those of a message: from the index, or made now and kept. */
enum rc keys_of(struct arena *a, struct opened *m, struct str *kept,
                struct why *why) MUST_USE;

/* What was kept: all but the number, references in the arena. The date is that
 * of arrival, which is given, where the message has none. False where it is
 * nothing of ours. */
bool keys_read(struct arena *a, struct str kept, int64_t arrival,
               struct thread_message *m) MUST_USE;
/* The date alone. */
bool keys_date(struct str kept, int64_t arrival, int64_t *date) MUST_USE;

#endif
