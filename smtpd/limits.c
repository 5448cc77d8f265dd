#include <netinet/in.h>

#include "smtpd.h"

#include "base/log.h"
#include "sys/board.h"

/* The address with the bits behind the prefix cleared. */
static void
mask(unsigned char *bytes, size_t len, int64_t prefix)
{
    for (size_t i = 0; i < len; i++, prefix -= 8)
        if (prefix < 8)
            bytes[i] &= (unsigned char)(prefix <= 0 ? 0 : 0xff << (8 - prefix));
}

/* Clients of one network are one client, where the site says so. */
static struct sockaddr_storage
counted_as(const struct session *s)
{
    struct sockaddr_storage sa = s->client.sa;

    if (sa.ss_family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)&sa;

        mask((unsigned char *)&in->sin_addr, 4,
             s->conf->smtpd_client_ipv4_prefix_length);
        in->sin_port = 0;
    } else if (sa.ss_family == AF_INET6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&sa;

        mask((unsigned char *)&in6->sin6_addr, 16,
             s->conf->smtpd_client_ipv6_prefix_length);
        in6->sin6_port = 0;
    }
    return sa;
}

/* Count `more`; true if that is over the limit (0: none), which is logged. */
static bool
over_by(struct session *s, enum board_rate rate, uint32_t more, int64_t limit,
        const char *what)
{
    struct daemon *d = s->server->daemon;

    if (limit <= 0 || s->unlimited || d->board == NULL)
        return false;

    struct sockaddr_storage sa = counted_as(s);
    int64_t n = board_rate_add(d->board, d->crew, (const struct sockaddr *)&sa,
                               rate, more, s->conf->anvil_rate_time_unit);

    if (n <= limit)
        return false;
    log_warn("%s rate limit exceeded: %lld from %.*s for service %s", what,
             (long long)n, STR(s->client.shown), d->service);
    return true;
}

static bool
over(struct session *s, enum board_rate rate, int64_t limit, const char *what)
{
    return over_by(s, rate, 1, limit, what);
}

/* The same for a login, wherever it comes from: also for trusted clients, such
 * as a site's web mail. */
static bool
login_over(struct session *s, enum board_rate rate, int64_t limit,
           const char *what)
{
    struct daemon *d = s->server->daemon;
    struct str login = s->client.login;

    if (limit <= 0 || login.len == 0 || d->board == NULL)
        return false;

    int64_t n = board_login_add(d->board, arena_lower(s->line, login), rate, 1,
                                s->conf->anvil_rate_time_unit);

    if (n <= limit)
        return false;
    log_warn("%s rate limit exceeded: %lld from %.*s for user %.*s", what,
             (long long)n, STR(s->client.shown), STR(login));
    return true;
}

static bool
too_many_at_once(struct session *s)
{
    struct daemon *d = s->server->daemon;
    int64_t limit = s->conf->smtpd_client_connection_count_limit;

    if (limit <= 0 || s->unlimited || d->board == NULL)
        return false;

    struct sockaddr_storage sa = counted_as(s);
    unsigned n = board_client_enter(d->board, d->crew, d->place,
                                    (const struct sockaddr *)&sa);

    if (n <= limit)
        return false;
    log_warn("Connection concurrency limit exceeded: %u from %.*s for "
             "service %s",
             n, STR(s->client.shown), d->service);
    return true;
}

bool
limits_connect(struct session *s)
{
    if (!too_many_at_once(s) &&
        !over(s, BOARD_CONNECTIONS, s->conf->smtpd_client_connection_rate_limit,
              "Connection"))
        return true;
    reply_close(s, "",
                arena_fmt(s->line,
                          "421 4.7.0 %s Error: too many connections from %.*s",
                          s->conf->myhostname, STR(s->client.addr)));
    return false;
}

bool
limits_mail(struct session *s)
{
    const struct conf *c = s->conf;

    if (over(s, BOARD_MESSAGES, c->smtpd_client_message_rate_limit,
             "Message delivery request")) {
        replyf(s, "450 4.7.1 Error: too much mail from %.*s",
               STR(s->client.addr));
        return false;
    }
    if (login_over(s, BOARD_MESSAGES, c->smtpd_login_message_rate_limit,
                   "Message delivery request")) {
        replyf(s, "450 4.7.1 Error: too much mail from user %.*s",
               STR(s->client.login));
        return false;
    }
    return true;
}

bool
limits_rcpt(struct session *s)
{
    const struct conf *c = s->conf;

    if (over(s, BOARD_RECIPIENTS, c->smtpd_client_recipient_rate_limit,
             "Recipient address")) {
        replyf(s, "450 4.7.1 Error: too many recipients from %.*s",
               STR(s->client.addr));
        return false;
    }
    if (login_over(s, BOARD_RECIPIENTS, c->smtpd_login_recipient_rate_limit,
                   "Recipient address")) {
        replyf(s, "450 4.7.1 Error: too many recipients from user %.*s",
               STR(s->client.login));
        return false;
    }
    return true;
}

bool
limits_login(struct session *s)
{
    if (!over(s, BOARD_LOGINS, s->conf->smtpd_client_auth_rate_limit,
              "AUTH command"))
        return true;
    replyf(s, "450 4.7.1 Error: too many AUTH commands from %.*s",
           STR(s->client.addr));
    return false;
}

bool
limits_tls(struct session *s, unsigned n)
{
    return !over_by(s, BOARD_NEW_TLS, n,
                    s->conf->smtpd_client_new_tls_session_rate_limit,
                    "New TLS session");
}
