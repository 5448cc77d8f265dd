/*
 * folders.h - the folders of a user: listed, made, renamed, removed.
 *
 * Names are UTF-8 with the home's separator. Failures tell why by their code:
 * 5.1.1 a folder cannot have that name, 5.1.4 there is one, 5.2.0 there is
 * none.
 */
#ifndef STORE_FOLDERS_H
#define STORE_FOLDERS_H

#include "store/mailbox.h"

enum {
    FOLDER_SELECTABLE = 1,
    FOLDER_CHILDREN = 2,
    FOLDER_SUBSCRIBED = 4,
    FOLDER_CHILD_SUBSCRIBED = 8,
};

struct folder {
    struct str name;
    const char *path; /* on disk, below the root */
    unsigned bits;
    struct str use;    /* "\Sent \Archive" (RFC 6154), or empty */
    uint64_t dev, ino; /* what stays when it is renamed */
};

struct folder_list {
    struct folder *at; /* by name; INBOX comes first */
    size_t len;
};

/* All there are, their parents also where these are none themselves, and names
 * that are only subscribed. */
enum rc folders_list(struct home *home, struct arena *a,
                     struct folder_list *list, struct why *why) MUST_USE;

/* Is there one that holds messages? */
bool folder_exists(const struct home *home, struct arena *a, struct str name);
/* The same at a path of the home. */
bool folder_is_at(const struct home *home, const char *path);

/* `use` is what CREATE-SPECIAL-USE gives, or empty. */
enum rc folder_create(struct home *home, struct str name, struct str use,
                      struct why *why) MUST_USE;

/* As who delivers makes it, in a home that may be bare: with nothing but its
 * folders, and OK where it is. */
enum rc folder_make(struct home *home, struct str name,
                    struct why *why) MUST_USE;

/* Its uses, "\Sent \Archive", and changing them: empty for none. At a path of
 * the home. */
enum rc folder_use(struct home *home, struct arena *a, const char *path,
                   struct str *use, struct why *why) MUST_USE;
enum rc folder_set_use(struct home *home, const char *path, struct str use,
                       struct why *why) MUST_USE;

/* With all messages; folders below it stay. Mailboxes that have it open answer
 * 5.2.0 from now on. Not INBOX. */
enum rc folder_delete(struct home *home, struct str name,
                      struct why *why) MUST_USE;

/* With the folders below it; UIDs, UIDVALIDITY and MAILBOXID stay, and so do
 * subscriptions to the old name. INBOX instead gives all its messages to the
 * new folder. */
enum rc folder_rename(struct home *home, struct str from, struct str to,
                      struct why *why) MUST_USE;

/* Subscriptions may be to names that do not exist. */
enum rc folder_subscribe(struct home *home, struct str name, bool subscribed,
                         struct why *why) MUST_USE;

/* STATUS of a folder that need not be open; synced first. */
enum rc folder_status(struct home *home, struct str name, bool sizes,
                      struct mailbox_status *status, struct why *why) MUST_USE;

/* What a folder is known by, whatever its name. */
struct folder_id {
    uint8_t guid[16];
    uint32_t validity;
};

struct folder_ids {
    struct folder_id *at;
    size_t len;
    bool complete; /* false: there are folders that the index does not know */
};

enum rc folders_ids(struct home *home, struct arena *a, struct folder_ids *ids,
                    struct why *why) MUST_USE;

#endif
