/*
 * acl.h - what users may do with a mailbox (RFC 4314): the text of Dovecot's
 * dovecot-acl files, and what comes of it for a user. No I/O.
 *
 *     anyone lr
 *     user=ben@example.org lrwst
 *     "group=big team" lri :post
 *     -user=carl w              these are taken away
 *
 * Entries count in the order of their kinds: those of a later kind replace what
 * the earlier ones gave. Of several groups all count together. For the owner
 * only `owner` and later kinds count, and without any he has all rights.
 */
#ifndef STORE_ACL_H
#define STORE_ACL_H

#include "base/buf.h"
#include "base/why.h"

/* In the order in which they are told: "lrswipkxtea". */
enum {
    RIGHT_LOOKUP = 1 << 0,  /* l: see that it is there */
    RIGHT_READ = 1 << 1,    /* r: select it, ask for its status */
    RIGHT_SEEN = 1 << 2,    /* s: change \Seen */
    RIGHT_WRITE = 1 << 3,   /* w: change other flags but \Deleted */
    RIGHT_INSERT = 1 << 4,  /* i: append, copy into it */
    RIGHT_POST = 1 << 5,    /* p: send mail to it */
    RIGHT_CREATE = 1 << 6,  /* k: make mailboxes below it */
    RIGHT_REMOVE = 1 << 7,  /* x: delete it */
    RIGHT_DELETED = 1 << 8, /* t: change \Deleted */
    RIGHT_EXPUNGE = 1 << 9, /* e: expunge */
    RIGHT_ADMIN = 1 << 10,  /* a: change its rights */
    RIGHTS_ALL = (1 << 11) - 1,

    /* What the owner of a mailbox has, whatever its entries say. */
    RIGHTS_KEPT = RIGHT_LOOKUP | RIGHT_ADMIN,
};

#define ACL_MAX     ((off_t)65536) /* bytes of a file */
#define ACL_ENTRIES 1000

/* In the order in which they count. */
enum acl_kind {
    ACL_ANYONE,
    ACL_AUTHENTICATED,
    ACL_GROUP,
    ACL_OWNER,
    ACL_USER,
    ACL_GROUP_OVERRIDE,
};

struct acl_id {
    enum acl_kind kind;
    bool negative;
    struct str name; /* of a user or group */
};

struct acl_entry {
    struct acl_id id;
    unsigned rights; /* RIGHT_ bits */
    struct str more; /* names of rights that we do not know, with blanks */
};

/* In order; no two have the same id. */
struct acl {
    struct acl_entry *at;
    size_t count;
};

/* Whose rights. */
struct acl_who {
    struct str user;
    bool owner;
    const struct str *groups;
    size_t ngroups;
};

/* Read a file's text. PERM where a line cannot be read: then nobody but the
 * owner has any right. */
enum rc acl_parse(struct arena *a, struct str text, struct acl *acl,
                  struct why *why) MUST_USE;
/* Write it. */
void acl_put(struct buf *b, const struct acl *acl);

/* The rights of a user; `fallback` where no entry is about him. */
unsigned acl_rights(const struct acl *acl, const struct acl_who *who,
                    unsigned fallback);

/* The entry of an id, or NULL. */
struct acl_entry *acl_find(const struct acl *acl, const struct acl_id *id);
/* The same list with that entry, in the arena. PERM 5.3.4 where there are too
 * many, or its name is so long that acl_parse would not read it. */
enum rc acl_with(struct arena *a, struct acl *acl,
                 const struct acl_entry *entry, struct why *why) MUST_USE;
/* Take an id's entry out. */
void acl_without(struct acl *acl, const struct acl_id *id);

/* "lrswi" as bits; c and d are what they stood for in RFC 2086 (RFC 4314
 * 2.1.1). False with the letter that is none. */
bool rights_parse(struct str text, unsigned *rights, char *wrong);
/* Append the letters; `old`: with c and d, or "" in quotes where there is none,
 * as IMAP wants it. */
void rights_put(struct buf *b, unsigned rights, bool old);

#endif
