/*
 * owner.h - the user in whose mailboxes a command works.
 */
#ifndef CMD_OWNER_H
#define CMD_OWNER_H

#include "access/user.h"

/* By his name, as the broker would find him; NULL: who calls. PERM where there
 * is none who may have mail, TEMP where authd does not answer. `what` is the
 * command's name. */
enum rc owner_find(struct user *u, struct arena *life, const struct conf *conf,
                   const char *name, const char *what,
                   struct why *why) MUST_USE;

/* Be him for good, with no files to change but his mail, which is made where it
 * is missing; `may` are PRIV_ bits. */
enum rc owner_become(struct user *u, const char *what, unsigned may,
                     struct user_folders *folders, struct why *why) MUST_USE;

#endif
