/*
 * acl_file.h - the dovecot-acl file of a folder.
 */
#ifndef STORE_ACL_FILE_H
#define STORE_ACL_FILE_H

#include "store/acl.h"
#include "store/home.h"
#include "store/text.h"

#define ACL_FILE "dovecot-acl"

/* The entries of the folder at a path (home_path); none where it has no such
 * file, which a zero stamp tells. */
enum rc acl_load(struct home *home, struct arena *a, const char *path,
                 struct acl *acl, struct text_stamp *stamp,
                 struct why *why) MUST_USE;

/* Has the file another stamp? */
bool acl_is_new(struct home *home, const char *path,
                const struct text_stamp *stamp);

enum acl_how {
    ACL_SET,
    ACL_ADD,    /* to the rights that the entry has */
    ACL_REMOVE, /* from them */
    ACL_DROP,   /* the entry */
};

struct acl_change {
    struct acl_id id;
    enum acl_how how;
    unsigned rights;
    unsigned before; /* the rights of an entry that is not there */
};

/* Change an entry; others may do so at the same time. PERM 5.2.0 where there is
 * no folder, 5.3.4 where it has too many entries. */
enum rc acl_change(struct home *home, const char *path,
                   const struct acl_change *change, struct why *why) MUST_USE;

/* A new folder gets the entries of another one, if that has any. */
enum rc acl_inherit(struct home *home, const char *from, const char *path,
                    struct why *why) MUST_USE;

#endif
