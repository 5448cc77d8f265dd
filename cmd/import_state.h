/*
 * import_state.h - what has been copied from a source: a text file, which only
 * grows, in the root of the user's Maildir.
 *
 *     posta-import 1 imap mail.example.org anna
 *     F 1234 INBOX            the folder, at the source, and its UIDVALIDITY
 *     B 77 12 INBOX           a batch, for the UIDs from 12 on under 77 here
 *     M 8 2c81f0a3b59d0e4f    a message: its id there, and its content
 *     E                       the batch is whole
 *     C                       and has been stored
 *
 * A batch is on disk before it is stored, which happens as a whole or not at
 * all. Whoever finds one without its C looks into the mailbox which of the two
 * it was, before anything else is copied.
 */
#ifndef CMD_IMPORT_STATE_H
#define CMD_IMPORT_STATE_H

#include "base/vec.h"
#include "store/mailbox.h"

struct import_state;

#define IMPORT_NO_ID "-"

struct import_id {
    struct str id; /* IMPORT_NO_ID: it has none */
    uint64_t hash;
};

/* A hash of content, whatever its line ends are; begin with IMPORT_HASH. */
#define IMPORT_HASH UINT64_C(0xcbf29ce484222325)
uint64_t import_hash(uint64_t hash, struct str bytes);

/* Read it. root: the Maildir's folder. With `write` it is made where it is
 * missing, and locked: TEMP where another process has it. */
enum rc import_state_open(struct arena *life, const char *root,
                          struct str source, bool write,
                          struct import_state **state,
                          struct why *why) MUST_USE;

/* Find out what became of a batch that the run before was storing. */
enum rc import_state_settle(struct import_state *s, struct home *home,
                            char separator, struct why *why) MUST_USE;

/* What follows is of that folder; name: here, but divided by "/", as the next
 * run may find another separator. */
enum rc import_state_folder(struct import_state *s, struct str key,
                            uint32_t validity, struct str name,
                            struct why *why) MUST_USE;

/* Has the message of that id been copied? */
bool import_state_knows(const struct import_state *s, struct str id);

/* Ids of this folder hold no more, or there are none: messages are to be
 * compared by content. Takes one of that content off what is known; false where
 * there is none (left). */
bool import_state_by_content(const struct import_state *s);
bool import_state_takes(struct import_state *s, uint64_t hash);

/* A batch is about to be stored in the box; and it has been. */
enum rc import_state_batch(struct import_state *s, const struct import_id *ids,
                           size_t count, struct mailbox *box,
                           struct why *why) MUST_USE;
enum rc import_state_stored(struct import_state *s, struct why *why) MUST_USE;

#endif
