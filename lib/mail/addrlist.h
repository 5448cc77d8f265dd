/*
 * addrlist.h - addresses in a header field (RFC 5322 3.4 and 4.4).
 *
 * Takes what people send: groups, comments, folding, encoded words, routes,
 * names without quotes, stray commas, semicolons or blanks for commas,
 * brackets, quotes and comments that never end. No recursion; time grows with
 * the length of the input.
 */
#ifndef MAIL_ADDRLIST_H
#define MAIL_ADDRLIST_H

#include "base/buf.h"
#include "base/why.h"

enum addrlist_kind {
    ADDRLIST_ADDRESS,
    ADDRLIST_GROUP,     /* a group begins; nothing but its name is set */
    ADDRLIST_GROUP_END, /* nothing is set */
};

struct addrlist_entry {
    struct str addr;  /* internal form (address.h), never empty */
    struct str spec;  /* where it stands in the input, without brackets and
                         route, quotes and all */
    struct str name;  /* the words before "<", or else the content of the
                         first comment; raw: quotes, folding and encoded words
                         as they are */
    struct str route; /* "@a,@b" of "<@a,@b:c@d>", or empty */
    struct str group; /* the group's name, raw; p is NULL outside of groups */
    enum addrlist_kind kind;
    bool sound; /* addr is a valid address, with or without domain. False for
                   words that make none ("To: you and me"), bytes that may not
                   stand in one, and what is too long */
};

/* A reader over one field body; start with {.rest = body}. */
struct addrlist {
    struct str rest;
    bool groups;      /* tell where groups begin and end, empty ones too */
    struct str group; /* from here on private */
    bool ending;
    struct str beginning;
    struct buf scratch[2];
};

/* The next address; false at the end. "<>" is skipped. */
bool addrlist_next(struct arena *a, struct addrlist *l,
                   struct addrlist_entry *e);

/* A raw name as a person reads it: quotes and backslashes gone, unfolded.
 * Encoded words stay: word_decode in words.h. */
struct str addrlist_name(struct arena *a, struct str raw);

/* Gives another form of an address, or the same. */
typedef enum rc addrlist_rewriter(void *self, struct arena *a, struct str addr,
                                  struct str *out, struct why *why);

/*
 * Rewrite the addresses of a field body in place: each sound one goes through
 * `rewrite`. Everything else (names, comments, folding, routes) is kept byte
 * for byte; a body in which nothing changed is returned as it came, the same
 * view. A result other than OK of `rewrite` ends it and is returned.
 */
enum rc addrlist_rewrite(struct arena *a, struct str body,
                         addrlist_rewriter *rewrite, void *self,
                         struct str *out, struct why *why) MUST_USE;

#endif
