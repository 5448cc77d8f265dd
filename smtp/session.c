#include "session.h"

#include "base/log.h"
#include "start_tls.h"
#include "sys/sock.h"

#define LINE_MAX_REPLY ((size_t)8192)

static const struct phase_row {
    const char *doing; /* "lost connection ... while" */
    const char *asked; /* "in reply to" */
    size_t limit;      /* place of its time limit in struct settings */
} phases[] = {
#define ROW(phase, doing, asked, limit)                                        \
    [PHASE_##phase] = {doing, asked, offsetof(struct settings, limit)}
    ROW(GREETING, "receiving the initial server greeting", "connection",
        helo_timeout),
    ROW(EHLO, "performing the EHLO handshake", "EHLO command", helo_timeout),
    ROW(HELO, "performing the HELO handshake", "HELO command", helo_timeout),
    ROW(LHLO, "performing the LHLO handshake", "LHLO command", helo_timeout),
    ROW(STARTTLS, "receiving the STARTTLS response", "STARTTLS command",
        starttls_timeout),
    ROW(XFORWARD_NAME, "sending XFORWARD name/address",
        "XFORWARD name/address command", xforward_timeout),
    ROW(XFORWARD_PROTO, "sending XFORWARD protocol/helo_name",
        "XFORWARD helo/protocol command", xforward_timeout),
    ROW(MAIL, "sending MAIL FROM", "MAIL FROM command", mail_timeout),
    ROW(RCPT, "sending RCPT TO", "RCPT TO command", rcpt_timeout),
    ROW(DATA, "sending DATA command", "DATA command", data_init_timeout),
    ROW(BODY, "sending message body", "message body", data_xfer_timeout),
    ROW(BDAT, "sending message body", "BDAT command", data_done_timeout),
    ROW(DOT, "sending end of data -- message may be sent more than once",
        "end of DATA command", data_done_timeout),
    ROW(RSET, "sending RSET", "RSET command", rset_timeout),
    ROW(QUIT, "sending QUIT", "QUIT command", quit_timeout),
#undef ROW
};

const char *
phase_asked(enum phase phase)
{
    return phases[phase].asked;
}

static int64_t
limit_of(const struct session *s, enum phase phase)
{
    const char *settings = (const char *)s->settings;
    int64_t limit;

    memcpy(&limit, settings + phases[phase].limit, sizeof limit);
    return limit;
}

bool
session_offers(const struct session *s, unsigned extension)
{
    return s->server.offers & extension;
}

size_t
session_rcpt_limit(const struct session *s)
{
    uint64_t most = s->server.rcptmax;

    if (s->settings->single)
        return 1;
    return session_offers(s, SMTP_LIMITS) && most > 0 ? (size_t)most : SIZE_MAX;
}

enum rc
session_lost(struct session *s, enum io io, enum phase phase, struct trouble *t)
{
    *t = (struct trouble){0};
    s->dead = true;
    if (io == IO_TIMEOUT)
        return fail(&t->why, "4.4.2", "conversation with %s timed out while %s",
                    s->name, phases[phase].doing);
    return fail(&t->why, "4.4.2", "lost connection with %s while %s", s->name,
                phases[phase].doing);
}

/* What is no reply. Behind pipelined commands nobody knows which of them it
 * is about, so the conversation is over. */
static enum rc
garbage(struct session *s, struct str line, struct trouble *t)
{
    const char *kind = s->settings->lmtp ? "LMTP" : "SMTP";

    *t = (struct trouble){0};
    s->dead = true;
    line = str_sub(line, 0, 100);
    log_warn("non-%s response from %s: %.*s", kind, s->relay, STR(line));
    return fail(&t->why, "4.5.0", "non-%s response from %s: %.*s", kind,
                s->name, STR(line));
}

/* smtp_reply_filter may know better what the server means. */
static enum rc
filter_line(struct session *s, struct arena *a, struct str *line,
            struct trouble *t)
{
    struct str value;

    if (s->settings->reply_filter == NULL)
        return OK;
    *t = (struct trouble){0};
    if (maps_get(s->settings->reply_filter, *line, a, &value, &t->why) != OK) {
        s->dead = true;
        return TEMP;
    }
    if (value.p)
        *line = value;
    return OK;
}

/* A line of the reply to EHLO, behind the first. */
static void
take_extension(struct session *s, struct str line)
{
    struct str text;
    int code;

    if (s->reply.lines > 1 && smtp_reply_line(line, &code, &text) != SMTP_BAD)
        smtp_server_line(s->arena, &s->server, text);
}

static enum rc
read_reply(struct session *s, enum phase phase, struct arena *a,
           bool extensions, struct trouble *t)
{
    enum smtp_part part = SMTP_MORE;

    smtp_reply_begin(&s->reply, a);
    s->limit = limit_of(s, phase);
    io_set_deadline(s->io, s->limit > 0 ? io_now() + 2 * s->limit : 0);
    while (part == SMTP_MORE) {
        struct str line = {0};
        enum io io = io_line(s->io, LINE_MAX_REPLY, &line, NULL);

        if (io == IO_LONG)
            return garbage(s, S("a line that is too long"), t);
        if (io != IO_OK)
            return session_lost(s, io, phase, t);
        if (filter_line(s, a, &line, t) != OK)
            return TEMP;
        part = smtp_reply_add(&s->reply, line);
        if (part == SMTP_BAD)
            return garbage(s, line, t);
        if (extensions)
            take_extension(s, line);
    }
    return OK;
}

enum rc
session_reply(struct session *s, enum phase phase, struct arena *a,
              struct trouble *t)
{
    return read_reply(s, phase, a, false, t);
}

/* The server's words as trouble. Their end, which says what they answer, must
 * fit, however long they are. */
static enum rc
blame(const struct session *s, struct arena *a, const char *verb,
      const char *end, struct trouble *t)
{
    const struct smtp_reply *r = &s->reply;
    struct str text = {r->text.p, r->text.len};
    bool odd = r->dsn[0] != '4' && r->dsn[0] != '5';
    const char *before = odd ? "Protocol error: " : "";
    size_t frame = strlen(before) + strlen(s->name) + strlen(verb) +
                   strlen(end) + sizeof "host  : ";
    size_t room = sizeof t->why.text > frame ? sizeof t->why.text - frame : 0;

    *t = (struct trouble){.remote = arena_str(a, s->host),
                          .reply = arena_str(a, text)};
    text = str_sub(text, 0, room);
    return fail(&t->why, odd ? "5.5.0" : r->dsn, "%shost %s %s: %.*s%s", before,
                s->name, verb, STR(text), end);
}

enum rc
session_refused(const struct session *s, enum phase phase, struct arena *a,
                struct trouble *t)
{
    return blame(s, a, "said",
                 arena_fmt(a, " (in reply to %s)", phases[phase].asked), t);
}

static enum rc
wont_talk(const struct session *s, struct arena *a, struct trouble *t)
{
    return blame(s, a, "refused to talk to me", "", t);
}

/* The words of the greeting: ours among them, or "ESMTP"? */
static bool
says_esmtp(const struct session *s)
{
    struct str rest = {s->reply.text.p, s->reply.text.len}, word;
    bool esmtp = false;

    for (size_t n = 0; str_word(&rest, " \t-", &word); n++) {
        if (n == 1 && s->may_loop &&
            str_ieq(word, str_from(s->settings->myhostname)))
            log_warn("host %s greeted me with my own hostname %s", s->relay,
                     s->settings->myhostname);
        esmtp |= str_ieq(word, S("ESMTP"));
    }
    return esmtp;
}

static enum rc
greeting(struct session *s, struct arena *a, bool *esmtp, struct trouble *t)
{
    const struct settings *st = s->settings;

    if (session_reply(s, PHASE_GREETING, a, t) != OK)
        return TEMP;
    if (s->reply.code / 100 != 2) {
        if (s->reply.code / 100 == 5 && st->skip_5xx_greeting)
            s->reply.dsn[0] = '4';
        return wont_talk(s, a, t);
    }
    *esmtp = says_esmtp(s) || st->always_send_ehlo;
    if (st->never_send_ehlo)
        *esmtp = false;
    return OK;
}

/* A server that has our name is us, whatever the tables say. */
static enum rc
check_self(struct session *s, struct str nexthop, struct trouble *t)
{
    struct str rest = {s->reply.text.p, s->reply.text.len}, word = {0};

    str_word(&rest, " \t-", &word);
    str_word(&rest, " \t", &word);
    if (!s->may_loop || !str_ieq(word, str_from(s->settings->myhostname)))
        return OK;
    log_warn("host %s replied to HELO/EHLO with my own hostname %s", s->relay,
             s->settings->myhostname);
    *t = (struct trouble){0};
    return fail(&t->why, s->best ? "5.4.6" : "4.4.6",
                "mail for %.*s loops back to myself", STR(nexthop));
}

/* The words not to listen to: of all servers, or of this one. */
static void
discard_offers(struct session *s, struct arena *a)
{
    const struct settings *st = s->settings;
    struct str words = str_from(st->discard), own = {0};
    char address[SOCK_TEXT_MAX];
    unsigned port;
    struct why why;

    if (st->discard_by_address) {
        sock_text((const struct sockaddr *)&s->sa, address, &port);
        if (maps_get(st->discard_by_address, str_from(address), a, &own,
                     &why) != OK)
            log_warn("%s", why.text);
        words = own.p ? own : words;
    }
    unsigned bits = smtp_extension_list(words);

    if ((s->server.offers & bits) && str_search(words, S("silent")) < 0)
        log_info("discarding EHLO keywords: %.*s", STR(words));
    s->server.offers &= ~bits;
}

static void
take_offers(struct session *s, struct arena *a)
{
    discard_offers(s, a);
    if (!session_offers(s, SMTP_SIZE))
        s->server.size = 0;
    if (session_offers(s, SMTP_UTF8) && !session_offers(s, SMTP_EIGHT_BIT)) {
        log_info("host %s offers SMTPUTF8 support, but not 8BITMIME", s->name);
        s->server.offers |= SMTP_EIGHT_BIT;
    }
}

static enum rc
say_hello(struct session *s, enum phase phase, const char *verb,
          struct arena *a, struct trouble *t)
{
    io_fmt(s->io, "%s %s\r\n", verb, s->settings->helo_name);
    return read_reply(s, phase, a, phase != PHASE_HELO, t);
}

/* EHLO or LHLO, or else HELO; what the server offers. */
static enum rc
introduce(struct session *s, struct arena *a, bool esmtp, struct str nexthop,
          struct trouble *t)
{
    bool lmtp = s->settings->lmtp;

    s->server = (struct smtp_server){0};
    if (lmtp || esmtp) {
        if (say_hello(s, lmtp ? PHASE_LHLO : PHASE_EHLO, lmtp ? "LHLO" : "EHLO",
                      a, t) != OK)
            return TEMP;
        esmtp = s->reply.code / 100 == 2;
        if (!esmtp && (lmtp || s->reply.code == 421))
            return wont_talk(s, a, t);
    }
    if (!esmtp) {
        s->server = (struct smtp_server){0};
        if (say_hello(s, PHASE_HELO, "HELO", a, t) != OK)
            return TEMP;
        if (s->reply.code / 100 != 2)
            return wont_talk(s, a, t);
        return OK;
    }
    if (check_self(s, nexthop, t) != OK)
        return rc_of(t->why.dsn);
    take_offers(s, a);
    return OK;
}

/* CVE-2009-3555: an attacker may have begun the TLS session with commands of
 * his own, and the server's replies to them wait here. */
static enum rc
check_silence(struct session *s, struct trouble *t)
{
    const struct tls_settings *tls = s->settings->tls;

    if (!tls->block_early_reply || io_waiting(s->io) == 0)
        return OK;
    log_warn("server %s violates %s_tls_block_early_mail_reply policy",
             s->relay, tls->prefix);
    *t = (struct trouble){0};
    return fail(&t->why, "4.7.0", "unexpected server message");
}

enum rc
session_hello(struct session *s, struct arena *a, struct str nexthop,
              struct trouble *t)
{
    bool wrapped = s->settings->tls->wrapper && s->demand->level > TLS_NONE;
    bool esmtp = true, secured = false;

    if (wrapped && start_tls_now(s, a, t) != OK)
        return TEMP;
    if (greeting(s, a, &esmtp, t) != OK ||
        introduce(s, a, esmtp, nexthop, t) != OK)
        return rc_of(t->why.dsn);
    if (!wrapped && start_tls(s, a, &secured, t) != OK)
        return rc_of(t->why.dsn);
    /* What was said in the clear counts no more (RFC 3207 4.2). */
    if (secured && introduce(s, a, esmtp, nexthop, t) != OK)
        return rc_of(t->why.dsn);
    return s->tls ? check_silence(s, t) : OK;
}

void
session_quit(struct session *s, struct arena *a)
{
    struct trouble ignored;

    if (!s->dead) {
        s->limit = limit_of(s, PHASE_QUIT);
        io_put(s->io, S("QUIT\r\n"));
        if (s->settings->skip_quit_response)
            (void)!io_flush(s->io);
        else
            (void)!session_reply(s, PHASE_QUIT, a, &ignored);
    }
    session_close(s);
}

void
session_close(struct session *s)
{
    io_close(s->io);
    s->io = NULL;
    s->dead = true;
}
