#include "write.h"

#include <time.h>

#include "mail/imap_text.h"
#include "set.h"

/* ---- dates ---- */

void
put_date_time(struct buf *b, int64_t seconds, int zone)
{
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t local = (time_t)(seconds + zone * 60);
    int distance = zone < 0 ? -zone : zone;
    struct tm tm;

    /* The grammar has four digits for the year. */
    if (gmtime_r(&local, &tm) == NULL || tm.tm_year < -1900 ||
        tm.tm_year > 9999 - 1900) {
        local = 0;
        gmtime_r(&local, &tm);
    }
    buf_fmt(b, "\"%02d-%s-%04d %02d:%02d:%02d %c%02d%02d\"", tm.tm_mday,
            months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
            tm.tm_sec, zone < 0 ? '-' : '+', distance / 60 % 100,
            distance % 60);
}

/* ---- FETCH ---- */

static void
put_section(struct buf *b, const struct section *s)
{
    static const char *const texts[] = {
        [SECTION_ALL] = "",
        [SECTION_HEADER] = "HEADER",
        [SECTION_FIELDS] = "HEADER.FIELDS",
        [SECTION_FIELDS_NOT] = "HEADER.FIELDS.NOT",
        [SECTION_TEXT] = "TEXT",
        [SECTION_MIME] = "MIME",
    };

    buf_addc(b, '[');
    for (size_t i = 0; i < s->depth; i++)
        buf_fmt(b, "%s%u", i ? "." : "", s->numbers[i]);
    if (s->depth > 0 && s->text != SECTION_ALL)
        buf_addc(b, '.');
    buf_add(b, str_from(texts[s->text]));
    for (size_t i = 0; i < s->count; i++) {
        buf_add(b, i ? S(" ") : S(" ("));
        imap_put_astring(b, s->fields[i]);
    }
    buf_add(b, s->count ? S(")]") : S("]"));
}

void
put_fetch_name(struct buf *b, const struct fetch_item *item)
{
    static const char *const names[] = {
        [FETCH_ENVELOPE] = "ENVELOPE",
        [FETCH_FLAGS] = "FLAGS",
        [FETCH_INTERNALDATE] = "INTERNALDATE",
        [FETCH_UID] = "UID",
        [FETCH_BODY_STRUCTURE] = "BODYSTRUCTURE",
        [FETCH_BODY] = "BODY",
        [FETCH_SECTION] = "BODY",
        [FETCH_BINARY] = "BINARY",
        [FETCH_BINARY_SIZE] = "BINARY.SIZE",
        [FETCH_RFC822] = "RFC822",
        [FETCH_RFC822_HEADER] = "RFC822.HEADER",
        [FETCH_RFC822_SIZE] = "RFC822.SIZE",
        [FETCH_RFC822_TEXT] = "RFC822.TEXT",
        [FETCH_MODSEQ] = "MODSEQ",
        [FETCH_PREVIEW] = "PREVIEW",
        [FETCH_EMAILID] = "EMAILID",
        [FETCH_THREADID] = "THREADID",
        [FETCH_SAVEDATE] = "SAVEDATE",
    };

    buf_add(b, str_from(names[item->kind]));
    if (item->kind == FETCH_SECTION || item->kind == FETCH_BINARY ||
        item->kind == FETCH_BINARY_SIZE)
        put_section(b, &item->section);
    if (item->partial)
        buf_fmt(b, "<%llu>", (unsigned long long)item->offset);
}

/* ---- SEARCH ---- */

void
partial_range(const struct partial *p, size_t count, size_t *from, size_t *to)
{
    size_t low = p->from - 1, high = p->to;

    if (high > count)
        high = count;
    if (low > high)
        low = high;
    *from = p->from_end ? count - high : low;
    *to = p->from_end ? count - low : high;
}

static void
put_numbers(struct buf *b, const uint32_t *numbers, size_t count)
{
    struct set_writer w = {.out = b};

    for (size_t i = 0; i < count; i++)
        set_write(&w, numbers[i]);
    set_write_end(&w);
}

/* " PARTIAL (1:10 3,5)" */
static void
put_partial(struct buf *b, const struct partial *p, const struct found *found)
{
    const char *minus = p->from_end ? "-" : "";
    size_t from, to;

    partial_range(p, found->count, &from, &to);
    buf_fmt(b, " PARTIAL (%s%u:%s%u ", minus, p->from, minus, p->to);
    if (from < to)
        put_numbers(b, found->numbers + from, to - from);
    else
        buf_add(b, S("NIL"));
    buf_addc(b, ')');
}

static void
put_esearch(struct buf *b, const struct command *c, const struct found *found)
{
    unsigned returns = c->search.returns;
    size_t count = found->count;

    buf_add(b, S("* ESEARCH (TAG "));
    imap_put_string(b, c->tag);
    if (found->mailbox.len > 0) {
        buf_add(b, S(" MAILBOX "));
        buf_add(b, found->mailbox);
        buf_fmt(b, " UIDVALIDITY %u", found->uidvalidity);
    }
    buf_addc(b, ')');
    /* RFC 7377 2.1: ESEARCH tells UIDs, whatever was asked. */
    if (c->uid || c->id == COMMAND_ESEARCH)
        buf_add(b, S(" UID"));
    /* Of SORT, the first and the last (RFC 5267 3.1). */
    if (returns & RETURN_MIN && count > 0)
        buf_fmt(b, " MIN %u", found->numbers[0]);
    if (returns & RETURN_MAX && count > 0)
        buf_fmt(b, " MAX %u", found->numbers[count - 1]);
    if (returns & RETURN_COUNT)
        buf_fmt(b, " COUNT %zu", count);
    if (returns & RETURN_ALL && count > 0) {
        buf_add(b, S(" ALL "));
        put_numbers(b, found->numbers, count);
    }
    if (c->search.partial.asked)
        put_partial(b, &c->search.partial, found);
    if (found->modseq && count > 0)
        buf_fmt(b, " MODSEQ %llu", (unsigned long long)found->modseq);
    buf_add(b, S("\r\n"));
}

void
put_found(struct buf *b, const struct command *c, const struct found *found)
{
    bool sort = c->id == COMMAND_SORT || c->id == COMMAND_UID_SORT;

    if (c->search.extended) {
        /* RFC 5182 2.1: SAVE alone says nothing. */
        if (c->search.returns != RETURN_SAVE || c->search.partial.asked)
            put_esearch(b, c, found);
        return;
    }
    buf_add(b, sort ? S("* SORT") : S("* SEARCH"));
    for (size_t i = 0; i < found->count; i++) {
        buf_addc(b, ' ');
        buf_num(b, found->numbers[i]);
    }
    if (found->modseq && found->count > 0)
        buf_fmt(b, " (MODSEQ %llu)", (unsigned long long)found->modseq);
    buf_add(b, S("\r\n"));
}
