#include "mail/structure_text.h"

#include "base/utf8.h"
#include "mail/address.h"
#include "mail/addrlist.h"
#include "mail/imap_text.h"
#include "mail/structure.h"

/* All addresses of one header field of the envelope. */
#define LIST_MAX ((size_t)1 << 20)

void
texts_reset(struct texts *t)
{
    struct texts fresh = {.scratch = t->scratch};

    for (size_t i = 0; i < FIELD_LISTS; i++) {
        fresh.lists[i] = t->lists[i];
        buf_reset(&fresh.lists[i]);
    }
    *t = fresh;
}

/* A body as one line. A bare CR, which no string may hold, is a blank. */
static struct str
one_line(struct arena *a, struct str body)
{
    struct str line = str_trim(body);
    struct buf b = buf_in(a);

    if (str_find(line, '\n') < 0 && str_find(line, '\r') < 0)
        return line;
    for (size_t i = 0; i < line.len; i++) {
        bool ends =
            line.p[i] == '\r' && i + 1 < line.len && line.p[i + 1] == '\n';

        if (line.p[i] != '\n' && !ends)
            buf_addc(&b, line.p[i] == '\r' ? ' ' : line.p[i]);
    }
    return buf_str(&b);
}

/* ---- addresses ---- */

/* An address without domain, or without local part: NIL would make a group of
 * it (RFC 9051 7.5.2), so it is given the words that Dovecot has for that. */
static void
put_address(struct arena *a, const struct addrlist_entry *e, struct buf *out)
{
    struct str name = addrlist_name(a, e->name), local, domain;

    if (!address_split(e->addr, &local, &domain) || domain.len == 0)
        domain = S("MISSING_DOMAIN");
    if (local.len == 0)
        local = S("MISSING_MAILBOX");
    buf_addc(out, '(');
    imap_put_nstring(out, name.len ? one_line(a, name) : (struct str){0});
    buf_addc(out, ' ');
    imap_put_nstring(out, e->route);
    buf_addc(out, ' ');
    imap_put_string(out, one_line(a, local));
    buf_addc(out, ' ');
    imap_put_string(out, one_line(a, domain));
    buf_addc(out, ')');
}

static void
put_group(struct arena *a, struct str name, struct buf *out)
{
    buf_add(out, S("(NIL NIL "));
    imap_put_string(out, one_line(a, addrlist_name(a, name)));
    buf_add(out, S(" NIL)"));
}

static void
take_list(struct texts *t, struct buf *out, struct str body)
{
    struct addrlist l = {.rest = body, .groups = true};
    struct addrlist_entry e;

    while (out->len < LIST_MAX && addrlist_next(t->scratch, &l, &e)) {
        if (e.kind == ADDRLIST_GROUP)
            put_group(t->scratch, e.group, out);
        else if (e.kind == ADDRLIST_GROUP_END)
            buf_add(out, S("(NIL NIL NIL NIL)"));
        else
            put_address(t->scratch, &e, out);
        memset(l.scratch, 0, sizeof l.scratch);
        arena_reset(t->scratch);
    }
    arena_reset(t->scratch); /* a field without address took some, too */
}

/* ---- fields ---- */

static int
list_of(enum header_id id)
{
    switch (id) {
    case HEADER_ID_FROM:
        return FIELD_FROM;
    case HEADER_ID_SENDER_FIELD:
        return FIELD_SENDER;
    case HEADER_ID_REPLY_TO:
        return FIELD_REPLY_TO;
    case HEADER_ID_TO:
        return FIELD_TO;
    case HEADER_ID_CC:
        return FIELD_CC;
    case HEADER_ID_BCC:
        return FIELD_BCC;
    default:
        return -1;
    }
}

/* The place of a text; *first: the first such field counts, since that is the
 * one by which others have read the content. */
static struct str *
text_of(struct texts *t, enum header_id id, bool *first)
{
    *first = true;
    switch (id) {
    case HEADER_ID_CONTENT_TYPE:
        return &t->type;
    case HEADER_ID_CONTENT_ENCODING:
        return &t->encoding;
    case HEADER_ID_CONTENT_ID:
        return &t->id;
    case HEADER_ID_CONTENT_DESCRIPTION:
        return &t->description;
    case HEADER_ID_CONTENT_DISPOSITION:
        return &t->disposition;
    case HEADER_ID_CONTENT_LANGUAGE:
        return &t->language;
    case HEADER_ID_CONTENT_LOCATION:
        return &t->location;
    case HEADER_ID_CONTENT_MD5:
        return &t->md5;
    default:
        break;
    }
    *first = false;
    switch (id) {
    case HEADER_ID_DATE:
        return &t->date;
    case HEADER_ID_SUBJECT:
        return &t->subject;
    case HEADER_ID_IN_REPLY_TO:
        return &t->in_reply_to;
    case HEADER_ID_MESSAGE_ID:
        return &t->message_id;
    default:
        return NULL;
    }
}

void
texts_take(struct texts *t, const struct header_field *f)
{
    struct str body = str_sub(f->body, 0, STRUCTURE_FIELD_MAX);
    int list = list_of(f->id);
    bool first;

    if (list >= 0) {
        take_list(t, &t->lists[list], body);
        return;
    }

    struct str *text = text_of(t, f->id, &first);

    if (text && (text->p == NULL || !first))
        *text = body;
}

/* ---- ENVELOPE ---- */

static void
put_line(const struct texts *t, struct str body, struct buf *out)
{
    imap_put_nstring(out, body.p ? one_line(t->scratch, body) : body);
    arena_reset(t->scratch);
}

static void
put_list(const struct buf *list, struct buf *out)
{
    if (list->len == 0) {
        buf_add(out, S("NIL"));
        return;
    }
    buf_addc(out, '(');
    buf_add(out, (struct str){list->p, list->len});
    buf_addc(out, ')');
}

void
texts_put_envelope(const struct texts *t, struct buf *out)
{
    buf_addc(out, '(');
    put_line(t, t->date, out);
    buf_addc(out, ' ');
    put_line(t, t->subject, out);
    for (size_t i = 0; i < FIELD_LISTS; i++) {
        const struct buf *list = &t->lists[i];

        /* RFC 9051 7.5.2: no sender, no reply-to: as from. */
        if (list->len == 0 && (i == FIELD_SENDER || i == FIELD_REPLY_TO))
            list = &t->lists[FIELD_FROM];
        buf_addc(out, ' ');
        put_list(list, out);
    }
    buf_addc(out, ' ');
    put_line(t, t->in_reply_to, out);
    buf_addc(out, ' ');
    put_line(t, t->message_id, out);
    buf_addc(out, ')');
}

/* ---- parameters ---- */

/* name, or name*number, name*number*, name* (RFC 2231). */
struct param {
    struct str full, name, value; /* name: without what begins at the "*" */
    uint64_t number;
    bool numbered, extended;
    bool part, first; /* of a value in sections that are all there */
};

static struct param
read_param(struct arena *a, struct str name, struct str value)
{
    struct param p = {.full = name, .name = name};
    struct buf plain = buf_in(a);
    struct str digits = name, base;

    mime_unquote(&plain, value);
    p.value = buf_str(&plain);
    if (!str_cut(&digits, '*', &base) || base.len == 0)
        return p;
    p.extended = str_ends(digits, S("*"));
    digits.len -= p.extended;
    p.numbered = str_num(digits, &p.number);
    if (p.numbered)
        p.name = base;
    return p;
}

static bool
is_attribute_char(char c)
{
    return c > ' ' && c < 127 && !strchr("()<>@,;:\\\"/[]?=*'%", c);
}

/* A section that says nothing of its coding, among others that are coded. */
static void
put_percent(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (is_attribute_char(s.p[i]))
            buf_addc(out, s.p[i]);
        else
            buf_fmt(out, "%%%02X", (unsigned char)s.p[i]);
}

static struct param *
find_section(struct param *params, size_t count, struct str name,
             uint64_t number)
{
    for (size_t i = 0; i < count; i++)
        if (params[i].numbered && params[i].number == number &&
            str_ieq(params[i].name, name))
            return &params[i];
    return NULL;
}

/* Which sections make values: 0, 1 and so on without a gap. */
static void
find_parts(struct param *params, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct param *p = &params[i];

        if (find_section(params, count, p->name, 0) != p)
            continue;
        p->first = true;
        for (uint64_t n = 0; p; n++) {
            p->part = true;
            p = find_section(params, count, params[i].name, n + 1);
        }
    }
}

/* All sections of one value, joined: "name", or coded "name*". */
static void
put_joined(struct arena *a, struct param *params, size_t count, struct str name,
           struct buf *out)
{
    struct buf value = buf_in(a), full = buf_in(a);
    struct param *section;
    bool extended = false;

    for (uint64_t n = 0; (section = find_section(params, count, name, n)); n++)
        extended |= section->extended;
    for (uint64_t n = 0; (section = find_section(params, count, name, n));
         n++) {
        if (extended && n == 0 && !section->extended)
            buf_add(&value, S("''"));
        if (extended && !section->extended)
            put_percent(&value, section->value);
        else
            buf_add(&value, section->value);
    }
    buf_add(&full, name);
    if (extended)
        buf_addc(&full, '*');
    imap_put_string(out, buf_str(&full));
    buf_addc(out, ' ');
    imap_put_string(out, buf_str(&value));
}

/* "("name" "value" ...)", or NIL. `more` is put behind, or nothing. */
static void
put_params(struct arena *a, struct str rest, struct str more, struct buf *out)
{
    struct param *params = arena_alloc(a, MIME_PARAMS_MAX * sizeof *params);
    struct str name, value;
    size_t count = 0, start = out->len;

    while (count < MIME_PARAMS_MAX && mime_next(&rest, &name, &value))
        params[count++] = read_param(a, name, value);
    find_parts(params, count);
    for (size_t i = 0; i < count; i++) {
        if (params[i].part && !params[i].first)
            continue;
        buf_addc(out, out->len == start ? '(' : ' ');
        if (params[i].first) {
            put_joined(a, params, count, params[i].name, out);
            continue;
        }
        imap_put_string(out, params[i].full);
        buf_addc(out, ' ');
        imap_put_string(out, params[i].value);
    }
    if (more.len > 0) {
        buf_addc(out, out->len == start ? '(' : ' ');
        buf_add(out, more);
    }
    buf_add(out, out->len == start ? S("NIL") : S(")"));
}

static bool
has_param(struct str rest, struct str wanted)
{
    struct str name, value;

    while (mime_next(&rest, &name, &value))
        if (str_ieq(name, wanted))
            return true;
    return false;
}

/* ---- BODYSTRUCTURE ---- */

struct texts_type
texts_type(const struct texts *t, bool in_digest)
{
    struct texts_type type = {.params = t->type};

    type.subtype = mime_first(&type.params);
    if (str_cut(&type.subtype, '/', &type.type) && type.type.len > 0 &&
        type.subtype.len > 0)
        return type;

    /* RFC 2045 5.2: also where what is said makes no sense. */
    return in_digest && t->type.p == NULL
               ? (struct texts_type){S("message"), S("rfc822"), {0}}
               : (struct texts_type){S("text"), S("plain"), {0}};
}

/* The default of text (RFC 2046 4.1.2) stands there as if it were said. */
static void
put_type_params(const struct texts *t, const struct texts_type *type,
                struct buf *out)
{
    bool implied = str_ieq(type->type, S("text")) &&
                   !has_param(type->params, S("charset"));

    put_params(t->scratch, type->params,
               implied ? S("\"charset\" \"us-ascii\"") : S(""), out);
    arena_reset(t->scratch);
}

void
texts_put_leaf(const struct texts *t, const struct texts_type *type,
               struct buf *out)
{
    struct str rest = t->encoding, encoding = mime_first(&rest);

    imap_put_string(out, type->type);
    buf_addc(out, ' ');
    imap_put_string(out, type->subtype);
    buf_addc(out, ' ');
    put_type_params(t, type, out);
    buf_addc(out, ' ');
    put_line(t, t->id, out);
    buf_addc(out, ' ');
    put_line(t, t->description, out);
    buf_addc(out, ' ');
    imap_put_string(out, encoding.len ? encoding : S("7bit"));
}

/* (\"attachment\" (\"filename\" \"x\")) */
static void
put_disposition(const struct texts *t, struct buf *out)
{
    struct str rest = t->disposition, value = mime_first(&rest);

    if (value.len == 0) {
        buf_add(out, S("NIL"));
        return;
    }
    buf_addc(out, '(');
    imap_put_string(out, value);
    buf_addc(out, ' ');
    put_params(t->scratch, rest, S(""), out);
    buf_addc(out, ')');
    arena_reset(t->scratch);
}

/* ("en" "de") */
static void
put_languages(const struct texts *t, struct buf *out)
{
    struct str rest = t->language, word;
    size_t start = out->len;

    while (str_word(&rest, ", \t\r\n", &word)) {
        buf_addc(out, out->len == start ? '(' : ' ');
        imap_put_string(out, word);
    }
    buf_add(out, out->len == start ? S("NIL") : S(")"));
}

static void
put_rest(const struct texts *t, struct buf *out)
{
    put_disposition(t, out);
    buf_addc(out, ' ');
    put_languages(t, out);
    buf_addc(out, ' ');
    put_line(t, t->location, out);
}

void
texts_put_leaf_extended(const struct texts *t, struct buf *out)
{
    put_line(t, t->md5, out);
    buf_addc(out, ' ');
    put_rest(t, out);
}

void
texts_put_multipart_extended(const struct texts *t,
                             const struct texts_type *type, struct buf *out)
{
    put_params(t->scratch, type->params, S(""), out);
    arena_reset(t->scratch);
    buf_addc(out, ' ');
    put_rest(t, out);
}
