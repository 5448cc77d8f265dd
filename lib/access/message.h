/*
 * message.h - a message's bytes and structure, while a command looks at it.
 */
#ifndef ACCESS_MESSAGE_H
#define ACCESS_MESSAGE_H

#include "mail/structure.h"
#include "store/mailbox.h"

struct opened {
    uint32_t uid;
    struct mailbox *box;
    struct converters *charsets;
    struct str bytes;   /* mapped; NULL view: not opened */
    struct structure s; /* texts in the arena */
    bool has_structure;
};

/* Map the file. PERM 5.2.0 where it is gone. */
enum rc message_bytes(struct opened *m, struct why *why) MUST_USE;
/* Its structure, from the index, or worked out and kept there. Needs no bytes
 * where `size` (of the file) is known and the index has it. */
enum rc message_structure(struct arena *a, struct opened *m, uint64_t size,
                          struct why *why) MUST_USE;
void message_close(struct opened *m);

#endif
