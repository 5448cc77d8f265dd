/*
 * indexing.h - the index of words (fts/fts.h): where it is, and its making,
 * in small steps while no session is at work and mailboxes have been quiet for
 * a second.
 *
 * Folders get into it that somebody has selected or searched; few messages
 * that are new stay out of it until there are more. Each home has one, which
 * any process may write that the file system lets do so: the owner's, and those
 * of users who may read the folder in question.
 */
#ifndef IMAPD_INDEXING_H
#define IMAPD_INDEXING_H

#include "access/words.h"
#include "session.h"

void indexing_begin(struct imap *imap);

/* There may be messages in it that are not in the index: some time later they
 * will be. Costs next to nothing. */
void indexing_want(struct imap *imap, struct mailbox *box);

/* What the index has of a folder; NULL where there is none. Close it. */
struct fts_set *indexing_set(struct imap *imap, struct mailbox *box);

#endif
