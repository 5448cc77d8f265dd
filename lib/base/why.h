/*
 * why.h - the one way to fail.
 *
 * A failure is born with an enhanced status code (RFC 3463). Its first digit
 * is the result: the same digit starts the SMTP reply, picks retry or bounce,
 * and chooses the IMAP answer. It is decided once, where the trouble is seen.
 */
#ifndef BASE_WHY_H
#define BASE_WHY_H

#include "base/str.h"

enum rc {
    OK = 0,
    TEMP = 4, /* try again later */
    PERM = 5, /* never again */
};

struct why {
    char dsn[10];   /* "4.3.0" */
    char text[502]; /* lower case, no full stop, no line break */
};

/* Fill why, replacing what it held, and return the rc of the code. */
enum rc fail(struct why *why, const char *dsn, const char *fmt, ...)
    PRINTF(3, 4) MUST_USE;

/* The rc that a status code stands for: of "4.2.2", TEMP. */
enum rc rc_of(const char *dsn);

#endif
