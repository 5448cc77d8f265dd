/*
 * fields.h - the header fields that SEARCH, SORT, THREAD and the lists of mail
 * programs ask for, as they stand in the message, kept in the index so that no
 * file is opened for them.
 */
#ifndef ACCESS_FIELDS_H
#define ACCESS_FIELDS_H

#include "access/message.h"

/* Is a field of that name among those that are kept? */
bool fields_keep(struct str name);

/* What was kept, as a header; false where it is nothing of ours, or where the
 * fields were too long to be kept: look at the message. */
bool fields_read(struct str kept, struct str *header) MUST_USE;

/* What is to be kept of a message (BLOB_FIELDS). */
struct str fields_make(struct arena *a, struct str message);

/* The fields of a message: from the index, or else from the message, and kept
 * then. A header in the arena, or of the message. */
enum rc fields_of(struct arena *a, struct opened *m, struct str *header,
                  struct why *why) MUST_USE;

#endif
