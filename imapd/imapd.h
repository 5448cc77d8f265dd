/*
 * imapd.h - the parts of the IMAP server.
 *
 *   reader.h, command.h, parse.h   what clients send
 *   login.c        before login (role imapd): no rights
 *   session.h      after it (role imap-users), as the mailbox's user: a
 *                  session from its first command to its end
 *   space.h        which home has a mailbox, and what the user may do there
 *   reply.c        what we say
 *   news.c         what happened in the selected mailbox, as untagged responses
 *   notify.h       what NOTIFY tells of other mailboxes
 *   commands.c     which function does which command, and what is announced
 *   indexing.h     the index of words, made when nobody works
 *   cmd_*.c        the commands
 */
#ifndef IMAPD_IMAPD_H
#define IMAPD_IMAPD_H

#include "access/login.h"
#include "access/user.h"

extern const struct login_protocol imap_login;
extern const struct user_program imap_user;

/* What is announced before login, but for what depends on the connection
 * (STARTTLS, AUTH=). */
#define IMAP_GREETING_WORDS "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE"

#endif
