#include "status.h"

#include "space.h"
#include "store/changes.h"

void
put_mailbox_id(struct buf *b, const uint8_t guid[16])
{
    buf_addc(b, 'F');
    for (size_t i = 0; i < 16; i++)
        buf_fmt(b, "%02x", guid[i]);
}

/* What EXPUNGE would free. */
static enum rc
deleted_storage(struct mailbox *box, uint64_t *bytes, struct why *why)
{
    static const struct uid_range every = {1, UINT32_MAX};
    struct changes_walk w;
    struct message m;
    enum rc rc = changes_begin(&w, box, (struct uid_set){&every, 1}, why);

    *bytes = 0;
    if (rc != OK)
        return rc;
    while (changes_next(&w, &m))
        if (m.flags & FLAG_DELETED)
            *bytes += m.size;
    return changes_end(&w, why);
}

static void
put_items(const struct session *s, struct buf *b, unsigned items,
          const struct mailbox_status *st, uint64_t freed)
{
    uint64_t limit = (uint64_t)s->conf->imap_append_size_limit;
    const struct {
        unsigned item;
        const char *name;
        uint64_t value;
    } rows[] = {
        {STATUS_MESSAGES,        "MESSAGES",        st->messages         },
        {STATUS_RECENT,          "RECENT",          st->recent           },
        {STATUS_UIDNEXT,         "UIDNEXT",         st->next             },
        {STATUS_UIDVALIDITY,     "UIDVALIDITY",     st->validity         },
        {STATUS_UNSEEN,          "UNSEEN",          st->unseen           },
        {STATUS_DELETED,         "DELETED",         st->deleted          },
        {STATUS_SIZE,            "SIZE",            st->size             },
        {STATUS_HIGHESTMODSEQ,   "HIGHESTMODSEQ",   st->modseq           },
        {STATUS_DELETED_STORAGE, "DELETED-STORAGE", (freed + 1023) / 1024},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        if (items & rows[i].item)
            buf_fmt(b, "%s %llu ", rows[i].name,
                    (unsigned long long)rows[i].value);
    if (items & STATUS_APPENDLIMIT && limit > 0)
        buf_fmt(b, "APPENDLIMIT %llu ", (unsigned long long)limit);
    else if (items & STATUS_APPENDLIMIT)
        buf_add(b, S("APPENDLIMIT NIL "));
    if (items & STATUS_MAILBOXID) {
        buf_add(b, S("MAILBOXID ("));
        put_mailbox_id(b, st->guid);
        buf_add(b, S(") "));
    }
    b->len--;
}

static void
put(const struct session *s, struct buf *b, struct str name, unsigned items,
    const struct mailbox_status *st, uint64_t freed)
{
    buf_add(b, S("* STATUS "));
    put_mailbox(s, b, name);
    buf_add(b, S(" ("));
    put_items(s, b, items, st, freed);
    buf_add(b, S(")\r\n"));
}

void
put_status(const struct session *s, struct buf *b, struct str name,
           unsigned items, const struct mailbox_status *st)
{
    put(s, b, name, items, st, 0);
}

enum rc
status_tell(struct session *s, struct str name, unsigned items, struct why *why)
{
    struct buf b = buf_in(s->command);
    struct mailbox_status st;
    struct mailbox *box;
    uint64_t freed = 0;
    enum rc rc = space_open(s, name, RIGHT_READ, &box, why);

    if (rc != OK)
        return rc;
    rc = mailbox_status(box, items & STATUS_SIZE, &st, why);
    if (rc == OK && items & STATUS_DELETED_STORAGE && st.deleted > 0)
        rc = deleted_storage(box, &freed, why);
    mailbox_close(box);
    if (rc != OK)
        return rc;
    put(s, &b, name, items, &st, freed);
    conn_put(s->conn, buf_str(&b));
    return OK;
}
