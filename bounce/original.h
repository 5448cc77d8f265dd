/*
 * original.h - the message that a report is about, and what of it is returned.
 */
#ifndef BOUNCE_ORIGINAL_H
#define BOUNCE_ORIGINAL_H

#include "report.h"

struct original {
    struct str header; /* the first 64 KiB of it, valid until the next look */
    int64_t stop;      /* where what is returned ends, in the file */
    bool whole;        /* it is all of the message */
    bool eight_bit;    /* it has bytes over 127 */
};

/* TEMP where the file cannot be read. */
enum rc original_look(const struct notice *r, struct original *o,
                      struct why *why) MUST_USE;

/* Put what is returned into the report. */
enum rc original_put(const struct notice *r, const struct original *o,
                     struct queue_writer *out, struct why *why) MUST_USE;

#endif
