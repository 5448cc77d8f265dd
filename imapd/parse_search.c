/* SEARCH, SORT, THREAD, ESEARCH. */
#include "parser.h"

static bool parse_key(struct parser *p, struct search_key *k);

static struct search_key *
new_keys(struct parser *p, size_t count)
{
    return arena_alloc(p->arena, count * sizeof(struct search_key));
}

/* What follows a key's name. */
enum argument {
    NOTHING,
    ASTRING, /* text */
    NAMED,   /* text, searched in the header field that `field` names */
    FIELD,   /* header field, text */
    KEYWORD, /* flag */
    DATE,
    NUMBER,
    SECONDS, /* a number, not 0 */
    MODSEQ,
    OBJECT_ID,
    UIDS,
    AFTER_UID,
    BELOW_UID,
    KEY,  /* one */
    KEYS, /* two */
};

static const struct row {
    const char *name;
    enum search_kind kind;
    enum argument argument;
    unsigned flag;
    const char *field;
} keys[] = {
    {"ALL",               SEARCH_ALL,                 NOTHING,   0,             NULL     },
    {"ANSWERED",          SEARCH_FLAG,                NOTHING,   FLAG_ANSWERED, NULL     },
    {"BCC",               SEARCH_HEADER,              NAMED,     0,             "Bcc"    },
    {"BEFORE",            SEARCH_BEFORE,              DATE,      0,             NULL     },
    {"BODY",              SEARCH_BODY,                ASTRING,   0,             NULL     },
    {"CC",                SEARCH_HEADER,              NAMED,     0,             "Cc"     },
    {"DELETED",           SEARCH_FLAG,                NOTHING,   FLAG_DELETED,  NULL     },
    {"DRAFT",             SEARCH_FLAG,                NOTHING,   FLAG_DRAFT,    NULL     },
    {"EMAILID",           SEARCH_EMAILID,             OBJECT_ID, 0,             NULL     },
    {"FLAGGED",           SEARCH_FLAG,                NOTHING,   FLAG_FLAGGED,  NULL     },
    {"FROM",              SEARCH_HEADER,              NAMED,     0,             "From"   },
    {"HEADER",            SEARCH_HEADER,              FIELD,     0,             NULL     },
    {"KEYWORD",           SEARCH_FLAG,                KEYWORD,   0,             NULL     },
    {"LARGER",            SEARCH_LARGER,              NUMBER,    0,             NULL     },
    {"MODSEQ",            SEARCH_MODSEQ,              MODSEQ,    0,             NULL     },
    {"NEW",               SEARCH_NEW,                 NOTHING,   0,             NULL     },
    {"NOT",               SEARCH_NOT,                 KEY,       0,             NULL     },
    {"OLD",               SEARCH_OLD,                 NOTHING,   0,             NULL     },
    {"OLDER",             SEARCH_OLDER,               SECONDS,   0,             NULL     },
    {"ON",                SEARCH_ON,                  DATE,      0,             NULL     },
    {"OR",                SEARCH_OR,                  KEYS,      0,             NULL     },
    {"RECENT",            SEARCH_RECENT,              NOTHING,   0,             NULL     },
    {"SAVEDATESUPPORTED", SEARCH_SAVE_DATE_SUPPORTED, NOTHING,   0,             NULL     },
    {"SAVEDBEFORE",       SEARCH_SAVED_BEFORE,        DATE,      0,             NULL     },
    {"SAVEDON",           SEARCH_SAVED_ON,            DATE,      0,             NULL     },
    {"SAVEDSINCE",        SEARCH_SAVED_SINCE,         DATE,      0,             NULL     },
    {"SEEN",              SEARCH_FLAG,                NOTHING,   FLAG_SEEN,     NULL     },
    {"SENTBEFORE",        SEARCH_SENT_BEFORE,         DATE,      0,             NULL     },
    {"SENTON",            SEARCH_SENT_ON,             DATE,      0,             NULL     },
    {"SENTSINCE",         SEARCH_SENT_SINCE,          DATE,      0,             NULL     },
    {"SINCE",             SEARCH_SINCE,               DATE,      0,             NULL     },
    {"SMALLER",           SEARCH_SMALLER,             NUMBER,    0,             NULL     },
    {"SUBJECT",           SEARCH_HEADER,              NAMED,     0,             "Subject"},
    {"TEXT",              SEARCH_TEXT,                ASTRING,   0,             NULL     },
    {"THREADID",          SEARCH_THREADID,            OBJECT_ID, 0,             NULL     },
    {"TO",                SEARCH_HEADER,              NAMED,     0,             "To"     },
    {"UID",               SEARCH_UID,                 UIDS,      0,             NULL     },
    {"UIDAFTER",          SEARCH_UID,                 AFTER_UID, 0,             NULL     },
    {"UIDBEFORE",         SEARCH_UID,                 BELOW_UID, 0,             NULL     },
    {"UNANSWERED",        SEARCH_NO_FLAG,             NOTHING,   FLAG_ANSWERED, NULL     },
    {"UNDELETED",         SEARCH_NO_FLAG,             NOTHING,   FLAG_DELETED,  NULL     },
    {"UNDRAFT",           SEARCH_NO_FLAG,             NOTHING,   FLAG_DRAFT,    NULL     },
    {"UNFLAGGED",         SEARCH_NO_FLAG,             NOTHING,   FLAG_FLAGGED,  NULL     },
    {"UNKEYWORD",         SEARCH_NO_FLAG,             KEYWORD,   0,             NULL     },
    {"UNSEEN",            SEARCH_NO_FLAG,             NOTHING,   FLAG_SEEN,     NULL     },
    {"YOUNGER",           SEARCH_YOUNGER,             SECONDS,   0,             NULL     },
};

/* ---- one key ---- */

/* MODSEQ ["/flags/\\Draft" all] 12 (RFC 7162 3.1.5) */
static bool
parse_modseq(struct parser *p, struct search_key *k)
{
    if (parse_at(p, '"')) {
        if (!parse_string(p, &k->field) || !parse_space(p))
            return false;
        if (!str_istarts(k->field, S("/flags/")))
            return parse_fail(p, "Unknown entry of MODSEQ");
        if (!parse_word(p, "all") && !parse_word(p, "priv") &&
            !parse_word(p, "shared"))
            return parse_fail(p, "Expected priv, shared or all");
        if (!parse_space(p))
            return false;
    }
    return parse_number(p, INT64_MAX, &k->number);
}

/* RFC 8474 7: letters, digits, "-" and "_". */
static bool
parse_object_id(struct parser *p, struct search_key *k)
{
    if (!parse_atom(p, &k->text))
        return false;
    for (size_t i = 0; i < k->text.len; i++)
        if (!is_alnum(k->text.p[i]) && !strchr("-_", k->text.p[i]))
            return parse_fail(p, "Broken object id");
    return true;
}

static bool
parse_seconds(struct parser *p, struct search_key *k)
{
    uint32_t n;

    if (!parse_nonzero(p, &n))
        return false;
    k->number = n;
    return true;
}

/* UIDAFTER 12, UIDBEFORE 12 (RFC 9738 3.2): the empty set at the ends. */
static bool
parse_side(struct parser *p, struct search_key *k, bool after)
{
    struct seq_range r = {1, UINT32_MAX};
    uint32_t uid;

    if (!parse_nonzero(p, &uid))
        return false;
    if (uid == (after ? UINT32_MAX : 1))
        return true;
    if (after)
        r.from = uid + 1;
    else
        r.to = uid - 1;
    *PARSE_ADD(p, k->set.at, k->set.count) = r;
    return true;
}

/* Keys in keys, as deep as they may be. */
static bool
parse_children(struct parser *p, struct search_key *k, size_t count)
{
    k->children = new_keys(p, count);
    k->count = count;
    if (++p->depth > PARSE_DEPTH_MAX)
        return parse_fail(p, "Search keys are nested too deep");
    for (size_t i = 0; i < count; i++)
        if ((i > 0 && !parse_space(p)) || !parse_key(p, &k->children[i]))
            return false;
    p->depth--;
    return true;
}

static bool
parse_argument(struct parser *p, const struct row *row, struct search_key *k)
{
    switch (row->argument) {
    case NOTHING:
        return true;
    case ASTRING:
    case NAMED:
        return parse_astring(p, &k->text);
    case FIELD:
        return parse_astring(p, &k->field) && parse_space(p) &&
               parse_astring(p, &k->text);
    case KEYWORD:
        return parse_atom(p, &k->text);
    case DATE:
        return parse_date(p, &k->day);
    case NUMBER:
        return parse_number(p, INT64_MAX, &k->number);
    case SECONDS:
        return parse_seconds(p, k);
    case MODSEQ:
        return parse_modseq(p, k);
    case OBJECT_ID:
        return parse_object_id(p, k);
    case UIDS:
        return parse_set(p, &k->set);
    case AFTER_UID:
    case BELOW_UID:
        return parse_side(p, k, row->argument == AFTER_UID);
    case KEY:
        return parse_children(p, k, 1);
    case KEYS:
        return parse_children(p, k, 2);
    }
    return false;
}

/* Keys with blanks between them, all of which must hold. */
static bool
parse_all(struct parser *p, struct search_key *k)
{
    struct search_key *list = NULL;
    size_t count = 0;

    do {
        struct search_key key;

        if (!parse_key(p, &key))
            return false;
        *PARSE_ADD(p, list, count) = key;
    } while (parse_skip(p, ' '));
    if (count == 1) {
        *k = list[0];
        return true;
    }
    *k = (struct search_key){
        .kind = SEARCH_AND, .children = list, .count = count};
    return true;
}

static bool
parse_group(struct parser *p, struct search_key *k)
{
    if (++p->depth > PARSE_DEPTH_MAX)
        return parse_fail(p, "Search keys are nested too deep");
    if (!parse_all(p, k))
        return false;
    p->depth--;
    return parse_close(p);
}

static const struct row *
find_key(struct parser *p)
{
    for (size_t i = 0; i < COUNT(keys); i++)
        if (parse_word(p, keys[i].name))
            return &keys[i];
    return NULL;
}

static bool
parse_key(struct parser *p, struct search_key *k)
{
    const struct row *row;

    *k = (struct search_key){0};
    if (++p->items > PARSE_ITEMS_MAX)
        return parse_fail(p, "Too many search keys");
    if (parse_skip(p, '('))
        return parse_group(p, k);
    if (p->rest.len > 0 && (is_digit(p->rest.p[0]) || p->rest.p[0] == '*' ||
                            p->rest.p[0] == '$')) {
        k->kind = SEARCH_SEQ;
        return parse_set(p, &k->set);
    }
    row = find_key(p);
    if (row == NULL)
        return parse_fail(p, p->rest.len ? "Unknown search key"
                                         : "Missing search key");
    k->kind = row->kind;
    k->flag = row->flag;
    k->field = row->field ? str_from(row->field) : (struct str){0};
    return (row->argument == NOTHING || parse_space(p)) &&
           parse_argument(p, row, k);
}

static bool
parse_keys(struct parser *p, struct search *s)
{
    s->key = new_keys(p, 1);
    return parse_all(p, s->key);
}

/* Where the character set need not be said. */
static bool
parse_program(struct parser *p, struct search *s)
{
    if (parse_word(p, "CHARSET") &&
        (!parse_space(p) || !parse_astring(p, &s->charset) || !parse_space(p)))
        return false;
    return parse_keys(p, s);
}

/* Where it must be. */
static bool
parse_charset_and_keys(struct parser *p, struct search *s)
{
    return parse_space(p) && parse_astring(p, &s->charset) && parse_space(p) &&
           parse_keys(p, s);
}

/* ---- RETURN (...) ---- */

static bool
parse_return(struct parser *p, struct search *s)
{
    static const struct {
        const char *name;
        unsigned bit;
    } options[] = {
        {"MIN",   RETURN_MIN  },
        {"MAX",   RETURN_MAX  },
        {"ALL",   RETURN_ALL  },
        {"COUNT", RETURN_COUNT},
        {"SAVE",  RETURN_SAVE },
    };

    s->extended = true;
    if (!parse_open(p))
        return false;
    if (parse_skip(p, ')')) {
        s->returns = RETURN_ALL;
        return true;
    }
    do {
        size_t i = 0;

        while (i < COUNT(options) && !parse_word(p, options[i].name))
            i++;
        if (i < COUNT(options))
            s->returns |= options[i].bit;
        else if (!parse_word(p, "PARTIAL"))
            return parse_fail(p, "Unknown option of RETURN");
        else if (s->partial.asked)
            return parse_fail(p, "PARTIAL may come once");
        else if (!parse_space(p) || !parse_partial(p, &s->partial))
            return false;
    } while (parse_skip(p, ' '));
    if (s->partial.asked && s->returns & RETURN_ALL)
        return parse_fail(p, "PARTIAL and ALL exclude each other");
    return parse_close(p);
}

/* "RETURN (...) " where it is there. */
static bool
parse_optional_return(struct parser *p, struct search *s)
{
    if (!parse_word(p, "RETURN"))
        return true;
    return parse_space(p) && parse_return(p, s) && parse_space(p);
}

bool
parse_search(struct parser *p, struct command *c)
{
    struct search *s = &c->search;

    return parse_space(p) && parse_optional_return(p, s) && parse_program(p, s);
}

/* ---- SORT and THREAD ---- */

static bool
parse_criterion(struct parser *p, struct sort_criterion *c)
{
    static const struct {
        const char *name;
        enum sort_key key;
    } known[] = {
        {"ARRIVAL",     SORT_ARRIVAL    },
        {"CC",          SORT_CC         },
        {"DATE",        SORT_DATE       },
        {"FROM",        SORT_FROM       },
        {"SIZE",        SORT_SIZE       },
        {"SUBJECT",     SORT_SUBJECT    },
        {"TO",          SORT_TO         },
        {"DISPLAYFROM", SORT_DISPLAYFROM},
        {"DISPLAYTO",   SORT_DISPLAYTO  },
    };

    *c = (struct sort_criterion){0};
    if (parse_word(p, "REVERSE")) {
        c->reverse = true;
        if (!parse_space(p))
            return false;
    }
    for (size_t i = 0; i < COUNT(known); i++)
        if (parse_word(p, known[i].name)) {
            c->key = known[i].key;
            return true;
        }
    return parse_fail(p, "Unknown sort criterion");
}

/* A key that comes twice changes nothing, so a few are enough. */
#define CRITERIA_MAX 32

bool
parse_sort(struct parser *p, struct command *c)
{
    struct search *s = &c->search;

    if (!parse_space(p) || !parse_optional_return(p, s) || !parse_open(p))
        return false;
    do {
        struct sort_criterion criterion;

        if (s->criteria_count == CRITERIA_MAX)
            return parse_fail(p, "Too many sort criteria");
        if (!parse_criterion(p, &criterion))
            return false;
        *PARSE_ADD(p, s->criteria, s->criteria_count) = criterion;
    } while (parse_skip(p, ' '));
    return parse_close(p) && parse_charset_and_keys(p, s);
}

bool
parse_thread(struct parser *p, struct command *c)
{
    struct search *s = &c->search;

    if (!parse_space(p))
        return false;
    if (parse_word(p, "ORDEREDSUBJECT"))
        s->method = THREAD_ORDEREDSUBJECT;
    else if (parse_word(p, "REFERENCES"))
        s->method = THREAD_REFERENCES;
    else if (parse_word(p, "REFS"))
        s->method = THREAD_REFS;
    else
        return parse_fail(p, "Unknown thread algorithm");
    return parse_charset_and_keys(p, s);
}

/* ---- ESEARCH (RFC 7377) ---- */

static bool
parse_sources(struct parser *p, struct search *s)
{
    if (!parse_open(p))
        return false;
    do {
        struct filter_mailboxes f;

        if (s->source_count == PARSE_ITEMS_MAX)
            return parse_fail(p, "Too many mailboxes");
        if (parse_at(p, '('))
            return parse_fail(p, "Unknown scope option");
        if (!parse_filter(p, &f))
            return false;
        if (f.filter == FILTER_SELECTED_DELAYED)
            return parse_fail(p, "SELECTED-DELAYED has no meaning here");
        *PARSE_ADD(p, s->sources, s->source_count) = f;
    } while (parse_skip(p, ' '));
    return parse_close(p);
}

bool
parse_esearch(struct parser *p, struct command *c)
{
    struct search *s = &c->search;

    if (!parse_space(p))
        return false;
    if (parse_word(p, "IN") &&
        (!parse_space(p) || !parse_sources(p, s) || !parse_space(p)))
        return false;
    if (!parse_optional_return(p, s))
        return false;
    if (!s->extended)
        s->returns = RETURN_ALL;
    s->extended = true;
    return parse_program(p, s);
}
