/*
 * use.h - special uses of folders (RFC 6154).
 */
#ifndef IMAPD_USE_H
#define IMAPD_USE_H

#include "base/buf.h"
#include "command.h"

/* METADATA has them as the value of this entry (4). */
#define USE_ENTRY "/private/specialuse"

/* Append words such as "\Sent", divided by blanks. False where one of them is
 * none that a folder can have here. */
bool uses_join(const struct strings *words, struct buf *b);
/* The same of words that are divided by blanks already. */
bool uses_join_text(struct str text, struct buf *b);

#endif
