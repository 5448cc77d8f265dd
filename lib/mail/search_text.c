#include "mail/search_text.h"

#include "mail/casemap.h"
#include "mail/charset.h"
#include "mail/words.h"

/* Of one field; what is longer is no text that somebody would look for. */
#define FIELD_MAX ((size_t)1 << 20)

bool
search_field(struct arena *scratch, struct converters *more, struct needles *n,
             struct str *header, struct str name)
{
    struct header_field f;

    while (header_scan(header, &f)) {
        if (!str_ieq(f.name, name))
            continue;
        arena_reset(scratch);

        struct buf mapped = buf_in(scratch);
        struct str rest =
            words_read_field(scratch, more, str_sub(f.body, 0, FIELD_MAX));

        needles_begin(n, TEXT_HEADER);
        while (rest.len > 0)
            needles_put(n, casemap_next(&mapped, &rest));
        return true;
    }
    return false;
}

void
text_begin(struct text_walk *w, struct arena *scratch, struct converters *more,
           struct str message, const struct structure *s, unsigned kinds)
{
    *w = (struct text_walk){.scratch = scratch,
                            .more = more,
                            .message = message,
                            .s = s,
                            .kinds = kinds};
}

/* The text of a field, or of a line that is none. */
static void
open_field(struct text_walk *w)
{
    struct header_field f;
    struct str line;
    struct buf b;

    arena_reset(w->scratch);
    b = buf_in(w->scratch);
    w->now.id = HEADER_ID_OTHER;
    if (header_next(&w->header, &f)) {
        buf_add(&b, f.name);
        buf_add(&b, S(": "));
        buf_add(&b, words_read_field(w->scratch, w->more,
                                     str_sub(f.body, 0, FIELD_MAX)));
        w->now.id = f.id;
    } else {
        str_cut(&w->header, '\n', &line);
        charset_guess(&b, str_sub(str_trim(line), 0, FIELD_MAX));
    }
    w->rest = buf_str(&b);
    w->mapped = buf_in(w->scratch);
    w->now.begins = true;
    w->at = TEXT_IN_FIELD;
}

static void
open_body(struct text_walk *w, const struct structure_part *p)
{
    arena_reset(w->scratch);
    w->mapped = buf_in(w->scratch);
    body_open_text(w->scratch, w->message, w->s, p, w->more, &w->body);
    w->rest = S("");
    w->now = (struct text_piece){.kind = TEXT_BODY, .begins = true};
    w->at = TEXT_IN_BODY;
}

static bool
is_text(const struct structure_part *p)
{
    return p->kind == STRUCTURE_LEAF && p->is_text && body_is_known(p);
}

static bool
open_part(struct text_walk *w)
{
    const struct structure_part *p = &w->s->parts[w->part];

    if (w->part == w->s->count)
        return false;
    w->header = w->kinds & TEXT_HEADER
                    ? str_sub(w->message, p->header, p->body - p->header)
                    : S("");
    w->now =
        (struct text_piece){.kind = TEXT_HEADER, .of_message = w->part == 0};
    w->at = TEXT_IN_HEADER;
    return true;
}

/* Behind the last field: the body, or the next part. */
static void
end_header(struct text_walk *w)
{
    const struct structure_part *p = &w->s->parts[w->part++];

    if (w->kinds & TEXT_BODY && is_text(p))
        open_body(w, p);
    else
        w->at = TEXT_AT_PART;
}

/* False where the text that is open is over. */
static bool
take(struct text_walk *w, struct text_piece *piece)
{
    if (w->at == TEXT_IN_BODY && w->rest.len == 0 &&
        !body_next(&w->body, &w->rest) && !w->now.begins) {
        w->at = TEXT_AT_PART;
        return false;
    }
    if (w->at == TEXT_IN_FIELD && w->rest.len == 0 && !w->now.begins) {
        w->at = TEXT_IN_HEADER;
        return false;
    }
    *piece = w->now;
    piece->text = casemap_next(&w->mapped, &w->rest);
    w->now.begins = false;
    return true;
}

bool
text_next(struct text_walk *w, struct text_piece *piece)
{
    for (;;)
        switch (w->at) {
        case TEXT_AT_PART:
            if (!open_part(w))
                return false;
            break;
        case TEXT_IN_HEADER:
            if (w->header.len > 0)
                open_field(w);
            else
                end_header(w);
            break;
        default:
            if (take(w, piece))
                return true;
        }
}

void
text_end(struct text_walk *w)
{
    if (w->at == TEXT_IN_BODY)
        body_close(&w->body);
    w->at = TEXT_AT_PART;
    w->part = w->s ? w->s->count : 0;
    w->rest = S("");
}
