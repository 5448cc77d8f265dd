/*
 * folder_files.h - subscriptions and special uses of a home.
 */
#ifndef STORE_FOLDER_FILES_H
#define STORE_FOLDER_FILES_H

#include "store/own.h"
#include "store/subs.h"

/* Names that are subscribed, in UTF-8. */
enum rc subs_load(struct home *h, struct arena *a, struct str **names,
                  size_t *count, struct why *why) MUST_USE;

/* The text of posta-special-use. */
enum rc uses_load(struct home *h, struct arena *a, struct str *text,
                  struct why *why) MUST_USE;
/* Give a path its use; an empty one takes it away. */
enum rc uses_set(struct home *h, struct arena *a, const char *path,
                 struct str use, struct why *why) MUST_USE;
/* Paths that are `from`, or below it, are called otherwise now. */
enum rc uses_rename(struct home *h, struct arena *a, const char *from,
                    const char *to, struct why *why) MUST_USE;

/* Is the path that one, or of a folder below? *rest is what follows. */
bool path_is_below(const struct home *h, struct str path, struct str top,
                   struct str *rest);

#endif
