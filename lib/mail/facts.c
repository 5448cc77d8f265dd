#include "mail/facts.h"

#include "mail/address.h"
#include "mail/addrlist.h"
#include "mail/casemap.h"
#include "mail/date.h"
#include "mail/header.h"
#include "mail/subject.h"
#include "mail/words.h"

/* Of one field that is looked at. */
#define FIELD_MAX ((size_t)65536)

/* Fields without address that are looked at for one. */
#define VAIN_MAX 100

/* "<...>" off the front. */
static bool
next_raw_id(struct str *rest, struct str *id)
{
    ssize_t open, close;

    do {
        open = str_find(*rest, '<');
        if (open < 0)
            return false;
        *rest = str_sub(*rest, (size_t)open + 1, rest->len);
        close = str_find(*rest, '>');
        if (close < 0)
            return false;
        *id = str_sub(*rest, 0, (size_t)close);
        *rest = str_sub(*rest, (size_t)close + 1, rest->len);

        /* Not "<<a@b>", nor words. */
        open = str_rfind(*id, '<');
        *id = str_sub(*id, (size_t)(open + 1), id->len);
    } while (str_find(*id, '@') <= 0);
    return true;
}

/* As one that is compared: quotes and backslashes mean nothing (RFC 5256 3,
 * REFERENCES, 1). */
static struct str
plain_id(struct arena *a, struct str id)
{
    struct buf b = buf_in(a);

    for (size_t i = 0; i < id.len; i++)
        if (!is_space(id.p[i]) && !strchr("\"\\", id.p[i]))
            buf_addc(&b, id.p[i]);
    return buf_str(&b);
}

static bool
next_id(struct arena *a, struct str *rest, struct str *id)
{
    if (!next_raw_id(rest, id))
        return false;
    *id = plain_id(a, *id);
    return true;
}

size_t
facts_ids(struct arena *a, struct str body, struct str *ids, size_t max)
{
    struct str rest = str_sub(body, 0, FIELD_MAX), id;
    size_t count = 0;

    while (next_id(a, &rest, &id)) {
        if (count == max) {
            /* The first is the thread's, the last ones are the nearest. */
            memmove(ids + 1, ids + 2, (max - 2) * sizeof *ids);
            count--;
        }
        ids[count++] = id;
    }
    return count;
}

/* The first address of a field; of a group that comes first its name, which
 * is what ENVELOPE has as its mailbox. */
static void
take_address(struct arena *a, struct converters *more, struct str body,
             struct str *mailbox, struct str *display, size_t *vain)
{
    struct addrlist l = {.rest = body, .groups = true};
    struct addrlist_entry e;
    struct str name, shown;

    if (mailbox->p || *vain == VAIN_MAX)
        return;
    if (!addrlist_next(a, &l, &e)) {
        ++*vain;
        return;
    }
    if (e.kind == ADDRLIST_GROUP) {
        e.addr = shown = words_read(a, more, addrlist_name(a, e.group));
    } else {
        name = str_trim(words_read(a, more, addrlist_name(a, e.name)));
        shown = name.len ? name : e.addr;
    }
    *mailbox = casemap(a, address_local(e.addr));
    if (display)
        *display = casemap(a, shown);
}

static unsigned
wanted_for(enum header_id id)
{
    switch (id) {
    case HEADER_ID_DATE:
        return FACTS_DATE;
    case HEADER_ID_SUBJECT:
        return FACTS_SUBJECT;
    case HEADER_ID_MESSAGE_ID:
    case HEADER_ID_REFERENCES:
    case HEADER_ID_IN_REPLY_TO:
        return FACTS_REFERENCES;
    default:
        return FACTS_ADDRESSES;
    }
}

/* Of fields that have passed, as they stand there: there may be a million of
 * them, and the last one counts. */
struct seen {
    struct str subject, references, in_reply_to;
    struct str id; /* of the last Message-ID that has one */
    size_t vain;   /* fields of addresses that have none */
};

static void
take_field(struct arena *a, struct converters *more,
           const struct header_field *field, struct seen *seen, struct facts *f)
{
    struct str body = str_sub(field->body, 0, FIELD_MAX), id;

    switch (field->id) {
    case HEADER_ID_DATE:
        f->dated = date_parse_sent(body, &f->date, NULL);
        break;
    case HEADER_ID_SUBJECT:
        seen->subject = body;
        break;
    case HEADER_ID_FROM:
        take_address(a, more, body, &f->from, &f->display_from, &seen->vain);
        break;
    case HEADER_ID_TO:
        take_address(a, more, body, &f->to, &f->display_to, &seen->vain);
        break;
    case HEADER_ID_CC:
        take_address(a, more, body, &f->cc, NULL, &seen->vain);
        break;
    case HEADER_ID_MESSAGE_ID:
        if (next_raw_id(&body, &id))
            seen->id = id;
        break;
    case HEADER_ID_REFERENCES:
        seen->references = body;
        break;
    case HEADER_ID_IN_REPLY_TO:
        seen->in_reply_to = body;
        break;
    default:
        break;
    }
}

static void
take_references(struct arena *a, struct seen *seen, struct facts *f)
{
    if (seen->id.p)
        f->message_id = plain_id(a, seen->id);
    f->references = arena_alloc(a, FACTS_REFERENCES_MAX * sizeof(struct str));
    f->count =
        facts_ids(a, seen->references, f->references, FACTS_REFERENCES_MAX);
    if (f->count == 0)
        f->count = next_id(a, &seen->in_reply_to, f->references);
}

void
facts_of(struct arena *a, struct converters *more, struct str header,
         unsigned wants, struct facts *f)
{
    struct header_field field;
    struct seen seen = {0};

    *f = (struct facts){0};
    while (header_scan(&header, &field))
        if (wants & wanted_for(field.id))
            take_field(a, more, &field, &seen, f);
    if (seen.subject.p)
        f->subject =
            casemap(a, subject_base(a, words_read_field(a, more, seen.subject),
                                    &f->reply));
    if (wants & FACTS_REFERENCES)
        take_references(a, &seen, f);
}
