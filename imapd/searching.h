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

#endif
