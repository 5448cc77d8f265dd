/*
 * passwd_edit.h - change a passwd-file (or another file of lines) so that
 * whoever reads it sees the old or the new one.
 *
 * Nobody else edits between open and close: a lock is held on the file. Order
 * and comments stay; owner and mode too. The new file is on disk before it
 * gets the name.
 */
#ifndef AUTH_PASSWD_EDIT_H
#define AUTH_PASSWD_EDIT_H

#include "auth/passwd_file.h"
#include "base/buf.h"

struct passwd_edit;

/*
 * Read the file at path to change it; waits at most 10 s for who does so
 * already. TEMP where it cannot be, *e is NULL then. Views live in the arena.
 */
enum rc passwd_edit_open(struct arena *a, const char *path,
                         struct passwd_edit **e, struct why *why) MUST_USE;

/* The user of that name. */
bool passwd_edit_find(const struct passwd_edit *e, struct str name,
                      struct passwd_user *u);

/* Change the user of that name, or add one at the end. PERM where it cannot
 * be written in a line. */
enum rc passwd_edit_set(struct passwd_edit *e, const struct passwd_user *u,
                        struct why *why) MUST_USE;

/* Take the user out; false where there is none. */
bool passwd_edit_remove(struct passwd_edit *e, struct str name);

/* The user's extra fields with one set (value.p NULL: a name alone) or taken
 * out; in the arena. */
struct str passwd_extra_set(struct arena *a, struct str extra, struct str name,
                            struct str value);
struct str passwd_extra_remove(struct arena *a, struct str extra,
                               struct str name);

/* Write what was changed. The lock stays until the end. */
enum rc passwd_edit_commit(struct passwd_edit *e, struct why *why) MUST_USE;
void passwd_edit_close(struct passwd_edit *e);

#endif
