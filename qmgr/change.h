/*
 * change.h - what administrators do to messages (postsuper).
 */
#ifndef QMGR_CHANGE_H
#define QMGR_CHANGE_H

#include "base/str.h"
#include "shelf.h"

enum change {
    CHANGE_DELETE,
    CHANGE_HOLD,
    CHANGE_RELEASE,
    CHANGE_REQUEUE,
    CHANGE_EXPIRE,
    CHANGES
};

/* "delete" ... */
bool change_find(struct str verb, enum change *change);

/* In which folder an administrator sees the message: "incoming", "active",
 * "deferred", "hold". */
const char *change_folder(const struct entry *e);

/* Do it; false if there was nothing to do. The entry may be gone then. */
bool change_do(struct entry *e, enum change change);

#endif
