/* Making a query of a search key: what each key needs, in which order they are
 * tried, and which messages can fit at all. */
#include <stdlib.h>
#include <time.h>

#include "access/fields.h"
#include "access/words.h"
#include "base/utf8.h"
#include "condstore.h"
#include "indexing.h"
#include "mail/casemap.h"
#include "mail/header.h"
#include "query.h"
#include "store/changes.h"
#include "store/ranges.h"

#define KEPT_MAX   ((size_t)64 << 20)
#define TEXTS_MAX  ((size_t)64 << 20)
#define TEXT_MAX   ((size_t)1 << 20) /* of all keys, mapped */
#define TEXT_KEYS  250
#define ASKS       32 /* keys that the index of words is asked */
#define BOUNDS_MAX 8
#define DAY        86400

/* ---- what each key needs */

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

static struct query_field *
field_of(struct query *q, struct str name)
{
    struct query_field *f = q->by_name;

    while (f < q->by_name + q->by_name_count && !str_ieq(f->name, name))
        f++;
    if (f == q->by_name + q->by_name_count) {
        q->by_name_count++;
        f->name = name;
        f->texts = arena_alloc(q->s->command, TEXT_KEYS * sizeof *f->texts);
    }
    return f;
}

static enum rc
too_much(struct why *why)
{
    return fail(why, "5.3.4", "too much text to search for");
}

static enum rc
make_text(struct query *q, struct query_node *n, enum dearness dear,
          struct why *why)
{
    if (n->key->text.len > TEXT_MAX || ++q->text_keys > TEXT_KEYS)
        return too_much(why);
    if (!utf8_valid(n->key->text))
        return fail(why, "5.5.4", "The text to search for is no UTF-8");
    /* Eleven times as long, where it is of ligatures. */
    n->mapped = casemap(q->s->command, n->key->text);
    q->text += n->mapped.len;
    if (q->text > TEXT_MAX)
        return too_much(why);
    n->dear = dear;
    if (dear != DEAR_TEXTS) {
        n->field = field_of(q, n->key->field);
        n->needle = n->field->count;
        n->field->texts[n->field->count++] = n->mapped;
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
    q->by_name = arena_alloc(s->command, TEXT_KEYS * sizeof *q->by_name);
    rc = make(q, q->root, why);
    if (rc != OK)
        return rc;
    q->needles = needles_new(s->command, q->needle, q->needle_count);
    for (size_t i = 0; i < q->by_name_count; i++)
        q->by_name[i].needles =
            needles_new(s->command, q->by_name[i].texts, q->by_name[i].count);
    q->within = (struct uid_set){&every, 1};
    narrow(q, q->root, why);
    q->wants_fields = wants_fields(q->root);
    q->kept = arena_new("query", KEPT_MAX);
    q->texts = arena_new("texts", TEXTS_MAX);
    q->field = arena_new("field", TEXTS_MAX);
    open_index(q);
    return OK;
}
