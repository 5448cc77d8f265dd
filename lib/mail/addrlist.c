#include "mail/addrlist.h"

#include "base/utf8.h"
#include "mail/address.h"
#include "mail/atext.h"
#include "mail/domain.h"

/* How far to look for the bracket that makes an address a name, or closes
 * one: keeps the time linear. */
#define LOOK_AHEAD 2000

enum kind { END, ATOM, QUOTED, COMMENT, LITERAL, SPECIAL };

struct token {
    enum kind kind;
    struct str text; /* with quotes, parentheses, brackets */
    bool spaced;     /* blanks before it */
};

/* One word: tokens without blanks between them, or with blanks only around
 * "@" and "." as old syntax has them. */
struct word {
    struct buf *addr; /* internal form */
    struct str text;  /* where it stands */
    unsigned ats;     /* "@" outside quotes */
    bool open;        /* ends with "@" or "." outside quotes: goes on */
};

/* What stands between two separators. */
struct element {
    struct str text;        /* from its first token on */
    struct word word, best; /* the last one; the first with an "@" */
    unsigned words;
    struct str comment;
    struct str name;
    bool more; /* words with "@" after the best */
};

/* The length of a quoted text, a literal or a comment from its opening byte;
 * one that is not closed goes on to the end. */
static size_t
enclosed_len(struct str s, char open, char close)
{
    size_t depth = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == close && (i > 0 || open != close) && --depth == 0)
            return i + 1;
        else if (s.p[i] == open && (depth == 0 || open == '('))
            depth++;
    }
    return s.len;
}

/* The length of "=?charset?q?text?=", whatever its text; 0 if it is none. */
static size_t
encoded_word_len(struct str s)
{
    unsigned marks = 0;

    if (!str_starts(s, S("=?")))
        return 0;
    for (size_t i = 2; i < s.len && i < 500 && !is_space(s.p[i]); i++) {
        if (marks >= 2 && str_starts(str_sub(s, i, 2), S("?=")))
            return i + 2;
        marks += s.p[i] == '?';
    }
    return 0;
}

static size_t
atom_len(struct str s)
{
    size_t i = encoded_word_len(s);

    if (i > 0)
        return i;
    while (i < s.len && !is_space(s.p[i]) && !strchr("()<>[]:;,\"", s.p[i]))
        i += s.p[i] == '\\' && i + 1 < s.len ? 2 : 1;
    return i ? i : 1;
}

static struct token
next_token(struct str *s)
{
    struct token t = {END, {0}, false};

    while (s->len > 0 && is_space(s->p[0])) {
        t.spaced = true;
        *s = str_sub(*s, 1, s->len);
    }
    if (s->len == 0)
        return t;

    size_t len = 1;

    switch (s->p[0]) {
    case '"':
        t.kind = QUOTED;
        len = enclosed_len(*s, '"', '"');
        break;
    case '(':
        t.kind = COMMENT;
        len = enclosed_len(*s, '(', ')');
        break;
    case '[':
        t.kind = LITERAL;
        len = enclosed_len(*s, '[', ']');
        break;
    case ')':
    case '<':
    case '>':
    case ']':
    case ':':
    case ';':
    case ',':
        t.kind = SPECIAL;
        break;
    default:
        t.kind = ATOM;
        len = atom_len(*s);
    }
    t.text = str_sub(*s, 0, len);
    *s = str_sub(*s, len, s->len);
    return t;
}

static struct str
between(const char *from, const char *to)
{
    return (struct str){from, (size_t)(to - from)};
}

static void
add_unquoted(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '\\' && i + 1 < s.len)
            i++;
        if (s.p[i] != '\r' && s.p[i] != '\n')
            buf_addc(b, s.p[i]);
    }
}

static struct str
without_quotes(struct str s)
{
    bool closed = s.len > 1 && s.p[s.len - 1] == '"';

    return str_sub(s, 1, s.len - 1 - closed);
}

static void
add_token(struct word *w, struct token t)
{
    struct str text = t.text;

    w->open = false;
    if (w->text.p == NULL)
        w->text = text;
    w->text = between(w->text.p, text.p + text.len);
    if (t.kind == QUOTED) {
        add_unquoted(w->addr, without_quotes(text));
        return;
    }
    if (t.kind == LITERAL) {
        buf_add(w->addr, text);
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] == '\\')
            i++;
        else
            w->ats += text.p[i] == '@';
    }
    add_unquoted(w->addr, text);
    w->open = strchr("@.", text.p[text.len - 1]) != NULL;
}

static struct element
new_element(struct arena *a, struct addrlist *l)
{
    for (size_t i = 0; i < COUNT(l->scratch); i++) {
        l->scratch[i].arena = a;
        buf_reset(&l->scratch[i]);
    }
    return (struct element){.word.addr = &l->scratch[0],
                            .best.addr = &l->scratch[1]};
}

static void
end_word(struct element *e)
{
    struct buf *spare = e->word.addr;

    if (e->word.ats > 0 && e->best.text.p)
        e->more = true;
    else if (e->word.ats > 0) {
        spare = e->best.addr;
        e->best = e->word;
    }
    if (e->word.text.p)
        e->words++;
    buf_reset(spare);
    e->word = (struct word){.addr = spare};
}

static void
add_to_element(struct element *e, struct token t, bool spaced)
{
    bool glue = t.kind == ATOM && strchr("@.", t.text.p[0]);

    if (e->word.text.p && spaced && !glue && !e->word.open)
        end_word(e);
    if (e->text.p == NULL)
        e->text = t.text;
    add_token(&e->word, t);
    e->text = between(e->text.p, t.text.p + t.text.len);
}

static bool
is_sound(const struct word *w, struct str addr)
{
    struct str local, domain;

    if (addr.len == 0 || addr.len > ADDRESS_MAX || !utf8_valid(addr))
        return false;
    for (size_t i = 0; i < addr.len; i++)
        if (is_control(addr.p[i]))
            return false;
    if (!address_split(addr, &local, &domain))
        return true;
    return w->ats == 1 && local.len > 0 && domain_in_address(domain);
}

/* Make the entry's address of what was collected; false if there is none. */
static bool
settle(struct arena *a, struct element *e, struct addrlist_entry *entry)
{
    struct word *w = e->best.text.p || e->word.ats ? &e->best : &e->word;
    bool single = e->words + (e->word.text.p != NULL) == 1;

    if (w == &e->best)
        end_word(e);
    if (w->text.p == NULL && e->words == 0)
        return false;
    entry->spec = w->ats ? w->text : e->text;
    if (w->ats == 0 && !single) {
        entry->addr = entry->spec;
        return true;
    }

    struct str addr = buf_str(w->addr);

    if (w->ats == 1 && addr.p[addr.len - 1] == '.')
        addr.len--;
    entry->sound = is_sound(w, addr);
    entry->addr = str_starts(entry->spec, addr)
                      ? str_sub(entry->spec, 0, addr.len)
                      : arena_str(a, addr);
    return addr.len > 0;
}

/* Past "@a,@b:", which says through whom, not to whom. */
static struct str
without_route(struct str s)
{
    struct str rest = s;
    struct token t = next_token(&rest);

    if (t.kind != ATOM || t.text.p[0] != '@')
        return s;
    while (t.kind != END && !(t.kind == SPECIAL && t.text.p[0] == ':'))
        t = next_token(&rest);
    return t.kind == END ? s : rest;
}

/* The length of what stands behind "<": up to ">", or where there is none
 * soon, up to the next separator. */
static size_t
angle_len(struct str s)
{
    struct str rest = str_sub(s, 0, LOOK_AHEAD);
    struct token t;

    do {
        t = next_token(&rest);
        if (t.kind == SPECIAL && t.text.p[0] == '>')
            return (size_t)(t.text.p - s.p);
    } while (t.kind != END && !(t.kind == SPECIAL && t.text.p[0] == '<'));

    size_t i = 0;

    while (i < s.len && !strchr(",;<", s.p[i]))
        i++;
    return i;
}

static struct str
comment_content(struct str comment)
{
    bool closed = comment.len > 1 && comment.p[comment.len - 1] == ')';

    return str_sub(comment, 1, comment.len - 1 - closed);
}

/* "<a@b> (Name)" */
static void
name_behind(struct addrlist *l, struct addrlist_entry *entry)
{
    struct str rest = l->rest;
    struct token t = next_token(&rest);

    if (t.kind != COMMENT)
        return;
    l->rest = rest;
    if (entry->name.len == 0)
        entry->name = comment_content(t.text);
}

/* "<...>"; the list stands behind "<". */
static bool
take_angle(struct arena *a, struct addrlist *l, struct addrlist_entry *entry)
{
    struct str inner = str_sub(l->rest, 0, angle_len(l->rest));
    struct element e = new_element(a, l);
    struct token t;

    l->rest = str_sub(l->rest, inner.len, l->rest.len);
    str_skip(&l->rest, S(">"));

    struct str behind = without_route(inner);

    if (behind.p != inner.p)
        entry->route = str_trim(between(inner.p, behind.p - 1));
    inner = behind;
    while ((t = next_token(&inner)).kind != END)
        if (t.kind == ATOM || t.kind == QUOTED || t.kind == LITERAL)
            add_to_element(&e, t, t.spaced);
    name_behind(l, entry);
    return settle(a, &e, entry);
}

/* A bare address: the name is the words before it, or else a comment. Words
 * that are addresses too come next. */
static bool
end_bare(struct arena *a, struct addrlist *l, struct element *e,
         struct addrlist_entry *entry)
{
    if (!settle(a, e, entry))
        return false;
    entry->name = str_trim(between(e->text.p, entry->spec.p));
    if (entry->name.len == 0)
        entry->name = e->comment;
    if (e->more) {
        const char *end = l->rest.p + l->rest.len;

        l->rest = between(entry->spec.p + entry->spec.len, end);
    }
    return true;
}

/* Up to and with the next separator; false where that held no address. */
static bool
take_element(struct arena *a, struct addrlist *l, struct addrlist_entry *entry)
{
    struct element e = new_element(a, l);
    bool gap = true;

    *entry = (struct addrlist_entry){.group = l->group};
    for (;;) {
        struct token t = next_token(&l->rest);
        char c = t.kind == SPECIAL ? t.text.p[0] : '\0';
        bool far = e.best.text.p && t.text.p - e.best.text.p > LOOK_AHEAD;

        if (t.kind == END || c == ',' || c == ';' || far) {
            bool found = end_bare(a, l, &e, entry);

            if (c == ';' && !e.more) {
                l->ending = l->group.p != NULL;
                l->group = (struct str){0};
            }
            return found;
        }
        if (c == '<') {
            entry->name = e.text.p ? e.text : e.comment;
            return take_angle(a, l, entry);
        }
        if (c == ':') {
            if (e.best.text.p || e.word.ats)
                return end_bare(a, l, &e, entry);
            l->ending = l->group.p != NULL;
            l->group = l->beginning = e.text;
            entry->group = l->group;
            if (l->groups)
                return false;
            e = new_element(a, l);
        }
        if (t.kind == COMMENT && e.comment.p == NULL)
            e.comment = comment_content(t.text);
        if (t.kind == COMMENT || t.kind == SPECIAL) {
            gap = true;
            continue;
        }
        add_to_element(&e, t, t.spaced || gap);
        gap = false;
    }
}

/* Where a group ended or began, for who wants to know. */
static bool
take_event(struct addrlist *l, struct addrlist_entry *e)
{
    if (!l->groups)
        return false;
    if (l->ending) {
        l->ending = false;
        *e = (struct addrlist_entry){.kind = ADDRLIST_GROUP_END};
        return true;
    }
    if (l->beginning.p == NULL)
        return false;
    *e = (struct addrlist_entry){.kind = ADDRLIST_GROUP, .group = l->beginning};
    l->beginning = (struct str){0};
    return true;
}

bool
addrlist_next(struct arena *a, struct addrlist *l, struct addrlist_entry *e)
{
    if (take_event(l, e))
        return true;
    while (l->rest.len > 0)
        if (take_element(a, l, e) || take_event(l, e))
            return true;
    l->ending = l->group.p != NULL;
    l->group = (struct str){0};
    return take_event(l, e);
}

struct str
addrlist_name(struct arena *a, struct str raw)
{
    struct buf b = buf_in(a);

    raw = str_trim(raw);
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.p[i] == '"' || raw.p[i] == '\r' || raw.p[i] == '\n')
            continue;
        if (raw.p[i] == '\\' && i + 1 < raw.len)
            i++;
        buf_addc(&b, raw.p[i]);
    }
    return buf_str(&b);
}

enum rc
addrlist_rewrite(struct arena *a, struct str body, addrlist_rewriter *rewrite,
                 void *self, struct str *out, struct why *why)
{
    struct addrlist list = {.rest = body};
    struct addrlist_entry e;
    struct buf b = buf_in(a);
    const char *done = body.p;

    while (addrlist_next(a, &list, &e)) {
        struct str new = e.addr;

        if (!e.sound)
            continue;

        enum rc rc = rewrite(self, a, e.addr, &new, why);

        if (rc != OK)
            return rc;
        if (str_eq(new, e.addr))
            continue;
        buf_add(&b, between(done, e.spec.p));
        buf_add(&b, address_quote(a, new));
        done = e.spec.p + e.spec.len;
    }
    *out = body;
    if (done == body.p)
        return OK;
    buf_add(&b, between(done, body.p + body.len));
    *out = buf_str(&b);
    return OK;
}
