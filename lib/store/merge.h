/*
 * merge.h - taking over what was found in a Maildir: what merge_texts.c reads
 * of dovecot-uidlist, dovecot-keywords and posta-state, and merge.c puts into
 * the index.
 */
#ifndef STORE_MERGE_H
#define STORE_MERGE_H

#include "base/hash.h"
#include "store/scan.h"

struct merge {
    struct scan *s;
    struct arena *a;
    struct kv_env *kv;
    struct index_folder f;
    size_t place;     /* in s->fresh, behind the file of the last line */
    struct str lines; /* of dovecot-uidlist that are new to us */
    struct uidlist_head head;
    bool has_head;      /* the file has a first line that we know */
    bool whole;         /* lines are all there are */
    bool rewrite;       /* the file must be written anew */
    bool other;         /* it is another folder than the index has */
    uint32_t matched;   /* lines of messages the index has */
    bool missed;        /* a new line is of a file that was not listed */
    uint64_t modseq;    /* of this merge; 0: nothing is new yet */
    struct str state;   /* posta-state, where it is read */
    struct hash *words; /* UID to its last 'U' line there */
    struct keywords keywords;
    struct str keyword_text;
};

/* Before the transaction: the texts that have changed. What belongs to the
 * holder of dovecot-uidlist.lock is ours then. */
enum rc merge_read_texts(struct merge *m, struct why *why) MUST_USE;

/* In it: what they say of the folder, and of the UIDs of fresh files and of
 * messages that are known. m->other: they are of another folder. */
enum rc merge_take_texts(struct merge *m, struct why *why) MUST_USE;

/* The keywords without a letter that posta-state has for a UID; false where it
 * says nothing of it. */
bool merge_words_of(const struct merge *m, uint32_t uid, uint64_t *words);

/* The mod-sequence of all that is new with it. */
enum rc merge_next_modseq(struct merge *m, uint64_t *modseq,
                          struct why *why) MUST_USE;

#endif
