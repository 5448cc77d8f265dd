/*
 * space.h - namespaces (RFC 2342): which home has the mailbox that a client
 * names, what it is called there, and what this user may do with it.
 *
 * Whoever works with a mailbox by its name goes through here. Names are whole
 * as the client says them, in UTF-8 (take_mailbox), but for `name` of a spot,
 * which is the one in the home.
 */
#ifndef IMAPD_SPACE_H
#define IMAPD_SPACE_H

#include "session.h"
#include "store/acl.h"
#include "store/folders.h"

#define SPACE_SEPARATOR '/'

/* Kinds of namespaces. */
enum {
    SPACE_PRIVATE = 1,
    SPACE_SHARED = 2, /* of other users */
    SPACE_PUBLIC = 4,
    SPACE_ALL = 7,
};

/* Where a mailbox is, or would be: it need not exist. */
struct spot {
    struct home *home; /* stays open during the command */
    unsigned kind;     /* one of SPACE_ */
    struct str name;
    unsigned rights; /* RIGHT_ bits of this user */
};

/* PERM 5.1.1 where there can be no such mailbox, 5.2.0 where there is no such
 * user or namespace. */
enum rc space_find(struct session *s, struct str name, struct spot *spot,
                   struct why *why) MUST_USE;

/* Find and open it. PERM 5.7.1 where the user lacks one of these rights; 5.2.0
 * where there is none, or the user may not know of it. */
enum rc space_open(struct session *s, struct str name, unsigned rights,
                   struct mailbox **box, struct why *why) MUST_USE;

/* May he do that at the spot? As space_open. */
enum rc space_check(const struct spot *spot, unsigned rights,
                    struct why *why) MUST_USE;

struct space_folder {
    struct folder f; /* with its whole name; path is in the spot's home */
    struct spot spot;
};

struct space_list {
    struct space_folder *at; /* as folders_list; one namespace after another */
    size_t len;
};

/* All folders of namespaces of these kinds that the user may know of. */
enum rc space_list(struct session *s, struct arena *a, unsigned kinds,
                   struct space_list *list, struct why *why) MUST_USE;

#endif
