/*
 * The content: DATA (RFC 5321 4.1.1.4) and BDAT (RFC 3030).
 */
#include <stdio.h>

#include "smtpd.h"

#include "base/log.h"
#include "mail/address.h"
#include "mail/command.h"
#include "mail/date.h"
#include "mail/enddata.h"
#include "mail/lines.h"

/* ---- before it ---- */

/* "ESMTP", "SMTP", "LMTP", "UTF8SMTP", with S behind it for TLS, and A where
 * the client has logged in (RFC 3848, 6531 4.3). */
static const char *
with_protocol(struct session *s)
{
    const char *name = s->server->lmtp ? "LMTP" : s->esmtp ? "ESMTP" : "SMTP";

    if (s->utf8)
        name = s->server->lmtp ? "UTF8LMTP" : "UTF8SMTP";
    if (!s->esmtp)
        return name;
    return arena_fmt(s->line, "%s%s%s", name, s->tls ? "S" : "",
                     s->client.login.len > 0 ? "A" : "");
}

/* "(Authenticated sender: alice)": nothing in it ends the comment. */
static void
add_login(struct session *s, struct buf *b)
{
    struct str login = arena_str(s->line, s->client.login);
    char *p = (char *)login.p;

    if (!s->conf->smtpd_sasl_authenticated_header || login.len == 0)
        return;
    for (size_t i = 0; i < login.len; i++)
        if (strchr("()\\", p[i]))
            p[i] = '?';
    buf_fmt(b, "\t(Authenticated sender: %.*s)\n", STR(login));
}

static struct str
received(struct session *s)
{
    const struct conf *c = s->conf;
    const struct message *m = s->message;
    struct buf b = buf_in(s->line);
    struct str helo = s->helo.len > 0 ? s->helo : s->client.name;
    struct str date = date_format(s->line, m->env.arrived / 1000000);

    if (!c->smtpd_hide_client_session || s->client.login.len == 0) {
        buf_fmt(&b, "Received: from %.*s (%.*s [%.*s])\n", STR(helo),
                STR(s->client.name),
                STR(peer_literal(s->line, s->client.addr)));
        tls_received(s, &b);
        add_login(s, &b);
        buf_fmt(&b, "\tby %s (%s) with %s", c->myhostname, c->mail_name,
                with_protocol(s));
    } else {
        buf_fmt(&b, "Received: by %s (%s)", c->myhostname, c->mail_name);
    }
    buf_fmt(&b, " id %.*s", STR(m->id));
    if (s->accepted == 1)
        buf_fmt(&b, "\n\tfor <%.*s>",
                STR(address_quote(s->line, s->first_rcpt)));
    buf_fmt(&b, "; %.*s\n", STR(date));
    return buf_str(&b);
}

static void
log_client(struct session *s)
{
    struct str none = {0};
    struct str line =
        lines_client(s->line, s->message->id, s->client.shown, s->client.method,
                     s->client.login, s->forwarded ? s->origin.shown : none);
    struct str sender = s->sender_login;
    int64_t release = s->message->env.release / 1000000;

    log_info("%.*s%s%.*s", STR(line), sender.len > 0 ? ", sasl_sender=" : "",
             STR(sender));
    if (release > 0)
        log_info("%.*s: to be sent after %.*s", STR(s->message->id),
                 STR(date_format(s->line, release)));
}

/* Mail from here may lack things that other mail must have. */
static bool
is_local(struct session *s)
{
    struct ask q = {.s = s, .stage = STAGE_CLIENT, .class = CLASS_OF_CLIENT};

    return rules_run_list(&q, s->server->rewrite_clients) == PERMIT;
}

/* A failure of ours or the content's, as a reply. */
static void
reply_why(struct session *s, const struct why *why)
{
    static const struct {
        const char *dsn;
        int code;
    } codes[] = {
        {"5.3.4", 552},
        {"4.3.1", 452},
        {"5.4.0", 554},
        {"5.5.1", 554},
        {"4.3.0", 451},
        {"4.5.3", 452},
    };
    int code = why->dsn[0] == '4' ? 450 : 550;
    bool verbatim = s->message && s->message->verbatim;

    for (size_t i = 0; i < COUNT(codes); i++)
        if (strcmp(why->dsn, codes[i].dsn) == 0)
            code = codes[i].code;

    const char *text = arena_fmt(s->line, "%d %s %s%s", code, why->dsn,
                                 verbatim ? "" : "Error: ", why->text);

    if (code == 451 || code == 452)
        reply_kindly(s, text);
    else
        reply(s, text);
}

/* One recipient is what the log and policy servers are told. */
static bool
permitted(struct session *s, enum stage stage, const char **text)
{
    bool refused;

    if (s->accepted == 1)
        s->rcpt = s->rcpt_full = s->first_rcpt;
    s->if_permit = s->if_reject = (struct deferral){0};
    refused =
        rules_run(s, stage, text) == REFUSE || rules_settle(s, text) == REFUSE;
    s->rcpt = s->rcpt_full = (struct str){0};
    return !refused;
}

/* Rules, a queue file, our fields. False: refused, *text says so. */
static bool
open_content(struct session *s)
{
    struct message *m = s->message;
    const char *text;
    struct why why;

    if (!permitted(s, STAGE_DATA, &text)) {
        reply(s, text);
        if (strncmp(text, "421", 3) == 0 || strncmp(text, "521", 3) == 0)
            s->end = "";
        return false;
    }
    if (message_open(m, &why) != OK) {
        reply_why(s, &why);
        return false;
    }
    log_client(s);
    m->local = is_local(s);
    owner_watch(s);
    for (struct words *w = m->actions.prepend; w; w = w->next)
        message_field(m, str_from(arena_fmt(s->line, "%.*s\n", STR(w->text))));
    message_field(m, received(s));
    return true;
}

/* ---- while it comes ---- */

static unsigned
scan_flags(const struct session *s, unsigned flags)
{
    if (!s->conf->cleanup_replace_stray_cr_lf)
        flags |= ENDDATA_KEEP_CR;
    if (strcmp(s->conf->smtpd_forbid_bare_newline, "no") == 0)
        flags |= ENDDATA_LAX_END;
    return flags;
}

/* With a deadline for the whole, every so many bytes buy a second more. */
static void
extend_deadline(struct session *s, int64_t began)
{
    int64_t rate = s->conf->smtpd_min_data_rate;

    if (!s->conf->smtpd_per_request_deadline)
        io_set_deadline(s->io, 0);
    else
        io_set_deadline(s->io, began + s->conf->smtpd_timeout +
                                   (rate > 0 ? s->received * 1000 / rate : 0));
}

/* Take up to `most` bytes of what has come through the scanner. */
static enum io
take_some(struct session *s, struct enddata *scan, size_t most, size_t *taken)
{
    struct str in;
    enum io got = io_peek(s->io, &in);
    size_t out_len;

    if (got != IO_OK)
        return got;
    *taken = enddata_scan(scan, str_sub(in, 0, most), s->scratch, &out_len);
    message_put(s->message, (struct str){s->scratch, out_len});
    io_skip(s->io, *taken);
    s->received += (int64_t)*taken;
    return IO_OK;
}

/* What smtpd_forbid_bare_newline wants done about bare LFs; true: refuse. */
static bool
refuse_bare_lf(struct session *s, const struct enddata *scan)
{
    const char *policy = s->conf->smtpd_forbid_bare_newline;
    struct why why;
    bool exempt = false;

    if (scan->bare_lf == 0 || strcmp(policy, "no") == 0)
        return false;
    if (match_host(s->server->bare_lf, s->client.name, s->client.addr, &exempt,
                   &why) != OK)
        log_warn("%s", why.text);
    if (exempt)
        return false;
    log_info("%.*s: %s: bare <LF> received after %s from %.*s",
             STR(s->message->id),
             strcmp(policy, "reject") == 0 ? "reject" : "note", s->where,
             STR(s->client.shown));
    return strcmp(policy, "reject") == 0;
}

/* ---- behind it ---- */

static void
reply_stored(struct session *s, bool chunks)
{
    struct str id = s->message->id;
    const char *what = chunks
                           ? arena_fmt(s->line, "Ok: %lld bytes queued as %.*s",
                                       (long long)s->received, STR(id))
                           : arena_fmt(s->line, "Ok: queued as %.*s", STR(id));

    if (!s->server->lmtp) {
        replyf(s, "250 2.0.0 %s", what);
        return;
    }
    for (const struct taken *t = s->taken; t; t = t->next)
        if (t->refusal)
            reply(s, t->refusal);
        else
            replyf(s, "250 2.0.0 <%.*s> %s", STR(t->orig), what);
}

static const struct rcpt *
find_rcpt(const struct message *m, struct str addr)
{
    for (size_t i = 0; addr.len > 0 && i < m->env.nrcpts; i++)
        if (str_eq(m->env.rcpts[i].addr, addr))
            return &m->env.rcpts[i];
    return NULL;
}

/* LMTP: a message that is larger than it was said to be may be too much for
 * some. False: there is nobody left. */
static bool
drop_full(struct session *s)
{
    struct message *m = s->message;
    const struct rcpt *r;

    if (!s->server->lmtp || *s->conf->quota_rule == '\0' ||
        m->size <= (int64_t)s->size)
        return true;
    for (struct taken *t = s->taken; t; t = t->next) {
        r = find_rcpt(m, t->addr);
        if (r == NULL || !room_is_full(s, r, m->size, t->orig, &t->refusal))
            continue;
        s->rcpt = t->orig;
        log_decision(s, "reject", t->refusal);
        s->rcpt = (struct str){0};
        message_take_back(m, t->addr);
    }
    return m->env.nrcpts > 0;
}

static void
reply_refused(struct session *s)
{
    for (const struct taken *t = s->taken; t; t = t->next)
        reply(s, t->refusal ? t->refusal : "452 4.3.0 Error: not stored");
}

/* In LMTP every recipient is told (RFC 2033 4.2). */
static void
for_each_rcpt(struct session *s, void (*say)(struct session *, const char *),
              const char *text)
{
    size_t count = s->server->lmtp ? s->accepted : 1;

    while (count-- > 0)
        say(s, text);
}

static void
close_content(struct session *s, const struct enddata *scan, bool chunks)
{
    struct message *m = s->message;
    const char *text;
    struct why why;

    s->where = "END-OF-MESSAGE";
    if (scan->eight_bit && !s->utf8)
        m->env.flags |= ENVELOPE_8BIT;
    if (refuse_bare_lf(s, scan))
        for_each_rcpt(
            s, reply,
            arena_fmt(s->line,
                      "%lld 5.5.2 %s Error: bare <LF> "
                      "received",
                      (long long)s->conf->smtpd_forbid_bare_newline_reject_code,
                      s->conf->myhostname));
    else if (message_trouble(m, &why) == OK && !permitted(s, STAGE_END, &text))
        for_each_rcpt(s, reply, text);
    else if (message_trouble(m, &why) == OK && !drop_full(s))
        reply_refused(s);
    else if (message_finish(m, &why) == OK)
        reply_stored(s, chunks);
    else
        for (size_t i = s->server->lmtp ? s->accepted : 1; i > 0; i--)
            reply_why(s, &why);
    s->junk = 0;
    session_reset(s);
    if (s->server->intake.broken && s->end == NULL)
        reply_close(s, "",
                    arena_fmt(s->line, "421 4.3.0 %s Server local error",
                              s->conf->myhostname));
}

void
do_data(struct session *s, struct str args)
{
    struct enddata scan;
    size_t taken;
    int64_t began = io_now();
    enum io got = IO_OK;

    if (args.len > 0) {
        reply(s, "501 5.5.4 Syntax: DATA");
        return;
    }
    if (!open_content(s))
        return;
    reply(s, "354 End data with <CR><LF>.<CR><LF>");
    enddata_begin(&scan, scan_flags(s, 0));
    /* What has begun may end, also where we are to stop. */
    io_set_stop(s->io, NULL);
    while (got == IO_OK && !scan.ended) {
        extend_deadline(s, began);
        got = take_some(s, &scan, SIZE_MAX, &taken);
    }
    io_set_stop(s->io, daemon_stop());
    if (got != IO_OK) {
        session_lost(s, got);
        return;
    }
    close_content(s, &scan, false);
}

/* ---- BDAT ---- */

/* A chunk that nobody wants must be taken all the same. */
static bool
skip_chunk(struct session *s, uint64_t size)
{
    struct str in;

    while (size > 0) {
        enum io got = io_peek(s->io, &in);

        if (got != IO_OK) {
            session_lost(s, got);
            return false;
        }
        in = str_sub(in, 0, size);
        io_skip(s->io, in.len);
        size -= in.len;
    }
    return true;
}

/* Refuse this chunk and all that follow, until RSET. */
static void
refuse_chunk(struct session *s, uint64_t size, const char *text)
{
    if (!skip_chunk(s, size))
        return;
    if (s->message) {
        s->bdat_failed = true;
        s->state = STATE_BDAT;
    }
    reply(s, text);
}

static const char *
chunk_trouble(struct session *s, uint64_t size, bool last)
{
    int64_t limit = s->conf->message_size_limit;

    if (s->bdat_failed)
        return arena_fmt(s->line,
                         "551 5.0.0 Discarded %llu bytes after earlier error",
                         (unsigned long long)size);
    if (s->state & (STATE_NEW | STATE_READY))
        return "503 5.5.1 Error: need RCPT command";
    if (s->state == STATE_MAIL)
        return s->tried > 0 ? "554 5.5.1 Error: no valid recipients"
                            : "503 5.5.1 Error: need RCPT command";
    if (limit > 0 &&
        (size > (uint64_t)limit || s->received + (int64_t)size > limit)) {
        log_warn("%.*s: BDAT request from %.*s exceeds message size limit",
                 STR(s->message->id), STR(s->client.shown));
        return "552 5.3.4 Chunk exceeds message size limit";
    }
    if (size == 0 && !last) {
        log_warn("%.*s: null BDAT request from %.*s", STR(s->message->id),
                 STR(s->client.shown));
        return "551 5.7.1 Null BDAT request";
    }
    return NULL;
}

/* The first chunk of a message, where DATA would be. */
static bool
begin_chunks(struct session *s, uint64_t size)
{
    if (s->state == STATE_BDAT)
        return true;
    if (!open_content(s)) {
        s->bdat_failed = true;
        s->state = STATE_BDAT;
        skip_chunk(s, size);
        return false;
    }
    s->state = STATE_BDAT;
    s->bdat = arena_make(s->mail, struct enddata);
    enddata_begin(s->bdat, scan_flags(s, ENDDATA_COUNTED));
    return true;
}

static bool
take_chunk(struct session *s, uint64_t size)
{
    int64_t began = io_now();

    while (size > 0) {
        size_t taken;
        enum io got;

        extend_deadline(s, began);
        got = take_some(s, s->bdat, size, &taken);
        if (got != IO_OK) {
            session_lost(s, got);
            return false;
        }
        size -= taken;
    }
    return true;
}

static void
end_chunks(struct session *s)
{
    struct enddata scan = *s->bdat;
    size_t len = enddata_finish(&scan, s->scratch);

    message_put(s->message, (struct str){s->scratch, len});
    close_content(s, &scan, true);
}

void
do_bdat(struct session *s, struct str args)
{
    const char *text;
    uint64_t size;
    bool last;

    /* Without its length nobody knows where the next command is. */
    if (s->esmtp && !(s->offered & SMTP_CHUNKING)) {
        reply_close(s, "", "521 5.5.1 Error: command not implemented");
        return;
    }
    if (!command_bdat(args, &size, &last)) {
        log_warn("malformed BDAT command syntax from %.*s: %.*s",
                 STR(s->client.shown), STR(str_sub(args, 0, 100)));
        reply_close(s, "", "521 5.5.4 Syntax: BDAT count [LAST]");
        return;
    }
    text = chunk_trouble(s, size, last);
    if (text) {
        refuse_chunk(s, size, text);
        return;
    }
    if (!begin_chunks(s, size) || !take_chunk(s, size))
        return;
    if (last)
        end_chunks(s);
    else
        replyf(s, "250 2.0.0 Ok: %llu bytes", (unsigned long long)size);
}
