#include "access/auth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/vec.h"
#include "sys/conn.h"

#define WORK_MAX  ((size_t)1 << 20)
#define RETRY_MS  500
#define CALL_MS   60000 /* authd delays what has failed before */
#define UP_MS     15000 /* while it cannot be had */
#define MECHS_MAX 16
#define NO_ID     0

enum state { DOWN, SHAKING, UP };

struct auth_call {
    struct auth *auth;
    struct auth_user user;
    void *own;
    struct timer *timer;
    uint32_t id;
    struct str waiting; /* the line, while it could not be sent (malloc) */
};

struct auth {
    struct loop *loop;
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
    enum state state;
    struct conn *conn;
    struct timer *retry;
    struct arena *work; /* of one line that came */
    struct arena *out;  /* of one that goes */
    const struct sasl_mech *mechs[MECHS_MAX];
    size_t nmechs;
    bool told; /* that it cannot be reached */
    loop_due *up;
    void *up_own;
    uint32_t last;
    VEC(struct auth_call *) calls;
};

/* ---- calls */

static void
forget(struct auth_call *c)
{
    struct auth *a = c->auth;

    loop_cancel(c->timer);
    for (size_t i = 0; i < a->calls.len; i++)
        if (a->calls.at[i] == c) {
            vec_drop(&a->calls, i);
            break;
        }
    if (c->waiting.p) {
        explicit_bzero((char *)(uintptr_t)c->waiting.p, c->waiting.len);
        free((char *)(uintptr_t)c->waiting.p);
    }
    free(c);
}

static void
finish(struct auth_call *c, const struct auth_result *r)
{
    struct auth_user user = c->user;
    void *own = c->own;

    forget(c);
    user.done(own, r);
}

static void
fail_for_now(struct auth_call *c)
{
    finish(c, &(struct auth_result){.code = DOVECOT_TEMP});
}

static bool
was_asked(const struct auth_call *c)
{
    return c->auth->state == UP && c->waiting.p == NULL;
}

static void
send_cancel(struct auth_call *c)
{
    struct buf b = buf_in(c->auth->out);

    dovecot_put_cancel(&b, c->id);
    conn_put(c->auth->conn, buf_str(&b));
    arena_wipe(c->auth->out);
}

static void
too_late(void *self)
{
    struct auth_call *c = self;
    c->timer = NULL;
    if (was_asked(c)) {
        log_warn("no answer from %s", c->auth->path);
        send_cancel(c);
    }
    fail_for_now(c);
}

static struct auth_call *
call_of(const struct auth *a, uint32_t id)
{
    for (size_t i = 0; i < a->calls.len; i++)
        if (a->calls.at[i]->id == id && a->calls.at[i]->waiting.p == NULL)
            return a->calls.at[i];
    return NULL;
}

/* ---- the connection */

static void connect_now(struct auth *a);

static void
retry(void *self)
{
    struct auth *a = self;

    a->retry = NULL;
    if (a->calls.len > 0 || a->up)
        connect_now(a);
}

/* What was asked is lost; what was not yet sent is asked again. */
static void
down(struct auth *a, const char *why)
{
    if (a->conn)
        conn_free(a->conn);
    a->conn = NULL;
    a->state = DOWN;
    if (!a->told)
        log_warn("connect to %s: %s", a->path, why);
    a->told = true;
    if (a->retry == NULL)
        a->retry = loop_after(a->loop, RETRY_MS, retry, a);
    for (size_t i = 0; i < a->calls.len;)
        if (a->calls.at[i]->waiting.p == NULL) {
            fail_for_now(a->calls.at[i]);
            i = 0;
        } else {
            i++;
        }
}

static void
send_waiting(struct auth *a)
{
    for (size_t i = 0; i < a->calls.len; i++) {
        struct auth_call *c = a->calls.at[i];

        if (c->waiting.p == NULL)
            continue;
        conn_put(a->conn, c->waiting);
        loop_cancel(c->timer);
        c->timer = loop_after(a->loop, CALL_MS, too_late, c);
        explicit_bzero((char *)(uintptr_t)c->waiting.p, c->waiting.len);
        free((char *)(uintptr_t)c->waiting.p);
        c->waiting = (struct str){0};
    }
}

/* Clients are not asked for certificates here. */
static void
add_mech(struct auth *a, const struct dovecot_line *l)
{
    const struct sasl_mech *m = sasl_mech_find(l->text);

    if (m && !l->is_private && !(m->properties & SASL_NEEDS_CERT) &&
        a->nmechs < MECHS_MAX)
        a->mechs[a->nmechs++] = m;
}

static void
result(struct auth *a, const struct dovecot_line *l)
{
    struct auth_call *c = call_of(a, l->id);
    struct dovecot_reply reply = {0};
    struct auth_result r = {.good = l->verb == DOVECOT_OK};
    struct str rest = l->fields;
    struct dovecot_word w;

    if (c == NULL)
        return; /* it was cancelled meanwhile */
    if (!dovecot_reply_parse(a->work, l, &reply))
        reply.code = DOVECOT_TEMP;
    while (dovecot_next(a->work, &rest, &w))
        if (str_eq(w.name, S("ticket")) && w.value.p)
            r.ticket = w.value;
    r.good = r.good && !reply.nologin;
    r.user = reply.user;
    r.resp = reply.resp;
    r.code = reply.nologin ? DOVECOT_DISABLED : reply.code;
    r.reason = reply.reason;
    finish(c, &r);
}

static void
shake(struct auth *a, const struct dovecot_line *l)
{
    if (l->verb == DOVECOT_VERSION) {
        a->nmechs = 0; /* until here what it offered last is good enough */
    } else if (l->verb == DOVECOT_MECH) {
        add_mech(a, l);
    } else if (l->verb == DOVECOT_DONE) {
        a->state = UP;
        a->told = false;
        send_waiting(a);
        loop_due *up = a->up;

        a->up = NULL;
        if (up)
            up(a->up_own);
    }
}

static bool
take_line(struct auth *a, struct str line)
{
    struct dovecot_line l;
    const char *wrong;

    if (!dovecot_parse(a->work, line, &l, &wrong) ||
        (l.verb == DOVECOT_VERSION && l.number != DOVECOT_MAJOR))
        return false;
    if (a->state == SHAKING) {
        shake(a, &l);
    } else if (l.verb == DOVECOT_OK || l.verb == DOVECOT_FAIL) {
        result(a, &l);
    } else if (l.verb == DOVECOT_CONT) {
        struct auth_call *c = call_of(a, l.id);

        if (c)
            c->user.challenge(c->own, l.data);
    }
    return true;
}

static void
input(void *own)
{
    struct auth *a = own;
    struct str line, rest = conn_input(a->conn);
    struct conn *conn = a->conn;

    while (str_find(rest, '\n') >= 0) {
        size_t before = rest.len;

        str_cut(&rest, '\n', &line);

        /* A call of ours may come back and change the buffer: copy. */
        line = arena_str(a->work, line);
        conn_skip(conn, before - rest.len);
        if (!take_line(a, line)) {
            down(a, "it does not speak the protocol");
            return;
        }
        arena_wipe(a->work);
        if (a->conn != conn)
            return;
        rest = conn_input(conn);
    }
    if (rest.len >= DOVECOT_LINE_MAX)
        down(a, "a line is too long");
}

static void
ended(void *own, bool in_good_order)
{
    (void)in_good_order;
    down(own, "it closed the connection");
}

static int
open_socket(const char *path)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    memcpy(sa.sun_path, path, strlen(path) + 1);
    if (fd >= 0 && connect(fd, (void *)&sa, sizeof sa) < 0) {
        int saved = errno;

        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

static void
connect_now(struct auth *a)
{
    static const struct conn_user user = {.input = input, .ended = ended};
    struct buf b = buf_in(a->out);
    int fd = open_socket(a->path);

    if (fd < 0) {
        down(a, strerror(errno));
        return;
    }
    a->state = SHAKING;
    a->conn = conn_new(a->loop, fd, DOVECOT_LINE_MAX, &user, a);
    conn_wipe(a->conn);
    dovecot_put_version(&b);
    dovecot_put_number(&b, "CPID", (uint64_t)getpid());
    conn_put(a->conn, buf_str(&b));
    arena_wipe(a->out);
}

/* ---- what others call */

struct auth *
auth_new(struct loop *l, const char *path)
{
    struct auth *a = calloc(1, sizeof *a);

    must(a != NULL && strlen(path) < sizeof a->path);
    a->loop = l;
    memcpy(a->path, path, strlen(path) + 1);
    a->work = arena_new("auth", WORK_MAX);
    a->out = arena_new("auth", WORK_MAX);
    return a;
}

void
auth_free(struct auth *a)
{
    while (a->calls.len > 0)
        forget(a->calls.at[0]);
    vec_free(&a->calls);
    loop_cancel(a->retry);
    if (a->conn)
        conn_free(a->conn);
    arena_free(a->work);
    arena_free(a->out);
    free(a);
}

void
auth_wake(struct auth *a)
{
    if (a->state == DOWN && a->retry == NULL)
        connect_now(a);
}

void
auth_when_up(struct auth *a, loop_due *up, void *own)
{
    a->up = up;
    a->up_own = own;
}

const struct sasl_mech *
auth_mech(const struct auth *a, size_t n)
{
    return n < a->nmechs ? a->mechs[n] : NULL;
}

struct auth_call *
auth_begin(struct auth *a, struct dovecot_request *r,
           const struct auth_user *user, void *own)
{
    struct auth_call *c = calloc(1, sizeof *c);
    struct buf b = buf_in(a->out);

    must(c != NULL);
    if (++a->last == NO_ID)
        ++a->last;
    r->id = a->last;
    *c = (struct auth_call){.auth = a, .user = *user, .own = own, .id = r->id};
    c->timer =
        loop_after(a->loop, a->state == UP ? CALL_MS : UP_MS, too_late, c);
    *vec_add(&a->calls) = c;
    dovecot_put_auth(&b, r);
    if (a->state == UP)
        conn_put(a->conn, buf_str(&b));
    else
        c->waiting = (struct str){str_dup(buf_str(&b)), b.len};
    arena_wipe(a->out);
    auth_wake(a);
    return c;
}

void
auth_continue(struct auth_call *c, struct str data)
{
    struct buf b = buf_in(c->auth->out);

    if (!was_asked(c))
        return; /* it is about to fail */
    dovecot_put_cont(&b, c->id, data);
    conn_put(c->auth->conn, buf_str(&b));
    arena_wipe(c->auth->out);
}

void
auth_cancel(struct auth_call *c)
{
    if (was_asked(c))
        send_cancel(c);
    forget(c);
}
