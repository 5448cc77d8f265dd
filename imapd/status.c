#include "status.h"

#include "notify.h"
#include "space.h"
#include "store/changes.h"

#define SOME 512 /* records that are read at once */

void
put_mailbox_id(struct buf *b, const uint8_t guid[16])
{
    buf_addc(b, 'F');
    for (size_t i = 0; i < 16; i++)
        buf_fmt(b, "%02x", guid[i]);
}

static void
put_items(const struct session *s, struct buf *b,
          const struct status_telling *t, const struct mailbox_status *st)
{
    unsigned items = t->items;
    uint64_t limit = (uint64_t)s->conf->imap_append_size_limit;
    const struct {
        unsigned item;
        const char *name;
        uint64_t value;
    } rows[] = {
        {STATUS_MESSAGES,        "MESSAGES",        st->messages            },
        {STATUS_RECENT,          "RECENT",          t->recent               },
        {STATUS_UIDNEXT,         "UIDNEXT",         st->next                },
        {STATUS_UIDVALIDITY,     "UIDVALIDITY",     st->validity            },
        {STATUS_UNSEEN,          "UNSEEN",          st->unseen              },
        {STATUS_DELETED,         "DELETED",         st->deleted             },
        {STATUS_SIZE,            "SIZE",            st->size                },
        {STATUS_HIGHESTMODSEQ,   "HIGHESTMODSEQ",   st->modseq              },
        {STATUS_DELETED_STORAGE, "DELETED-STORAGE", (t->freed + 1023) / 1024},
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
put(const struct session *s, struct buf *b, const struct status_telling *t,
    const struct mailbox_status *st)
{
    buf_add(b, S("* STATUS "));
    put_mailbox(s, b, t->name);
    buf_add(b, S(" ("));
    put_items(s, b, t, st);
    buf_add(b, S(")\r\n"));
}

void
put_status(const struct session *s, struct buf *b, struct str name,
           unsigned items, const struct mailbox_status *st)
{
    const struct status_telling t = {.name = name, .items = items};

    put(s, b, &t, st);
}

/* What EXPUNGE would free, of some more messages. */
static enum rc
sum_deleted(struct status_telling *t, struct why *why)
{
    const struct uid_range rest = {t->summed + 1, UINT32_MAX};
    struct changes_walk w;
    struct message m;
    size_t n = 0;
    enum rc rc = changes_begin(&w, t->box, (struct uid_set){&rest, 1}, why);

    if (rc != OK)
        return rc;
    for (; n < SOME && changes_next(&w, &m); n++) {
        if (m.flags & FLAG_DELETED)
            t->freed += m.size;
        t->summed = m.uid;
    }
    t->has_freed = n < SOME;
    return changes_end(&w, why);
}

static enum rc
say_status(struct session *s, struct status_telling *t, struct why *why)
{
    struct buf b = buf_in(s->command);
    struct mailbox_status st;
    enum rc rc = mailbox_status(t->box, false, &st, why);

    if (rc == OK && t->items & STATUS_RECENT)
        rc = mailbox_recent(t->box, &t->recent, why);
    if (rc != OK)
        return rc;
    put(s, &b, t, &st);
    conn_put(s->conn, buf_str(&b));
    if (t->items & STATUS_UNSEEN)
        roster_told_unseen(s, t->name, st.unseen);
    return OK;
}

/* A piece of the work. */
static enum rc
step(struct session *s, struct status_telling *t, bool *done, struct why *why)
{
    enum rc rc = OK;

    if (t->box == NULL)
        return space_open(s, t->name, RIGHT_READ, &t->box, why);
    if (t->items & STATUS_SIZE && !t->has_sizes) {
        rc = mailbox_size_some(t->box, &t->sized, why);
        t->has_sizes = t->sized == 0;
        return rc;
    }
    if (t->items & STATUS_DELETED_STORAGE && !t->has_freed)
        return sum_deleted(t, why);
    *done = true;
    return say_status(s, t, why);
}

enum rc
status_go_on(struct session *s, struct status_telling *t, bool *done,
             struct why *why)
{
    enum rc rc = OK;

    *done = false;
    while (rc == OK && !*done && session_may_go_on(s))
        rc = step(s, t, done, why);
    if (rc != OK || *done)
        status_drop(t);
    return rc;
}

void
status_drop(struct status_telling *t)
{
    if (t->box)
        mailbox_close(t->box);
    t->box = NULL;
}
