#include "import_conn.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mail/base64.h"
#include "mail/imap_text.h"
#include "sys/io.h"
#include "sys/sock.h"
#include "tls/session.h"

#define CONNECT_MS    30000
#define ANSWER_MS     300000
#define LINE_MAX_LEN  ((size_t)60000)
#define LITERAL_MAX   ((uint64_t)65536)
#define BODY_MAX      ((uint64_t)1 << 30)
#define RESPONSE_MAX  ((size_t)1 << 20)
#define MEMORY        ((size_t)8 << 20)
#define SHOWN         ((size_t)120) /* bytes of what a server says */
#define RESPONSES_MAX 20000000      /* before a tagged one */

struct conn {
    const struct conn_server *server;
    struct stream *io;
    struct arena *response, *life, *server_life;
    struct str words; /* CAPABILITY */
    unsigned sent, answered;
    bool encrypted, said_bye;
    conn_sink *sink;
    void *own;
};

static enum rc
lost(struct why *why, enum io how)
{
    return fail(why, "4.4.2",
                how == IO_TIMEOUT ? "the server does not answer"
                                  : "lost connection");
}

/* For a terminal: the first bytes, without what would control it. */
static const char *
shown(struct conn *c, struct str text)
{
    text = str_sub(text, 0, SHOWN);

    char *p = arena_cstr(c->response, text);

    for (size_t i = 0; i < text.len; i++)
        if (p[i] < ' ' || p[i] > '~')
            p[i] = '?';
    return p;
}

/* ---- responses */

static enum rc
stream_body(struct conn *c, uint32_t uid, uint64_t left, struct why *why)
{
    struct str bytes;
    bool wanted = true;

    if (left > BODY_MAX)
        return fail(why, "5.5.0", "a message of more than 1 GiB");
    while (left > 0) {
        enum io got = io_peek(c->io, &bytes);

        if (got != IO_OK)
            return lost(why, got);
        bytes = str_sub(bytes, 0, left > SIZE_MAX ? SIZE_MAX : (size_t)left);
        wanted = wanted && c->sink(c->own, uid, bytes);
        left -= bytes.len;
        io_skip(c->io, bytes.len);
    }
    return OK;
}

/* "UID 5" in what has come of a FETCH. */
static uint32_t
uid_of(struct str text)
{
    struct str word;
    uint64_t n;

    while (str_word(&text, " (", &word))
        if (str_ieq(word, S("UID")))
            return str_word(&text, " (", &word) && str_num(word, &n) &&
                           n <= UINT32_MAX
                       ? (uint32_t)n
                       : 0;
    return 0;
}

static enum rc
keep_literal(struct conn *c, struct buf *b, uint64_t left, struct why *why)
{
    struct str bytes;

    if (left > LITERAL_MAX || b->len + left > RESPONSE_MAX)
        return fail(why, "5.5.0", "the server sends a name that is too long");
    buf_add(b, S("\r\n"));
    while (left > 0) {
        enum io got = io_peek(c->io, &bytes);

        if (got != IO_OK)
            return lost(why, got);
        bytes = str_sub(bytes, 0, (size_t)left);
        buf_add(b, bytes);
        left -= bytes.len;
        io_skip(c->io, bytes.len);
    }
    return OK;
}

static enum rc
read_response(struct conn *c, struct imap_reply *r, struct why *why)
{
    struct buf b;
    struct str line;
    uint64_t size;
    bool body, more = true;
    enum rc rc = OK;

    arena_reset(c->response);
    b = buf_in(c->response);
    while (rc == OK && more) {
        enum io got = io_line(c->io, LINE_MAX_LEN, &line, NULL);

        if (got != IO_OK && got != IO_LONG)
            return lost(why, got);
        if (got == IO_LONG || b.len + line.len > RESPONSE_MAX)
            return fail(why, "5.5.0", "the server sends too long a line");
        more = imap_reply_literal(line, &size, &body);
        if (more && body && c->sink) {
            line.len = (size_t)str_rfind(line, '{');
            if (str_ends(line, S("~")))
                line.len--;
            buf_add(&b, line);
            buf_add(&b, S("\"\""));
            rc = stream_body(c, uid_of(buf_str(&b)), size, why);
        } else {
            buf_add(&b, line);
            if (more)
                rc = keep_literal(c, &b, size, why);
        }
    }
    if (rc == OK && !imap_reply_parse(c->response, buf_str(&b), r))
        rc = fail(why, "5.5.0", "the server breaks the protocol: \"%s\"",
                  shown(c, buf_str(&b)));
    return rc;
}

static void
take_words(struct conn *c, const struct imap_reply *r)
{
    struct str words = r->code;

    if (r->kind == IMAP_CAPABILITY)
        words = r->text;
    else if (!str_iskip(&words, S("CAPABILITY ")))
        return;
    arena_reset(c->life);
    c->words = arena_str(c->life, words);
}

void
conn_send(struct conn *c, const char *fmt, ...)
{
    struct arena *a = arena_new("command", MEMORY);
    va_list args;

    va_start(args, fmt);
    const char *text = arena_vfmt(a, fmt, args);
    va_end(args);
    io_fmt(c->io, "a%u %s\r\n", ++c->sent, text);
    arena_wipe(a);
    arena_free(a);
}

/* RFC 5530 3; LIMIT: of connections. */
static bool
is_for_now(struct str code)
{
    return str_ieq(code, S("UNAVAILABLE")) || str_ieq(code, S("INUSE")) ||
           str_ieq(code, S("LIMIT"));
}

static enum rc
answered(struct conn *c, const struct imap_reply *r, struct why *why)
{
    char tag[16];

    c->answered++;
    snprintf(tag, sizeof tag, "a%u", c->answered);
    if (!str_eq(r->tag, str_from(tag)))
        return fail(why, "5.5.0", "the server answers what nobody asked");
    take_words(c, r);
    if (r->kind == IMAP_OK)
        return OK;
    return fail(why, is_for_now(r->code) ? "5.3.2" : "5.3.0",
                "the server says: %s", shown(c, r->text));
}

enum rc
conn_wait(struct conn *c, conn_take *take, void *own, struct why *why)
{
    struct imap_reply r;
    enum rc taken = OK;
    struct why cause;

    for (unsigned i = 0; i < RESPONSES_MAX; i++) {
        enum rc rc = read_response(c, &r, why);

        if (rc != OK)
            return rc;
        take_words(c, &r);
        if (r.kind == IMAP_GO_ON)
            return fail(why, "5.5.0",
                        "the server waits for what we do not "
                        "send");
        if (!str_eq(r.tag, S("*"))) {
            rc = answered(c, &r, why);
            if (taken != OK)
                *why = cause;
            return taken != OK ? taken : rc;
        }
        if (r.kind == IMAP_BYE)
            return fail(why, "4.4.2", "the server ends the session: %s",
                        shown(c, r.text));
        if (take && taken == OK)
            taken = take(own, &r, &cause);
    }
    return fail(why, "5.5.0", "the server talks without end");
}

void
conn_stream(struct conn *c, conn_sink *sink, void *own)
{
    c->sink = sink;
    c->own = own;
}

bool
conn_has(const struct conn *c, const char *word)
{
    return imap_reply_has(c->words, str_from(word));
}

/* ---- the connection */

static int
dial(const struct conn_server *s, struct arena *a, struct why *why)
{
    unsigned how = DNS_V4 | DNS_V6 | DNS_FROM_HOSTS | DNS_FROM_DNS;
    struct dns_answer answer;

    if (dns_addresses(s->dns, s->host, how, a, &answer, why) != OK)
        return -1;
    for (size_t i = 0; i < answer.count; i++) {
        struct sockaddr_storage sa;
        socklen_t len = dns_to_sockaddr(&answer.records[i], s->port, &sa);
        int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd >= 0 && sock_timeout(fd, CONNECT_MS) &&
            connect(fd, (const struct sockaddr *)&sa, len) == 0)
            return fd;
        (void)!fail(why, "4.4.1", "cannot connect to %.*s, port %u: %m",
                    STR(s->host), s->port);
        if (fd >= 0)
            close(fd);
    }
    return -1;
}

static enum rc
encrypt(struct conn *c, struct why *why)
{
    const struct conn_server *s = c->server;
    struct arena *a = c->server_life;
    struct tls_demand *d = arena_make(a, struct tls_demand);
    struct tls_session *t;
    struct tls_facts facts;
    SSL *ssl;

    d->level = s->insecure ? TLS_ENCRYPT : TLS_SECURE;
    d->ciphers = "DEFAULT";
    d->sni = arena_cstr(a, s->host);
    d->names = arena_make(a, struct str);
    d->names[0] = s->host;
    d->name_count = 1;
    ssl = tls_client_session(s->tls, d, S(""), a, why);
    if (ssl == NULL)
        return TEMP;
    enum io got = tls_start(c->io, ssl, CONNECT_MS, NULL, &t, why);

    if (got != IO_OK)
        return fail(why, got == IO_BROKEN ? "5.7.5" : "4.4.2", "TLS: %s",
                    arena_cstr(a, str_from(why->text)));
    c->encrypted = true;
    if (tls_client_judge(t, a, &facts, why) == OK || s->insecure)
        return OK;
    return fail(why, "5.7.5", "%s; --insecure takes it all the same",
                tls_client_complaint(t, a, d->sni));
}

static enum rc
greet(struct conn *c, struct why *why)
{
    struct imap_reply r;
    enum rc rc = read_response(c, &r, why);

    if (rc != OK)
        return rc;
    take_words(c, &r);
    if (r.kind == IMAP_OK)
        return OK;
    return fail(why, "4.4.2", "the server does not want us: %s",
                shown(c, r.text));
}

static enum rc
ask_words(struct conn *c, struct why *why)
{
    conn_send(c, "CAPABILITY");
    return conn_wait(c, NULL, NULL, why);
}

/* What was said in the clear is forgotten. */
static enum rc
start_tls(struct conn *c, struct why *why)
{
    enum rc rc;

    if (!conn_has(c, "STARTTLS")) {
        if (c->server->insecure)
            return OK;
        return fail(why, "5.7.5",
                    "the server has no TLS on this port; try "
                    "imaps://, or --insecure");
    }
    conn_send(c, "STARTTLS");
    rc = conn_wait(c, NULL, NULL, why);
    if (rc == OK)
        rc = encrypt(c, why);
    c->words = S("");
    return rc == OK ? ask_words(c, why) : rc;
}

static enum rc
begin(struct conn *c, struct why *why)
{
    enum rc rc = OK;

    if (c->server->wrapped)
        rc = encrypt(c, why);
    if (rc == OK)
        rc = greet(c, why);
    if (rc == OK && c->words.len == 0)
        rc = ask_words(c, why);
    if (rc == OK && !c->encrypted)
        rc = start_tls(c, why);
    return rc;
}

enum rc
conn_open(const struct conn_server *server, struct conn **out, struct why *why)
{
    struct arena *a = arena_new("connection", MEMORY);
    struct conn *c = arena_make(a, struct conn);
    int fd = dial(server, a, why);

    *out = NULL;
    c->server = server;
    c->server_life = a;
    if (fd < 0) {
        arena_free(a);
        return TEMP;
    }
    c->response = arena_new("response", MEMORY);
    c->life = arena_new("capability", MEMORY);
    c->words = S("");
    c->io = io_open(fd);
    io_set_timeout(c->io, ANSWER_MS);
    enum rc rc = begin(c, why);

    if (rc == OK)
        *out = c;
    else
        conn_close(c);
    return rc;
}

void
conn_close(struct conn *c)
{
    if (c == NULL)
        return;
    io_close(c->io);
    arena_wipe(c->response);
    arena_free(c->response);
    arena_free(c->life);
    arena_free(c->server_life);
}

/* ---- logging in */

static bool
has_plain(const struct conn *c)
{
    return conn_has(c, "AUTH=PLAIN");
}

static enum rc
wait_go_on(struct conn *c, struct why *why)
{
    struct imap_reply r;

    for (int i = 0; i < 100; i++) {
        enum rc rc = read_response(c, &r, why);

        if (rc != OK || r.kind == IMAP_GO_ON)
            return rc;
        if (!str_eq(r.tag, S("*")))
            return answered(c, &r, why) == OK
                       ? fail(why, "5.5.0", "the server skips a step")
                       : PERM;
    }
    return fail(why, "5.5.0", "the server talks without end");
}

static enum rc
plain(struct conn *c, struct arena *a, struct str user, struct str password,
      struct why *why)
{
    struct buf raw = buf_in(a), b = buf_in(a);

    buf_addc(&raw, '\0');
    buf_add(&raw, user);
    buf_addc(&raw, '\0');
    buf_add(&raw, password);
    base64_encode(&b, buf_str(&raw));
    if (conn_has(c, "SASL-IR")) {
        conn_send(c, "AUTHENTICATE PLAIN %.*s", STR(buf_str(&b)));
    } else {
        conn_send(c, "AUTHENTICATE PLAIN");

        enum rc rc = wait_go_on(c, why);

        if (rc != OK)
            return rc; /* who does not want it does not get it */
        io_put(c->io, buf_str(&b));
        io_put(c->io, S("\r\n"));
    }
    return conn_wait(c, NULL, NULL, why);
}

static enum rc
login(struct conn *c, struct arena *a, struct str user, struct str password,
      struct why *why)
{
    struct buf b = buf_in(a);

    if (conn_has(c, "LOGINDISABLED"))
        return fail(why, "5.7.8", "the server takes no password here");
    imap_put_string(&b, user);
    buf_addc(&b, ' ');
    imap_put_string(&b, password);
    if (str_find(buf_str(&b), '\n') >= 0)
        return fail(why, "5.7.8", "this password cannot be sent with LOGIN");
    conn_send(c, "LOGIN %.*s", STR(buf_str(&b)));
    return conn_wait(c, NULL, NULL, why);
}

enum rc
conn_login(struct conn *c, struct str user, struct str password,
           struct why *why)
{
    struct arena *a = arena_new("login", 1 << 20);
    struct why cause;
    enum rc rc;

    c->words = arena_str(c->server_life, c->words);
    rc = has_plain(c) ? plain(c, a, user, password, &cause)
                      : login(c, a, user, password, &cause);
    io_wipe(c->io);
    arena_wipe(a);
    arena_free(a);
    if (rc == OK)
        return ask_words(c, why);
    if (rc == PERM && strcmp(cause.dsn, "5.3.2") == 0)
        return fail(why, "4.4.2", "%s", cause.text);
    if (rc == PERM && strcmp(cause.dsn, "5.3.0") == 0)
        return fail(why, "5.7.8", "the login of %.*s: %s", STR(user),
                    cause.text);
    *why = cause;
    return rc;
}
