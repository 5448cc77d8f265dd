#include "dns/dns.h"

#include <idn2.h>
#include <poll.h>
#include <sys/random.h>
#include <time.h>

#include "base/buf.h"
#include "dns/answer.h"
#include "dns/resolver.h"

/* No question takes longer, whatever the servers do. */
#define WAIT_MAX 45000

/* A question on its way, and where its answer goes. */
struct ask {
    struct dns *dns;
    struct arena *arena;
    struct str name;
    enum dns_type type;
    struct dns_answer *answer;
    bool *more;
};

static int64_t
now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* "a, b" to the list that c-ares takes: "a,b". */
static bool
set_servers(struct dns *d, struct arena *life, const char *servers)
{
    struct str all = str_from(servers), one;
    struct buf csv = buf_in(life);

    while (str_word(&all, ", \t\r\n", &one)) {
        if (csv.len > 0)
            buf_addc(&csv, ',');
        buf_add(&csv, one);
    }
    return csv.len == 0 || ares_set_servers_ports_csv(
                               d->channel, buf_str(&csv).p) == ARES_SUCCESS;
}

struct dns *
dns_open(struct arena *life, const struct dns_options *options, struct why *why)
{
    struct dns *d = arena_make(life, struct dns);
    int64_t timeout = options->timeout > 0 ? options->timeout : 5000;
    int tries = options->tries > 0 ? options->tries : 2;
    struct ares_options o = {.flags = ARES_FLAG_EDNS,
                             .timeout = (int)timeout,
                             .tries = tries,
                             .ednspsz = 1232};
    int status = ares_init_options(&d->channel, &o,
                                   ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS |
                                       ARES_OPT_TRIES | ARES_OPT_EDNSPSZ);

    if (status != ARES_SUCCESS) {
        (void)!fail(why, "4.3.5", "cannot set up name service: %s",
                    ares_strerror(status));
        return NULL;
    }
    if (!set_servers(d, life, options->servers ? options->servers : "")) {
        (void)!fail(why, "4.3.5", "bad list of name servers: \"%s\"",
                    options->servers);
        ares_destroy(d->channel);
        return NULL;
    }
    d->hosts = hosts_read(life, options->hosts ? options->hosts : "/etc/hosts");
    d->cache = cache_new(life);
    return d;
}

void
dns_close(struct dns *d)
{
    ares_destroy(d->channel);
    cache_free(d->cache);
    hosts_free(d->hosts);
}

static void
answered(void *self, int status, int timeouts, unsigned char *packet, int len)
{
    struct ask *ask = self;

    (void)timeouts;
    ask->dns->pending--;
    if (status == ARES_SUCCESS && packet)
        answer_parse((struct str){(const char *)packet, (size_t)len}, ask->name,
                     ask->type, ask->arena, ask->answer, ask->more);
    cache_keep(ask->dns->cache, ask->name, ask->type, ask->answer, *ask->more);
}

/* Send the question. A name that is none has its answer at once. */
static void
begin(struct ask *ask)
{
    unsigned char packet[DNS_QUERY_MAX];
    uint16_t id;

    *ask->answer = (struct dns_answer){.state = DNS_FAILED, .ttl = 5};
    *ask->more = false;
    must(getrandom(&id, sizeof id, 0) == sizeof id);
    size_t len = answer_ask(packet, ask->name, ask->type, id);

    if (len == 0) {
        ask->answer->state = DNS_INVALID;
        return;
    }
    ask->dns->pending++;
    ares_send(ask->dns->channel, packet, (int)len, answered, ask);
}

static int
until_next(struct dns *d, int64_t deadline)
{
    struct timeval room, *t;
    int64_t left = deadline - now_ms();

    if (left < 0)
        left = 0;
    struct timeval most = {.tv_sec = left / 1000,
                           .tv_usec = (left % 1000) * 1000};

    t = ares_timeout(d->channel, &most, &room);
    return (int)(t->tv_sec * 1000 + (t->tv_usec + 999) / 1000);
}

static void
process(struct dns *d, const struct pollfd *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool in = fds[i].revents & (POLLIN | POLLERR | POLLHUP);
        bool out = fds[i].revents & (POLLOUT | POLLERR | POLLHUP);

        if (in || out)
            ares_process_fd(d->channel, in ? fds[i].fd : ARES_SOCKET_BAD,
                            out ? fds[i].fd : ARES_SOCKET_BAD);
    }
    ares_process_fd(d->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

/* Until all questions under way have their answer, or have none in time. */
static void
wait_all(struct dns *d)
{
    ares_socket_t socks[ARES_GETSOCK_MAXNUM];
    struct pollfd fds[ARES_GETSOCK_MAXNUM];
    int64_t deadline = now_ms() + WAIT_MAX;

    while (d->pending > 0) {
        unsigned bits =
            (unsigned)ares_getsock(d->channel, socks, ARES_GETSOCK_MAXNUM);
        size_t n = 0;

        for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
            /* c-ares' own macros shift a signed 1 by 31. */
            bool in = bits & 1u << i;
            bool out = bits & 1u << (i + ARES_GETSOCK_MAXNUM);

            if (in || out)
                fds[n++] = (struct pollfd){
                    .fd = socks[i],
                    .events = (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0))};
        }
        if (poll(fds, n, until_next(d, deadline)) < 0)
            n = 0;
        process(d, fds, n);
        if (now_ms() >= deadline)
            ares_cancel(d->channel);
    }
}

/* One hop: from the cache, or asked. */
static void
ask_one(struct dns *d, struct str name, enum dns_type type, struct arena *a,
        struct dns_answer *answer, bool *more)
{
    if (cache_find(d->cache, name, type, a, answer, more))
        return;
    struct ask ask = {d, a, name, type, answer, more};

    begin(&ask);
    wait_all(d);
}

bool
dns_to_ascii(struct str name, struct arena *a, struct str *out)
{
    bool high = false;
    char *ascii = NULL;

    for (size_t i = 0; i < name.len; i++)
        high |= (unsigned char)name.p[i] & 0x80;
    *out = name;
    if (!high)
        return true;
    if (idn2_to_ascii_8z(arena_cstr(a, name), &ascii,
                         IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) != IDN2_OK)
        return false;
    *out = arena_str(a, str_from(ascii));
    idn2_free(ascii);
    return true;
}

static int
by_preference(const void *a, const void *b)
{
    const struct dns_record *x = a, *y = b;

    return (x->pref > y->pref) - (x->pref < y->pref);
}

/* Stable, so equals keep the server's (rotating) order. */
static void
sort_records(struct dns_answer *answer)
{
    struct dns_record *r = answer->records;

    for (size_t i = 1; i < answer->count; i++)
        for (size_t j = i; j > 0 && by_preference(&r[j - 1], &r[j]) > 0; j--) {
            struct dns_record swap = r[j];

            r[j] = r[j - 1];
            r[j - 1] = swap;
        }
}

static enum rc
explain(const struct dns_answer *answer, struct str name, enum dns_type type,
        struct why *why)
{
    static const struct {
        const char *dsn, *text;
    } texts[] = {
        [DNS_NXDOMAIN] = {"5.4.4", "Host not found"                        },
        [DNS_NODATA] = {"5.4.4",
                          "Host found but no data record of requested type"},
        [DNS_INVALID] = {"5.4.4", "Invalid host or mail exchanger name"   },
        [DNS_LOOP] = {"5.4.3", "Too many aliases"                      },
        [DNS_FAILED] = {"4.4.3", "Host not found, try again"             },
    };

    if (answer->state == DNS_FOUND)
        return OK;
    return fail(why, texts[answer->state].dsn,
                "Host or domain name not found. Name service error for "
                "name=%.*s type=%s: %s",
                STR(name), dns_type_name(type), texts[answer->state].text);
}

enum rc
dns_lookup(struct dns *d, struct str name, enum dns_type type, struct arena *a,
           struct dns_answer *answer, struct why *why)
{
    struct str at;
    bool more = true, secure = true;
    uint32_t ttl = UINT32_MAX;

    *answer = (struct dns_answer){.state = DNS_INVALID};
    if (!dns_to_ascii(name, a, &at))
        return explain(answer, name, type, why);
    for (int hops = 0; more; hops++) {
        ask_one(d, at, type, a, answer, &more);
        secure &= answer->secure;
        ttl = answer->ttl < ttl ? answer->ttl : ttl;
        at = answer->name;
        if (more && hops == DNS_CHAIN_MAX) {
            answer->state = DNS_LOOP;
            more = false;
        }
    }
    answer->secure = secure;
    answer->ttl = ttl;
    if (type == DNS_MX || type == DNS_SRV)
        sort_records(answer);
    return explain(answer, name, type, why);
}

void
dns_ask_ahead(struct dns *d, const struct dns_question *q, size_t count)
{
    struct arena *a = arena_new("dns questions", (size_t)64 << 20);
    struct ask *asks = arena_alloc(a, sizeof *asks * (count + 1));

    must(count <= 64);
    for (size_t i = 0; i < count; i++) {
        struct str name;

        if (!dns_to_ascii(q[i].name, a, &name) ||
            cache_has(d->cache, name, q[i].type))
            continue;
        asks[i] = (struct ask){d,
                               a,
                               name,
                               q[i].type,
                               arena_make(a, struct dns_answer),
                               arena_make(a, bool)};
        begin(&asks[i]);
    }
    wait_all(d);
    arena_free(a);
}
