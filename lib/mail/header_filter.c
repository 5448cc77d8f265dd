#include "mail/header_filter.h"

void
header_filter_begin(struct header_filter *h, struct arena *a, size_t limit,
                    const struct header_calls *calls, void *self)
{
    *h = (struct header_filter){
        .field = buf_in(a), .limit = limit, .calls = calls, .self = self};
}

/* Hand over what is held, which is a field or the front of one. */
static void
give_field(struct header_filter *h, bool cut)
{
    struct str rest = buf_str(&h->field);
    struct header_field f;

    must(header_next(&rest, &f));
    f.cut = cut;
    h->seen |= (uint64_t)1 << f.id;
    h->received += f.id == HEADER_ID_RECEIVED;
    h->delivered_to += f.id == HEADER_ID_DELIVERED_TO;
    h->dropping = h->calls->field(h->self, &f) == HEADER_DROP;
    if (!h->dropping)
        h->calls->put(h->self, f.whole);
    buf_reset(&h->field);
    h->checked = false;
}

static bool
holds_field(struct header_filter *h)
{
    struct str rest = buf_str(&h->field);
    struct header_field f;

    return header_next(&rest, &f);
}

/* What is held is no field: it begins the body. An empty line belongs between
 * them, also where the sender forgot it. */
static void
begin_body(struct header_filter *h)
{
    struct str held = buf_str(&h->field);

    h->in_body = true;
    if (h->calls->end)
        h->calls->end(h->self);
    if (held.len > 0 && held.p[0] != '\n')
        h->calls->put(h->self, S("\n"));
    if (held.len > 0)
        h->calls->put(h->self, held);
}

/* Part of a line, with or without its end; nothing after the end. */
static void
put_part(struct header_filter *h, struct str part)
{
    bool ended = part.p[part.len - 1] == '\n';

    h->inside = !ended;
    h->size += part.len;
    if (h->cutting) {
        if (!h->dropping)
            h->calls->put(h->self, part);
        return;
    }
    buf_add(&h->field, part);
    if (h->checked || !(ended || h->field.len >= h->limit))
        return;
    h->checked = holds_field(h);
    if (!h->checked) {
        h->size -= h->field.len;
        begin_body(h);
    }
}

/* At the start of a line: what is held ends here unless the line goes on. */
static void
end_field(struct header_filter *h, char first)
{
    if (is_blank(first) && (h->checked || h->cutting))
        return;
    if (h->checked)
        give_field(h, false);
    h->cutting = false;
}

void
header_filter_put(struct header_filter *h, struct str content)
{
    while (content.len > 0 && !h->in_body) {
        if (!h->inside)
            end_field(h, content.p[0]);

        ssize_t lf = str_find(content, '\n');
        size_t len = lf < 0 ? content.len : (size_t)lf + 1;

        if (!h->cutting && len > h->limit - h->field.len)
            len = h->limit - h->field.len;
        if (len > 0)
            put_part(h, str_sub(content, 0, len));
        if (h->checked && h->field.len >= h->limit) {
            give_field(h, true);
            h->cutting = true;
        }
        content = str_sub(content, len, content.len);
    }
    if (content.len > 0)
        h->calls->put(h->self, content);
}

void
header_filter_end(struct header_filter *h)
{
    if (h->in_body)
        return;
    if (h->inside && !h->cutting) {
        buf_addc(&h->field, '\n');
        h->checked = h->checked || holds_field(h);
    }
    if (h->checked)
        give_field(h, false);
    begin_body(h);
}
