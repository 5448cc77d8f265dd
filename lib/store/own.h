/*
 * own.h - what only lib/store knows of its objects.
 */
#ifndef STORE_OWN_H
#define STORE_OWN_H

#include "base/vec.h"
#include "store/dotlock.h"
#include "store/flags.h"
#include "store/home.h"
#include "store/index.h"
#include "store/mailbox.h"
#include "store/uidvalidity.h"

#define PATH_LEN   480                /* longest path of a folder */
#define KEEP_LIMIT ((size_t)64 << 20) /* of what waits to be kept */
#define LOCK_WAIT                                                              \
    10000 /* ms for dovecot-uidlist.lock, where we must have it                \
           */

struct home {
    struct arena *arena;
    const char *root, *index;
    int dir; /* the root */
    bool fs, bare;
    char separator;
    struct kv_env *kv;
    struct dotlock_file lock_file; /* beside the index */
    unsigned generation;           /* one more when the index is made anew */
    VEC(struct mailbox *) boxes;
    struct validities validities;

    /* tell.c */
    int listeners;        /* the folder; -1: not open */
    int64_t alone;        /* its mtime when nobody else listened; else 0 */
    const char *listener; /* our name there; NULL: we do not listen */
    int ear;              /* what it names */
};

struct view;

struct mailbox {
    struct home *home;
    struct arena *arena;
    struct str name, path;
    int dir, new, cur; /* the folder, and in it */
    unsigned users;    /* of this object */
    unsigned holders;  /* mailbox_hold */
    VEC(struct view *) views;
    unsigned generation;
    bool locked;     /* dovecot-uidlist.lock is ours */
    bool gone;       /* deleted, or renamed by another process */
    uint32_t record; /* number of the index's record, and in which index: */
    unsigned record_of;

    /* mtimes that our own changes left, if nobody else's came before; they
     * go into the folder's record with what is committed next. */
    int64_t own_new, own_cur;
    bool own_good;
    bool misnamed; /* a file has another size than its name says */
    bool doubt;    /* not to be relied on until the folder has been listed */
    uint64_t told; /* mod-sequence up to which others have been told */
    struct {       /* of the record that the keywords below are of */
        uint64_t serial;
        uint32_t id;
        unsigned generation; /* home->generation: numbers begin again */
    } named;
    struct arena *words;
    struct keywords keywords;

    int made[2]; /* new text files, not on disk yet */
    size_t nmade;

    /* What was asked for and announced in file.c. */
    struct ahead {
        uint32_t last;        /* UID */
        unsigned row;         /* as many came one after the other */
        uint32_t next, until; /* announce more at a UID; 0: not on the way */
    } ahead;

    /* What is to be kept of messages of that UIDVALIDITY (keep.c). */
    struct arena *keeps;
    VEC(struct mailbox_blob) kept;
    uint32_t kept_validity;
};

/* Put the index in order if it is gone. What only a removed one knew is in the
 * names of files then. */
enum rc home_check(struct home *home, struct why *why) MUST_USE;

/* Tell others who listen (tell.h). */
void home_tell(struct home *home, struct str path);

/* The mailbox of a path, as it is, opened where it was not: only for what needs
 * no index. Until mailbox_let_go; NULL where it is not there. */
struct mailbox *mailbox_at(struct home *home, struct str path);

/* Is the record that the index has under the folder's path (NULL: none) that of
 * the folder we have open? False where another process has removed or renamed
 * it: the mailbox is gone then. */
bool mailbox_is_there(struct mailbox *box, const struct index_folder *f);
/* It is looked for on disk next time: the index may still have a record. */
void mailbox_doubt_place(struct mailbox *box);

/* Seconds and nanoseconds of a folder's mtime, 0 where it is none. */
int64_t dir_mtime(int dir);

/*
 * A transaction on a folder: its record is read into *f, synced first where
 * the index has none. End with mailbox_end, or with mailbox_commit, which
 * writes *f, or mailbox_abort.
 */
enum rc mailbox_read(struct mailbox *box, struct index_folder *f,
                     struct why *why) MUST_USE;
enum rc mailbox_end(struct mailbox *box, struct why *why) MUST_USE;
enum rc mailbox_write(struct mailbox *box, struct index_folder *f,
                      struct why *why) MUST_USE;
enum rc mailbox_commit(struct mailbox *box, struct index_folder *f,
                       struct why *why) MUST_USE;
void mailbox_abort(struct mailbox *box);

/* A text file of the folder, in such a transaction: replaced, or (`fresh`) made
 * where there is none, which is on disk with mailbox_commit. */
enum rc mailbox_write_text(struct mailbox *box, const char *name, bool fresh,
                           struct str text, struct text_stamp *stamp,
                           struct why *why) MUST_USE;

/* In a transaction that writes: the mod-sequence of what it changes. */
enum rc mailbox_next_modseq(struct mailbox *box, struct index_folder *f,
                            struct why *why) MUST_USE;

/* The same for a change that no file name is to be told of: where none was
 * waiting, none waits afterwards. */
enum rc mailbox_next_modseq_told(struct mailbox *box, struct index_folder *f,
                                 struct why *why) MUST_USE;

/* Around changes of ours in cur/, and in_new says if in new/, too, so that they
 * do not look like somebody else's. */
void mailbox_own_begin(struct mailbox *box, const struct index_folder *f);
void mailbox_own_end(struct mailbox *box, bool in_new);
/* mailbox_sync, but that a folder that the index knows is not listed where only
 * names in new/ and cur/ may have changed. */
enum rc mailbox_sync_but_names(struct mailbox *box, struct why *why) MUST_USE;
/* The files are not as the index has them: list the folder at the next sync. */
void mailbox_own_doubt(struct mailbox *box);

/*
 * Take dovecot-uidlist.lock (see dotlock.h for `wait`), and take over what
 * others did before: nobody but the holder gives UIDs and letters of keywords,
 * or names to messages. TEMP where that cannot be had; then it is not locked.
 */
enum rc mailbox_lock(struct mailbox *box, int64_t wait,
                     struct why *why) MUST_USE;
void mailbox_unlock(struct mailbox *box);
/* Only the lock. */
enum rc mailbox_take_lock(struct mailbox *box, int64_t wait,
                          struct why *why) MUST_USE;

/* What flags_flush would do in all folders, by an index that has been removed:
 * nothing of it is noted in one. False where a folder was locked for long. */
bool flags_rescue(struct home *home);

/* A message's record, with what it has so far. PERM 5.2.0 where there is none.
 */
enum rc mailbox_record(struct mailbox *box, uint32_t uid,
                       struct index_message *m, struct why *why) MUST_USE;
struct message message_from(uint32_t uid, const struct index_message *r);

/* Of a folder and the stat of its tmp/: remove files there that nobody comes
 * back to at that time (in seconds), if nobody has looked for hours. */
struct stat;
void leftovers_remove(int dir, const struct stat *tmp, int64_t now);

/* Write dovecot-uidlist from the index, in a transaction that writes and under
 * its lock; f->uidlist becomes its stamp. */
enum rc uidlist_rewrite(struct mailbox *box, struct index_folder *f,
                        struct why *why) MUST_USE;

/* Write it anew where it has many lines of messages that are gone. */
enum rc uidlist_tidy(struct mailbox *box, struct why *why) MUST_USE;

/* A file's record, as far as its name tells; and what its stat does. */
struct index_message message_named(const struct name *n);
void message_measured(struct index_message *m, const struct name *n,
                      const struct stat *st);

#endif
