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
    uint64_t size, vsize; /* as the index has them; 0: not known */
    struct str bytes;     /* mapped; NULL view: not opened */
    struct structure s;   /* texts in the arena */
    bool has_structure;
    struct structure_maker *maker; /* private: of one that is being made */
};

/* Map the file. PERM 5.2.0 where it is gone. */
enum rc message_bytes(struct opened *m, struct why *why) MUST_USE;
/* Its structure, from the index, or worked out and kept there; bytes are needed
 * where the index lacks it. With bytes, sizes are what they are from then on,
 * and the index has them. */
enum rc message_structure(struct arena *a, struct opened *m,
                          struct why *why) MUST_USE;
/* The same for who has others to serve: some of the work, and all of it once
 * m->has_structure. Until then the arena stays. */
enum rc message_structure_some(struct arena *a, struct opened *m,
                               struct why *why) MUST_USE;
void message_close(struct opened *m);

#endif
