/*
 * alias.h - destinations as aliases, .forward and :include: files list them.
 *
 *     user, "john doe"@example.org, Full Name <user@example.org>
 *     \user                     the user's mailbox, past his .forward
 *     /var/log/mail.archive     a file, or a Maildir with "/" at its end
 *     "|/usr/bin/vacation joe"  a command
 *     :include:/etc/list        the destinations in a file
 *
 * Commas separate them. Double quotes hold together what blanks and commas
 * would part, with backslash before a quote or backslash inside; comments
 * stand in parentheses. What is not closed ends with the text. Nothing is a
 * syntax error: a strange word is an address that nobody has.
 */
#ifndef MAIL_ALIAS_H
#define MAIL_ALIAS_H

#include "base/arena.h"
#include "base/str.h"

enum alias_kind {
    ALIAS_ADDRESS, /* internal form; may lack a domain */
    ALIAS_MAILBOX, /* what followed the backslash, a user or an address */
    ALIAS_FILE,    /* begins with "/" */
    ALIAS_COMMAND, /* what followed the bar, trimmed */
    ALIAS_INCLUDE, /* what followed ":include:" */
};

struct alias {
    enum alias_kind kind;
    struct str text; /* never empty */
};

/*
 * Take the next destination off the front of *text, which is one alias's
 * value or one line of a file. False when there is none left.
 */
bool alias_next(struct arena *a, struct str *text, struct alias *alias);

#endif
