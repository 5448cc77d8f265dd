#include "access/message.h"

#include "access/fields.h"
#include "access/keys.h"
#include "mail/header.h"
#include "sys/mapped.h"

enum rc
message_bytes(struct opened *m, struct why *why)
{
    int fd;
    enum rc rc = mailbox_file(m->box, m->uid, &fd, why);

    if (rc != OK)
        return rc;
    auto_close int held = fd;

    if (!file_map(held, &m->bytes))
        return fail(why, "4.3.0", "cannot read a message: %m");
    return OK;
}

void
message_close(struct opened *m)
{
    file_unmap(m->bytes);
    m->bytes = (struct str){0};
    m->has_structure = false;
}

static enum rc
make(struct arena *a, struct opened *m, struct why *why)
{
    struct mailbox_blob blobs[] = {
        {.uid = m->uid, .kind = BLOB_STRUCTURE},
        {.uid = m->uid, .kind = BLOB_FIELDS   },
        {.uid = m->uid, .kind = BLOB_KEYS     },
    };
    struct str body;
    enum rc rc = m->bytes.p ? OK : message_bytes(m, why);

    if (rc != OK)
        return rc;
    blobs[0].data = structure_make(a, m->bytes);
    /* While it is at hand. */
    blobs[1].data = fields_make(a, m->bytes);
    blobs[2].data = keys_make(a, m->charsets, header_of(m->bytes, &body));
    if (!structure_read(a, blobs[0].data, m->bytes.len, &m->s))
        return fail(why, "5.3.0", "a message cannot be taken apart");
    m->has_structure = true;
    /* A full disk makes it slower, not wrong. */
    (void)!mailbox_keep(m->box, blobs, COUNT(blobs), why);
    return OK;
}

/* The index believes what a file's name says, until somebody reads the file. */
static void
correct_sizes(struct opened *m)
{
    uint64_t size = m->bytes.len, vsize = m->s.size + m->s.bare;
    bool wrong =
        (m->size && m->size != size) || (m->vsize && m->vsize != vsize);

    m->size = size;
    m->vsize = vsize;
    if (wrong)
        mailbox_measured(m->box, m->uid, size, vsize);
}

enum rc
message_structure(struct arena *a, struct opened *m, struct why *why)
{
    uint64_t size = m->bytes.p ? m->bytes.len : m->size;
    struct str kept;
    enum rc rc = OK;

    if (m->has_structure)
        return OK;
    m->has_structure =
        mailbox_blob(m->box, m->uid, BLOB_STRUCTURE, a, &kept, why) == OK &&
        kept.p && structure_read(a, kept, size, &m->s);
    if (!m->has_structure)
        rc = make(a, m, why);
    if (rc == OK && m->bytes.p)
        correct_sizes(m);
    return rc;
}
