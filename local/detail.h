/*
 * detail.h - mail to user+folder goes into that folder, where
 * lmtp_save_to_detail_mailbox says so.
 */
#ifndef LOCAL_DETAIL_H
#define LOCAL_DETAIL_H

#include "local.h"

/* The one who gets it, and what his tables know nothing of. */
struct detail {
    const char *path; /* his Maildir */
    const struct priv_user *user;
    struct str owner;     /* as authd knows him */
    struct str addr;      /* user+folder@domain */
    struct str extension; /* "folder", in any case; or empty */
};

/* The Maildir to deliver into: that folder, if there is one or it may be made;
 * else d->path. Needs the user's rights. */
const char *detail_path(struct job *j, const struct detail *d);

#endif
