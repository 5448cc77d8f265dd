#include "auth/client.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "base/log.h"
#include "sys/io.h"
#include "sys/sock.h"

/* Time to connect and greet, and for an answer: services let clients wait who
 * failed before, Dovecot for up to 17 seconds. */
#define GREETING_MS 10000
#define ANSWER_MS   60000

#define MECHS_MAX       64
#define LINES_MAX       1000 /* of a greeting, or before an answer */
#define REQUEST_LAST    0x7fffffffu
#define GREETING_MEMORY ((size_t)1 << 20)

struct auth_client {
    const char *path; /* of a UNIX socket, or NULL */
    struct str host;
    unsigned port;
    struct dns *dns;
    const volatile sig_atomic_t *stop;
    struct stream *io;            /* NULL: not connected */
    uint32_t id;                  /* of the newest request */
    bool greeted;                 /* mechs are known */
    struct arena *memory, *spare; /* mechs; the next greeting's */
    struct auth_mech *mechs;
    size_t count;
};

/* ---- where it is ---- */

static bool
parse_inet(struct arena *life, struct auth_client *c, struct str where)
{
    ssize_t colon = str_rfind(where, ':');
    uint64_t port;

    if (colon <= 0 ||
        !str_num(str_sub(where, (size_t)colon + 1, where.len), &port) ||
        port == 0 || port > 65535)
        return false;
    c->port = (unsigned)port;
    where = str_sub(where, 0, (size_t)colon);
    if (str_skip(&where, S("[")) &&
        !(where.len > 0 && where.p[--where.len] == ']'))
        return false;
    c->host = arena_str(life, where);
    return where.len > 0;
}

static bool
parse(struct arena *life, struct auth_client *c, const char *directory,
      struct str where)
{
    if (str_skip(&where, S("inet:")))
        return parse_inet(life, c, where);
    str_skip(&where, S("unix:"));
    c->path = str_starts(where, S("/"))
                  ? arena_cstr(life, where)
                  : arena_fmt(life, "%s/%.*s", directory, STR(where));
    return where.len > 0;
}

struct auth_client *
auth_client_new(struct arena *life, const char *directory, struct str where,
                struct dns *dns, const volatile sig_atomic_t *stop,
                struct why *why)
{
    struct auth_client *c = arena_make(life, struct auth_client);

    c->dns = dns;
    c->stop = stop;
    if (parse(life, c, directory, where)) {
        c->memory = arena_new("auth service", GREETING_MEMORY);
        c->spare = arena_new("auth service", GREETING_MEMORY);
        return c;
    }
    enum rc rc =
        fail(why, "4.3.5", "%.*s: write a path, or inet:host:port", STR(where));

    return rc == OK ? c : NULL;
}

/* ---- the connection ---- */

static void
hang_up(struct auth_client *c)
{
    io_close(c->io);
    c->io = NULL;
}

void
auth_client_free(struct auth_client *c)
{
    hang_up(c);
    arena_free(c->memory);
    arena_free(c->spare);
}

static int
connect_inet(struct auth_client *c, struct arena *a)
{
    unsigned how = DNS_V4 | DNS_V6 | DNS_FROM_HOSTS | DNS_FROM_DNS;
    struct dns_answer answer;
    struct why why;

    if (dns_addresses(c->dns, c->host, how, a, &answer, &why) != OK) {
        errno = EHOSTUNREACH;
        return -1;
    }
    for (size_t i = 0; i < answer.count; i++) {
        struct sockaddr_storage sa;
        socklen_t len = dns_to_sockaddr(&answer.records[i], c->port, &sa);
        int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0)
            return -1;
        sock_timeout(fd, GREETING_MS);
        if (connect(fd, (const struct sockaddr *)&sa, len) == 0)
            return fd;
        base_close_scope(&fd);
    }
    return -1;
}

static void
take_mech(struct arena *a, struct auth_mech *list, size_t *count,
          const struct dovecot_line *line)
{
    if (line->is_private || *count == MECHS_MAX)
        return;
    list[(*count)++] = (struct auth_mech){
        .name = arena_str(a, line->text),
        .properties = line->properties,
    };
}

/* Lines up to DONE. What it offers replaces what it offered. */
static bool
read_greeting(struct auth_client *c, const char **wrong)
{
    struct arena *a = c->spare;
    struct auth_mech *list;
    size_t count = 0;
    struct dovecot_line line;
    struct str text;

    arena_reset(a);
    list = arena_alloc(a, MECHS_MAX * sizeof *list);
    for (int i = 0; i < LINES_MAX; i++) {
        *wrong = "no greeting";
        if (io_line(c->io, DOVECOT_LINE_MAX, &text, NULL) != IO_OK ||
            arena_room(a) < GREETING_MEMORY / 2 ||
            !dovecot_parse(a, text, &line, wrong))
            return false;
        if (line.verb == DOVECOT_VERSION && line.number != DOVECOT_MAJOR) {
            *wrong = "it speaks another version of the protocol";
            return false;
        }
        if (line.verb == DOVECOT_MECH)
            take_mech(a, list, &count, &line);
        if (line.verb != DOVECOT_DONE)
            continue;
        c->spare = c->memory;
        c->memory = a;
        c->mechs = list;
        c->count = count;
        c->greeted = true;
        return true;
    }
    return false;
}

static bool
greet(struct auth_client *c, const char **wrong)
{
    struct buf b = buf_in(c->spare);

    dovecot_put_version(&b);
    dovecot_put_number(&b, "CPID", (uint64_t)getpid());
    io_put(c->io, buf_str(&b));
    io_set_timeout(c->io, GREETING_MS);
    io_set_deadline(c->io, io_now() + GREETING_MS);
    return read_greeting(c, wrong);
}

/* The other end is gone. */
static bool
is_stale(struct auth_client *c)
{
    char byte;
    ssize_t n = recv(io_fd(c->io), &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

static bool
dial(struct auth_client *c)
{
    const char *wrong;
    int fd;

    if (c->io && is_stale(c))
        hang_up(c);
    if (c->io)
        return true;
    arena_reset(c->spare);
    fd = c->path ? sock_connect_unix(c->path, SOCK_STREAM)
                 : connect_inet(c, c->spare);
    if (fd < 0) {
        log_warn("SASL: Connect to %s failed: %m",
                 c->path ? c->path : c->host.p);
        return false;
    }
    c->io = io_open(fd);
    io_set_stop(c->io, c->stop);
    c->id = 0;
    if (greet(c, &wrong))
        return true;
    log_warn("SASL: %s: %s", c->path ? c->path : c->host.p, wrong);
    hang_up(c);
    return false;
}

bool
auth_client_mechs(struct auth_client *c, const struct auth_mech **mechs,
                  size_t *count)
{
    (void)dial(c);
    *mechs = c->mechs;
    *count = c->count;
    return c->greeted;
}

/* ---- an exchange ---- */

static enum auth_step
lost(struct auth_client *c, struct auth_says *says)
{
    if (c->io)
        hang_up(c);
    *says = (struct auth_says){
        .reason = S("Connection lost to authentication server")};
    return AUTH_UNSURE;
}

static enum auth_step
succeeded(struct auth_client *c, const struct dovecot_reply *r,
          struct auth_says *says)
{
    if (r->user.len == 0)
        return lost(c, says);
    says->user = r->user;
    if (!r->nologin)
        return AUTH_DONE;
    says->reason = S("this user may not log in");
    return AUTH_REFUSED;
}

static enum auth_step
failed(const struct dovecot_reply *r, struct auth_says *says)
{
    says->user = r->user;
    says->reason = r->reason;
    if (r->code != DOVECOT_TEMP)
        return AUTH_REFUSED;
    if (says->reason.len == 0)
        says->reason = S("Temporary internal failure");
    return AUTH_UNSURE;
}

/*
 * The answer to the newest request, with one of these verbs (bits); what comes
 * for older ones, which were given up, is dropped. False where the connection
 * is of no more use; *silent: it ended before a word.
 */
static bool
read_line(struct auth_client *c, struct arena *a, unsigned verbs,
          struct dovecot_line *line, bool *silent)
{
    struct str text;
    const char *wrong;

    io_set_timeout(c->io, ANSWER_MS);
    io_set_deadline(c->io, io_now() + ANSWER_MS);
    for (int i = 0; i < LINES_MAX; i++) {
        enum io got = io_line(c->io, DOVECOT_LINE_MAX, &text, NULL);

        *silent = got == IO_EOF && i == 0;
        if (got != IO_OK)
            return false;
        if (!dovecot_parse(a, text, line, &wrong)) {
            log_warn("SASL: authentication server: %s", wrong);
            return false;
        }
        if (line->id == c->id && verbs >> line->verb & 1)
            return true;
    }
    return false;
}

static enum auth_step
read_answer(struct auth_client *c, struct arena *a, struct auth_says *says,
            bool *silent)
{
    const unsigned verbs =
        1u << DOVECOT_CONT | 1u << DOVECOT_OK | 1u << DOVECOT_FAIL;
    struct dovecot_line line;
    struct dovecot_reply reply;

    if (!read_line(c, a, verbs, &line, silent))
        return lost(c, says);
    if (line.verb == DOVECOT_CONT) {
        says->challenge = arena_str(a, line.data);
        return AUTH_CHALLENGE;
    }
    if (!dovecot_reply_parse(a, &line, &reply))
        return lost(c, says);
    reply.user = arena_str(a, reply.user);
    reply.reason = arena_str(a, reply.reason);
    return line.verb == DOVECOT_OK ? succeeded(c, &reply, says)
                                   : failed(&reply, says);
}

static enum auth_step
ask(struct auth_client *c, struct arena *a, struct str line,
    struct auth_says *says, bool *silent)
{
    enum auth_step step;

    *says = (struct auth_says){0};
    *silent = false;
    if (line.len > DOVECOT_LINE_SEND) {
        says->reason = S("response is too long");
        return AUTH_REFUSED;
    }
    io_put(c->io, line);
    step = read_answer(c, a, says, silent);
    if (c->io)
        io_wipe(c->io);
    return step;
}

static enum auth_step
begin(struct auth_client *c, struct arena *a, struct dovecot_request *request,
      struct auth_says *says, bool *silent)
{
    struct buf b = buf_in(a);

    *silent = false;
    if (!dial(c))
        return lost(c, says);
    /* Every request of a connection has its own number. */
    request->id = ++c->id;
    dovecot_put_auth(&b, request);
    return ask(c, a, buf_str(&b), says, silent);
}

enum auth_step
auth_client_begin(struct auth_client *c, struct arena *a,
                  struct dovecot_request *request, struct auth_says *says)
{
    bool silent, kept = c->io != NULL;

    if (c->id >= REQUEST_LAST)
        hang_up(c);

    enum auth_step step = begin(c, a, request, says, &silent);

    /* It ended just when we asked: a service that was restarted. */
    return silent && kept ? begin(c, a, request, says, &silent) : step;
}

enum auth_step
auth_client_feed(struct auth_client *c, struct arena *a, struct str response,
                 struct auth_says *says)
{
    struct buf b = buf_in(a);
    bool silent;

    if (c->io == NULL)
        return lost(c, says);
    dovecot_put_cont(&b, c->id, response);
    return ask(c, a, buf_str(&b), says, &silent);
}

void
auth_client_cancel(struct auth_client *c)
{
    struct arena *a = c->spare;
    struct buf b;

    if (c->io == NULL)
        return;
    arena_reset(a);
    b = buf_in(a);
    dovecot_put_cancel(&b, c->id);
    io_put(c->io, buf_str(&b));
    if (io_flush(c->io) != IO_OK)
        hang_up(c);
}

/* ---- users */

static enum rc
read_user(struct auth_client *c, struct arena *a, struct str *fields,
          bool *silent, struct why *why)
{
    const unsigned verbs =
        1u << DOVECOT_USER | 1u << DOVECOT_NOTFOUND | 1u << DOVECOT_FAIL;
    struct dovecot_line line;

    if (!read_line(c, a, verbs, &line, silent)) {
        hang_up(c);
        return fail(why, "4.3.0", "the authentication service does not answer");
    }
    if (line.verb == DOVECOT_FAIL)
        return fail(why, "4.3.0", "users cannot be looked up now");
    if (line.verb == DOVECOT_USER)
        *fields = line.fields.len ? arena_str(a, line.fields) : S("");
    return OK;
}

static enum rc
ask_user(struct auth_client *c, struct arena *a, struct str user,
         struct str service, struct str *fields, bool *silent, struct why *why)
{
    struct buf b = buf_in(a);

    *silent = false;
    if (!dial(c))
        return fail(why, "4.3.0", "cannot reach the authentication service");
    dovecot_put_user(&b, ++c->id, user, service);
    io_put(c->io, buf_str(&b));
    return read_user(c, a, fields, silent, why);
}

enum rc
auth_client_user(struct auth_client *c, struct arena *a, struct str user,
                 struct str service, struct str *fields, struct why *why)
{
    bool silent, kept = c->io != NULL;

    *fields = (struct str){0};
    if (c->id >= REQUEST_LAST)
        hang_up(c);

    enum rc rc = ask_user(c, a, user, service, fields, &silent, why);

    return silent && kept ? ask_user(c, a, user, service, fields, &silent, why)
                          : rc;
}
