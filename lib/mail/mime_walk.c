#include "mail/mime_walk.h"

/* "--", a boundary, "--", blanks, LF. */
#define DELIMITER_MAX (MIME_BOUNDARY_MAX + 32)

/* A part that holds others. */
struct level {
    struct buf boundary; /* empty for a message in a message */
    bool digest;         /* parts are messages unless they say otherwise */
};

enum place { IN_HEADER, IN_TEXT, BETWEEN };

struct mime_walk {
    const struct mime_calls *calls;
    void *self;
    struct level levels[MIME_DEPTH_MAX];
    unsigned depth;
    uint64_t parts;

    struct mime_part part; /* the newest */
    struct buf boundary;   /* that its header gives */
    bool digest;           /* it is a multipart/digest */

    enum place place;
    struct buf held; /* of the header: a field so far; else a line that may be
                        a boundary */
    bool inside;     /* of a line that is not held */
    bool is_field;   /* what is held begins a field */
    bool cutting;    /* behind the limit of a field */
    bool held_lf;    /* of text: a line end that may belong to a boundary */
};

struct mime_walk *
mime_walk_new(struct arena *a, const struct mime_calls *calls, void *self)
{
    struct mime_walk *w = arena_make(a, struct mime_walk);

    w->calls = calls;
    w->self = self;
    w->held = buf_in(a);
    w->boundary = buf_in(a);
    for (size_t i = 0; i < MIME_DEPTH_MAX; i++)
        w->levels[i].boundary = buf_in(a);
    mime_walk_reset(w);
    return w;
}

static void
begin_part(struct mime_walk *w, bool is_message)
{
    bool digest = w->depth > 0 && w->levels[w->depth - 1].digest;

    w->part = (struct mime_part){.number = w->parts++,
                                 .depth = w->depth,
                                 .is_message = is_message,
                                 .kind = digest ? MIME_MESSAGE : MIME_LEAF};
    w->digest = false;
    buf_reset(&w->boundary);
    w->place = IN_HEADER;
    w->is_field = false;
}

void
mime_walk_reset(struct mime_walk *w)
{
    w->depth = 0;
    w->parts = 0;
    w->inside = w->cutting = w->held_lf = false;
    buf_reset(&w->held);
    begin_part(w, true);
}

/* What a Content-Type makes of the part. */
static void
take_type(struct mime_walk *w, struct str body)
{
    struct str value = mime_first(&body), type, name;

    str_cut(&value, '/', &type);
    w->part.kind = MIME_LEAF;
    if (str_ieq(type, S("message")) &&
        (str_ieq(value, S("rfc822")) || str_ieq(value, S("global"))))
        w->part.kind = MIME_MESSAGE;
    if (str_ieq(type, S("message")) && str_ieq(value, S("partial")))
        w->part.kind = MIME_OPAQUE;
    if (!str_ieq(type, S("multipart")))
        return;
    w->part.kind = MIME_OPAQUE;
    w->digest = str_ieq(value, S("digest"));
    while (mime_next(&body, &name, &value))
        if (str_ieq(name, S("boundary"))) {
            mime_unquote(&w->boundary, value);
            break;
        }
    if (w->boundary.len > 0 && w->boundary.len <= MIME_BOUNDARY_MAX)
        w->part.kind = MIME_MULTIPART;
}

static void
give_field(struct mime_walk *w, bool cut)
{
    struct str rest = buf_str(&w->held);
    struct header_field f;
    bool found = header_next(&rest, &f);

    must(found);
    f.cut = cut;

    uint64_t bit = (uint64_t)1 << f.id;

    if (f.id == HEADER_ID_CONTENT_TYPE && !(w->part.seen & bit))
        take_type(w, f.body);
    if (f.id == HEADER_ID_CONTENT_ENCODING && !(w->part.seen & bit))
        w->part.encoding = mime_encoding(f.body);
    w->part.seen |= bit;
    w->calls->field(w->self, &w->part, &f);
    buf_reset(&w->held);
    w->is_field = false;
}

/* Is the line "--boundary" of an open multipart? The innermost counts. */
static bool
find_boundary(struct mime_walk *w, struct str line, unsigned *level,
              bool *closes)
{
    if (!str_skip(&line, S("--")))
        return false;
    for (unsigned i = w->depth; i-- > 0;) {
        struct str rest = line;

        if (w->levels[i].boundary.len == 0 ||
            !str_skip(&rest, buf_str(&w->levels[i].boundary)))
            continue;
        *closes = str_skip(&rest, S("--"));
        *level = i;
        if (str_trim(rest).len == 0)
            return true;
    }
    return false;
}

static void
push(struct mime_walk *w, struct str boundary)
{
    struct level *l = &w->levels[w->depth++];

    buf_reset(&l->boundary);
    buf_add(&l->boundary, boundary);
    l->digest = w->digest;
}

static void
end_header(struct mime_walk *w, bool empty_line)
{
    struct mime_part *p = &w->part;
    bool encoded = p->encoding > MIME_BINARY;

    /* An encoding around parts is against RFC 2045 6.4, but a message/global
     * may have one: either way it is text to be decoded first. */
    if (p->kind == MIME_MESSAGE && encoded)
        p->kind = MIME_LEAF;
    if (p->kind == MIME_MULTIPART && (encoded || w->depth == MIME_DEPTH_MAX))
        p->kind = MIME_OPAQUE;
    if (p->kind == MIME_MESSAGE && w->depth == MIME_DEPTH_MAX)
        p->kind = MIME_OPAQUE;
    w->calls->header_end(w->self, p, empty_line);
    w->held_lf = false;
    if (p->kind == MIME_MULTIPART) {
        push(w, buf_str(&w->boundary));
        w->place = BETWEEN;
    } else if (p->kind == MIME_MESSAGE) {
        w->digest = false;
        push(w, S(""));
        begin_part(w, true);
    } else {
        w->place = IN_TEXT;
    }
}

static void
end_text(struct mime_walk *w)
{
    if (w->place == IN_TEXT)
        w->calls->text_end(w->self, &w->part);
    w->place = BETWEEN;
}

static void
take_boundary(struct mime_walk *w, struct str line, unsigned level, bool closes)
{
    if (w->place == IN_HEADER)
        end_header(w, false);
    /* A message whose header ended here: its own body was never there. */
    while (w->place == IN_HEADER)
        end_header(w, false);
    end_text(w);
    if (w->held_lf)
        w->calls->between(w->self, S("\n"));
    w->held_lf = false;
    w->calls->between(w->self, line);
    w->depth = closes ? level : level + 1;
    if (!closes)
        begin_part(w, false);
}

/* Body text, a line or part of one. */
static void
put_text(struct mime_walk *w, struct str s)
{
    if (w->place == BETWEEN) {
        w->calls->between(w->self, s);
        return;
    }
    if (w->held_lf)
        w->calls->text(w->self, &w->part, S("\n"));
    w->held_lf = w->depth > 0 && s.p[s.len - 1] == '\n';
    s.len -= w->held_lf;
    if (s.len > 0)
        w->calls->text(w->self, &w->part, s);
}

/* What was held is no boundary, or is one. */
static void
settle_line(struct mime_walk *w)
{
    struct str line = buf_str(&w->held);
    unsigned level;
    bool closes;

    buf_reset(&w->held);
    if (find_boundary(w, line, &level, &closes))
        take_boundary(w, line, level, closes);
    else
        put_text(w, line);
}

/* Part of a line of a body. */
static void
body_part(struct mime_walk *w, struct str part)
{
    bool ended = part.p[part.len - 1] == '\n';
    bool could_be =
        !w->inside && w->depth > 0 && (w->held.len > 0 || part.p[0] == '-');

    if (!could_be) {
        w->inside = !ended;
        put_text(w, part);
        return;
    }
    buf_add(&w->held, part);
    if (ended || w->held.len > DELIMITER_MAX) {
        w->inside = !ended;
        settle_line(w);
    }
}

/* What is held of a header is a whole line, or long enough to tell. */
static void
settle_field(struct mime_walk *w)
{
    struct str line = buf_str(&w->held), rest = line;
    struct header_field f;
    unsigned level;
    bool closes, ended = line.p[line.len - 1] == '\n';

    if (find_boundary(w, line, &level, &closes)) {
        buf_reset(&w->held);
        take_boundary(w, line, level, closes);
        return;
    }
    w->is_field = header_next(&rest, &f);
    if (w->is_field)
        return;
    buf_reset(&w->held);
    if (str_eq(line, S("\n"))) {
        end_header(w, true);
        return;
    }
    do
        end_header(w, false);
    while (w->place == IN_HEADER);
    w->inside = !ended;
    put_text(w, line);
}

/* Part of a line of a header; it may turn out that the header is over. */
static void
header_part(struct mime_walk *w, struct str part)
{
    bool ended = part.p[part.len - 1] == '\n';

    w->inside = !ended;
    if (w->cutting) {
        w->calls->between(w->self, part);
        return;
    }
    buf_add(&w->held, part);
    if (!w->is_field && (ended || w->held.len >= MIME_FIELD_MAX))
        settle_field(w);
    if (w->is_field && w->held.len >= MIME_FIELD_MAX) {
        give_field(w, true);
        w->cutting = true;
    }
}

/* A line of a header begins: the field before it may be over. */
static void
header_line(struct mime_walk *w, char first)
{
    if (is_blank(first) && (w->is_field || w->cutting))
        return;
    if (w->is_field)
        give_field(w, false);
    w->cutting = false;
}

void
mime_walk_put(struct mime_walk *w, struct str content)
{
    while (content.len > 0) {
        if (w->place == IN_TEXT && w->depth == 0) {
            w->calls->text(w->self, &w->part, content);
            return;
        }
        if (w->place == IN_HEADER && !w->inside)
            header_line(w, content.p[0]);

        ssize_t lf = str_find(content, '\n');
        size_t len = lf < 0 ? content.len : (size_t)lf + 1;

        if (w->place == IN_HEADER && !w->cutting &&
            len > MIME_FIELD_MAX - w->held.len)
            len = MIME_FIELD_MAX - w->held.len;

        struct str part = str_sub(content, 0, len);

        content = str_sub(content, len, content.len);
        if (w->place == IN_HEADER)
            header_part(w, part);
        else
            body_part(w, part);
    }
}

void
mime_walk_end(struct mime_walk *w)
{
    if (w->place == IN_HEADER) {
        if (w->held.len > 0 && !w->is_field)
            settle_field(w);
        if (w->is_field)
            give_field(w, false);
    } else if (w->held.len > 0) {
        settle_line(w);
    }
    while (w->place == IN_HEADER)
        end_header(w, false);
    if (w->held_lf)
        w->calls->text(w->self, &w->part, S("\n"));
    w->held_lf = false;
    end_text(w);
}
