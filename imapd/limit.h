/*
 * limit.h - how many messages one command may work on (RFC 9738).
 *
 * Where imap_message_limit is set, FETCH, STORE, MOVE, SEARCH and UID EXPUNGE
 * work on those messages of their set that have the highest UIDs, from the
 * highest down; their OK says MESSAGELIMIT and the lowest of these UIDs
 * (reply.c). Commands that are done whole or not at all are refused.
 */
#ifndef IMAPD_LIMIT_H
#define IMAPD_LIMIT_H

#include "session.h"

/* What a command may work on of a set; a set over the limit is cut, in the
 * command's arena, and s->lowest says so until the reply. */
struct uid_set limit_cut(struct session *s, struct uid_set set);

/* The lowest UID that the limit lets in; 0 where it lets in the whole set. */
uint32_t limit_lowest(const struct session *s, struct uid_set set);

/* Append "[MESSAGELIMIT 1000 23221] "; without the UID where that is 0. */
void limit_put(const struct session *s, struct buf *b, uint32_t lowest);

/* Answer NO with that code. */
void limit_refuse(struct session *s, uint32_t lowest, const char *text);

#endif
