/*
 * acl_walk.h - the ACLs of all folders below a root, without opening the home.
 */
#ifndef STORE_ACL_WALK_H
#define STORE_ACL_WALK_H

#include "store/acl.h"

/* Told each list that there is and can be read; false ends the walk. */
typedef bool acl_seen(void *own, const struct acl *acl);

/* `fs`: folders in folders. What cannot be read is stepped over. */
void acl_walk(const char *root, bool fs, acl_seen *seen, void *own);

#endif
