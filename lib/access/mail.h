/*
 * mail.h - where a user's mail is, and opening it, for the process of a user.
 *
 * mail_location says where, in Dovecot's form, or a user's own field "mail":
 *
 *     maildir:PATH[:INDEX=PATH][:LAYOUT=fs]
 *
 * with %u (the user), %n (his name before "@"), %d (his domain), %h and ~ (his
 * home).
 */
#ifndef ACCESS_MAIL_H
#define ACCESS_MAIL_H

#include "access/user.h"
#include "store/home.h"

/* As struct user_program wants it: what he may change is his mail and its
 * index; both are made where they are missing. */
enum rc user_mail_prepare(struct user *u, const char *folders[2],
                          struct why *why) MUST_USE;
enum rc user_mail_open(struct user *u, struct home **home,
                       struct why *why) MUST_USE;
/* Do its folders stand in folders (LAYOUT=fs)? */
bool user_mail_is_fs(struct user *u);

#endif
