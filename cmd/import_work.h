/*
 * import_work.h - what those parts of `posta import` share that handle mail.
 *
 * A source (import_imap.c, import_mbox.c, import_maildir.c) walks through its
 * folders and hands messages to the target, which stores them in batches and
 * notes in a file of the user's Maildir what it has (import_state.h). So a run
 * that was stopped anywhere is gone on with by the next.
 */
#ifndef CMD_IMPORT_WORK_H
#define CMD_IMPORT_WORK_H

#include "access/names.h"
#include "base/why.h"
#include "conf/conf.h"
#include "import.h"
#include "import_state.h"
#include "store/append.h"

/* Where messages go. */
struct import {
    struct arena *life, *work;
    const struct conf *conf;
    const struct import_options *options;
    struct home *home; /* NULL: nothing is written */
    struct names names;
    bool dots_divide; /* no name here has a dot in it */
    struct import_state *state;
    bool terminal; /* progress is shown */

    /* The folder at hand. */
    struct mailbox *box;
    struct str shown; /* its name here */
    struct append *append;
    VEC(struct import_id) batch;
    uint64_t hash;
    uint64_t batch_bytes, bytes;
    bool cleaned; /* the last name of import_name had to be changed */
    size_t expected, copied, known; /* messages of this folder */

    size_t all, failed; /* copied; folders and messages that could not be */
};

/*
 * Go to a folder: `key` is the source's name for it, `name` (UTF-8, as the
 * home has it) where it goes; it is made, with that special use, where it
 * is missing. validity: what the ids hold under.
 */
enum rc import_enter(struct import *im, struct str key, uint32_t validity,
                     struct str name, struct str use, struct why *why) MUST_USE;
/* Store what is left, say how many it were. */
enum rc import_leave(struct import *im, struct why *why) MUST_USE;
/* After a failure: forget what is not stored. */
void import_abort(struct import *im);

/* Flags as IMAP has them, "\Seen work": bits and keywords of the folder. */
enum rc import_flags(struct import *im, struct str flags, unsigned *bits,
                     uint64_t *keywords, struct why *why) MUST_USE;

/* A message: begin, its bytes in pieces, end. id is the source's. */
enum rc import_begin(struct import *im, unsigned bits, uint64_t keywords,
                     int64_t date, struct why *why) MUST_USE;
enum rc import_bytes(struct import *im, struct str bytes,
                     struct why *why) MUST_USE;
enum rc import_end(struct import *im, struct str id, struct why *why) MUST_USE;
/* The same where messages are compared by content: it is left out if it has
 * been copied. Nothing else may be in the batch. */
enum rc import_end_compared(struct import *im, struct str id,
                            struct why *why) MUST_USE;

/* A name as it can be here: parts divided by `delimiter`, in modified UTF-7
 * where `mutf7`. im->cleaned tells whether it is another one. */
struct str import_name(struct import *im, struct arena *a, struct str name,
                       char delimiter, bool mutf7);

/* Is that folder, by its name here, among those of --folder? */
bool import_wants(const struct import_options *o, struct str name);

/* The sources. Each returns the exit status, and has said what went wrong. */
struct imap_source;
struct imap_source *import_imap_prepare(struct import *im, struct str url);
/* "imap mail.example.org anna": what it is known by. */
struct str import_imap_source(const struct imap_source *s);
int import_imap(struct import *im, struct imap_source *s);
int import_mbox(struct import *im, const char *path);
/* target: the Maildir that it goes to. */
int import_maildir(struct import *im, const char *path, const char *target);

#endif
