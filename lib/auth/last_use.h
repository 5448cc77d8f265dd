/*
 * last_use.h - when each user and each application password was last used.
 *
 * A file of fixed size that is written in place by several processes at once:
 * 16 bytes "POSTA LAST USE 1", then from offset 64 on LAST_USE_SETS sets of
 * LAST_USE_WAYS records of 32 bytes:
 *
 *     16  first bytes of SHA-256 of user, NUL, number of the password
 *      8  milliseconds since 1970, little endian; 0: free
 *      8  service, "smtp", with NULs behind it
 *
 * A record stands in the set that its first bytes choose, and takes the place
 * of the oldest there where none is free: so the file never grows, and what
 * is lost first is what matters least. It is not synced: a crash of the
 * machine may take the newest times.
 */
#ifndef AUTH_LAST_USE_H
#define AUTH_LAST_USE_H

#include "base/str.h"
#include "base/why.h"

#define LAST_USE_SETS 16384
#define LAST_USE_WAYS 8

struct last_use {
    int fd; /* -1: not open */
};

struct last_used {
    int64_t when; /* milliseconds since 1970 */
    char service[9];
};

/* Open the file of that name in the folder; `write`: and make it where it is
 * missing or not of this form. */
enum rc last_use_open(int dir, const char *name, bool write, struct last_use *l,
                      struct why *why) MUST_USE;
void last_use_close(struct last_use *l);

/* Note a use; app is the number of the application password, 0 the user's
 * own. Best effort: false with errno. */
bool last_use_set(const struct last_use *l, struct str user, unsigned app,
                  struct str service, int64_t when);

/* False where no use is known. */
bool last_use_get(const struct last_use *l, struct str user, unsigned app,
                  struct last_used *used);

#endif
