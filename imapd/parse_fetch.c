/* FETCH, STORE, COPY, and what else works on messages. */
#include "parser.h"

/* ---- sections ---- */

static bool
parse_section_numbers(struct parser *p, struct section *s)
{
    uint32_t *numbers = NULL;
    size_t count = 0;

    while (p->rest.len > 0 && is_digit(p->rest.p[0])) {
        uint32_t n;

        if (count == STRUCTURE_DEPTH_MAX + 1)
            return parse_fail(p, "Part number is too long");
        if (!parse_nonzero(p, &n))
            return false;
        *PARSE_ADD(p, numbers, count) = n;
        if (parse_at(p, ']'))
            break;
        if (!parse_skip(p, '.'))
            return parse_fail(p, "Expected a dot behind a part number");
        if (parse_at(p, ']'))
            return parse_fail(p, "Part number ends with a dot");
    }
    s->numbers = numbers;
    s->depth = count;
    return true;
}

static bool
parse_section_fields(struct parser *p, struct section *s)
{
    struct strings names;

    if (!parse_space(p))
        return false;
    if (!parse_at(p, '('))
        return parse_fail(p, "Expected a list of header fields");
    if (!parse_names(p, &names))
        return false;
    s->fields = names.at;
    s->count = names.count;
    return true;
}

static bool
parse_section_text(struct parser *p, struct section *s)
{
    static const struct {
        const char *name;
        enum section_text text;
    } texts[] = {
        {"HEADER.FIELDS.NOT", SECTION_FIELDS_NOT},
        {"HEADER.FIELDS",     SECTION_FIELDS    },
        {"HEADER",            SECTION_HEADER    },
        {"TEXT",              SECTION_TEXT      },
        {"MIME",              SECTION_MIME      },
    };
    size_t i = 0;

    while (i < COUNT(texts) && !parse_word(p, texts[i].name))
        i++;
    if (i == COUNT(texts) || (texts[i].text == SECTION_MIME && s->depth == 0))
        return parse_fail(p, "Unknown section");
    s->text = texts[i].text;
    if (s->text == SECTION_FIELDS || s->text == SECTION_FIELDS_NOT)
        return parse_section_fields(p, s);
    return true;
}

/* "<0.2048>": of 63 bits both, in IMAP4rev2. */
static bool
parse_octets(struct parser *p, struct fetch_item *item)
{
    if (!parse_skip(p, '<'))
        return true;
    item->partial = true;
    if (!parse_number(p, INT64_MAX, &item->offset))
        return false;
    if (!parse_skip(p, '.'))
        return parse_fail(p, "Expected <offset.count>");
    if (!parse_number(p, INT64_MAX, &item->length))
        return false;
    if (item->length == 0)
        return parse_fail(p, "Number must not be 0");
    return parse_skip(p, '>') || parse_fail(p, "Expected <offset.count>");
}

/* "[...]", and perhaps which octets of it. */
bool
parse_section(struct parser *p, struct fetch_item *item)
{
    if (!parse_skip(p, '['))
        return parse_fail(p, "Expected a section in brackets");
    if (!parse_section_numbers(p, &item->section))
        return false;
    if (!parse_at(p, ']') &&
        (item->kind != FETCH_SECTION || !parse_section_text(p, &item->section)))
        return parse_fail(p, "Unknown section");
    if (!parse_skip(p, ']'))
        return parse_fail(p, "Section without its end");
    return item->kind == FETCH_BINARY_SIZE || parse_octets(p, item);
}

/* ---- items ---- */

static const struct {
    const char *name;
    enum fetch_kind kind;
    bool peek, section;
} items[] = {
    {"ENVELOPE",      FETCH_ENVELOPE,       true,  false},
    {"FLAGS",         FETCH_FLAGS,          true,  false},
    {"INTERNALDATE",  FETCH_INTERNALDATE,   true,  false},
    {"UID",           FETCH_UID,            true,  false},
    {"BODYSTRUCTURE", FETCH_BODY_STRUCTURE, true,  false},
    {"BODY.PEEK",     FETCH_SECTION,        true,  true },
    {"BODY",          FETCH_SECTION,        false, true },
    {"BINARY.SIZE",   FETCH_BINARY_SIZE,    true,  true },
    {"BINARY.PEEK",   FETCH_BINARY,         true,  true },
    {"BINARY",        FETCH_BINARY,         false, true },
    {"RFC822.HEADER", FETCH_RFC822_HEADER,  true,  false},
    {"RFC822.SIZE",   FETCH_RFC822_SIZE,    true,  false},
    {"RFC822.TEXT",   FETCH_RFC822_TEXT,    false, false},
    {"RFC822",        FETCH_RFC822,         false, false},
    {"MODSEQ",        FETCH_MODSEQ,         true,  false},
    {"PREVIEW",       FETCH_PREVIEW,        true,  false},
    {"EMAILID",       FETCH_EMAILID,        true,  false},
    {"THREADID",      FETCH_THREADID,       true,  false},
    {"SAVEDATE",      FETCH_SAVEDATE,       true,  false},
};

/* "PREVIEW (LAZY)": no other modifiers are known (RFC 8970 3.1). */
static bool
parse_lazy(struct parser *p, struct fetch_item *item)
{
    struct parser before = *p;

    if (!parse_skip(p, ' ') || !parse_skip(p, '(')) {
        *p = before;
        return true;
    }
    if (!parse_word(p, "LAZY"))
        return parse_fail(p, "Unknown modifier of PREVIEW");
    item->lazy = true;
    return parse_close(p);
}

static bool
parse_item(struct parser *p, struct fetch_item *item)
{
    size_t i = 0;

    while (i < COUNT(items) && !parse_word(p, items[i].name))
        i++;
    if (i == COUNT(items))
        return parse_fail(p, "Unknown item in FETCH");
    *item = (struct fetch_item){.kind = items[i].kind, .peek = items[i].peek};
    if (item->kind == FETCH_PREVIEW)
        return parse_lazy(p, item);
    if (!items[i].section)
        return true;
    if (item->kind == FETCH_SECTION && !item->peek && !parse_at(p, '[')) {
        item->kind = FETCH_BODY;
        item->peek = true;
        return true;
    }
    return parse_section(p, item);
}

bool
parse_fetch_items(struct parser *p, struct fetch_item **list, size_t *count)
{
    *list = NULL;
    *count = 0;
    do {
        struct fetch_item item;

        if (*count == PARSE_ITEMS_MAX)
            return parse_fail(p, "Too many items in FETCH");
        if (!parse_item(p, &item))
            return false;
        *PARSE_ADD(p, *list, *count) = item;
    } while (parse_skip(p, ' '));
    return true;
}

/* ALL, FAST, FULL: RFC 9051 6.4.5. */
static bool
parse_macro(struct parser *p, struct fetch *f)
{
    static const enum fetch_kind kinds[] = {
        FETCH_FLAGS,    FETCH_INTERNALDATE, FETCH_RFC822_SIZE,
        FETCH_ENVELOPE, FETCH_BODY,
    };
    size_t n = parse_word(p, "FAST")   ? 3
               : parse_word(p, "ALL")  ? 4
               : parse_word(p, "FULL") ? 5
                                       : 0;

    for (size_t i = 0; i < n; i++)
        *PARSE_ADD(p, f->items, f->count) =
            (struct fetch_item){.kind = kinds[i], .peek = true};
    return n > 0;
}

/* (CHANGEDSINCE 1 VANISHED PARTIAL 1:10) */
static bool
parse_fetch_modifiers(struct parser *p, bool uid, struct fetch *f)
{
    if (!parse_space(p) || !parse_open(p))
        return false;
    do {
        if (parse_word(p, "CHANGEDSINCE")) {
            if (!parse_space(p) ||
                !parse_number(p, INT64_MAX, &f->changed_since))
                return false;
            if (f->changed_since == 0)
                return parse_fail(p, "CHANGEDSINCE must not be 0");
        } else if (parse_word(p, "VANISHED")) {
            f->vanished = true;
        } else if (parse_word(p, "PARTIAL")) {
            if (!parse_space(p) || !parse_partial(p, &f->range))
                return false;
        } else {
            return parse_fail(p, "Unknown modifier of FETCH");
        }
    } while (parse_skip(p, ' '));
    if (f->vanished && (!uid || f->changed_since == 0))
        return parse_fail(p, "VANISHED needs UID FETCH with CHANGEDSINCE");
    return parse_close(p);
}

bool
parse_fetch(struct parser *p, struct command *c)
{
    struct fetch *f = &c->fetch;

    if (!parse_space(p) || !parse_set(p, &f->set) || !parse_space(p))
        return false;
    if (parse_skip(p, '(')) {
        if (!parse_fetch_items(p, &f->items, &f->count) || !parse_close(p))
            return false;
    } else if (!parse_macro(p, f)) {
        f->items = arena_make(p->arena, struct fetch_item);
        f->count = 1;
        if (!parse_item(p, f->items))
            return false;
    }
    return p->rest.len == 0 || parse_fetch_modifiers(p, c->uid, f);
}

/* ---- others ---- */

/* " (UNCHANGEDSINCE 12)" */
static bool
parse_store_modifiers(struct parser *p, struct store *s)
{
    if (!parse_skip(p, '('))
        return true;
    if (!parse_word(p, "UNCHANGEDSINCE"))
        return parse_fail(p, "Unknown modifier of STORE");
    s->guarded = true;
    return parse_space(p) && parse_number(p, INT64_MAX, &s->unchanged_since) &&
           parse_close(p) && parse_space(p);
}

bool
parse_store(struct parser *p, struct command *c)
{
    struct store *s = &c->store;

    if (!parse_space(p) || !parse_set(p, &s->set) || !parse_space(p) ||
        !parse_store_modifiers(p, s))
        return false;
    s->how = parse_skip(p, '+')   ? STORE_ADD
             : parse_skip(p, '-') ? STORE_REMOVE
                                  : STORE_REPLACE;
    if (parse_word(p, "FLAGS.SILENT"))
        s->silent = true;
    else if (!parse_word(p, "FLAGS"))
        return parse_fail(p, "Unknown item in STORE");
    if (!parse_space(p))
        return false;
    if (parse_at(p, '('))
        return parse_flags(p, &s->flags);
    do
        if (!parse_flag(p, &s->flags))
            return false;
    while (parse_skip(p, ' '));
    return true;
}

bool
parse_copy(struct parser *p, struct command *c)
{
    return parse_space(p) && parse_set(p, &c->copy.set) && parse_space(p) &&
           parse_astring(p, &c->copy.mailbox);
}

bool
parse_uid_expunge(struct parser *p, struct command *c)
{
    return parse_space(p) && parse_set(p, &c->expunge.set);
}

bool
parse_uidbatches(struct parser *p, struct command *c)
{
    struct uidbatches *b = &c->batches;

    if (!parse_space(p) || !parse_nonzero(p, &b->size))
        return false;
    if (p->rest.len == 0)
        return true;
    if (!parse_space(p) || !parse_nonzero(p, &b->from))
        return false;
    if (!parse_skip(p, ':'))
        return parse_fail(p, "Expected a range of batches");
    return parse_nonzero(p, &b->to) &&
           (b->from <= b->to ||
            parse_fail(p, "[CLIENTBUG] Range of batches is reversed"));
}
