#include "query.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "access/fields.h"
#include "condstore.h"
#include "indexing.h"
#include "mail/casemap.h"
#include "mail/date.h"
#include "store/changes.h"
#include "store/ranges.h"

#define KEPT_MAX   ((size_t)64 << 20)
#define TEXTS_MAX  ((size_t)64 << 20)
#define TEXT_MAX   ((size_t)1 << 20) /* of all keys */
#define TEXT_KEYS  250
#define ASKS       32 /* keys that the index of words is asked */
#define BOUNDS_MAX 8
#define DAY        86400

/* ---- making it */

/* When a day begins here: INTERNALDATE and SAVEDATE are told in local time. */
static int64_t
day_begins(int32_t day)
{
    time_t noon = (time_t)day * DAY + DAY / 2;
    struct tm tm;

    if (gmtime_r(&noon, &tm) == NULL)
        return (int64_t)day * DAY;
    tm.tm_hour = 0;
    tm.tm_isdst = -1;
    return mktime(&tm);
}

/* From and to of the kinds of dates, in the order before, on, since. */
static void
make_dates(struct query_node *n, enum search_kind first, bool local)
{
    int32_t day = n->key->day;
    int64_t begin = local ? day_begins(day) : day;
    int64_t end = local ? day_begins(day + 1) : day + 1;

    n->from = n->key->kind == first ? INT64_MIN : begin;
    n->to = n->key->kind == first       ? begin
            : n->key->kind == first + 1 ? end
                                        : INT64_MAX;
}

static enum rc
make_text(struct query *q, struct query_node *n, enum dearness dear,
          struct why *why)
{
    q->text += n->key->text.len;
    if (q->text > TEXT_MAX || ++q->text_keys > TEXT_KEYS)
        return fail(why, "5.3.4", "too much text to search for");
    n->dear = dear;
    n->mapped = casemap(q->s->command, n->key->text);
    if (dear != DEAR_TEXTS) {
        n->field = needles_new(q->s->command, &n->mapped, 1);
        return OK;
    }
    n->needle = q->needle_count;
    q->needle[q->needle_count++] = n->mapped;
    q->kinds |= TEXT_BODY | (n->key->kind == SEARCH_TEXT ? TEXT_HEADER : 0);
    return OK;
}

static enum rc
make_keyword(struct query *q, struct query_node *n, struct why *why)
{
    const struct keywords *names;
    enum rc rc;
    int bit;

    if (n->key->flag)
        return OK;
    rc = mailbox_keywords(q->box, &names, why);
    bit = rc == OK ? keywords_find(names, n->key->text) : -1;
    if (bit >= 0)
        n->keyword = UINT64_C(1) << bit;
    return rc;
}

static enum rc
make_set(struct query *q, struct query_node *n, struct why *why)
{
    bool uid = n->key->kind == SEARCH_UID;

    if (!uid && !n->key->set.saved && q->s->enabled & ENABLED_UIDONLY)
        return fail(why, "5.5.4", "[UIDREQUIRED] There are no numbers");
    n->uids = set_uids_there(q->s, q->view, &n->key->set, uid);
    return OK;
}

static int
by_dearness(const void *pa, const void *pb)
{
    const struct query_node *a = pa, *b = pb;

    return (a->dear > b->dear) - (a->dear < b->dear);
}

static enum rc make(struct query *q, struct query_node *n, struct why *why);

static enum rc
make_children(struct query *q, struct query_node *n, struct why *why)
{
    n->count = n->key->count;
    n->children = arena_alloc(q->s->command, n->count * sizeof *n->children);
    for (size_t i = 0; i < n->count; i++) {
        struct query_node *child = &n->children[i];

        child->key = &n->key->children[i];
        enum rc rc = make(q, child, why);

        if (rc != OK)
            return rc;
        if (child->dear > n->dear)
            n->dear = child->dear;
    }
    qsort(n->children, n->count, sizeof *n->children, by_dearness);
    return OK;
}

static enum rc
make(struct query *q, struct query_node *n, struct why *why)
{
    switch (n->key->kind) {
    case SEARCH_AND:
    case SEARCH_OR:
    case SEARCH_NOT:
        return make_children(q, n, why);
    case SEARCH_SEQ:
    case SEARCH_UID:
        return make_set(q, n, why);
    case SEARCH_FLAG:
    case SEARCH_NO_FLAG:
        return make_keyword(q, n, why);
    case SEARCH_BEFORE:
    case SEARCH_ON:
    case SEARCH_SINCE:
        make_dates(n, SEARCH_BEFORE, true);
        return OK;
    case SEARCH_SAVED_BEFORE:
    case SEARCH_SAVED_ON:
    case SEARCH_SAVED_SINCE:
        make_dates(n, SEARCH_SAVED_BEFORE, true);
        return OK;
    case SEARCH_SENT_BEFORE:
    case SEARCH_SENT_ON:
    case SEARCH_SENT_SINCE:
        n->dear = DEAR_FIELDS;
        make_dates(n, SEARCH_SENT_BEFORE, false);
        return OK;
    case SEARCH_HEADER:
        return make_text(
            q, n, fields_keep(n->key->field) ? DEAR_FIELDS : DEAR_HEADER, why);
    case SEARCH_BODY:
    case SEARCH_TEXT:
        return make_text(q, n, DEAR_TEXTS, why);
    case SEARCH_MODSEQ:
        q->by_modseq = true;
        return OK;
    default:
        return OK;
    }
}

/* A set that all messages are in that fit the key; false where it says none. */
static bool
bound(struct query *q, const struct query_node *n, struct uid_set *set,
      struct why *why)
{
    uint64_t since = n->key->number;

    switch (n->key->kind) {
    case SEARCH_SEQ:
    case SEARCH_UID:
        *set = n->uids;
        return true;
    case SEARCH_MODSEQ:
        return since > 0 &&
               changes_since(q->box, since - 1, q->s->command, set, why) == OK;
    default:
        return false;
    }
}

/* What all of these sets have: of a few, more cost more than they spare. */
static void
narrow(struct query *q, const struct query_node *n, struct why *why)
{
    struct uid_set set;

    if (n->key->kind == SEARCH_AND) {
        for (size_t i = 0; i < n->count; i++)
            narrow(q, &n->children[i], why);
    } else if (q->bounds < BOUNDS_MAX && bound(q, n, &set, why)) {
        q->within = condstore_both(q->s, q->within, set);
        q->bounds++;
    }
}

static bool
wants_fields(const struct query_node *n)
{
    for (size_t i = 0; i < n->count; i++)
        if (wants_fields(&n->children[i]))
            return true;
    return n->count == 0 && n->dear == DEAR_FIELDS;
}

/* ---- the index of words */

static unsigned
areas_of(const struct query_node *n)
{
    if (n->key->kind == SEARCH_TEXT)
        return 1u << FTS_FIELDS | 1u << FTS_HEADER | 1u << FTS_BODY;
    if (n->key->kind == SEARCH_BODY)
        return 1u << FTS_BODY;
    return 1u << words_field_area(header_id(n->key->field));
}

static void
make_asks(struct query *q, struct query_node *n)
{
    for (size_t i = 0; i < n->count; i++)
        make_asks(q, &n->children[i]);
    if (n->mapped.len == 0 || q->ask_count == ASKS)
        return;
    n->ask = &q->asks[q->ask_count++];
    fts_ask_begin(n->ask, q->s->command, q->set, n->mapped, areas_of(n));
}

static void
open_index(struct query *q)
{
    if (q->text == 0)
        return;
    indexing_want(q->s->imap, q->box);
    q->set = indexing_set(q->s->imap, q->box);
    if (q->set == NULL || q->set->segments.len == 0)
        return;
    q->asks = arena_alloc(q->s->command, ASKS * sizeof *q->asks);
    make_asks(q, q->root);
}

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

enum rc
query_make(struct query *q, struct session *s, struct mailbox *box,
           struct view *view, const struct search_key *key, struct why *why)
{
    static const struct uid_range every = {1, UINT32_MAX};
    enum rc rc;

    *q = (struct query){
        .s = s,
        .box = box,
        .view = view,
        .now = time(NULL),
    };
    q->root = arena_make(s->command, struct query_node);
    q->root->key = key;
    q->needle = arena_alloc(s->command, TEXT_KEYS * sizeof *q->needle);
    rc = make(q, q->root, why);
    if (rc != OK)
        return rc;
    q->needles = needles_new(s->command, q->needle, q->needle_count);
    q->within = (struct uid_set){&every, 1};
    narrow(q, q->root, why);
    q->wants_fields = wants_fields(q->root);
    q->kept = arena_new("query", KEPT_MAX);
    q->texts = arena_new("texts", TEXTS_MAX);
    q->field = arena_new("field", TEXTS_MAX);
    open_index(q);
    return OK;
}

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
    if (q->kept)
        arena_free(q->kept);
    if (q->texts)
        arena_free(q->texts);
    if (q->field)
        arena_free(q->field);
    q->kept = q->texts = q->field = NULL;
    fts_set_close(q->set);
    q->set = NULL;
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
        !date_parse(f.body, &seconds, &zone))
        return false;
    seconds += zone * 60;
    return between(n,
                   seconds >= 0 ? seconds / DAY : -((DAY - 1 - seconds) / DAY));
}

static bool
in_field(struct query *q, const struct query_node *n, struct str header)
{
    return search_field(q->field, q->s->imap->charsets, n->field, header,
                        n->key->field);
}

static enum verdict
by_fields(struct query *q, const struct query_node *n)
{
    if (q->fields.p == NULL) {
        if (!may_work(q) ||
            !had(q, fields_of(q->kept, &q->opened, &q->fields, &q->why)))
            return VERDICT_OPEN;
    }
    return (n->field ? in_field(q, n, q->fields) : was_sent(q, n)) ? VERDICT_YES
                                                                   : VERDICT_NO;
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

    if (!may_work(q) || !has_bytes(q))
        return VERDICT_OPEN;
    return in_field(q, n, header_of(q->opened.bytes, &body)) ? VERDICT_YES
                                                             : VERDICT_NO;
}

/* One walk through the message's texts for all keys of the query. */
static bool
begin_walk(struct query *q)
{
    if (q->walking)
        return true;
    if (!has_bytes(q) ||
        !had(q, message_structure(q->kept, &q->opened, q->m.size, &q->why)))
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
    q->opened = (struct opened){
        .uid = m->uid, .box = q->box, .charsets = q->s->imap->charsets};
    q->fields = (struct str){0};
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
