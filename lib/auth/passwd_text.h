/*
 * passwd_text.h - change the text of a passwd-file.
 *
 * Pure functions from text to text: order, comments and other users' lines
 * stay byte for byte. Who reads and writes the file locks it meanwhile
 * (conf/replace.h does).
 */
#ifndef AUTH_PASSWD_TEXT_H
#define AUTH_PASSWD_TEXT_H

#include "auth/passwd_file.h"

/* Take the next line off; true with a user in *u, or with u->name empty where
 * it is none. */
bool passwd_text_next(struct str *rest, struct str *line,
                      struct passwd_user *u);

/* The user of that name. */
bool passwd_text_find(struct str text, struct str name, struct passwd_user *u);

/* The text with that user's line changed, or added at the end. PERM where a
 * value cannot be written in a line. */
enum rc passwd_text_set(struct arena *a, struct str text,
                        const struct passwd_user *u, struct str *out,
                        struct why *why) MUST_USE;

/* The text without that user; false where there is none. */
bool passwd_text_remove(struct arena *a, struct str text, struct str name,
                        struct str *out);

/* Extra fields with one set (value.p NULL: a name alone), in its old place or
 * at the end, or taken out. */
struct str passwd_extra_set(struct arena *a, struct str extra, struct str name,
                            struct str value);
struct str passwd_extra_remove(struct arena *a, struct str extra,
                               struct str name);

#endif
