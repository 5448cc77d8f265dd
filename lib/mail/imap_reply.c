#include "mail/imap_reply.h"

#define DEPTH_MAX 100

/* ---- values */

static bool
literal(struct str *rest, struct str *value)
{
    struct str number;
    uint64_t size;

    (void)str_skip(rest, S("~"));
    if (!str_skip(rest, S("{")) || !str_cut(rest, '}', &number) ||
        !str_num(number, &size) || !str_skip(rest, S("\r\n")) ||
        size > rest->len)
        return false;
    *value = str_sub(*rest, 0, (size_t)size);
    *rest = str_sub(*rest, (size_t)size, rest->len);
    return true;
}

/* Behind the first quote. Without `a` it is only stepped over. */
static bool
quoted(struct arena *a, struct str *rest, struct str *value)
{
    size_t end = 0, escapes = 0;
    char *copy;

    for (; end < rest->len && rest->p[end] != '"'; end++)
        if (rest->p[end] == '\\') {
            escapes++;
            end++;
        }
    if (end >= rest->len)
        return false;
    *value = str_sub(*rest, 0, end);
    *rest = str_sub(*rest, end + 1, rest->len);
    if (escapes == 0 || a == NULL)
        return true;
    copy = arena_alloc(a, end + 1);
    size_t len = 0;

    for (size_t i = 0; i < value->len; i++) {
        if (value->p[i] == '\\')
            i++;
        copy[len++] = value->p[i];
    }
    *value = (struct str){copy, len};
    return true;
}

static bool
is_literal(struct str rest)
{
    return str_starts(rest, S("{")) || str_starts(rest, S("~{"));
}

/* Step over one value that is no list. */
static bool
skip_plain(struct str *rest)
{
    struct str unused;
    size_t n = 0;

    if (str_skip(rest, S("\"")))
        return quoted(NULL, rest, &unused);
    if (is_literal(*rest))
        return literal(rest, &unused);
    while (n < rest->len && !is_space(rest->p[n]) && rest->p[n] != '(' &&
           rest->p[n] != ')')
        n++;
    *rest = str_sub(*rest, n, rest->len);
    return n > 0;
}

/* Behind "(": all to its ")". */
static bool
list(struct str *rest, struct str *inside)
{
    struct str whole = *rest;
    int depth = 1;

    while (depth > 0) {
        if (str_skip(rest, S(" ")))
            continue;
        if (str_skip(rest, S("(")))
            depth++;
        else if (str_skip(rest, S(")")))
            depth--;
        else if (!skip_plain(rest))
            return false;
        if (depth > DEPTH_MAX)
            return false;
    }
    *inside = str_sub(whole, 0, whole.len - rest->len - 1);
    return true;
}

/* A string, an atom, NIL (a NULL view) or a list (what is in it). */
static bool
value(struct arena *a, struct str *rest, struct str *out)
{
    struct str before = *rest;

    if (str_skip(rest, S("(")))
        return list(rest, out);
    if (str_skip(rest, S("\"")))
        return quoted(a, rest, out);
    if (is_literal(*rest))
        return literal(rest, out);
    if (!skip_plain(rest))
        return false;
    *out = str_sub(before, 0, before.len - rest->len);
    if (str_ieq(*out, S("NIL")))
        *out = (struct str){0};
    return true;
}

/* ---- kinds */

static bool
status(struct str rest, struct imap_reply *r)
{
    r->text = rest;
    if (!str_skip(&rest, S("[")))
        return true;
    ssize_t end = str_find(rest, ']');

    if (end < 0)
        return true; /* a text that begins so */
    r->code = str_sub(rest, 0, (size_t)end);
    r->text = str_trim(str_sub(rest, (size_t)end + 1, rest.len));
    return true;
}

static bool
folder(struct arena *a, struct str rest, struct imap_reply *r)
{
    struct str delimiter;

    if (!str_skip(&rest, S("(")) || !list(&rest, &r->list.attributes) ||
        !str_skip(&rest, S(" ")) || !value(a, &rest, &delimiter) ||
        delimiter.len > 1 || !str_skip(&rest, S(" ")))
        return false;
    r->list.delimiter = delimiter.len ? delimiter.p[0] : '\0';
    /* A folder may be called NIL. */
    if (str_ieq(rest, S("NIL"))) {
        r->list.name = rest;
        return true;
    }
    return value(a, &rest, &r->list.name) && r->list.name.len > 0;
}

/* "BODY[HEADER.FIELDS (X)]<0>": up to the blank that is in no bracket. */
static bool
item_name(struct str *rest, struct str *name)
{
    struct str before = *rest;
    int depth = 0;
    size_t n = 0;

    for (; n < rest->len && (depth > 0 || rest->p[n] != ' '); n++)
        depth += rest->p[n] == '[' ? 1 : rest->p[n] == ']' ? -1 : 0;
    *name = str_sub(before, 0, n);
    *rest = str_sub(*rest, n, rest->len);
    return n > 0 && str_skip(rest, S(" "));
}

static bool
take_item(struct imap_reply *r, struct str name, struct str v)
{
    uint64_t n;

    if (str_ieq(name, S("UID"))) {
        if (!str_num(v, &n) || n == 0 || n > UINT32_MAX)
            return false;
        r->fetch.uid = (uint32_t)n;
    } else if (str_ieq(name, S("FLAGS"))) {
        r->fetch.flagged = true;
        r->fetch.flags = v;
    } else if (str_ieq(name, S("INTERNALDATE"))) {
        r->fetch.date = v;
    } else if (str_ieq(name, S("BODY[]"))) {
        r->fetch.body = true;
        r->fetch.bytes = v;
    }
    return true;
}

static bool
fetch(struct arena *a, struct str rest, struct imap_reply *r)
{
    struct str items, name, v;

    if (!str_skip(&rest, S("(")) || !list(&rest, &items))
        return false;
    while (items.len > 0) {
        if (str_skip(&items, S(" ")))
            continue;
        if (!item_name(&items, &name) || !value(a, &items, &v) ||
            !take_item(r, name, v))
            return false;
    }
    return true;
}

static const struct {
    struct str word;
    enum imap_reply_kind kind;
    enum { STATUS, FOLDER, REST, FETCHED, NUMBER } form;
    bool numbered;
} kinds[] = {
    {S("OK"),         IMAP_OK,         STATUS,  false},
    {S("NO"),         IMAP_NO,         STATUS,  false},
    {S("BAD"),        IMAP_BAD,        STATUS,  false},
    {S("BYE"),        IMAP_BYE,        STATUS,  false},
    {S("PREAUTH"),    IMAP_PREAUTH,    STATUS,  false},
    {S("CAPABILITY"), IMAP_CAPABILITY, REST,    false},
    {S("NAMESPACE"),  IMAP_NAMESPACE,  REST,    false},
    {S("LIST"),       IMAP_LIST,       FOLDER,  false},
    {S("XLIST"),      IMAP_LIST,       FOLDER,  false},
    {S("LSUB"),       IMAP_LSUB,       FOLDER,  false},
    {S("EXISTS"),     IMAP_EXISTS,     NUMBER,  true },
    {S("FETCH"),      IMAP_FETCH,      FETCHED, true },
};

static bool
take(struct arena *a, size_t i, struct str rest, struct imap_reply *r)
{
    r->kind = kinds[i].kind;
    switch (kinds[i].form) {
    case STATUS:
        return status(rest, r);
    case FOLDER:
        return folder(a, rest, r);
    case FETCHED:
        return fetch(a, rest, r);
    default:
        r->text = rest;
        return true;
    }
}

bool
imap_reply_parse(struct arena *a, struct str text, struct imap_reply *r)
{
    struct str rest = text, word;
    uint64_t n;
    bool numbered;

    *r = (struct imap_reply){0};
    (void)str_cut(&rest, ' ', &r->tag);
    if (r->tag.len == 0)
        return false;
    if (str_eq(r->tag, S("+"))) {
        r->kind = IMAP_GO_ON;
        r->text = rest;
        return true;
    }
    (void)str_cut(&rest, ' ', &word);
    numbered = str_eq(r->tag, S("*")) && str_num(word, &n) && n <= UINT32_MAX;
    if (numbered) {
        r->number = (uint32_t)n;
        (void)str_cut(&rest, ' ', &word);
    }
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (kinds[i].numbered == numbered && str_ieq(word, kinds[i].word))
            return take(a, i, rest, r);
    return str_eq(r->tag, S("*"));
}

/* ---- pieces */

bool
imap_reply_literal(struct str line, uint64_t *size, bool *body)
{
    ssize_t at = str_rfind(line, '{');

    if (at < 0 || !str_ends(line, S("}")))
        return false;
    struct str number =
        str_sub(line, (size_t)at + 1, line.len - (size_t)at - 2);
    struct str before = str_sub(line, 0, (size_t)at);

    if (!str_num(number, size))
        return false;
    if (str_ends(before, S("~")))
        before.len--;
    while (str_ends(before, S(" ")))
        before.len--;
    *body = before.len >= 6 &&
            str_ieq(str_sub(before, before.len - 6, 6), S("BODY[]"));
    return true;
}

bool
imap_reply_has(struct str words, struct str word)
{
    struct str one;

    while (str_word(&words, " ", &one))
        if (str_ieq(one, word))
            return true;
    return false;
}

bool
imap_reply_code(struct str code, struct str name, uint32_t *number)
{
    struct str word;
    uint64_t n;

    if (!str_cut(&code, ' ', &word) || !str_ieq(word, name) ||
        !str_num(code, &n) || n > UINT32_MAX)
        return false;
    *number = (uint32_t)n;
    return true;
}

bool
imap_reply_namespace(struct arena *a, struct str text, struct str *prefix,
                     char *delimiter)
{
    struct str personal, first, d;

    if (!str_skip(&text, S("(")) || !list(&text, &personal) ||
        !str_skip(&personal, S("(")) || !list(&personal, &first) ||
        !value(a, &first, prefix) || !str_skip(&first, S(" ")) ||
        !value(a, &first, &d) || d.len > 1)
        return false;
    *delimiter = d.len ? d.p[0] : '\0';
    return true;
}
