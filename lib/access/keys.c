#include "access/keys.h"

#include "access/fields.h"
#include "mail/facts.h"

/* Another way to make them is another version. */
#define VERSION 2

/* In front of the references' numbers. */
struct head {
    uint8_t version;
    bool dated, reply;
    int64_t date;
    uint64_t subject, id;
};

struct str
keys_make(struct arena *a, struct converters *charsets, struct str header)
{
    struct buf b = buf_in(a);
    struct facts facts;
    struct head h;

    facts_of(a, charsets, header, FACTS_DATE | FACTS_SUBJECT | FACTS_REFERENCES,
             &facts);
    memset(&h, 0, sizeof h);
    h.version = VERSION;
    h.dated = facts.dated;
    h.reply = facts.reply;
    h.date = facts.date;
    h.subject = thread_number(facts.subject);
    h.id = thread_number(facts.message_id);
    buf_add(&b, (struct str){(const char *)&h, sizeof h});
    for (size_t i = 0; i < facts.count; i++) {
        uint64_t n = thread_number(facts.references[i]);

        buf_add(&b, (struct str){(const char *)&n, sizeof n});
    }
    return buf_str(&b);
}

static bool
read_head(struct str kept, struct head *h)
{
    if (kept.len < sizeof *h || (kept.len - sizeof *h) % sizeof(uint64_t) ||
        kept.p[0] != VERSION)
        return false;
    memcpy(h, kept.p, sizeof *h);
    return true;
}

bool
keys_date(struct str kept, int64_t arrival, int64_t *date)
{
    struct head h;

    if (!read_head(kept, &h))
        return false;
    *date = h.dated ? h.date : arrival;
    return true;
}

bool
keys_read(struct arena *a, struct str kept, int64_t arrival,
          struct thread_message *m)
{
    struct str rest = str_sub(kept, sizeof(struct head), kept.len);
    struct head h;

    if (!read_head(kept, &h))
        return false;
    *m = (struct thread_message){
        .date = h.dated ? h.date : arrival,
        .reply = h.reply,
        .subject = h.subject,
        .id = h.id,
        .count = rest.len / sizeof *m->references,
    };
    if (rest.len > 0)
        m->references = (const uint64_t *)arena_str(a, rest).p;
    return true;
}

enum rc
keys_of(struct arena *a, struct opened *m, struct str *kept, struct why *why)
{
    struct mailbox_blob blob = {.uid = m->uid, .kind = BLOB_KEYS};
    struct str header;
    struct head h;
    enum rc rc = mailbox_blob(m->box, m->uid, BLOB_KEYS, a, kept, why);

    if (rc != OK || read_head(*kept, &h))
        return rc;
    rc = fields_of(a, m, &header, why);
    if (rc != OK)
        return rc;
    *kept = blob.data = keys_make(a, m->charsets, header);
    (void)!mailbox_keep(m->box, &blob, 1, why); /* else it is made again */
    return OK;
}
