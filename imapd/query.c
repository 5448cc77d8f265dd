#include "query.h"

#include <string.h>

#include "access/fields.h"
#include "access/words.h"
#include "mail/date.h"
#include "mail/header.h"
#include "store/ranges.h"

#define DAY 86400

static void
end_walk(struct query *q)
{
    if (q->walking)
        text_end(&q->walk);
    q->walking = false;
}

void
query_free(struct query *q)
{
    end_walk(q);
    message_close(&q->opened);
    arena_free(q->kept);
    arena_free(q->texts);
    arena_free(q->field);
    q->kept = q->texts = q->field = NULL;
    fts_set_close(q->set);
    q->set = NULL;
}

/* ---- the index of words */

bool
query_ask(struct query *q)
{
    while (q->asked < q->ask_count) {
        if (!session_may_go_on(q->s))
            return false;
        if (!fts_ask_step(&q->asks[q->asked]))
            q->asked++;
    }
    return true;
}

/* What it says of the message that is looked at. A word that is in some field
 * may be in another one. */
static enum verdict
by_index(const struct query *q, const struct query_node *n)
{
    enum fts_says says =
        q->place ? fts_ask_says(n->ask, q->place) : FTS_PERHAPS;

    if (says == FTS_NO)
        return VERDICT_NO;
    return says == FTS_YES && n->dear == DEAR_TEXTS ? VERDICT_YES
                                                    : VERDICT_OPEN;
}

static void
find_place(struct query *q)
{
    q->place = q->ask_count
                   ? fts_set_find(q->set, q->m.uid, words_id(&q->m), &q->hint)
                   : NULL;
}

/* ---- keys that the record answers */

static bool
has_flag(const struct query_node *n, const struct message *m)
{
    return n->key->flag ? m->flags & n->key->flag : m->keywords & n->keyword;
}

static bool
between(const struct query_node *n, int64_t date)
{
    return date >= n->from && date < n->to;
}

static bool
has_id(const struct query_node *n, const struct message *m)
{
    static const char digits[] = "0123456789abcdef";
    struct str text = n->key->text;

    if (text.len != 1 + 2 * sizeof m->id || text.p[0] != 'M')
        return false;
    for (size_t i = 0; i < sizeof m->id; i++)
        if (text.p[1 + 2 * i] != digits[m->id[i] >> 4] ||
            text.p[2 + 2 * i] != digits[m->id[i] & 15])
            return false;
    return true;
}

static bool
by_record(const struct query *q, const struct query_node *n)
{
    const struct message *m = &q->m;
    int64_t age = q->now - m->date, seconds = (int64_t)n->key->number;
    bool recent = view_is_recent(q->view, m->uid);

    switch (n->key->kind) {
    case SEARCH_ALL:
    case SEARCH_SAVE_DATE_SUPPORTED:
        return true;
    case SEARCH_FLAG:
        return has_flag(n, m);
    case SEARCH_NO_FLAG:
        return !has_flag(n, m);
    case SEARCH_NEW:
        return recent && !(m->flags & FLAG_SEEN);
    case SEARCH_OLD:
        return !recent;
    case SEARCH_RECENT:
        return recent;
    case SEARCH_SEQ:
    case SEARCH_UID:
        return uid_set_has(n->uids, m->uid);
    case SEARCH_BEFORE:
    case SEARCH_ON:
    case SEARCH_SINCE:
        return between(n, m->date);
    case SEARCH_SAVED_BEFORE:
    case SEARCH_SAVED_ON:
    case SEARCH_SAVED_SINCE:
        return between(n, m->saved);
    case SEARCH_OLDER:
        return age >= seconds;
    case SEARCH_YOUNGER:
        return age <= seconds;
    case SEARCH_MODSEQ:
        return m->modseq >= n->key->number;
    case SEARCH_EMAILID:
        return has_id(n, m);
    default:
        return false; /* THREADID: no message has one */
    }
}

/* ---- keys that the message answers */

/* May it be worked on now? Something is done in each turn. */
static bool
may_work(struct query *q)
{
    if (!q->may_open || (q->worked && !session_may_go_on(q->s)))
        return false;
    q->worked = true;
    return q->rc == OK;
}

static bool
had(struct query *q, enum rc rc)
{
    if (q->rc == OK)
        q->rc = rc;
    return rc == OK;
}

static bool
size_fits(struct query *q, const struct query_node *n)
{
    bool larger = n->key->kind == SEARCH_LARGER;

    return larger ? q->m.vsize > n->key->number : q->m.vsize < n->key->number;
}

static enum verdict
by_size(struct query *q, const struct query_node *n)
{
    if (q->m.vsize == 0) {
        if (!may_work(q))
            return VERDICT_OPEN;
        if (!had(q, mailbox_vsize(q->box, q->m.uid, &q->m.vsize, &q->why)))
            return VERDICT_OPEN;
    }
    return size_fits(q, n) ? VERDICT_YES : VERDICT_NO;
}

static bool
asks_date(const struct query_node *n)
{
    switch (n->key->kind) {
    case SEARCH_BEFORE:
    case SEARCH_ON:
    case SEARCH_SINCE:
    case SEARCH_SAVED_BEFORE:
    case SEARCH_SAVED_ON:
    case SEARCH_SAVED_SINCE:
    case SEARCH_OLDER:
    case SEARCH_YOUNGER:
        return true;
    default:
        return false;
    }
}

static bool
has_dates(struct query *q)
{
    return q->m.saved ||
           (may_work(q) && had(q, mailbox_dates(q->box, &q->m, &q->why)));
}

/* The day as the field has it, whatever its zone: RFC 9051 6.4.4, SENTON. */
static bool
was_sent(const struct query *q, const struct query_node *n)
{
    struct header_field f;
    int64_t seconds;
    int zone;

    if (!header_find(q->fields, S("Date"), &f) ||
        !date_parse_sent(f.body, &seconds, &zone))
        return false;
    seconds += zone * 60;
    return between(n,
                   seconds >= 0 ? seconds / DAY : -((DAY - 1 - seconds) / DAY));
}

/* What the index keeps of a header is short; a message's own may be long, so
 * there is a turn for each field. */
static enum verdict
in_field(struct query *q, const struct query_node *n, struct str header)
{
    struct query_field *f = n->field;

    if (f->stamp != q->stamp) {
        f->stamp = q->stamp;
        f->rest = header;
        f->over = false;
        needles_forget(f->needles);
    }
    while (!needles_found(f->needles, n->needle)) {
        if (f->over)
            return VERDICT_NO;
        if (q->may_open && !may_work(q))
            return VERDICT_OPEN;
        f->over = !search_field(q->field, q->s->imap->charsets, f->needles,
                                &f->rest, f->name);
    }
    return VERDICT_YES;
}

static enum verdict
by_fields(struct query *q, const struct query_node *n)
{
    if (q->fields.p == NULL) {
        if (!may_work(q) ||
            !had(q, fields_of(q->kept, &q->opened, &q->fields, &q->why)))
            return VERDICT_OPEN;
    }
    if (n->field)
        return in_field(q, n, q->fields);
    return was_sent(q, n) ? VERDICT_YES : VERDICT_NO;
}

static bool
has_bytes(struct query *q)
{
    return q->opened.bytes.p || had(q, message_bytes(&q->opened, &q->why));
}

static enum verdict
by_header(struct query *q, const struct query_node *n)
{
    struct str body;

    if (q->header.p == NULL) {
        if (!may_work(q) || !has_bytes(q))
            return VERDICT_OPEN;
        q->header = header_of(q->opened.bytes, &body);
    }
    return in_field(q, n, q->header);
}

/* One walk through the message's texts for all keys of the query. */
static bool
begin_walk(struct query *q)
{
    if (q->walking)
        return true;
    if (!has_bytes(q) ||
        !had(q, message_structure_some(q->kept, &q->opened, &q->why)) ||
        !q->opened.has_structure)
        return false;
    text_begin(&q->walk, q->texts, q->s->imap->charsets, q->opened.bytes,
               &q->opened.s, q->kinds);
    needles_forget(q->needles);
    q->walking = true;
    return true;
}

static void
walk_on(struct query *q)
{
    struct text_piece piece;

    if (!text_next(&q->walk, &piece)) {
        q->walking = false;
        q->walked = true;
        return;
    }
    if (piece.begins)
        needles_begin(q->needles, piece.kind);
    needles_put(q->needles, piece.text);
}

static enum verdict
by_texts(struct query *q, const struct query_node *n)
{
    unsigned kinds =
        TEXT_BODY | (n->key->kind == SEARCH_TEXT ? TEXT_HEADER : 0);

    if (n->mapped.len == 0)
        return VERDICT_YES; /* in every message, also in one without texts */
    while (q->may_open) {
        if ((q->walking || q->walked) &&
            needles_found(q->needles, n->needle) & kinds)
            return VERDICT_YES;
        if (q->walked)
            return VERDICT_NO;
        if (!may_work(q) || !begin_walk(q))
            break;
        walk_on(q);
    }
    return VERDICT_OPEN;
}

/* A key that more than the record must answer. */
static enum verdict
by_message(struct query *q, const struct query_node *n)
{
    switch (n->dear) {
    case DEAR_FIELDS:
        return by_fields(q, n);
    case DEAR_HEADER:
        return by_header(q, n);
    default:
        return by_texts(q, n);
    }
}

static enum verdict
by_leaf(struct query *q, struct query_node *n)
{
    enum verdict v;

    if (n->stamp == q->stamp)
        return n->known;
    if (n->ask && (v = by_index(q, n)) != VERDICT_OPEN)
        return v;
    if (n->key->kind == SEARCH_LARGER || n->key->kind == SEARCH_SMALLER)
        v = by_size(q, n);
    else if (asks_date(n) && !has_dates(q))
        return VERDICT_OPEN;
    else if (n->dear == DEAR_RECORD)
        return by_record(q, n) ? VERDICT_YES : VERDICT_NO;
    else
        v = by_message(q, n);
    if (v != VERDICT_OPEN) {
        n->stamp = q->stamp;
        n->known = v;
    }
    return v;
}

/* ---- the whole tree */

static enum verdict
judge(struct query *q, struct query_node *n)
{
    enum verdict stop = n->key->kind == SEARCH_OR ? VERDICT_YES : VERDICT_NO;
    enum verdict all = n->key->kind == SEARCH_OR ? VERDICT_NO : VERDICT_YES;

    if (n->count == 0)
        return by_leaf(q, n);
    if (n->key->kind == SEARCH_NOT) {
        enum verdict v = judge(q, n->children);

        return v == VERDICT_OPEN
                   ? v
                   : (v == VERDICT_YES ? VERDICT_NO : VERDICT_YES);
    }
    for (size_t i = 0; i < n->count; i++) {
        enum verdict v = judge(q, &n->children[i]);

        if (v == stop)
            return v;
        if (v == VERDICT_OPEN)
            all = v;
    }
    return all;
}

enum verdict
query_record(struct query *q, const struct message *m, struct str fields)
{
    q->m = *m;
    q->fields = fields;
    q->header = (struct str){0};
    find_place(q);
    q->may_open = false;
    q->stamp++;
    return judge(q, q->root);
}

void
query_take(struct query *q, const struct message *m)
{
    end_walk(q);
    q->walked = false;
    message_close(&q->opened);
    arena_reset(q->kept);
    q->m = *m;
    find_place(q);
    q->opened = (struct opened){.uid = m->uid,
                                .box = q->box,
                                .charsets = q->s->imap->charsets,
                                .size = m->size,
                                .vsize = m->vsize};
    q->fields = q->header = (struct str){0};
    q->may_open = true;
    q->rc = OK;
    q->stamp++;
}

enum verdict
query_go_on(struct query *q)
{
    q->worked = false;
    enum verdict v = judge(q, q->root);

    if (q->rc == OK)
        return v;
    if (strcmp(q->why.dsn, "5.2.0") == 0)
        q->rc = OK; /* somebody has expunged it */
    return VERDICT_NO;
}
