/*
 * uidvalidity.h - a UIDVALIDITY that no folder of this user ever had.
 *
 * The last one given out stands in the root's dovecot-uidvalidity, as Dovecot
 * keeps it; a new one is the time, or one more than the last.
 */
#ifndef STORE_UIDVALIDITY_H
#define STORE_UIDVALIDITY_H

#include "base/why.h"

enum rc uidvalidity_new(int root, uint32_t *validity, struct why *why) MUST_USE;

/* The GUID of a mailbox: random. */
void guid_new(uint8_t guid[16]);

#endif
