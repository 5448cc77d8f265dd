/*
 * What HAProxy and its like send before anything else: version 1 is a line,
 * version 2 is binary ("The PROXY protocol", haproxy.org). Both give the
 * client's address and port and ours, or say that there is no client.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#include "smtpd.h"

#include "base/log.h"

#define V1_MAX    107 /* the longest line, without CRLF */
#define V2_HEAD   16
#define V2_LOCAL  0x20 /* version 2, no client: a health check */
#define V2_CLIENT 0x21
#define V2_TCP4   0x11
#define V2_TCP6   0x21
#define V2_MAX    4096 /* with all extras; the protocol allows 64 KiB */

static const char v2_signature[] = "\r\n\r\n\0\r\nQUIT\n";

/* "TCP4 192.0.2.1 192.0.2.2 40000 25" or "UNKNOWN ..." */
static bool
take_v1(struct session *s, struct str line, struct sockaddr_storage *sa)
{
    struct client c = {0};
    struct str family, from, to, port, to_port;

    if (!str_skip(&line, S("PROXY ")) || !str_word(&line, " ", &family))
        return false;
    if (str_eq(family, S("UNKNOWN")))
        return true;
    if (!str_word(&line, " ", &from) || !str_word(&line, " ", &to) ||
        !str_word(&line, " ", &port) || !str_word(&line, " ", &to_port) ||
        !peer_parse(&c, from, port) ||
        c.sa.ss_family != (str_eq(family, S("TCP4")) ? AF_INET : AF_INET6))
        return false;
    *sa = c.sa;
    s->server_addr = arena_str(s->life, to);
    s->server_port = arena_str(s->life, to_port);
    return true;
}

static bool
read_v1(struct session *s, struct sockaddr_storage *sa)
{
    struct str line;

    return io_line(s->io, V1_MAX, &line, NULL) == IO_OK && take_v1(s, line, sa);
}

static void
set_server(struct session *s, int family, const char *addr, const char *port)
{
    char text[INET6_ADDRSTRLEN];
    uint16_t number;

    memcpy(&number, port, sizeof number);
    inet_ntop(family, addr, text, sizeof text);
    s->server_addr = arena_str(s->life, str_from(text));
    s->server_port = str_from(arena_fmt(s->life, "%u", ntohs(number)));
}

/* Addresses of both sides, then ports of both sides. */
static bool
take_v2(struct session *s, struct str body, unsigned family,
        struct sockaddr_storage *sa)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

    if (family == V2_TCP4 && body.len >= 12) {
        memcpy(&in.sin_addr, body.p, 4);
        memcpy(&in.sin_port, body.p + 8, 2);
        memcpy(sa, &in, sizeof in);
        set_server(s, AF_INET, body.p + 4, body.p + 10);
        return true;
    }
    if (family == V2_TCP6 && body.len >= 36) {
        memcpy(&in6.sin6_addr, body.p, 16);
        memcpy(&in6.sin6_port, body.p + 32, 2);
        memcpy(sa, &in6, sizeof in6);
        set_server(s, AF_INET6, body.p + 16, body.p + 34);
        return true;
    }
    return false;
}

static bool
read_v2(struct session *s, struct sockaddr_storage *sa)
{
    struct str in;

    if (io_need(s->io, V2_HEAD, &in) != IO_OK)
        return false;

    const unsigned char *head = (const unsigned char *)in.p;
    unsigned command = head[12], family = head[13];
    size_t len = (size_t)head[14] << 8 | head[15];

    if (len > V2_MAX || io_need(s->io, V2_HEAD + len, &in) != IO_OK)
        return false;

    bool good = command == V2_LOCAL ||
                (command == V2_CLIENT &&
                 take_v2(s, str_sub(in, V2_HEAD, len), family, sa));

    io_skip(s->io, V2_HEAD + len);
    return good;
}

bool
proxy_read(struct session *s, struct sockaddr_storage *sa)
{
    const char *protocol = s->conf->smtpd_upstream_proxy_protocol;
    struct str in;
    bool good;

    if (*protocol == '\0')
        return true;
    io_set_deadline(s->io, io_now() + s->conf->smtpd_upstream_proxy_timeout);
    io_set_timeout(s->io, s->conf->smtpd_upstream_proxy_timeout);
    good = io_need(s->io, sizeof v2_signature - 1, &in) == IO_OK &&
           (memcmp(in.p, v2_signature, sizeof v2_signature - 1) == 0
                ? read_v2(s, sa)
                : read_v1(s, sa));
    io_set_deadline(s->io, 0);
    io_set_timeout(s->io, s->conf->smtpd_timeout);
    if (!good)
        log_warn("no valid %s proxy header from the load balancer; "
                 "connection dropped",
                 protocol);
    return good;
}
