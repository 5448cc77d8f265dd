/*
 * The report as a message: words for a person, the status for a program, and
 * what the message was (RFC 6522).
 */
#include "report.h"

#include <time.h>

#include "mail/address.h"
#include "mail/date.h"
#include "mail/header.h"
#include "sys/disk.h"

/* A header that is returned without its message ends here at the latest. */
#define HEADER_MAX ((size_t)65536)

static const struct wording {
    const char *subject, *copy_subject, *intro; /* %: how long mail is tried */
} wordings[] = {
    [REPORT_FAILURE] = {"Undelivered Mail Returned to Sender",
                        "Postmaster Copy: Undelivered Mail",         "Your message could not be delivered to the "
                        "recipients below, and will not be\n"
                        "tried again. The reasons follow; the message, or "
                        "its header, is attached.\n"               },
    [REPORT_DELAY] = {"Delayed Mail (still being retried)",
                        "Postmaster Warning: Delayed Mail",          "THIS IS ONLY A WARNING. There is no need to send your "
                      "message again.\n\n"
                      "It could not yet be delivered to the recipients below. "
                      "It will be tried again\nuntil it is % old.\n"},
    [REPORT_SUCCESS] = {"Successful Mail Delivery Report",
                        "Postmaster Copy: Successful Mail Delivery", "This is what has become of your message, as you "
                        "asked to be told.\n"              },
};

static const struct wording of_report = {
    "Postmaster notification: undeliverable report",
    "Postmaster notification: undeliverable report",
    "A delivery report could not be delivered itself. Nobody else is told of "
    "it; it\nis attached.\n"};

static bool
is_utf8(const struct notice *r)
{
    return r->about->file.envelope.flags & ENVELOPE_UTF8;
}

/* "5 days", "4 hours": how long mail is tried. */
static const char *
life_time(const struct notice *r)
{
    long long hours = r->bounce->conf->maximal_queue_lifetime / 3600000;

    return hours >= 48 ? arena_fmt(r->about->a, "%lld days", hours / 24)
                       : arena_fmt(r->about->a, "%lld hours", hours);
}

static const struct wording *
wording_of(const struct notice *r)
{
    return r->audience == TO_POSTMASTER ? &of_report
                                        : &wordings[r->about->kind];
}

static struct str
quoted(const struct notice *r, struct str addr)
{
    return address_quote(r->about->a, addr);
}

static void
put_thread(const struct notice *r, struct buf *b)
{
    struct str id = r->about->file.envelope.message_id;

    if (!r->bounce->conf->enable_threaded_bounces || id.len == 0)
        return;
    header_put(b, "In-Reply-To", id);
    header_put(b, "References", id);
}

static void
put_header(const struct notice *r, struct produce *p, const char *boundary)
{
    struct buf b = buf_in(r->about->a);
    const struct wording *w = wording_of(r);
    struct str date = date_format(r->about->a, time(NULL));

    buf_fmt(&b, "Received: by %s (%s)\n\tid %s; %.*s\n", r->host,
            r->bounce->conf->mail_name, p->id, STR(date));
    header_put(&b, "Date", date);
    buf_fmt(&b, "From: MAILER-DAEMON@%s (Mail Delivery System)\n", r->host);
    header_put(
        &b, "Subject",
        str_from(r->audience == TO_SENDER ? w->subject : w->copy_subject));
    header_put(&b, "To", quoted(r, r->to));
    buf_add(&b, S("Auto-Submitted: auto-replied\nMIME-Version: 1.0\n"));
    buf_fmt(&b,
            "Content-Type: multipart/report; report-type=delivery-status;\n"
            "\tboundary=\"%s\"\n",
            boundary);
    buf_fmt(&b, "Message-Id: <%s.report@%s>\n", p->id, r->host);
    put_thread(r, &b);
    buf_add(&b, S("\nThis is a report in MIME format.\n"));
    queue_put(p->out, buf_str(&b));
}

static void
put_part(const struct notice *r, struct produce *p, const char *boundary,
         const char *description, const char *type)
{
    unsigned eight = ENVELOPE_8BIT | ENVELOPE_UTF8;
    struct buf b = buf_in(r->about->a);

    buf_fmt(&b, "\n--%s\nContent-Description: %s\nContent-Type: %s\n", boundary,
            description, type);
    if (r->about->file.envelope.flags & eight)
        buf_add(&b, S("Content-Transfer-Encoding: 8bit\n"));
    buf_addc(&b, '\n');
    queue_put(p->out, buf_str(&b));
}

static struct str
reason_of(const struct queue_result *result)
{
    if (result->text.len)
        return result->text;
    return result->state == QUEUE_SENT ? S("delivered") : S("not delivered");
}

/* "<user@example.org>: reason", wrapped. */
static void
put_reason(const struct notice *r, struct produce *p, const struct rcpt *rcpt,
           const struct queue_result *result)
{
    struct buf b = buf_in(r->about->a);
    struct str rest = reason_of(result), word;
    size_t column;

    buf_fmt(&b, "\n<%.*s>", STR(quoted(r, rcpt->addr)));
    if (rcpt->orig.len && !address_eq(rcpt->orig, rcpt->addr))
        buf_fmt(&b, " (expanded from <%.*s>)", STR(quoted(r, rcpt->orig)));
    buf_addc(&b, ':');
    column = b.len;
    while (str_word(&rest, " \t\r\n", &word)) {
        bool wrap = column + word.len > 76;

        buf_add(&b, wrap ? S("\n    ") : S(" "));
        column = (wrap ? 4 : column + 1) + word.len;
        buf_add(&b, word);
    }
    buf_addc(&b, '\n');
    queue_put(p->out, buf_str(&b));
}

static void
put_words(const struct notice *r, struct produce *p)
{
    const struct subject *s = r->about;
    struct buf b = buf_in(s->a);
    struct queue_cursor c = queue_rcpts(&s->file);
    struct str intro = str_from(wording_of(r)->intro), head;
    struct rcpt rcpt;

    buf_fmt(&b, "This is the mail system at %s.\n\n", r->host);
    bool timed = str_cut(&intro, '%', &head);

    buf_add(&b, head);
    if (timed)
        buf_fmt(&b, "%s%.*s", life_time(r), STR(intro));
    buf_add(&b, S("\nIf you need help, write to postmaster and attach this "
                  "report.\n"));
    queue_put(p->out, buf_str(&b));
    while (queue_next(&c, &rcpt))
        if (report_covers(r, c.next - 1, &rcpt))
            put_reason(r, p, &rcpt, &s->results[c.next - 1]);
}

/* Only a failure returns what was sent, and only to whom it belongs. */
static bool
whole_message(const struct notice *r)
{
    const struct queue_file *f = &r->about->file;

    if (r->about->kind != REPORT_FAILURE || r->audience == TO_POSTMASTER_COPY ||
        f->envelope.flags & ENVELOPE_RET_HDRS)
        return false;
    return f->at.stop - f->at.start <= r->bounce->conf->bounce_size_limit;
}

static void
put_content(const struct notice *r, struct produce *p, int64_t to)
{
    static char data[65536];
    int64_t at = r->about->file.at.start;

    while (at < to) {
        size_t want =
            to - at < (int64_t)sizeof data ? (size_t)(to - at) : sizeof data;
        ssize_t n = disk_read(r->about->fd, data, want, at);

        if (n <= 0)
            return;
        queue_put(p->out, (struct str){data, (size_t)n});
        at += n;
    }
}

/* Where the header of the message ends, in the file. */
static int64_t
header_end(const struct notice *r)
{
    static char data[HEADER_MAX];
    int64_t start = r->about->file.at.start;
    int64_t size = r->about->file.at.stop - start;
    size_t want = size < (int64_t)sizeof data ? (size_t)size : sizeof data;
    ssize_t n = disk_read(r->about->fd, data, want, start);
    struct str body;

    if (n <= 0)
        return start;
    return start + (int64_t)header_of((struct str){data, (size_t)n}, &body).len;
}

static void
put_message(const struct notice *r, struct produce *p, const char *boundary)
{
    bool utf8 = is_utf8(r);

    if (whole_message(r)) {
        put_part(r, p, boundary, "Undelivered Message",
                 utf8 ? "message/global" : "message/rfc822");
        put_content(r, p, r->about->file.at.stop);
    } else {
        put_part(r, p, boundary, "Message Headers",
                 utf8 ? "message/global-headers" : "text/rfc822-headers");
        put_content(r, p, header_end(r));
    }
}

void
compose(const struct notice *r, struct produce *p)
{
    struct arena *a = r->about->a;
    const char *boundary =
        arena_fmt(a, "%s.%lld/%s", p->id, (long long)time(NULL), r->host);
    bool utf8 = is_utf8(r);

    put_header(r, p, boundary);
    put_part(r, p, boundary, "Notification",
             utf8 ? "text/plain; charset=utf-8"
                  : "text/plain; charset=us-ascii");
    put_words(r, p);
    put_part(r, p, boundary, "Delivery report",
             utf8 ? "message/global-delivery-status"
                  : "message/delivery-status");
    queue_put(p->out, status_part(r));
    put_message(r, p, boundary);
    queue_put(p->out, str_from(arena_fmt(a, "\n--%s--\n", boundary)));
}
