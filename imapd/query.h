/*
 * query.h - does a message fit a search key? (RFC 9051 6.4.4, 5032, 7162, 8474,
 * 8514)
 *
 * Keys are tried in the order of what they cost: first what the index's record
 * says, then header fields that the index keeps, then the message's header,
 * and its texts last. Work goes on in pieces: when the session's turn is over,
 * what has been found out about the message is remembered.
 */
#ifndef IMAPD_QUERY_H
#define IMAPD_QUERY_H

#include "access/message.h"
#include "fts/ask.h"
#include "mail/search_text.h"
#include "session.h"

enum verdict { VERDICT_NO, VERDICT_YES, VERDICT_OPEN };

/* What must be looked at to judge a key. */
enum dearness { DEAR_RECORD, DEAR_FIELDS, DEAR_HEADER, DEAR_TEXTS };

struct query_node {
    const struct search_key *key;
    enum dearness dear;
    uint64_t keyword;          /* bit; 0: no message can have it */
    int64_t from, to;          /* dates from `from` on, before `to` */
    struct uid_set uids;       /* of numbers and UIDs */
    struct str mapped;         /* its text (casemap.h) */
    struct query_field *field; /* that is searched for it */
    size_t needle;       /* of the field's, or of q->needles where texts are */
    struct fts_ask *ask; /* what the index of words says; NULL: nothing */
    struct query_node *children;
    size_t count;
    unsigned stamp; /* the message that `known` is of */
    enum verdict known;
};

/* A header field that is searched for all keys that name it. */
struct query_field {
    struct str name;
    struct str *texts; /* mapped */
    size_t count;
    struct needles *needles;

    unsigned stamp;  /* the message that the rest is about */
    struct str rest; /* of the header, not searched yet */
    bool over;
};

struct query {
    struct session *s;
    struct mailbox *box; /* which is searched */
    struct view *view;
    struct query_node *root;
    struct uid_set within; /* no others can fit */
    unsigned bounds;       /* keys that say so */
    bool by_modseq;        /* MODSEQ is among the keys */
    bool wants_fields;     /* those that are kept help */
    int64_t now;           /* seconds */
    size_t text_keys;
    size_t text; /* bytes of all texts, mapped */

    struct query_field *by_name;
    size_t by_name_count;

    /* All that texts are searched for, at once. */
    struct needles *needles;
    struct str *needle;
    size_t needle_count;
    unsigned kinds; /* of texts that are searched */

    /* The index of words, if there is one, and what it is asked. */
    struct fts_set *set;
    struct fts_ask *asks;
    size_t ask_count, asked;

    /* The message that is looked at. */
    struct message m;
    const struct fts_place *place; /* in that index */
    size_t hint;
    struct opened opened;
    struct str fields;   /* NULL view: not had yet */
    struct str header;   /* the whole one; the same */
    struct arena *kept;  /* `fields`, and the structure */
    struct arena *texts; /* scratch of the walk */
    struct arena *field; /* and of fields, in the middle of it */
    struct text_walk walk;
    bool walking, walked; /* through its texts */
    unsigned stamp;
    bool may_open, worked;
    enum rc rc; /* what became of opening it */
    struct why why;
};

/* For one mailbox, whose view it is. Numbers that no message of it has are no
 * mistake (RFC 7377 2). PERM 5.5.4: the key is not a right one (BAD). */
enum rc query_make(struct query *q, struct session *s, struct mailbox *box,
                   struct view *view, const struct search_key *key,
                   struct why *why) MUST_USE;
void query_free(struct query *q);

/* Ask the index of words, before all else. False: the turn is over. */
bool query_ask(struct query *q);

/* Judge by the record, and by the kept fields (NULL view: there are none).
 * Makes no call of the store. OPEN: the message must be looked at. */
enum verdict query_record(struct query *q, const struct message *m,
                          struct str fields);

/* Look at a message: query_take, then query_go_on until it is not OPEN. One
 * that is gone does not fit; another trouble is q->rc and q->why. */
void query_take(struct query *q, const struct message *m);
enum verdict query_go_on(struct query *q);

#endif
