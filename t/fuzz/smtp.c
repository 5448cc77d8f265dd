/* The client's side of SMTP: replies and EHLO lines. The server's side is in
 * smtpd_verbs.c. */
#include "mail/smtp.h"

#include "fuzz/fuzz.h"

static void
fuzz(struct arena *a, struct str in)
{
    struct smtp_server server = {0};
    struct smtp_reply reply;
    struct str line;

    smtp_reply_begin(&reply, a);
    while (in.len > 0) {
        str_cut(&in, '\n', &line);
        smtp_server_line(a, &server, line);
        if (smtp_reply_add(&reply, line) == SMTP_BAD)
            continue;
        must(reply.code >= 200 && reply.code <= 599);
        must(reply.dsn[0] == '0' + reply.code / 100);
    }
    must(reply.text.len <= SMTP_REPLY_MAX);
}

FUZZ(64 << 20)
