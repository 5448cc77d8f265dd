/*
 * shares.h - who shares mailboxes with whom, so that nobody has to look through
 * everybody's mail.
 *
 * The folder imap_shared_list has a file for each user who lets others have
 * something, named after him, with lines as dovecot-acl has them: everybody who
 * is named in one of his mailboxes. It is a hint: what counts are the mailboxes
 * themselves.
 */
#ifndef ACCESS_SHARES_H
#define ACCESS_SHARES_H

#include "base/vec.h"
#include "store/acl.h"

struct shares {
    struct str *owners; /* sorted */
    size_t count;
};

/* Who says that he shares with this user. */
enum rc shares_find(struct arena *a, const char *folder,
                    const struct acl_who *who, struct shares *shares,
                    struct why *why) MUST_USE;

/* Write down what an owner's mailboxes say; nothing where that is there. PERM
 * 5.3.4 where that is too much for one file: then it has a part of it. */
enum rc shares_publish(const char *folder, struct str owner, const char *root,
                       bool fs, struct why *why) MUST_USE;

/* Does one of the mailboxes there grant the user anything? */
bool shares_any(const char *root, bool fs, const struct acl_who *who);

#endif
