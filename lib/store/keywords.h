/*
 * keywords.h - dovecot-keywords: what the small letters in file names mean.
 *
 *     0 $Forwarded
 *     1 work
 *
 * A line is the place of a letter (0 is "a", 25 "z") and the name. Belongs to
 * whoever holds dovecot-uidlist.lock. Names beyond 26 stand in posta-state.
 */
#ifndef STORE_KEYWORDS_H
#define STORE_KEYWORDS_H

#include "base/buf.h"
#include "store/name.h"

#define KEYWORDS_FILE "dovecot-keywords"
#define KEYWORD_LEN   255

/* Names by bit; an empty view is no keyword. */
struct keywords {
    struct str name[KEYWORDS_MAX];
};

/* Add what the file's text says; what is no such line is stepped over. Names
 * are views of the text. */
void keywords_read(struct keywords *k, struct str text);
void keywords_put(struct buf *b, const struct keywords *k);

/* An IMAP atom of at most KEYWORD_LEN bytes that is no flag. */
bool keyword_valid(struct str name);

/* The bit of a name (case does not count), or -1. */
int keywords_find(const struct keywords *k, struct str name);

/* A place for a new name: letters first. -1 where all are taken. */
int keywords_free(const struct keywords *k);

#endif
