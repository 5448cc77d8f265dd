/*
 * index.h - the records of a user's index, one LMDB table for all folders.
 *
 * A key begins with its kind and the folder's number; numbers in keys are big
 * endian, so that keys sort as their numbers do. Records are structs as they
 * are in memory: an index never leaves its machine.
 *
 *   Z                          struct index_kind: what these records are
 *   I                          u32: the next folder's number
 *   F path                     struct index_folder; path as on disk
 *   M folder uid               struct index_message
 *   N folder uid               'n' or 'c' (new, cur), then the file's name
 *   H folder seconds hash      u32 UIDs, by the base of the name: the time in
 *                              it, and 32 bits of its hash
 *   C folder modseq uid        u32 last: of the messages uid..last those that
 *                              still have this modseq were changed then
 *   V folder modseq uid        u32 last: UIDs uid..last vanished then
 *   B folder kind uid          what parsers make of the message; those of a
 *                              kind stand together, as they are read together
 *   R folder                   which UIDs there are (view.c)
 *   K folder                   keywords: u8 bit + 1, text, NUL ...
 *   X folder uid               fields of its line in dovecot-uidlist
 *   T folder                   names, each with a LF, of files that are being
 * put into cur/ all at once (deposit.c)
 *
 * Functions work in the transaction that is open.
 */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include "base/vec.h"
#include "store/keywords.h"
#include "store/mailbox.h"
#include "store/text.h"
#include "sys/kv_env.h"

struct index_folder {
    uint32_t id;
    uint32_t validity, next;
    uint32_t recent; /* UIDs from here on no session has had as \Recent */
    uint8_t guid[16];

    uint64_t serial;   /* one more with each transaction that changes it */
    uint64_t modseq;   /* the highest */
    uint64_t floor;    /* V tells of all after this */
    uint64_t reserved; /* posta-state allows mod-sequences up to here */
    uint64_t flushed;  /* changes up to here are in the file names */

    uint32_t messages, unseen, deleted;
    uint32_t in_new;      /* files in new/ */
    uint32_t claimed;     /* 1: these are to go to cur/ */
    uint32_t changes;     /* C keys */
    uint32_t vanished;    /* V keys */
    uint32_t unsized;     /* messages with vsize 0 */
    uint32_t stale;       /* lines in dovecot-uidlist of messages gone */
    uint64_t size, vsize; /* of all; vsize of those that have one */

    int64_t new_mtime, cur_mtime; /* as scanned; 0: scan again */
    int64_t own_new, own_cur;     /* as our own changes left them, if nobody
                                     else's came before; or 0 */
    struct text_stamp uidlist, keywords, state;
};

struct index_message {
    uint64_t modseq;
    uint64_t keywords;
    uint64_t size, vsize; /* of the file; with CRLF line ends, 0: unknown */
    int64_t date, saved;  /* INTERNALDATE, SAVEDATE: seconds; both 0: unknown */
    uint8_t id[16];       /* of the content, the same in copies */
    uint32_t flags;       /* FLAG_ bits */
    uint32_t worded;      /* 1: posta-state may have a U line of it */
};

struct index_key {
    size_t len;
    char p[509];
};

/* The key of a kind and folder, and what is behind it. */
struct str index_key(struct index_key *k, char kind, uint32_t folder);
struct str index_key_uid(struct index_key *k, char kind, uint32_t folder,
                         uint32_t uid);
struct str index_key_blob(struct index_key *k, uint32_t folder,
                          enum blob_kind kind, uint32_t uid);
struct str index_key_modseq(struct index_key *k, char kind, uint32_t folder,
                            uint64_t modseq, uint32_t uid);
struct str index_key_path(struct index_key *k, struct str path);

/* The last UID of a C or V pair. */
uint32_t index_last_of(struct str value);

/* The numbers at the end of a key: the last 4 bytes, and the 8 before. */
uint32_t index_uid_of(struct str key);
uint64_t index_modseq_of(struct str key);

/* 128 bits that stand for a text. */
void index_hash(struct str text, uint8_t id[16]);

/* False where there is none (or its size is not ours). */
bool index_folder_get(struct kv_env *kv, struct str path,
                      struct index_folder *f);
/* One more serial. */
void index_folder_put(struct kv_env *kv, struct str path,
                      struct index_folder *f);
/* A number for a new folder. */
uint32_t index_folder_number(struct kv_env *kv);
/* Remove everything of that folder but its F key. */
void index_folder_clear(struct kv_env *kv, uint32_t folder);

/* Are the records in the table those of this program? */
bool index_is_ours(struct kv_env *kv);
/* The same in a transaction that writes; an empty table becomes ours. */
bool index_begin(struct kv_env *kv);

/* The record in an M pair; zeros where it is none. */
struct index_message index_message_of(struct str value);

bool index_message_get(struct kv_env *kv, uint32_t folder, uint32_t uid,
                       struct index_message *m);

/*
 * Put a message where there was none (old NULL), or change it. The folder's
 * sums follow; the folder's record, and C and V keys, are the caller's to put.
 */
void index_message_put(struct kv_env *kv, struct index_folder *f, uint32_t uid,
                       const struct index_message *old,
                       const struct index_message *new);

/* Where the message's file is: "cur" or "new", and its name. */
struct index_file {
    bool in_new;
    struct str name; /* a view of the index */
};

/* What an N pair says; false where it is none. */
bool index_file_of(struct str value, struct index_file *file);
bool index_file_get(struct kv_env *kv, uint32_t folder, uint32_t uid,
                    struct index_file *file);
/* Replaces what was known; the base of a message never changes. */
void index_file_put(struct kv_env *kv, struct index_folder *f, uint32_t uid,
                    const struct index_file *file);
/* The UID of the message whose file has this base, and the file; or 0. */
uint32_t index_file_find(struct kv_env *kv, uint32_t folder, struct str base,
                         struct index_file *file);

/*
 * Put many messages where there were none, in the order of their UIDs. Behind
 * each the folder's sums follow; the names can be found after the end, and so
 * there must be one, also after a failure.
 */
struct index_fill {
    struct kv_env *kv;
    struct index_folder *f;
    struct kv_walk messages, files, fields;
    VEC(struct index_named {
        uint8_t place[8];
        uint32_t uid;
        struct str base;
    })
    names;
};

void index_fill_begin(struct index_fill *fill, struct kv_env *kv,
                      struct index_folder *f);
/* `base` is that of the file's name, and lives until the end; `fields` those of
 * its line in dovecot-uidlist. */
void index_fill_put(struct index_fill *fill, uint32_t uid,
                    const struct index_message *m,
                    const struct index_file *file, struct str base,
                    struct str fields);
void index_fill_end(struct index_fill *fill);

/* Remove messages with all that belongs to them; UIDs in order. Those that are
 * not there leave the list: how many are left. The folder's sums follow. */
size_t index_messages_drop(struct kv_env *kv, struct index_folder *f,
                           uint32_t *uids, size_t count);

/* Count a record in the folder's sums (by 1), or take it away (by -1), where
 * it is changed in place. */
void index_count(struct index_folder *f, const struct index_message *m,
                 uint32_t by);

/* All messages there are from first to last changed at f->modseq. */
void index_changed_put(struct kv_env *kv, struct index_folder *f,
                       uint32_t first, uint32_t last);

/* UIDs first to last vanished at f->modseq. Old history is forgotten. */
void index_vanished_put(struct kv_env *kv, struct index_folder *f,
                        uint32_t first, uint32_t last);

/* Keywords; names are copied into the arena. */
void index_keywords_get(struct arena *a, struct kv_env *kv, uint32_t folder,
                        struct keywords *k);
void index_keywords_put(struct arena *a, struct kv_env *kv, uint32_t folder,
                        const struct keywords *k);

#endif
