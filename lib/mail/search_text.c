#include "mail/search_text.h"

#include "mail/body.h"
#include "mail/charset.h"
#include "mail/header.h"
#include "mail/words.h"

/* Of one field; what is longer is no text that somebody would look for. */
#define FIELD_MAX ((size_t)1 << 20)

static struct str
read_field(struct searching *s, const struct header_field *f)
{
    arena_reset(s->scratch);
    return words_read_field(s->scratch, s->more,
                            str_sub(f->body, 0, FIELD_MAX));
}

bool
search_field(struct searching *s, struct str header, struct str name)
{
    struct header_field f;

    while (header_scan(&header, &f))
        if (str_ieq(f.name, name) &&
            matcher_find(s->matcher, read_field(s, &f)))
            return true;
    return false;
}

/* A line of a header that is no field. */
static bool
search_line(struct searching *s, struct str line)
{
    struct buf b;

    arena_reset(s->scratch);
    b = buf_in(s->scratch);
    charset_guess(&b, str_sub(str_trim(line), 0, FIELD_MAX));
    return matcher_find(s->matcher, buf_str(&b));
}

bool
search_header(struct searching *s, struct str header)
{
    struct header_field f;
    struct str body;

    while (header.len > 0) {
        if (!header_next(&header, &f)) {
            str_cut(&header, '\n', &body);
            if (search_line(s, body))
                return true;
            continue;
        }
        body = read_field(s, &f);
        matcher_reset(s->matcher);
        if (matcher_put(s->matcher, f.name) ||
            matcher_put(s->matcher, S(": ")) || matcher_put(s->matcher, body))
            return true;
    }
    return false;
}

static bool
search_part(struct searching *s, struct str message,
            const struct structure *structure, const struct structure_part *p)
{
    struct body b;
    struct str piece;

    arena_reset(s->scratch);
    matcher_reset(s->matcher);
    body_open_text(s->scratch, message, structure, p, s->more, &b);
    while (body_next(&b, &piece))
        if (matcher_put(s->matcher, piece)) {
            body_close(&b);
            return true;
        }
    return false;
}

static bool
search_parts(struct searching *s, struct str message,
             const struct structure *structure, bool headers)
{
    /* The empty text is in every message. */
    matcher_reset(s->matcher);
    if (matcher_put(s->matcher, S("")))
        return true;
    for (size_t i = 0; i < structure->count; i++) {
        const struct structure_part *p = &structure->parts[i];
        struct str header = str_sub(message, p->header, p->body - p->header);

        if (headers && search_header(s, header))
            return true;
        if (p->kind == STRUCTURE_LEAF && p->is_text && body_is_known(p) &&
            search_part(s, message, structure, p))
            return true;
    }
    return false;
}

bool
search_body(struct searching *s, struct str message,
            const struct structure *structure)
{
    return search_parts(s, message, structure, false);
}

bool
search_text(struct searching *s, struct str message,
            const struct structure *structure)
{
    return search_parts(s, message, structure, true);
}
