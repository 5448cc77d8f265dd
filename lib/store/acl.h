/*
 * acl.h - what users may do with a mailbox (RFC 4314).
 */
#ifndef STORE_ACL_H
#define STORE_ACL_H

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
};

#endif
