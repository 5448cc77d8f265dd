#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "smtpd.h"

#include "base/log.h"
#include "mail/lines.h"

#define REPLY_MAX 2000 /* what a reply may have, beyond RFC 5321's 512 */

/* Clients that err again and again are made to wait. */
static void
slow_down(struct session *s)
{
    int64_t ms = s->conf->smtpd_error_sleep_time;
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    if (s->errors < s->conf->smtpd_soft_error_limit || ms <= 0)
        return;
    log_flush();
    nanosleep(&t, NULL);
}

/* With soft_bounce nothing is refused for ever. */
static void
soften(char *text)
{
    if (text[0] != '5')
        return;
    text[0] = '4';
    if (text[1] && text[2] && text[3] == ' ' && text[4] == '5' &&
        text[5] == '.')
        text[4] = '4';
}

static void
put(struct session *s, const char *text)
{
    char line[REPLY_MAX + 1];

    snprintf(line, sizeof line, "%s", text);
    if (s->conf->soft_bounce)
        soften(line);
    for (char *p = line; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127)
            *p = '?';
    slow_down(s);
    s->refusals += line[0] == '4' || line[0] == '5';
    io_put(s->io, str_from(line));
    io_put(s->io, S("\r\n"));
}

void
reply(struct session *s, const char *text)
{
    if (text[0] == '4' || text[0] == '5')
        s->errors++;
    put(s, text);
}

void
replyf(struct session *s, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    reply(s, arena_vfmt(s->line, fmt, args));
    va_end(args);
}

void
reply_kindly(struct session *s, const char *text)
{
    put(s, text);
}

void
reply_close(struct session *s, const char *why, const char *text)
{
    reply(s, text);
    s->end = why;
}

void
log_decision(struct session *s, const char *action, const char *text)
{
    const struct lines_reject r = {
        .id = s->message ? s->message->id : S(""),
        .verb = action,
        .stage = s->where,
        .peer = s->client.shown,
        .reply = str_from(text),
        .from = s->sender,
        .to = s->rcpt,
        .proto = str_from(session_proto(s)),
        .helo = s->helo,
        .login = s->client.login,
    };
    struct str line = lines_reject(s->line, &r);

    log_info("%.*s", STR(line));
}
