/*
 * copier.h - content on its way into a mailbox file or a command, with what
 * that format asks for.
 */
#ifndef STORE_COPIER_H
#define STORE_COPIER_H

#include "store/store.h"

#define COPIER_EOL_MAX 16

struct copier_style {
    bool quote_from; /* ">" before lines that begin with "From " */
    bool stuff_dots; /* "." before lines that begin with one */
    bool end_line;   /* the last line gets an end if it has none */
    struct str eol;  /* instead of LF where not empty */
};

struct copier;

/* Lives in the arena, about 200 KiB. The content of the message, not its
 * head. */
struct copier *copier_new(struct arena *a, const struct store_message *m,
                          const struct copier_style *style);

/* The next bytes, a view valid until the next call; empty at the end. False
 * with errno where the file cannot be read. */
bool copier_next(struct copier *c, struct str *bytes) MUST_USE;

#endif
