/*
 * quota_notice.h - users are told, by a message in their INBOX, that what they
 * have crosses a line of quota_warning.
 *
 * The process whose change crossed it writes the message, with the rights that
 * it has then: those of the mailbox's user.
 */
#ifndef DAEMON_QUOTA_NOTICE_H
#define DAEMON_QUOTA_NOTICE_H

#include "conf/conf.h"

/* Once, as root: the lines and the words. conf stays valid. */
void quota_notice_open(struct arena *life, const struct conf *conf);

/* Are there lines? */
bool quota_notice_wanted(void);

/* Whose mail is at that root (NULL: wherever this process delivers) from now
 * on; views stay valid. Owners of others are told too, but not by name. */
void quota_notice_to(struct str user, const char *root);

#endif
