#include "master.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* All sockets of a row go to its template in one packet. */
#define ADDRESSES_MAX (SOCK_FILES_MAX - 8)

/* What an inet row asks for. */
struct wanted {
    const struct plan *plan;
    struct plan_row *row;
    struct problems *problems;
    unsigned port;
    bool ipv4, ipv6;
};

static const char *
where(const struct wanted *w)
{
    return arena_fmt(w->plan->life, "%s, line %u: %s", w->row->row->file,
                     w->row->row->line, w->row->row->name);
}

/* "smtps=submissions=465": every name of the chain stands for the number. */
static bool
port_by_parameter(const char *ports, struct str name, uint64_t *port)
{
    struct str rest = str_from(ports), chain, word;

    while (str_word(&rest, ", \t\r\n", &chain)) {
        bool mine = false;

        while (str_cut(&chain, '=', &word))
            mine = mine || str_eq(word, name);
        if (mine && str_num(word, port))
            return true;
    }
    return false;
}

static bool
find_port(const struct wanted *w, struct str name, unsigned *port)
{
    uint64_t n = 0;
    struct servent *entry;

    if (!str_num(name, &n) &&
        !port_by_parameter(w->plan->conf->known_tcp_ports, name, &n)) {
        entry = getservbyname(arena_cstr(w->plan->life, name), "tcp");
        if (entry == NULL)
            return false;
        n = ntohs((uint16_t)entry->s_port);
    }
    *port = (unsigned)n;
    return n <= 65535;
}

static const char *
shown(struct arena *life, const struct sockaddr *sa)
{
    char text[SOCK_TEXT_MAX];
    unsigned port;

    sock_text(sa, text, &port);
    return sa->sa_family == AF_INET6 ? arena_fmt(life, "[%s]:%u", text, port)
                                     : arena_fmt(life, "%s:%u", text, port);
}

static void
set_port(struct sockaddr_storage *sa, unsigned port)
{
    if (sa->ss_family == AF_INET6)
        ((struct sockaddr_in6 *)sa)->sin6_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in *)sa)->sin_port = htons((uint16_t)port);
}

static void
add(struct wanted *w, const struct sockaddr *sa, socklen_t len, bool optional)
{
    struct address a = {.type = SERVICE_INET, .optional = optional, .len = len};

    memcpy(&a.sa, sa, len);
    set_port(&a.sa, w->port);
    a.shown = shown(w->plan->life, (const struct sockaddr *)&a.sa);
    for (size_t i = 0; i < w->row->addresses.len; i++)
        if (strcmp(w->row->addresses.at[i].shown, a.shown) == 0)
            return;
    *vec_add(&w->row->addresses) = a;
}

/* A name or address, as far as inet_protocols allows. */
static void
add_host(struct wanted *w, struct str host, bool optional)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    const char *name = arena_cstr(w->plan->life, host);
    bool any = false;
    int error = getaddrinfo(name, "0", &hints, &found);

    if (error != 0) {
        problem(w->problems, "%s: host %s: %s", where(w), name,
                gai_strerror(error));
        return;
    }
    for (struct addrinfo *f = found; f; f = f->ai_next)
        if ((f->ai_family == AF_INET && w->ipv4) ||
            (f->ai_family == AF_INET6 && w->ipv6)) {
            add(w, f->ai_addr, f->ai_addrlen, optional);
            any = true;
        }
    freeaddrinfo(found);
    if (!any && !optional)
        problem(w->problems,
                "%s: host %s has no address that inet_protocols = %s allows",
                where(w), name, w->plan->conf->inet_protocols);
}

/* A kernel without IPv6, or without ::1, is no error for these. */
static void
add_both(struct wanted *w, const char *ipv4, const char *ipv6)
{
    if (w->ipv4)
        add_host(w, str_from(ipv4), false);
    if (w->ipv6)
        add_host(w, str_from(ipv6), w->ipv4);
}

static void
add_interfaces(struct wanted *w)
{
    struct str rest = str_from(w->plan->conf->inet_interfaces), word;

    while (str_word(&rest, ", \t\r\n", &word)) {
        if (word.len > 2 && word.p[0] == '[' && word.p[word.len - 1] == ']')
            word = str_sub(word, 1, word.len - 2);
        if (str_ieq(word, S("all")))
            add_both(w, "0.0.0.0", "::");
        else if (str_ieq(word, S("loopback-only")))
            add_both(w, "127.0.0.1", "::1");
        else
            add_host(w, word, false);
    }
}

static void
find_protocols(struct wanted *w)
{
    struct str rest = str_from(w->plan->conf->inet_protocols), word;

    while (str_word(&rest, ", \t\r\n", &word)) {
        bool all = str_ieq(word, S("all"));

        w->ipv4 = w->ipv4 || all || str_ieq(word, S("ipv4"));
        w->ipv6 = w->ipv6 || all || str_ieq(word, S("ipv6"));
        if (!all && !str_ieq(word, S("ipv4")) && !str_ieq(word, S("ipv6")))
            problem(w->problems,
                    "%s/main.cf: inet_protocols: \"%.*s\" is none of all, "
                    "ipv4, ipv6",
                    w->plan->config.dir, STR(word));
    }
}

/* "host:port", "[address]:port", ":port", "port". */
static void
split(struct str name, struct str *host, struct str *port)
{
    ssize_t colon = str_rfind(name, ':');

    *host = str_sub(name, 0, colon < 0 ? 0 : (size_t)colon);
    *port = colon < 0 ? name : str_sub(name, (size_t)colon + 1, name.len);
    if (host->len > 2 && host->p[0] == '[' && host->p[host->len - 1] == ']')
        *host = str_sub(*host, 1, host->len - 2);
}

static void
find_inet(struct wanted *w)
{
    struct str host, port;

    split(str_from(w->row->row->name), &host, &port);
    find_protocols(w);
    if (!find_port(w, port, &w->port)) {
        problem(w->problems,
                "%s: port \"%.*s\" is neither a number nor in "
                "known_tcp_ports or /etc/services",
                where(w), STR(port));
        return;
    }
    if (host.len > 0)
        add_host(w, host, false);
    else
        add_interfaces(w);
}

void
address_find(const struct plan *plan, struct plan_row *row,
             struct problems *problems)
{
    struct wanted w = {.plan = plan, .row = row, .problems = problems};
    const struct service *s = row->row;

    if (s->type == SERVICE_INET) {
        find_inet(&w);
        if (row->addresses.len > ADDRESSES_MAX)
            problem(problems, "%s: more than %d addresses; split the row",
                    where(&w), ADDRESSES_MAX);
        return;
    }
    struct address *a = vec_add(&row->addresses);

    a->type = s->type;
    a->path = arena_fmt(plan->life, "%s/%s", s->private ? "private" : "public",
                        s->name);
    a->shown = a->path;
    a->packets = (row->role->listens & PACKETS) != 0;
    if (a->packets && a->type == SERVICE_FIFO)
        a->type = SERVICE_UNIX;
    if (strlen(a->path) >= sizeof((struct sockaddr_un *)0)->sun_path)
        problem(problems, "%s: the name is too long for a socket", where(&w));
}
