/*
 * What a person reads: the template, then each recipient and the reason.
 */
#include "base/utf8.h"
#include "mail/address.h"
#include "report.h"

struct str
report_text(struct arena *a, struct str text, bool ascii)
{
    struct buf b = buf_in(a);
    bool valid = !ascii && utf8_valid(text);

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if (is_space(text.p[i]))
            buf_addc(&b, ' ');
        else if (c < 32 || c == 127 || (c > 127 && !valid))
            buf_addc(&b, '?');
        else
            buf_addc(&b, text.p[i]);
    }
    return buf_str(&b);
}

/* What $name in a template stands for. */
static struct str
value_of(void *self, struct str name)
{
    const struct notice *r = self;
    const struct conf *conf = r->bounce->conf;
    struct arena *a = r->about->a;
    const struct {
        const char *name;
        int64_t ms;
    } times[] = {
        {"bounce_queue_lifetime",  conf->bounce_queue_lifetime },
        {"delay_warning_time",     conf->delay_warning_time    },
        {"maximal_queue_lifetime", conf->maximal_queue_lifetime},
    };

    for (size_t i = 0; i < COUNT(times); i++) {
        struct str text = template_time(a, name, times[i].name, times[i].ms);

        if (text.p)
            return text;
    }
    return str_from(conf_get(conf, arena_cstr(a, name)));
}

/* "text", wrapped behind what stands in the line already. */
static void
put_wrapped(struct buf *b, size_t column, struct str text)
{
    struct str word;

    while (str_word(&text, " ", &word)) {
        bool wrap = column + 1 + word.len > 76;

        buf_add(b, wrap ? S("\n    ") : S(" "));
        column = (wrap ? 4 : column + 1) + word.len;
        buf_add(b, word);
    }
    buf_addc(b, '\n');
}

static struct str
reason_of(const struct queue_result *result)
{
    if (result->text.len)
        return result->text;
    return result->state == QUEUE_SENT ? S("delivered") : S("not delivered");
}

static struct str
shown(const struct notice *r, struct str addr)
{
    return address_quote(r->about->a, addr);
}

/* "<user@example.org>: reason" */
static void
put_reason(const struct notice *r, struct buf *b, const struct rcpt *rcpt,
           const struct queue_result *result)
{
    size_t start = b->len + 1;

    buf_fmt(b, "\n<%.*s>", STR(shown(r, rcpt->addr)));
    if (rcpt->orig.len && !address_eq(rcpt->orig, rcpt->addr))
        buf_fmt(b, " (expanded from <%.*s>)", STR(shown(r, rcpt->orig)));
    buf_addc(b, ':');
    put_wrapped(b, b->len - start,
                report_text(r->about->a, reason_of(result), false));
}

struct str
words_part(const struct notice *r)
{
    const struct subject *s = r->about;
    struct buf b = buf_in(s->a);
    struct queue_cursor c = queue_rcpts(&s->file);
    struct notice copy = *r;
    struct rcpt rcpt;

    buf_add(&b, template_fill(s->a, r->words->body, value_of, &copy));
    while (queue_next(&c, &rcpt))
        if (report_covers(r, c.next - 1, &rcpt))
            put_reason(r, &b, &rcpt, &s->results[c.next - 1]);
    return buf_str(&b);
}
