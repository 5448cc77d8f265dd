/*
 * mailbox.h - one folder: what is in it, and how that is kept.
 *
 * An object is shared by all sessions of the process that have the folder
 * open. The Maildir is the truth; the index knows it all and is brought up to
 * date by mailbox_sync. Messages are named by UID; what a session counts as
 * its sequence numbers is its view (view.h).
 *
 * A failure is TEMP where trying again may help, PERM 5.2.0 where the folder
 * is not there (any more), 5.2.2 over quota.
 */
#ifndef STORE_MAILBOX_H
#define STORE_MAILBOX_H

#include "store/home.h"
#include "store/keywords.h"

struct mailbox;

/* Open a folder, or the object that is open already; synced, as far as that can
 * be: what the index knows can be read on a full disk, too. */
enum rc mailbox_open(struct home *home, struct str name, struct mailbox **box,
                     struct why *why) MUST_USE;
/* The same to put messages into it: names of files that others have made are
 * not looked at, as that is done then, under the lock. */
enum rc mailbox_open_to_add(struct home *home, struct str name,
                            struct mailbox **box, struct why *why) MUST_USE;
/* One more user of one that is open; each closes it. */
void mailbox_again(struct mailbox *box);
/* The folder has been removed, or another process has renamed it. */
bool mailbox_gone(const struct mailbox *box);
/* The last one writes flags to the file names first, as far as it can. */
void mailbox_close(struct mailbox *box);

/* Who only reads keeps the object, and is none of those whose last one
 * closes it. */
void mailbox_hold(struct mailbox *box);
void mailbox_let_go(struct mailbox *box);

struct home *mailbox_home(const struct mailbox *box);
/* As home_path has it. */
struct str mailbox_path(const struct mailbox *box);

/*
 * Look whether anybody changed the Maildir, dovecot-uidlist or
 * dovecot-keywords, and take it over into the index. A few stat calls where
 * nothing changed; new/ alone is listed when only that changed. Never waits:
 * where another program holds dovecot-uidlist.lock, new messages are seen by a
 * later call, and *busy (may be NULL) is true.
 */
enum rc mailbox_sync(struct mailbox *box, bool *busy, struct why *why) MUST_USE;

struct mailbox_status {
    uint32_t validity, next;
    uint32_t messages, unseen, deleted;
    uint64_t modseq;  /* HIGHESTMODSEQ */
    uint64_t floor;   /* expunges are known of after this one */
    uint64_t size;    /* RFC822.SIZE of all */
    uint8_t guid[16]; /* MAILBOXID */
    uint32_t pending; /* messages whose file names wait */
};

/* From the index. Sizes with CRLF that nobody has asked for yet are worked out
 * if `sizes`, which reads those messages. */
enum rc mailbox_status(struct mailbox *box, bool sizes,
                       struct mailbox_status *status, struct why *why) MUST_USE;
/* How many messages would be \Recent for whoever opens it next; each of them
 * is looked at. */
enum rc mailbox_recent(struct mailbox *box, uint32_t *count,
                       struct why *why) MUST_USE;

struct message {
    uint32_t uid;
    unsigned flags;    /* FLAG_ bits */
    uint64_t keywords; /* by bit, mailbox_keywords */
    uint64_t modseq;
    int64_t date, saved;  /* seconds; both 0 where not known yet:
                             mailbox_dates */
    uint64_t size, vsize; /* of the file; RFC822.SIZE, 0 where not known yet:
                             mailbox_vsize */
    uint8_t id[16];       /* EMAILID */
};

/* All but vsize is known; sizes are what file names say, as long as nobody has
 * looked at the file. PERM 5.2.0 where there is no such message any more.
 */
enum rc mailbox_message(struct mailbox *box, uint32_t uid, struct message *m,
                        struct why *why) MUST_USE;
/* Fill in the dates where they are not known yet, and what else is seen then:
 * that the file's name tells the wrong size. The dates of some messages behind
 * it are looked up with them, so who asks for many should go upwards. */
enum rc mailbox_dates(struct mailbox *box, struct message *m,
                      struct why *why) MUST_USE;
enum rc mailbox_vsize(struct mailbox *box, uint32_t uid, uint64_t *vsize,
                      struct why *why) MUST_USE;
/* The same of its file, which is open: counted where the index has none, or has
 * believed a name that is wrong. */
enum rc mailbox_vsize_of(struct mailbox *box, uint32_t uid, int fd,
                         uint64_t *vsize, struct why *why) MUST_USE;
/* Somebody has read its file, and what the index has is wrong. */
void mailbox_measured(struct mailbox *box, uint32_t uid, uint64_t size,
                      uint64_t vsize);
/* Work that out for a few messages after a UID, 0 at first; *after is 0 again
 * when it is known of all (but those that cannot be read). */
enum rc mailbox_size_some(struct mailbox *box, uint32_t *after,
                          struct why *why) MUST_USE;

/* The message's file, to read; LF line ends as a rule. PERM 5.2.0 where it is
 * gone. */
enum rc mailbox_file(struct mailbox *box, uint32_t uid, int *fd,
                     struct why *why) MUST_USE;

/* Its name without flags: what stands before ":". PERM 5.2.0 where it is
 * gone. */
enum rc mailbox_base(struct mailbox *box, uint32_t uid, struct arena *a,
                     struct str *base, struct why *why) MUST_USE;

/* Names of the folder's keywords, valid until the next call on it. */
enum rc mailbox_keywords(struct mailbox *box, const struct keywords **k,
                         struct why *why) MUST_USE;
/* The bit of a keyword, made if need be: PERM 5.3.4 where the folder has
 * KEYWORDS_MAX already. */
enum rc mailbox_keyword(struct mailbox *box, struct str name, int *bit,
                        struct why *why) MUST_USE;

/* The bits of all of these, made where they are new. PERM as above, and 5.5.2
 * where one is no keyword: then none has been made. */
enum rc mailbox_keyword_bits(struct mailbox *box, const struct str *names,
                             size_t count, uint64_t *bits,
                             struct why *why) MUST_USE;

/* What parsers make of a message: the store keeps it, as bytes. */
enum blob_kind {
    BLOB_FIELDS,
    BLOB_KEYS,
    BLOB_PREVIEW,
    BLOB_STRUCTURE,
    BLOB_KINDS,
};

/* `got` is copied into the arena; a NULL view where there is nothing. */
enum rc mailbox_blob(struct mailbox *box, uint32_t uid, enum blob_kind kind,
                     struct arena *a, struct str *got,
                     struct why *why) MUST_USE;

struct mailbox_blob {
    uint32_t uid;
    enum blob_kind kind;
    struct str data;
};

/* Keep several; of messages that are gone, nothing. They are written together
 * with others that come soon, or with mailbox_kept. */
enum rc mailbox_keep(struct mailbox *box, const struct mailbox_blob *blobs,
                     size_t count, struct why *why) MUST_USE;
enum rc mailbox_kept(struct mailbox *box, struct why *why) MUST_USE;

/* The fields of its line in dovecot-uidlist ("P..." is a POP3 UIDL to keep). */
enum rc mailbox_fields(struct mailbox *box, uint32_t uid, struct arena *a,
                       struct str *fields, struct why *why) MUST_USE;

#endif
