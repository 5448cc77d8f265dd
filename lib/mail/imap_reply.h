/*
 * imap_reply.h - what an IMAP server says to a client (RFC 3501 7, RFC 9051 7):
 * as much of it as copying mailboxes takes.
 *
 * A response is one text: its lines with CRLF between them, literals in their
 * places ("{3}\r\nabc"), without the last CRLF. Who reads it may put "" where
 * the literal of a message's body was (imap_reply_literal), and have streamed
 * that. Views are of the text, or copies in the arena.
 */
#ifndef MAIL_IMAP_REPLY_H
#define MAIL_IMAP_REPLY_H

#include "base/arena.h"

enum imap_reply_kind {
    IMAP_OTHER, /* of no interest */
    IMAP_OK,
    IMAP_NO,
    IMAP_BAD,
    IMAP_BYE,
    IMAP_PREAUTH,
    IMAP_CAPABILITY, /* text: the words */
    IMAP_LIST,
    IMAP_LSUB,
    IMAP_NAMESPACE, /* text: the three lists */
    IMAP_EXISTS,    /* number */
    IMAP_FETCH,
    IMAP_GO_ON, /* "+": text */
};

struct imap_reply {
    enum imap_reply_kind kind;
    struct str tag;  /* "*", "+", or the client's */
    struct str code; /* of OK, NO ...: what stands in brackets */
    struct str text;
    uint32_t number;
    struct {
        struct str attributes; /* "\Noselect \HasChildren" */
        char delimiter;        /* 0: NIL */
        struct str name;
    } list;
    struct {
        uint32_t uid;     /* 0: not said */
        bool flagged;     /* FLAGS was said: */
        struct str flags; /* "\Seen work" */
        struct str date;  /* INTERNALDATE; empty: not said */
        bool body;        /* BODY[] was said, */
        struct str bytes; /* this, where it was not streamed; NULL: NIL */
    } fetch;
};

/* False where it is no response, or a kind that matters is broken. */
bool imap_reply_parse(struct arena *a, struct str text,
                      struct imap_reply *r) MUST_USE;

/*
 * Does the line (without CRLF) end with a literal's announcement? *size is
 * its bytes; *body where it is that of BODY[].
 */
bool imap_reply_literal(struct str line, uint64_t *size, bool *body);

/* Is a word in a list of words, as in CAPABILITY? Case does not count. */
bool imap_reply_has(struct str words, struct str word);

/* Of a response code "UIDVALIDITY 5": its number; false where it is another.
 * name is "UIDVALIDITY". */
bool imap_reply_code(struct str code, struct str name, uint32_t *number);

/* The prefix and delimiter of the first personal namespace of NAMESPACE's
 * text. False where there is none. */
bool imap_reply_namespace(struct arena *a, struct str text, struct str *prefix,
                          char *delimiter);

#endif
