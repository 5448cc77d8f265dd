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

/* "<...>" off the front, as one that is compared: quotes and backslashes mean
 * nothing (RFC 5256 3, REFERENCES, 1). */
static bool
next_id(struct arena *a, struct str *rest, struct str *id)
{
    ssize_t open, close;
    struct buf b = buf_in(a);

    for (;;) {
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
        if (str_find(*id, '@') > 0)
            break;
    }
    for (size_t i = 0; i < id->len; i++)
        if (!is_space(id->p[i]) && !strchr("\"\\", id->p[i]))
            buf_addc(&b, id->p[i]);
    *id = buf_str(&b);
    return id->len > 0;
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
             struct str *mailbox, struct str *display)
{
    struct addrlist l = {.rest = str_sub(body, 0, FIELD_MAX), .groups = true};
    struct addrlist_entry e;
    struct str name, shown;

    if (mailbox->p || !addrlist_next(a, &l, &e))
        return;
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
        return FACTS_REFERENCES;
    default:
        return FACTS_ADDRESSES;
    }
}

static void
take_field(struct arena *a, struct converters *more,
           const struct header_field *field, struct facts *f)
{
    struct str body = str_sub(field->body, 0, FIELD_MAX), id;

    switch (field->id) {
    case HEADER_ID_DATE:
        f->dated = date_parse(body, &f->date, NULL);
        break;
    case HEADER_ID_SUBJECT:
        f->subject =
            subject_base(a, words_read_field(a, more, body), &f->reply);
        break;
    case HEADER_ID_FROM:
        take_address(a, more, body, &f->from, &f->display_from);
        break;
    case HEADER_ID_TO:
        take_address(a, more, body, &f->to, &f->display_to);
        break;
    case HEADER_ID_CC:
        take_address(a, more, body, &f->cc, NULL);
        break;
    case HEADER_ID_MESSAGE_ID:
        if (next_id(a, &body, &id))
            f->message_id = id;
        break;
    default:
        break;
    }
}

static void
take_references(struct arena *a, struct str references, struct str in_reply_to,
                struct facts *f)
{
    f->references = arena_alloc(a, FACTS_REFERENCES_MAX * sizeof(struct str));
    f->count = facts_ids(a, references, f->references, FACTS_REFERENCES_MAX);
    if (f->count == 0)
        f->count = next_id(a, &in_reply_to, f->references);
}

void
facts_of(struct arena *a, struct converters *more, struct str header,
         unsigned wants, struct facts *f)
{
    struct str references = {0}, in_reply_to = {0};
    struct header_field field;

    *f = (struct facts){0};
    while (header_scan(&header, &field)) {
        if (field.id == HEADER_ID_REFERENCES)
            references = field.body;
        else if (field.id == HEADER_ID_IN_REPLY_TO)
            in_reply_to = str_sub(field.body, 0, FIELD_MAX);
        else if (wants & wanted_for(field.id))
            take_field(a, more, &field, f);
    }
    f->subject = casemap(a, f->subject);
    if (wants & FACTS_REFERENCES)
        take_references(a, references, in_reply_to, f);
}
