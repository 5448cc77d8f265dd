/*
 * words.h - the index of words (fts/fts.h) of a home: where it is, what it
 * knows folders and messages by, and which texts are where in it.
 */
#ifndef ACCESS_WORDS_H
#define ACCESS_WORDS_H

#include "fts/fts.h"
#include "mail/search_text.h"
#include "store/home.h"
#include "store/mailbox.h"

/* The index of a home; nothing is read or made yet. */
struct fts *words_open(const struct home *home);

/* What it knows a folder by. */
struct segment_folder words_folder(const struct mailbox_status *status);
/* What stands for a message's content there. */
uint64_t words_id(const struct message *m);
/* In which area it is: a text, and a field of the message's own header. */
enum fts_area words_area(const struct text_piece *piece);
enum fts_area words_field_area(enum header_id id);

/* Folders that are no more leave the index. */
void words_tidy(struct fts *fts, struct home *home);

#endif
