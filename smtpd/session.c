#include <stdio.h>

#include "smtpd.h"

#include "base/log.h"
#include "sys/sock.h"

#define LIFE_MAX ((size_t)1 << 20)
#define MAIL_MAX ((size_t)256 << 20)
#define TEMP_MAX ((size_t)16 << 20)
#define ROOM_MIN ((size_t)64 << 10) /* what a command may add to a session */

/* A command line may be this long whatever line_length_limit says (RFC 5321
 * 4.5.3.1.4 and the extensions' additions). */
#define COMMAND_MIN 1024
#define COMMAND_MAX 32768

/* And AUTH with an initial response this long (RFC 4954 4). */
#define AUTH_MAX 12300

/* After so many milliseconds without a word the log is written. */
#define PAUSE 1000

const char *
session_proto(const struct session *s)
{
    if (s->server->lmtp)
        return "LMTP";
    return s->esmtp ? "ESMTP" : "SMTP";
}

void
session_find_server(struct session *s)
{
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof sa;
    char text[SOCK_TEXT_MAX];
    unsigned port = 0;

    if (s->server_addr.p)
        return;
    s->server_addr = s->server_port = S("");
    if (getsockname(io_fd(s->io), (struct sockaddr *)&sa, &len) < 0 ||
        sa.ss_family == AF_UNIX)
        return;
    sock_text((const struct sockaddr *)&sa, text, &port);
    s->server_addr = arena_str(s->life, str_from(text));
    s->server_port = str_from(arena_fmt(s->life, "%u", port));
}

void
session_reset(struct session *s)
{
    if (s->message)
        message_drop(s->message);
    s->message = NULL;
    s->sender = s->sender_full = s->rcpt = s->rcpt_full = (struct str){0};
    s->first_rcpt = s->etrn = s->sender_login = (struct str){0};
    s->tried = s->accepted = 0;
    s->taken = NULL;
    s->size = 0;
    s->received = 0;
    s->bdat = NULL;
    s->bdat_failed = s->sender_known = false;
    s->instance = (struct str){0};
    s->actions = (struct actions){0};
    s->origin = s->client;
    s->forwarded = s->from_outside = false;
    s->orig_id = (struct str){0};
    s->if_permit = s->if_reject = (struct deferral){0};
    s->state = s->state == STATE_NEW ? STATE_NEW : STATE_READY;
    arena_reset(s->mail);
}

void
session_lost(struct session *s, enum io how)
{
    const char *host = s->conf->myhostname;

    switch (how) {
    case IO_TIMEOUT:
        reply_close(
            s, "timeout",
            arena_fmt(s->line, "421 4.4.2 %s Error: timeout exceeded", host));
        break;
    case IO_STOPPED:
        reply_close(
            s, "",
            arena_fmt(s->line,
                      "421 4.3.2 %s Service shutting down, closing channel",
                      host));
        break;
    default:
        s->end = "lost connection";
        break;
    }
}

/* Offset of AUTH as a word, or the length. */
static size_t
before_auth(struct str said)
{
    for (size_t i = 0; i + 4 <= said.len; i++)
        if (str_istarts(str_sub(said, i, said.len), S("AUTH")))
            return i;
    return said.len;
}

struct str
session_shown(const struct session *s, struct str said)
{
    if (s->hushed)
        return S("(not shown)");
    said = str_sub(said, 0, 104);
    return str_sub(said, 0, before_auth(said) < 100 ? before_auth(said) : 100);
}

static size_t
line_limit(const struct session *s)
{
    int64_t limit = s->conf->line_length_limit;

    return limit < COMMAND_MIN   ? COMMAND_MIN
           : limit > COMMAND_MAX ? COMMAND_MAX
                                 : (size_t)limit;
}

/* The command that the site wants in place of this one. */
static struct str
filtered(struct session *s, struct str line)
{
    struct str value;
    struct why why;

    if (maps_empty(s->server->command_filter))
        return line;
    if (maps_get(s->server->command_filter, str_trim(line), s->line, &value,
                 &why) != OK) {
        log_warn("%s", why.text);
        return line;
    }
    if (value.p == NULL)
        return line;
    log_info("replacing command \"%.*s\" with \"%.*s\"",
             STR(session_shown(s, line)), STR(session_shown(s, value)));
    return value;
}

static void
serve_line(struct session *s)
{
    struct str line;

    arena_reset(s->line);
    if (arena_room(s->life) < ROOM_MIN) {
        reply_close(s, "too long a session",
                    "421 4.3.2 Session is too long, connect again");
        return;
    }
    io_set_deadline(s->io, io_now() + s->conf->smtpd_timeout);

    size_t limit = line_limit(s);
    enum io got =
        io_line(s->io, limit < AUTH_MAX ? AUTH_MAX : limit, &line, NULL);

    if (got == IO_OK && line.len > limit && !str_istarts(line, S("AUTH ")))
        got = IO_LONG;
    if (got == IO_OK && s->unwanted)
        reply_close(s, "", s->unwanted);
    else if (got == IO_OK)
        verbs_run(s, filtered(s, line));
    else if (got == IO_LONG)
        reply(s, "500 5.5.2 Error: line too long");
    else
        session_lost(s, got);
    if (s->end == NULL && s->errors >= s->conf->smtpd_hard_error_limit)
        reply_close(s, "too many errors",
                    arena_fmt(s->line, "421 4.7.0 %s Error: too many errors",
                              s->conf->myhostname));
}

/* Refused before it said anything (smtpd_delay_reject = no). */
static bool
refuse_client(struct session *s)
{
    const char *text;

    if (s->conf->smtpd_delay_reject ||
        rules_run(s, STAGE_CLIENT, &text) != REFUSE)
        return false;
    s->denied = true;
    if (strncmp(text, "421", 3) == 0 || strncmp(text, "521", 3) == 0)
        reply_close(s, "", text);
    else
        reply_kindly(s, arena_fmt(s->line,
                                  "554 %s ESMTP not accepting connections",
                                  s->conf->myhostname));
    return true;
}

void
session_greet(struct session *s)
{
    if (!refuse_client(s))
        reply_kindly(s, arena_fmt(s->line, "220 %s", s->conf->smtpd_banner));
}

static void
log_end(struct session *s)
{
    if (s->end && *s->end && s->received > 0)
        log_info("%s after %s (%lld bytes) from %.*s", s->end, s->where,
                 (long long)s->received, STR(s->client.shown));
    else if (s->end && *s->end)
        log_info("%s after %s from %.*s", s->end, s->where,
                 STR(s->client.shown));
}

static void
start(struct session *s, struct server *server, int fd)
{
    struct arena *life = s->life, *mail = s->mail, *line = s->line;
    char *scratch = s->scratch;

    arena_reset(life);
    arena_reset(mail);
    arena_reset(line);
    *s = (struct session){
        .server = server,
        .conf = server->conf,
        .io = io_open(fd),
        .life = life,
        .mail = mail,
        .line = line,
        .scratch = scratch,
        .state = STATE_NEW,
        .where = "CONNECT",
    };
    io_set_idle(s->io, PAUSE, log_flush);
    io_set_timeout(s->io, s->conf->smtpd_timeout);
    io_set_stop(s->io, daemon_stop());
}

struct session *
session_new(struct arena *life)
{
    struct session *s = arena_make(life, struct session);

    s->life = arena_new("session", LIFE_MAX);
    s->mail = arena_new("transaction", MAIL_MAX);
    s->line = arena_new("command", TEMP_MAX);
    s->scratch = arena_alloc(life, SESSION_SCRATCH);
    return s;
}

void
session_serve(struct session *s, struct server *server, int fd,
              const struct sockaddr_storage *peer)
{
    struct sockaddr_storage sa = *peer;

    start(s, server, fd);
    if (proxy_read(s, &sa)) {
        peer_find(s, &sa);
        log_info("connect from %.*s", STR(s->client.shown));
        if (!s->conf->smtpd_tls_wrappermode || tls_wrapped(s))
            if (limits_connect(s))
                session_greet(s);
        while (s->end == NULL)
            serve_line(s);
        io_flush(s->io);
        log_end(s);

        struct str counted = verbs_counted(s);

        session_reset(s);
        log_info("%.*s", STR(counted));
    }
    io_close(s->io);
    log_flush();
}
