/*
 * oauth.h - the source oauth, in auth-worker: a token's server is asked
 * whether it is active, and whose it is (introspection, RFC 7662).
 */
#ifndef AUTHD_OAUTH_H
#define AUTHD_OAUTH_H

#include "base/arena.h"
#include "base/why.h"
#include "check.h"
#include "source.h"

/* Read the source's file, with rights that can. */
enum rc oauth_prepare(struct arena *life, struct source *s,
                      struct why *why) MUST_USE;

/* CHECK_TOKEN. */
void oauth_check(struct source *s, struct arena *a, const struct question *q,
                 struct answer *answer);

/*
 * What the server's answer says of a token. YES with the user's name; NO where
 * it is not active or lacks a scope; TEMP where the answer makes no sense.
 */
struct oauth_rules {
    const char *user_attribute; /* "username" */
    const char *scopes;         /* all of these are needed; "": none */
    int64_t now;                /* seconds since 1970 */
};
void oauth_judge(struct arena *a, const struct oauth_rules *rules,
                 struct str json, struct answer *answer);

#endif
