/*
 * kv_check.h - is this file a sound table?
 *
 * LMDB trusts its files: a page with a wild offset makes it read anywhere. So
 * all pages are looked through once, with every number checked, before LMDB
 * sees them.
 */
#ifndef SYS_KV_CHECK_H
#define SYS_KV_CHECK_H

#include "base/str.h"

/* What is wrong with the file's bytes ("is cut short"), or NULL. */
const char *kv_check(struct str file);

#endif
