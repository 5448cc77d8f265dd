/*
 * ldap.h - the source ldap, in auth-worker.
 *
 * Passwords: the server is asked whether it takes them (bind), with a name made
 * from bind_template, or with that of the one entry that filter finds. User
 * data: attributes of that entry.
 */
#ifndef AUTHD_LDAP_H
#define AUTHD_LDAP_H

#include "base/arena.h"
#include "base/why.h"
#include "check.h"
#include "source.h"

/* Read the source's file and load the module; with rights that can read. */
enum rc ldap_prepare(struct arena *life, struct source *s,
                     struct why *why) MUST_USE;

/* CHECK_PASSWORD or CHECK_USER. */
void ldap_check(struct source *s, struct arena *a, const struct question *q,
                struct answer *answer);

#endif
