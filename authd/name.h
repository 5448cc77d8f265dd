/*
 * name.h - one name for a user, however it was typed.
 */
#ifndef AUTHD_NAME_H
#define AUTHD_NAME_H

#include "base/arena.h"
#include "conf/conf.h"

/* Longest name, after all is done. */
#define NAME_MAX_LEN 255

/*
 * auth_default_realm, auth_username_chars and auth_username_format, in this
 * order. False where the name is empty, too long, or has a byte that is not
 * allowed.
 */
bool name_normalise(struct arena *a, const struct conf *conf, struct str typed,
                    struct str *name) MUST_USE;

/* Such a name as it stands in log lines: what could be taken for the end of
 * the name there becomes "?". At most NAME_MAX_LEN bytes. */
struct str name_shown(struct arena *a, struct str name);

#endif
