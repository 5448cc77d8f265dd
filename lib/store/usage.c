#include "store/usage.h"

#include "store/folders.h"
#include "store/own.h"

static enum rc
add_folder(struct home *h, struct str name, uint64_t *bytes, uint64_t *messages,
           struct why *why)
{
    struct index_folder f;
    struct mailbox *box;
    enum rc rc = mailbox_open(h, name, &box, why);

    if (rc != OK)
        return rc;
    rc = mailbox_read(box, &f, why);
    if (rc == OK)
        rc = mailbox_end(box, why);
    if (rc == OK) {
        *bytes += f.size;
        *messages += f.messages;
    }
    mailbox_close(box);
    return rc;
}

enum rc
home_usage(struct home *h, uint64_t *bytes, uint64_t *messages, struct why *why)
{
    struct arena *a = arena_new("usage", (size_t)256 << 20);
    struct folder_list list;
    enum rc rc = folders_list(h, a, &list, why);

    *bytes = *messages = 0;
    /* One that goes away meanwhile has nothing. */
    for (size_t i = 0; rc == OK && i < list.len; i++)
        if (list.at[i].bits & FOLDER_SELECTABLE &&
            add_folder(h, list.at[i].name, bytes, messages, why) == TEMP)
            rc = TEMP;
    arena_free(a);
    return rc;
}
