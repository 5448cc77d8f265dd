/*
 * usage.h - how much mail there is in all folders of a home.
 */
#ifndef STORE_USAGE_H
#define STORE_USAGE_H

#include "store/home.h"

/* Bytes of the files, and how many; folders are looked at anew. */
enum rc home_usage(struct home *home, uint64_t *bytes, uint64_t *messages,
                   struct why *why) MUST_USE;

#endif
