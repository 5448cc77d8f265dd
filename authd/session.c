#include "session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "auth/dovecot.h"
#include "auth/ticket.h"
#include "base/hash.h"
#include "base/log.h"
#include "ipc/message.h"
#include "login.h"
#include "sys/conn.h"
#include "sys/sock.h"
#include "tls/digest.h"

/* A client that does not read has so much room, then he is cut off. */
#define UNSENT_MAX (256 << 10)

struct session {
    struct session *prev, *next;
    struct auth *auth;
    struct conn *conn;
    struct hash *logins; /* by id; NULL: none were made yet */
    bool greeted;        /* his VERSION has come */
    bool trusted;        /* may ask about users */
    bool closing;        /* when no longer busy */
    unsigned busy;       /* callbacks of ours on the stack */
};

/* The line that is looked at, and what it is taken apart with. */
static char line_copy[DOVECOT_LINE_MAX];
static struct arena *scratch;

static struct str
id_key(const uint32_t *id)
{
    return (struct str){(const char *)id, sizeof *id};
}

static void
destroy(struct session *s)
{
    struct auth *auth = s->auth;
    size_t pos = 0;
    void *login;

    for (; s->logins && hash_next(s->logins, &pos, NULL, &login); pos = 0) {
        uint32_t id = login_id(login);

        hash_del(s->logins, id_key(&id));
        login_cancel(login);
    }
    if (s->logins)
        hash_free(s->logins);
    if (s->prev)
        s->prev->next = s->next;
    else
        auth->sessions = s->next;
    if (s->next)
        s->next->prev = s->prev;
    conn_free(s->conn);
    free(s);
    daemon_many_gone(auth->daemon);
    if (auth->ending && auth->sessions == NULL)
        loop_stop(auth->loop);
}

static void
enter(struct session *s)
{
    s->busy++;
}

/* It goes when nobody works on it any more. False: it is gone. */
static bool
leave(struct session *s)
{
    bool idle = s->logins == NULL || hash_count(s->logins) == 0;

    if (--s->busy > 0)
        return true;
    if (!s->closing && !(s->auth->ending && idle && conn_unsent(s->conn) == 0))
        return true;
    destroy(s);
    return false;
}

static void
put(struct session *s, struct buf *b)
{
    conn_put(s->conn, buf_str(b));
    if (conn_unsent(s->conn) > UNSENT_MAX && !s->closing) {
        log_warn("a client does not read its answers: closing its connection");
        s->closing = true;
    }
}

/* ---- logins */

static void
say_challenge(void *own, struct login *l, struct str data)
{
    struct session *s = own;
    struct arena *a = arena_new("line", 1 << 20);
    struct buf b = buf_in(a);

    enter(s);
    dovecot_put_cont(&b, login_id(l), data);
    put(s, &b);
    conn_flush(s->conn);
    arena_free(a);
    leave(s);
}

static void
put_fields(struct buf *b, struct str fields)
{
    struct rec_field f;

    while (fields.len && get_field(&fields, &f))
        dovecot_put_field(b, f.name, f.value.len ? f.value : (struct str){0});
}

/* Who goes on to a mailbox needs what the broker believes. */
static void
put_ticket(struct session *s, struct buf *b, struct arena *a,
           struct str service, const struct login_end *e)
{
    struct buf fields = buf_in(a);

    if (!str_eq(service, S("imap")) && !str_eq(service, S("pop3")))
        return;
    put_fields(&fields, e->fields);

    struct str text = buf_str(&fields);

    (void)str_skip(&text, S("\t"));
    dovecot_put_field(b, S("ticket"),
                      ticket_make(a, s->auth->ticket_key, (int64_t)time(NULL),
                                  service, e->reply.user, text));
}

/* The answer to a login or a question, which is over with it. */
static void
answer(struct session *s, uint32_t id, struct buf *b)
{
    enter(s);
    hash_del(s->logins, id_key(&id));
    put(s, b);
    conn_flush(s->conn);
    leave(s);
}

static void
login_ended(void *own, struct login *l, const struct login_end *e)
{
    struct session *s = own;
    struct arena *a = arena_new("line", 1 << 20);
    struct buf b = buf_in(a);
    uint32_t id = login_id(l);

    if (e->ok)
        dovecot_put_ok(&b, id, &e->reply);
    else
        dovecot_put_fail(&b, id, &e->reply);
    if (e->ok) {
        put_fields(&b, e->fields);
        put_ticket(s, &b, a, login_service(l), e);
    }
    dovecot_put_end(&b);
    answer(s, id, &b);
    arena_free(a);
}

static void
refuse(struct session *s, uint32_t id, enum dovecot_code code,
       const char *reason)
{
    const struct dovecot_reply reply = {.code = code,
                                        .reason = str_from(reason)};
    struct buf b = buf_in(scratch);

    dovecot_put_fail(&b, id, &reply);
    dovecot_put_end(&b);
    put(s, &b);
}

#define BAD_BASE64 "Invalid base64 data in authentication response"

static bool
wrong(struct session *s, const char *what)
{
    if (!s->closing)
        log_warn("a client breaks the protocol: %s", what);
    s->closing = true;
    return false;
}

static bool
is_full(const struct session *s)
{
    return hash_count(s->logins) >= LOGINS_MAX_SESSION ||
           s->auth->logins >= LOGINS_MAX;
}

static bool
is_taken(struct session *s, uint32_t id)
{
    if (s->logins == NULL)
        s->logins = hash_new();
    return hash_get(s->logins, id_key(&id));
}

/* The line stays with the login. */
static bool
do_auth(struct session *s, struct str text)
{
    const struct login_user user = {say_challenge, login_ended, s};
    struct arena *a = arena_new("login", SASL_ARENA + 2 * DOVECOT_LINE_MAX);
    struct dovecot_line line;
    const char *why;
    bool good = dovecot_parse(a, arena_str(a, text), &line, &why) &&
                line.verb == DOVECOT_AUTH;
    uint32_t id = good ? line.request.id : 0;

    if (!good || is_taken(s, id)) {
        arena_wipe(a);
        arena_free(a);
        return wrong(s, good ? "two logins with one number" : why);
    }
    bool full = is_full(s);

    if (full || line.bad_data) {
        arena_wipe(a);
        arena_free(a);
        refuse(s, id, full ? DOVECOT_TEMP : DOVECOT_REFUSED,
               full ? "" : BAD_BASE64);
        return true;
    }
    struct login *l = login_new(s->auth, a, &line.request, &user);

    *hash_put(s->logins, id_key(&id)) = l;
    login_run(l);
    return true;
}

/* ---- questions about users */

static void
say_user(void *own, struct login *l, const struct login_end *e)
{
    struct session *s = own;
    struct arena *a = arena_new("line", 1 << 20);
    struct buf b = buf_in(a);
    uint32_t id = login_id(l);

    if (e->ok) {
        dovecot_put_found(&b, "USER", id, e->reply.user);
        put_fields(&b, e->fields);
        dovecot_put_end(&b);
    } else if (e->reply.code == DOVECOT_TEMP) {
        dovecot_put_fail(&b, id, &e->reply);
        dovecot_put_end(&b);
    } else {
        dovecot_put_notfound(&b, id);
    }
    answer(s, id, &b);
    arena_free(a);
}

static bool
do_user(struct session *s, const struct dovecot_line *line)
{
    const struct login_user user = {say_challenge, say_user, s};
    const struct dovecot_request request = {.id = line->id};

    if (!s->trusted)
        return wrong(s, "it may not ask about users");
    if (is_taken(s, line->id))
        return wrong(s, "two questions with one number");
    if (is_full(s)) {
        refuse(s, line->id, DOVECOT_TEMP, "");
        return true;
    }
    struct login *l =
        login_new(s->auth, arena_new("user", 1 << 20), &request, &user);

    *hash_put(s->logins, id_key(&line->id)) = l;
    login_look_up(l, line->text);
    return true;
}

static bool
do_cont(struct session *s, const struct dovecot_line *line)
{
    struct login *l = s->logins ? hash_get(s->logins, id_key(&line->id)) : NULL;

    /* It may just have ended. */
    if (l == NULL) {
        refuse(s, line->id, DOVECOT_TEMP, "");
    } else if (line->bad_data) {
        hash_del(s->logins, id_key(&line->id));
        login_cancel(l);
        refuse(s, line->id, DOVECOT_REFUSED, BAD_BASE64);
    } else if (!login_continue(l, line->data)) {
        return wrong(s, "an answer nobody asked for");
    }
    return true;
}

static void
do_cancel(struct session *s, uint32_t id)
{
    struct login *l = s->logins ? hash_del(s->logins, id_key(&id)) : NULL;

    if (l)
        login_cancel(l);
}

/* ---- lines */

static bool
do_line(struct session *s, struct str text)
{
    struct dovecot_line line;
    const char *why;

    if (s->greeted && str_starts(text, S("AUTH\t")))
        return do_auth(s, text);
    if (!dovecot_parse(scratch, text, &line, &why))
        return wrong(s, why);
    if (line.verb == DOVECOT_VERSION) {
        s->greeted = line.number == DOVECOT_MAJOR;
        return s->greeted || wrong(s, "another version");
    }
    if (!s->greeted)
        return wrong(s, "no VERSION");
    if (line.verb == DOVECOT_CONT)
        return do_cont(s, &line);
    if (line.verb == DOVECOT_USER)
        return do_user(s, &line);
    if (line.verb == DOVECOT_CANCEL)
        do_cancel(s, line.id);
    return true; /* what is not known may come from a newer client */
}

/* Copy the next line; false where it is not all there. */
static bool
next_line(struct session *s, struct str *line)
{
    struct str in = conn_input(s->conn);
    ssize_t len = str_find(in, '\n');

    if (len < 0 && in.len >= DOVECOT_LINE_MAX)
        return wrong(s, "the line is too long");
    if (len < 0)
        return false;
    memcpy(line_copy, in.p, (size_t)len);
    *line = (struct str){line_copy, (size_t)len};
    conn_skip(s->conn, (size_t)len + 1);
    return true;
}

static void
input(void *own)
{
    struct session *s = own;
    struct str line;

    enter(s);
    while (!s->closing && next_line(s, &line)) {
        do_line(s, line);
        arena_wipe(scratch);
        explicit_bzero(line_copy, line.len);
    }
    leave(s);
}

static void
ended(void *own, bool in_good_order)
{
    struct session *s = own;

    (void)in_good_order;
    enter(s);
    s->closing = true;
    leave(s);
}

static void
sent(void *own)
{
    struct session *s = own;

    enter(s);
    leave(s);
}

/* ---- life */

static void
greet(struct session *s)
{
    struct buf b = buf_in(scratch);
    uint8_t cookie[16];

    digest_random(cookie, sizeof cookie);
    dovecot_put_version(&b);
    for (size_t i = 0; i < s->auth->mech_count; i++)
        if (auth_offers(s->auth, s->auth->mechs[i]))
            dovecot_put_mech(&b, s->auth->mechs[i]);
    dovecot_put_number(&b, "SPID", (uint64_t)getpid());
    dovecot_put_number(&b, "CUID", ++s->auth->served);
    dovecot_put_cookie(&b, cookie);
    dovecot_put_done(&b);
    put(s, &b);
    arena_reset(scratch);
}

static bool
is_trusted(const struct auth *auth, int fd)
{
    uid_t uid;
    pid_t pid;

    return sock_peer_uid(fd, &uid, &pid) &&
           (uid == 0 || uid == auth->mail_owner);
}

void
session_start(struct auth *auth, int fd)
{
    static const struct conn_user user = {input, ended, sent};
    struct session *s = calloc(1, sizeof *s);

    if (s == NULL)
        log_fatal("out of memory for a session");
    if (scratch == NULL)
        scratch = arena_new("line", 4 * DOVECOT_LINE_MAX);
    *s = (struct session){
        .auth = auth, .next = auth->sessions, .trusted = is_trusted(auth, fd)};
    if (s->next)
        s->next->prev = s;
    auth->sessions = s;
    s->conn = conn_new(auth->loop, fd, DOVECOT_LINE_MAX, &user, s);
    enter(s);
    greet(s);
    conn_flush(s->conn);
    leave(s);
}

void
sessions_end(struct auth *auth, bool now)
{
    struct session *s, *next;

    auth->ending = true;
    if (auth->sessions == NULL)
        loop_stop(auth->loop);
    for (s = auth->sessions; s; s = next) {
        next = s->next;
        enter(s);
        s->closing = s->closing || now;
        leave(s);
    }
}
