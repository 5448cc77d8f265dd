#include "access/fields.h"

#include <string.h>

#include "mail/header.h"

/* Longer ones are not kept; a few lists of a thousand addresses must not fill
 * the index. */
#define KEPT_MAX ((size_t)8192)

/* The first byte: which version, and whether the fields follow. */
#define KEPT     '4'
#define TOO_LONG '0'

/* What SEARCH, SORT and THREAD ask for, and what mail programs want of each
 * message for their lists. */
static bool
is_kept(const struct header_field *f)
{
    static const char *const others[] = {
        "Importance",
        "List-Id",
        "List-Post",
        "List-Unsubscribe",
        "Newsgroups",
        "Priority",
        "X-K9mail-Identity",
        "X-Priority",
        "X-Uniform-Type-Identifier",
        "X-Universally-Unique-Identifier",
    };

    switch (f->id) {
    case HEADER_ID_BCC:
    case HEADER_ID_CC:
    case HEADER_ID_CONTENT_TYPE:
    case HEADER_ID_DATE:
    case HEADER_ID_FROM:
    case HEADER_ID_IN_REPLY_TO:
    case HEADER_ID_MESSAGE_ID:
    case HEADER_ID_NOTIFICATION_TO:
    case HEADER_ID_REFERENCES:
    case HEADER_ID_REPLY_TO:
    case HEADER_ID_SENDER_FIELD:
    case HEADER_ID_SUBJECT:
    case HEADER_ID_TO:
        return true;
    case HEADER_ID_OTHER:
        break;
    default:
        return false;
    }
    for (size_t i = 0; i < COUNT(others); i++)
        if (str_ieq(f->name, str_from(others[i])))
            return true;
    return false;
}

bool
fields_keep(struct str name)
{
    const struct header_field f = {.name = name, .id = header_id(name)};

    return is_kept(&f);
}

bool
fields_read(struct str kept, struct str *header)
{
    if (kept.len == 0 || kept.p[0] != KEPT)
        return false;
    *header = str_sub(kept, 1, kept.len);
    return true;
}

struct str
fields_make(struct arena *a, struct str message)
{
    struct buf b = buf_in(a);
    struct header_field f;
    struct str body, header = header_of(message, &body);

    buf_addc(&b, KEPT);
    while (header_scan(&header, &f)) {
        if (!is_kept(&f))
            continue;
        if (b.len + f.whole.len > KEPT_MAX)
            return S("0");
        buf_add(&b, f.whole);
    }
    return buf_str(&b);
}

enum rc
fields_of(struct arena *a, struct opened *m, struct str *header,
          struct why *why)
{
    struct mailbox_blob blob = {.uid = m->uid, .kind = BLOB_FIELDS};
    struct str kept, body;
    enum rc rc = mailbox_blob(m->box, m->uid, BLOB_FIELDS, a, &kept, why);

    if (rc == OK && fields_read(kept, header))
        return OK;
    if (rc == OK && m->bytes.p == NULL)
        rc = message_bytes(m, why);
    if (rc != OK)
        return rc;
    *header = header_of(m->bytes, &body);
    if (kept.p && kept.len == 1 && kept.p[0] == TOO_LONG)
        return OK;
    blob.data = fields_make(a, m->bytes);
    (void)!mailbox_keep(m->box, &blob, 1, why); /* else it is made again */
    return OK;
}
