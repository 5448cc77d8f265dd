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
    structure_drop(m->maker);
    m->maker = NULL;
    file_unmap(m->bytes);
    m->bytes = (struct str){0};
    m->has_structure = false;
}

/* With what else is made of a message, while it is at hand. */
static enum rc
keep(struct arena *a, struct opened *m, struct str made, struct why *why)
{
    struct mailbox_blob blobs[] = {
        {.uid = m->uid, .kind = BLOB_STRUCTURE, .data = made},
        {.uid = m->uid,             .kind = BLOB_FIELDS                      },
        {.uid = m->uid,             .kind = BLOB_KEYS},
    };
    struct str body;

    if (!structure_read(a, made, m->bytes.len, &m->s))
        return fail(why, "5.3.0", "a message cannot be taken apart");
    m->has_structure = true;
    blobs[1].data = fields_make(a, m->bytes);
    blobs[2].data = keys_make(a, m->charsets, header_of(m->bytes, &body));
    /* A full disk makes it slower, not wrong. */
    (void)!mailbox_keep(m->box, blobs, COUNT(blobs), why);
    return OK;
}

static enum rc
make_some(struct arena *a, struct opened *m, struct why *why)
{
    struct str made;
    enum rc rc = m->bytes.p ? OK : message_bytes(m, why);

    if (rc != OK)
        return rc;
    if (m->maker == NULL)
        m->maker = structure_begin(a, m->bytes);
    if (!structure_step(m->maker, &made))
        return OK;
    structure_drop(m->maker);
    m->maker = NULL;
    return keep(a, m, made, why);
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
message_structure_some(struct arena *a, struct opened *m, struct why *why)
{
    uint64_t size = m->bytes.p ? m->bytes.len : m->size;
    struct str kept;
    enum rc rc = OK;

    if (m->has_structure)
        return OK;
    m->has_structure =
        m->maker == NULL &&
        mailbox_blob(m->box, m->uid, BLOB_STRUCTURE, a, &kept, why) == OK &&
        kept.p && structure_read(a, kept, size, &m->s);
    if (!m->has_structure)
        rc = make_some(a, m, why);
    if (rc == OK && m->has_structure && m->bytes.p)
        correct_sizes(m);
    return rc;
}

enum rc
message_structure(struct arena *a, struct opened *m, struct why *why)
{
    enum rc rc;

    do
        rc = message_structure_some(a, m, why);
    while (rc == OK && !m->has_structure);
    return rc;
}
