/*
 * The report as a message: words for a person, the status for a program, and
 * what the message was (RFC 6522).
 */
#include <time.h>

#include "base/utf8.h"
#include "mail/address.h"
#include "mail/addrlist.h"
#include "mail/date.h"
#include "mail/header.h"
#include "original.h"

struct parts {
    const char *boundary;
    struct str words, status;
    struct original original;
};

static bool
has_8bit(const struct parts *parts)
{
    return parts->original.eight_bit || !utf8_is_ascii(parts->words) ||
           !utf8_is_ascii(parts->status);
}

static void
put_encoding(struct buf *b, bool eight_bit)
{
    if (eight_bit)
        buf_add(b, S("Content-Transfer-Encoding: 8bit\n"));
}

static struct str
unfolded(const struct notice *r, struct str header, struct str name)
{
    struct header_field f;

    if (!header_find(header, name, &f))
        return (struct str){0};
    return report_text(r->about->a, header_unfold(r->about->a, f.body),
                       !report_is_utf8(r));
}

/* RFC 5322 3.6.4: the references of the message, or else what it answered,
 * and the message. */
static void
put_thread(const struct notice *r, const struct original *o, struct buf *b)
{
    struct str id = unfolded(r, o->header, S("Message-Id"));
    struct str references = unfolded(r, o->header, S("References"));

    if (!r->bounce->conf->enable_threaded_bounces || id.len == 0)
        return;
    if (references.len == 0)
        references = unfolded(r, o->header, S("In-Reply-To"));
    header_put(b, "In-Reply-To", id);
    header_put(b, "References",
               str_from(arena_fmt(r->about->a, "%.*s %.*s", STR(references),
                                  STR(id))));
}

static enum rc
complete(void *self, struct arena *a, struct str addr, struct str *out,
         struct why *why)
{
    (void)why;
    *out = route_complete(self, a, addr);
    return OK;
}

/* A field with addresses, those without domain completed. */
static void
put_addresses(const struct notice *r, struct buf *b, const char *name,
              struct str list)
{
    struct why why;
    struct str out = list;

    if (addrlist_rewrite(r->about->a, list, complete, r->bounce->router, &out,
                         &why) == OK)
        header_put(b, name, out);
}

static void
put_header(const struct notice *r, struct produce *p, const struct parts *parts)
{
    struct arena *a = r->about->a;
    struct buf b = buf_in(a);
    const struct template *w = r->words;
    struct str date = date_format(a, time(NULL));
    bool copy = r->audience != TO_SENDER && w->copy_subject.len > 0;

    buf_fmt(&b, "Received: by %s (%s)\n\tid %s; %.*s\n", r->host,
            r->bounce->conf->mail_name, p->id, STR(date));
    header_put(&b, "Date", date);
    put_addresses(r, &b, "From", w->from);
    header_put(&b, "Subject", copy ? w->copy_subject : w->subject);
    put_addresses(r, &b, "To", address_quote(a, r->to));
    buf_add(&b, S("Auto-Submitted: auto-replied\nMIME-Version: 1.0\n"));
    buf_fmt(&b,
            "Content-Type: multipart/report; report-type=delivery-status;\n"
            "\tboundary=\"%s\"\n",
            parts->boundary);
    put_encoding(&b, has_8bit(parts));
    buf_fmt(&b, "Message-Id: <%s.report@%s>\n", p->id, r->host);
    put_thread(r, &parts->original, &b);
    buf_add(&b, S("\nThis is a report in MIME format.\n"));
    queue_put(p->out, buf_str(&b));
}

static void
put_part_header(const struct notice *r, struct produce *p,
                const struct parts *parts, const char *description,
                const char *type, bool eight_bit)
{
    struct buf b = buf_in(r->about->a);

    buf_fmt(&b, "\n--%s\nContent-Description: %s\nContent-Type: %s\n",
            parts->boundary, description, type);
    put_encoding(&b, eight_bit);
    buf_addc(&b, '\n');
    queue_put(p->out, buf_str(&b));
}

static void
put_words(const struct notice *r, struct produce *p, const struct parts *parts)
{
    bool ascii = utf8_is_ascii(parts->words);
    struct str charset = r->words->charset;

    if (!ascii && str_ieq(charset, S("us-ascii")))
        charset = S("utf-8");
    put_part_header(
        r, p, parts, "Notification",
        arena_fmt(r->about->a, "text/plain; charset=%.*s", STR(charset)),
        !ascii);
    queue_put(p->out, parts->words);
}

static void
put_status(const struct notice *r, struct produce *p, const struct parts *parts)
{
    put_part_header(r, p, parts, "Delivery report",
                    report_is_utf8(r) ? "message/global-delivery-status"
                                      : "message/delivery-status",
                    !utf8_is_ascii(parts->status));
    queue_put(p->out, parts->status);
}

static enum rc
put_original(const struct notice *r, struct produce *p,
             const struct parts *parts, struct why *why)
{
    static const char *const what[] = {[REPORT_FAILURE] = "Undelivered",
                                       [REPORT_DELAY] = "Delayed",
                                       [REPORT_SUCCESS] = "Delivered"};
    const struct original *o = &parts->original;
    bool utf8 = report_is_utf8(r);
    const char *type = o->whole ? utf8 ? "message/global" : "message/rfc822"
                       : utf8   ? "message/global-headers"
                                : "text/rfc822-headers";

    put_part_header(r, p, parts,
                    arena_fmt(r->about->a, "%s %s", what[r->about->kind],
                              o->whole ? "Message" : "Message Headers"),
                    type, o->eight_bit);
    return original_put(r, o, p->out, why);
}

enum rc
compose(const struct notice *r, struct produce *p, unsigned *flags,
        struct why *why)
{
    struct arena *a = r->about->a;
    struct parts parts = {
        .boundary =
            arena_fmt(a, "%s.%lld/%s", p->id, (long long)time(NULL), r->host),
        .words = words_part(r),
        .status = status_part(r),
    };

    if (original_look(r, &parts.original, why) != OK)
        return TEMP;
    put_header(r, p, &parts);
    put_words(r, p, &parts);
    put_status(r, p, &parts);
    if (put_original(r, p, &parts, why) != OK)
        return TEMP;
    queue_put(p->out, str_from(arena_fmt(a, "\n--%s--\n", parts.boundary)));
    *flags = (has_8bit(&parts) ? ENVELOPE_8BIT : 0u) |
             (report_is_utf8(r) ? ENVELOPE_UTF8 : 0u);
    return OK;
}
