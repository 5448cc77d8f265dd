/*
 * store.h - what mailboxes have in common: what is put into them, and what
 * their troubles mean.
 *
 * All of lib/store works with the rights the process has at the moment: the
 * caller becomes the mailbox's owner first.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/why.h"

/* A message to be stored: header lines, then a part of a file. */
struct store_message {
    struct str head; /* "Return-Path: <...>\n" and kin, whole lines */
    int fd;          /* the queue file; -1: the head is all */
    off_t from, to;  /* content in it, LF line ends */
    off_t lines;     /* LFs in head and content; -1: not known */
};

/*
 * The failure that `error` (an errno) makes of storing: over quota or over a
 * limit is PERM 5.2.2, all else is TEMP, as the owner or the administrator
 * can mend it. why->text becomes "WHAT: reason".
 */
enum rc store_fail(int error, struct why *why, const char *what, ...)
    PRINTF(3, 4) MUST_USE;

#endif
