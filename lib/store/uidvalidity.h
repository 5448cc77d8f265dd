/*
 * uidvalidity.h - a UIDVALIDITY that no folder of this user ever had.
 *
 * The last one given out stands in the root's dovecot-uidvalidity, as Dovecot
 * keeps it; a new one is the time, or one more than the last.
 */
#ifndef STORE_UIDVALIDITY_H
#define STORE_UIDVALIDITY_H

#include "store/text.h"

/* Those that a process has taken and not used; all zero at first. */
struct validities {
    uint32_t next, left, took;
    struct text_stamp stamp; /* of the file then */
};

/* `root` is the home's folder. */
enum rc uidvalidity_new(struct validities *v, int root, uint32_t *validity,
                        struct why *why) MUST_USE;

/* The GUID of a mailbox: random. */
void guid_new(uint8_t guid[16]);

#endif
