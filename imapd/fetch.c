#include "fetch.h"

#include <time.h>

#include "access/fields.h"
#include "mail/imap_text.h"
#include "mail/preview.h"
#include "sys/charsets.h"
#include "write.h"

/* Bytes, before it is asked whether to go on: sent, or only counted. */
#define SEND_SOME   32768
#define DECODE_SOME ((size_t)1 << 19)

static void
put_head(struct fetching *f)
{
    bool uidonly = f->s->enabled & ENABLED_UIDONLY;

    conn_put(f->s->conn, S("* "));
    say_number(f->s, uidonly ? f->m.uid : f->seq);
    conn_put(f->s->conn, uidonly ? S(" UIDFETCH (") : S(" FETCH ("));
}

/* A response has at least one item; with none that can be had there is none. */
static void
put(struct fetching *f, const char *name)
{
    if (f->first)
        put_head(f);
    else
        conn_put(f->s->conn, S(" "));
    conn_put(f->s->conn, str_from(name));
    f->first = false;
}

/* ---- items that the index has */

static void
put_item_flags(struct fetching *f)
{
    struct buf b = buf_in(f->item);
    const struct keywords *names;
    struct why why;

    put(f, "FLAGS ");
    if (f->m.keywords && mailbox_keywords(f->s->box, &names, &why) != OK)
        f->m.keywords = 0;
    put_flags(&b, f->m.flags, f->m.keywords, f->m.keywords ? names : NULL,
              session_has_recent(f->s, f->m.uid));
    conn_put(f->s->conn, buf_str(&b));
    f->has_flags = true;
}

static enum rc
need_dates(struct fetching *f, struct why *why)
{
    bool known = f->m.saved != 0;
    enum rc rc = mailbox_dates(f->s->box, &f->m, why);

    if (!known && rc == OK) {
        f->o.size = f->m.size;
        f->o.vsize = f->m.vsize;
    }
    return rc;
}

static enum rc
put_date(struct fetching *f, enum fetch_kind kind, struct why *why)
{
    bool saved = kind == FETCH_SAVEDATE;
    struct buf b = buf_in(f->item);
    struct tm tm = {0};
    enum rc rc = need_dates(f, why);

    if (rc != OK)
        return rc;
    time_t t = saved ? f->m.saved : f->m.date;

    localtime_r(&t, &tm);
    put_date_time(&b, t, (int)(tm.tm_gmtoff / 60));
    put(f, saved ? "SAVEDATE " : "INTERNALDATE ");
    conn_put(f->s->conn, buf_str(&b));
    return OK;
}

static void
put_id(struct fetching *f, const char *name, char letter)
{
    struct buf b = buf_in(f->item);

    put(f, name);
    for (size_t i = 0; i < sizeof f->m.id; i++)
        buf_fmt(&b, "%02x", f->m.id[i]);
    say(f->s, " (%c%s)", letter, buf_str(&b).p);
}

/* ---- items that the message has */

/* What takes long is made in steps: the item is begun again until it is there.
 * It has written nothing yet. */
static enum rc
wait_for_it(struct fetching *f, struct why *why)
{
    f->waiting = true;
    return fail(why, "4.3.0", "not made yet");
}

static enum rc
need_structure(struct fetching *f, struct why *why)
{
    enum rc rc = message_structure_some(f->message, &f->o, why);

    return rc != OK || f->o.has_structure ? rc : wait_for_it(f, why);
}

static enum rc
need_bytes(struct fetching *f, struct why *why)
{
    enum rc rc = f->o.bytes.p ? OK : message_bytes(&f->o, why);

    return rc == OK ? need_structure(f, why) : rc;
}

/* What an item is made of, ahead of it. */
static enum rc
prepare(struct fetching *f, const struct fetch_item *i, struct why *why)
{
    switch (i->kind) {
    case FETCH_INTERNALDATE:
    case FETCH_SAVEDATE:
        return need_dates(f, why);
    case FETCH_ENVELOPE:
    case FETCH_BODY:
    case FETCH_BODY_STRUCTURE:
        return need_structure(f, why);
    case FETCH_SECTION:
        return i->kept ? OK : need_bytes(f, why);
    case FETCH_BINARY:
    case FETCH_BINARY_SIZE:
    case FETCH_RFC822:
    case FETCH_RFC822_HEADER:
    case FETCH_RFC822_TEXT:
        return need_bytes(f, why);
    default:
        return OK;
    }
}

/* The index may believe a file's name: where another item reads the file, the
 * size is told of that. */
static enum rc
put_size(struct fetching *f, struct why *why)
{
    enum rc rc = OK;

    for (size_t i = 0; rc == OK && i < f->count; i++)
        rc = prepare(f, &f->items[i], why);
    if (rc == OK && f->o.vsize == 0)
        rc = mailbox_vsize(f->s->box, f->m.uid, &f->o.vsize, why);
    if (rc == OK) {
        put(f, "RFC822.SIZE ");
        say_number(f->s, f->o.vsize);
    }
    return rc;
}

static enum rc
put_structure(struct fetching *f, enum fetch_kind kind, struct why *why)
{
    struct buf b = buf_in(f->item);
    unsigned flags = f->s->enabled & ENABLED_REV2 ? STRUCTURE_REV2 : 0;
    bool extended = kind == FETCH_BODY_STRUCTURE;
    enum rc rc = need_structure(f, why);

    if (rc != OK)
        return rc;
    if (kind == FETCH_ENVELOPE) {
        put(f, "ENVELOPE ");
        say_wide(f->s, f->item, f->o.s.parts[0].envelope);
        return OK;
    }
    put(f, extended ? "BODYSTRUCTURE " : "BODY ");
    structure_put_body(&f->o.s, flags | (extended ? STRUCTURE_EXTENDED : 0),
                       &b);
    say_wide(f->s, f->item, buf_str(&b));
    return OK;
}

static enum rc
put_preview(struct fetching *f, bool lazy, struct why *why)
{
    struct buf b = buf_in(f->item);
    struct mailbox_blob keep = {.uid = f->m.uid, .kind = BLOB_PREVIEW};
    struct str text;

    if (mailbox_blob(f->s->box, f->m.uid, BLOB_PREVIEW, f->item, &text, why) !=
            OK ||
        text.p == NULL) {
        if (lazy && f->o.bytes.p == NULL) {
            put(f, "PREVIEW NIL"); /* RFC 8970 4.1: no file is read for it */
            return OK;
        }
        enum rc rc = need_bytes(f, why);

        if (rc != OK)
            return rc;
        text = preview(f->item, f->o.bytes, &f->o.s, f->s->imap->charsets);
        keep.data = text;
        /* Without it, it is only slower. */
        (void)!mailbox_keep(f->s->box, &keep, 1, why);
    }
    put(f, "PREVIEW ");
    imap_put_string(&b, text);
    say_wide(f->s, f->item, buf_str(&b));
    return OK;
}

static void
put_name(struct fetching *f, const struct fetch_item *i)
{
    struct buf b = buf_in(f->item);

    put_fetch_name(&b, i);
    put(f, buf_str(&b).p);
}

static void
begin_run(struct fetching *f, struct run run)
{
    conn_put(f->s->conn, S(" {"));
    say_number(f->s, run.size);
    conn_put(f->s->conn, S("}\r\n"));
    f->run = run;
    f->sending = FETCH_RUN;
}

static void
count_sent(struct fetching *f, bool header, uint64_t bytes)
{
    struct tally *t = &f->s->tally;

    ++*(header ? &t->headers : &t->bodies);
    *(header ? &t->header_bytes : &t->body_bytes) += bytes;
}

static bool
is_header(enum section_text text)
{
    return text != SECTION_ALL && text != SECTION_TEXT;
}

/* Selected header fields, all of which the index keeps. */
static enum rc
put_kept(struct fetching *f, const struct fetch_item *i, struct why *why)
{
    struct str header;
    struct run run;
    enum rc rc = fields_of(f->item, &f->o, &header, why);

    if (rc != OK)
        return rc;
    run = section_fields(f->item, header, &i->section);
    put_name(f, i);
    begin_run(f, run);
    count_sent(f, true, run.size);
    return OK;
}

static enum rc
put_section(struct fetching *f, const struct fetch_item *i, struct why *why)
{
    static const struct {
        enum fetch_kind kind;
        enum section_text text;
    } old[] = {
        {FETCH_RFC822,        SECTION_ALL   },
        {FETCH_RFC822_HEADER, SECTION_HEADER},
        {FETCH_RFC822_TEXT,   SECTION_TEXT  },
    };
    struct section section = i->section;
    struct run run;
    enum rc rc = need_bytes(f, why);

    if (rc != OK)
        return rc;
    for (size_t k = 0; k < COUNT(old); k++)
        if (old[k].kind == i->kind)
            section = (struct section){.text = old[k].text};
    bool found = section_find(f->item, f->o.bytes, &f->o.s, &section, &run);

    put_name(f, i);
    if (!found) {
        say(f->s, " NIL");
        return OK;
    }
    if (i->partial)
        run_cut(&run, f->o.bytes, &f->o.s, i->offset, i->length);
    begin_run(f, run);
    count_sent(f, is_header(section.text), run.size);
    return OK;
}

/* How many bytes a part has without its encoding. */
static enum rc
need_size(struct fetching *f, const struct structure_part *p, struct why *why)
{
    struct str piece;

    if (!f->decoded.open) {
        body_open(f->item, f->o.bytes, &f->o.s, p, &f->body);
        f->decoded.open = true;
        f->decoded.size = 0;
        f->decoded.known = body_known_size(&f->body, &f->decoded.size);
    }
    for (size_t some = 0; !f->decoded.known && some < DECODE_SOME;
         some += piece.len) {
        f->decoded.known = !body_next(&f->body, &piece);
        f->decoded.size += piece.len;
    }
    if (!f->decoded.known)
        return wait_for_it(f, why);
    body_close(&f->body);
    f->decoded.open = f->decoded.known = false;
    return OK;
}

/* RFC 3516. What is asked for in pieces is decoded up to there. */
static enum rc
put_binary(struct fetching *f, const struct fetch_item *i, struct why *why)
{
    bool size_only = i->kind == FETCH_BINARY_SIZE;
    enum rc rc = need_bytes(f, why);

    if (rc != OK)
        return rc;
    const struct structure_part *p =
        section_part(&f->o.s, i->section.numbers, i->section.depth);

    if (p && i->section.depth > 0 && !body_is_known(p))
        return fail(why, "5.6.1", "the encoding of a part is not known");
    bool whole = i->section.depth == 0;

    if (p && !whole && (rc = need_size(f, p, why)) != OK)
        return rc;
    put_name(f, i);
    if (p == NULL) {
        say(f->s, size_only ? " 0" : " NIL");
        return OK;
    }
    uint64_t size = whole ? f->o.s.size + f->o.s.bare : f->decoded.size;

    if (size_only) {
        say(f->s, " %llu", (unsigned long long)size);
        return OK;
    }
    f->skip = i->partial ? i->offset : 0;
    f->skip = f->skip < size ? f->skip : size;
    f->left = size - f->skip;
    if (i->partial && f->left > i->length)
        f->left = i->length;
    say(f->s, " ~{%llu}\r\n", (unsigned long long)f->left);
    count_sent(f, false, f->left);
    if (whole)
        body_open_message(f->item, f->o.bytes, &f->o.s, &f->body);
    else
        body_open(f->item, f->o.bytes, &f->o.s, p, &f->body);
    f->sending = FETCH_DECODED;
    return OK;
}

static enum rc
put_item(struct fetching *f, const struct fetch_item *i, struct why *why)
{
    switch (i->kind) {
    case FETCH_FLAGS:
        put_item_flags(f);
        return OK;
    case FETCH_INTERNALDATE:
    case FETCH_SAVEDATE:
        return put_date(f, i->kind, why);
    case FETCH_UID:
        put(f, "UID ");
        say_number(f->s, f->m.uid);
        return OK;
    case FETCH_MODSEQ:
        put(f, "MODSEQ (");
        say_number(f->s, f->m.modseq);
        conn_put(f->s->conn, S(")"));
        return OK;
    case FETCH_EMAILID:
        put_id(f, "EMAILID", 'M');
        return OK;
    case FETCH_THREADID:
        put(f, "THREADID NIL");
        return OK;
    case FETCH_RFC822_SIZE:
        return put_size(f, why);
    case FETCH_ENVELOPE:
    case FETCH_BODY:
    case FETCH_BODY_STRUCTURE:
        return put_structure(f, i->kind, why);
    case FETCH_PREVIEW:
        return put_preview(f, i->lazy, why);
    case FETCH_BINARY:
    case FETCH_BINARY_SIZE:
        return put_binary(f, i, why);
    case FETCH_SECTION:
        return i->kept ? put_kept(f, i, why) : put_section(f, i, why);
    case FETCH_RFC822:
    case FETCH_RFC822_HEADER:
    case FETCH_RFC822_TEXT:
        return put_section(f, i, why);
    }
    return OK;
}

/* ---- literals, as there is room for them */

/* A span may be as short as a line; the time is not asked for each. */
static void
send_run(struct fetching *f)
{
    struct str span;

    while (session_may_go_on(f->s))
        for (size_t sent = 0; sent < SEND_SOME; sent += span.len) {
            if (!run_next(&f->run, &span)) {
                f->sending = FETCH_NO_LITERAL;
                return;
            }
            conn_put(f->s->conn, span);
        }
}

static void
send_decoded(struct fetching *f)
{
    struct str piece;

    while (session_may_go_on(f->s)) {
        if (f->left == 0 || !body_next(&f->body, &piece)) {
            body_close(&f->body);
            f->sending = FETCH_NO_LITERAL;
            return;
        }
        size_t skip = f->skip < piece.len ? (size_t)f->skip : piece.len;

        piece = str_sub(piece, skip, piece.len);
        f->skip -= skip;
        if (piece.len > f->left)
            piece = str_sub(piece, 0, (size_t)f->left);
        f->left -= piece.len;
        conn_put(f->s->conn, piece);
    }
}

/* ---- a whole response */

void
fetch_begin(struct fetching *f, struct session *s, struct arena *message,
            struct arena *item, const struct fetch_item *items, size_t count,
            uint32_t seq, const struct message *m)
{
    *f = (struct fetching){
        .s = s,
        .message = message,
        .item = item,
        .items = items,
        .count = count,
        .seq = seq,
        .m = *m,
        .o = {.uid = m->uid,
              .box = s->box,
              .charsets = s->imap->charsets,
              .size = m->size,
              .vsize = m->vsize},
        .first = true
    };
    arena_reset(message);
}

/* Behind one that could not be had, all but what goes with flags. */
static bool
skipped(const struct fetching *f)
{
    return f->failed && f->items[f->next].kind != FETCH_MODSEQ;
}

bool
fetch_go_on(struct fetching *f, struct why *why)
{
    struct why trouble;

    for (;;) {
        if (f->sending == FETCH_RUN)
            send_run(f);
        else if (f->sending == FETCH_DECODED)
            send_decoded(f);
        if (f->sending != FETCH_NO_LITERAL)
            return false;
        if (f->next == f->count)
            break;
        if (!f->waiting)
            arena_reset(f->item);
        f->waiting = false;
        bool good =
            skipped(f) || put_item(f, &f->items[f->next], &trouble) == OK;

        if (f->waiting)
            return false;
        f->next++;
        if (!good) {
            f->failed = true;
            *why = trouble;
        }
        if (!session_may_go_on(f->s))
            return false;
    }
    if (f->seen_now && !f->has_flags)
        put_item_flags(f);
    if (!f->first)
        conn_put(f->s->conn, S(")\r\n"));
    return true;
}

void
fetch_end(struct fetching *f)
{
    if (f->sending == FETCH_DECODED || f->decoded.open)
        body_close(&f->body);
    message_close(&f->o);
}
