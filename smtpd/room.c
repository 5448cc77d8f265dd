/*
 * room.c - mailboxes that are full are refused before their mail is taken.
 *
 * smtpd may not look into mailboxes: it asks the role quota (local(8)), and
 * only where quota_rule is set. Where that cannot answer the recipient is
 * accepted; local finds out when it delivers.
 */
#include <unistd.h>

#include "smtpd.h"

#include "base/log.h"
#include "mail/address.h"

#define WAIT_MS 5000

static bool
ask(struct session *s, const struct rcpt *r, int64_t size,
    struct msg_room *says)
{
    const char *path =
        arena_fmt(s->line, "%s/private/quota", s->conf->queue_directory);
    const struct msg_ask_room question = {
        .transport = r->transport, .addr = r->addr, .size = size};
    auto_close int fd = sock_connect_unix(path, SOCK_SEQPACKET);
    const struct link link = {
        .fd = fd, .self = SIDE(PRODUCER), .peer = SIDE(ROOM)};
    struct packet *p = s->server->intake.packet;

    return fd >= 0 && sock_timeout(fd, WAIT_MS) &&
           send_ask_room(&link, &question) &&
           link_expect(&link, p, MSG_room) == LINK_OK && read_room(p, says);
}

bool
room_is_full(struct session *s, const struct rcpt *r, int64_t size,
             struct str orig, const char **text)
{
    struct msg_room says;

    if (*s->conf->quota_rule == '\0' || (!str_eq(r->transport, S("local")) &&
                                         !str_eq(r->transport, S("virtual"))))
        return false;
    if (!ask(s, r, size, &says)) {
        log_warn("the service quota does not answer: %m");
        return false;
    }
    if (says.rc == OK)
        return false;
    *text = arena_fmt(s->mail,
                      "%s %.*s <%.*s>: Recipient address rejected: "
                      "Mailbox is full",
                      says.rc == TEMP ? "452" : "552", STR(says.dsn),
                      STR(address_quote(s->line, orig)));
    return true;
}
