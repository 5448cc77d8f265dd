/*
 * space.h - namespaces (RFC 2342): which home has the mailbox that a client
 * names, what it is called there, and what this user may do with it (RFC 4314).
 *
 * Whoever works with a mailbox by its name goes through here. Names are whole
 * as the client says them, in UTF-8 (take_mailbox), with the prefix of their
 * namespace, but for `name` of a spot, which is the one in the home.
 */
#ifndef IMAPD_SPACE_H
#define IMAPD_SPACE_H

#include "access/mail.h"
#include "session.h"
#include "store/acl.h"
#include "store/folders.h"
#include "store/text.h"

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
    bool shut;         /* only in a list: it was shared after this process was
                          started, and cannot be opened */
    struct str name;
    const char *path;        /* home_path */
    unsigned rights;         /* RIGHT_ bits of this user */
    struct text_stamp stamp; /* of the file that says so */
};

/* ---- the process */

/* As struct user_program wants it. */
enum rc space_prepare(struct imap *imap, struct user *u,
                      struct user_folders *folders, struct why *why) MUST_USE;
/* The loop is there, and the private home is open. */
void space_begin(struct imap *imap);

/* ---- one mailbox */

/* PERM 5.1.1 where there can be no such mailbox, 5.2.0 where there is no such
 * user or namespace. */
enum rc space_find(struct session *s, struct str name, struct spot *spot,
                   struct why *why) MUST_USE;

/* Is that a name of one of the other namespaces? */
bool space_is_others(const struct imap *imap, struct str name);

/* What a name in the private namespace is in the home. PERM 5.1.1 where it is
 * none of that. */
enum rc space_private_name(const struct imap *imap, struct str name,
                           struct str *inner, struct why *why) MUST_USE;

/* May he do that at the spot? PERM 5.7.1 where the user lacks one of these
 * rights; 5.2.0 where he may not know whether there is such a mailbox. */
enum rc space_check(const struct spot *spot, unsigned rights,
                    struct why *why) MUST_USE;

/* Find and open it. As the two, and as mailbox_open; for RIGHT_INSERT alone, as
 * mailbox_open_to_add. */
enum rc space_find_open(struct session *s, struct str name, unsigned rights,
                        struct spot *spot, struct mailbox **box,
                        struct why *why) MUST_USE;
enum rc space_open(struct session *s, struct str name, unsigned rights,
                   struct mailbox **box, struct why *why) MUST_USE;

/* May he make that mailbox, or give another one that name? It inherits from the
 * folder at *from; NULL: from none. */
enum rc space_check_new(struct session *s, const struct spot *spot,
                        const char **from, struct why *why) MUST_USE;

/* After a failure of the store: PERM 5.7.1, with a line in the log that says
 * what to do, where the file system lets the user's process not in. */
enum rc space_explain(struct session *s, const struct spot *spot, enum rc rc,
                      struct why *why) MUST_USE;

/* The rights on the selected mailbox, now: s->rights. True where they are
 * other ones than before. */
bool space_look(struct session *s);
/* What is said to who is no longer let in. */
#define NO_RIGHT "You have no right to read that mailbox any more"

/* The ACL of a mailbox there has changed, or one with an ACL is gone. */
void space_shared(struct session *s, const struct spot *spot);

/* Somebody has changed with whom he shares. */
void space_shares_changed(struct imap *imap);

/* Listen to those who change any of the homes that are open (outside_hear). */
void space_hear(struct imap *imap);

/* Whose rights: `owner` is true in the private namespace. */
struct acl_who space_who(const struct session *s, const struct spot *spot);

/* ---- all of them */

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

/* The home of a namespace, "Public", or of a user in one, "shared/anna", as far
 * as the user has something there. PERM 5.2.0 where not. */
enum rc space_root(struct session *s, struct str name, struct home **home,
                   struct why *why) MUST_USE;

/* The prefix that a name begins with; empty where with none. */
struct str space_prefix(const struct imap *imap, struct str name);

/* The prefixes of a kind, for NAMESPACE. */
const struct mail_space *space_next_of(const struct imap *imap, unsigned kind,
                                       size_t *pos);

#endif
