/*
 * searching.h - what SEARCH and its kin have in common with ESEARCH.
 */
#ifndef IMAPD_SEARCHING_H
#define IMAPD_SEARCHING_H

#include "session.h"

/* Is the character set one that we know, and may it be said? Else that was
 * answered. */
bool searching_charset(struct session *s, const struct command *c);

/* Answer a search that cannot be done. */
void searching_refuse(struct session *s, const struct why *why);

/* A word now and then to who waits long (RFC 9585). *told: when that was last,
 * 0 at the beginning. */
void searching_tell(struct session *s, int64_t *told);

#endif
