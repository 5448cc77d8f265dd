#include "access/login.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "access/login_own.h"
#include "base/log.h"

/* fail2ban and logwatch know these lines by it. */
#define LOG_NAME "dovecot"

#define CLOSED       "Connection closed"
#define GOODBYE_MS   5000
#define AGAIN_MS     20   /* the broker is asked again, each time later */
#define AGAIN_MAX    4000 /* and in the end not any more */
#define ATTEMPTS_MAX 3
#define INPUT_MAX    ((size_t)32768)
#define RESPONSE_MAX ((size_t)16384) /* raw: authd's lines have 32768 */
#define OUTPUT_HIGH  ((size_t)16384) /* who does not read is not answered */

/* ---- small things */

static void
drop(struct str *s)
{
    char *p = (char *)(uintptr_t)s->p;

    if (p)
        explicit_bzero(p, s->len); /* who has a ticket is let in */
    free(p);
    *s = (struct str){0};
}

static void
make_id(char id[17])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
                                  "stuvwxyz0123456789+/";
    unsigned char bytes[16] = {0};

    (void)!getrandom(bytes, sizeof bytes, 0);
    for (size_t i = 0; i < sizeof bytes; i++)
        id[i] = letters[bytes[i] % 64];
    id[16] = '\0';
}

/* As it may stand in <> on a line that bans addresses: whoever guesses names
 * chooses them. */
static struct str
shown_user(struct arena *a, struct str user)
{
    struct str copy = arena_str(a, user);
    char *p = (char *)(uintptr_t)copy.p;

    for (size_t i = 0; i < copy.len; i++)
        if (p[i] == '<' || p[i] == '>')
            p[i] = '?';
    return copy;
}

/* ", TLS: Connection closed" */
static const char *
described_tls(const struct guest *l)
{
    const struct guest_private *p = l->priv;

    if (p->tls == NULL && !l->secured)
        return "";
    return arena_fmt(l->work, ", TLS%s%s%s", l->secured ? "" : " handshaking",
                     p->tls_why ? ": " : "", p->tls_why ? p->tls_why : "");
}

/* The part of a log line that says whose session it was; pid: what is said of
 * its process. */
static const char *
described(const struct guest *l, const char *pid)
{
    const struct guest_private *p = l->priv;
    struct buf b = buf_in(l->work);

    buf_fmt(&b, "user=<%.*s>, ", STR(shown_user(l->work, p->user)));
    if (p->method.len > 0)
        buf_fmt(&b, "method=%.*s, ", STR(p->method));
    buf_fmt(&b, "rip=%s, lip=%s%s%s, session=<%s>", p->client, p->server, pid,
            described_tls(l), p->id);
    return buf_str(&b).p;
}

/* How far he came, in Dovecot's words. */
static const char *
described_attempts(const struct guest *l)
{
    const struct guest_private *p = l->priv;
    int64_t now = loop_now(p->loop);

    if (l->attempts > 0)
        return arena_fmt(l->work, "auth failed, %u attempts in %ld secs",
                         l->attempts, (long)((now - p->began) / 1000));
    if (l->in_auth)
        return arena_fmt(l->work,
                         "client didn't finish SASL auth, waited %ld secs",
                         (long)((now - p->asked) / 1000));
    if (p->tried)
        return p->tried;
    return arena_fmt(l->work, "no auth attempts in %ld secs",
                     (long)((now - p->began) / 1000));
}

/* Exactly one line a session that did not log in: fail2ban counts them. Clients
 * may come and go by thousands without a word: nothing of theirs stays. */
void
login_log_failed(struct guest *l)
{
    const struct guest_private *p = l->priv;

    log_as(LOG_NAME, "%s: Disconnected: %s (%s): %s", l->protocol->program,
           p->why && *p->why ? p->why : "Aborted login by logging out",
           described_attempts(l), described(l, ""));
    arena_wipe(l->work);
}

static void
log_login(struct guest *l, int64_t pid)
{
    log_as(LOG_NAME, "%s: Login: %s", l->protocol->program,
           described(l, arena_fmt(l->work, ", mpid=%lld", (long long)pid)));
    arena_wipe(l->work);
}

/* ---- the end */

static void
forget_protocol(struct guest *l)
{
    if (l->own && l->protocol->done)
        l->protocol->done(l);
    free(l->own);
    l->own = NULL;
}

void
login_free(struct guest *l)
{
    struct guest_private *p = l->priv;

    stage_remove(l);
    loop_cancel(p->timer);
    loop_cancel(p->again);
    if (p->call)
        auth_cancel(p->call);
    if (p->inner >= 0)
        close(p->inner);
    if (p->ours >= 0)
        close(p->ours);
    if (p->handed) /* a process that finds it later must not serve him */
        shutdown(conn_fd(l->conn), SHUT_RDWR);
    conn_free(p->relay);
    conn_free(l->conn); /* frees the TLS session too */
    drop(&p->method);
    drop(&p->user);
    drop(&p->greeting);
    drop(&p->ticket);
    forget_protocol(l);
    free(p);
    free(l);
}

static void
goodbye_over(void *self)
{
    struct guest *l = self;
    struct guest_private *p = l->priv;
    uint64_t sent = conn_total_sent(l->conn);

    p->timer = NULL;

    /* The rest of a user's mail waits for a client that is only slow. */
    if (p->relay == NULL || sent == p->sent || conn_unsent(l->conn) == 0) {
        login_free(l);
        return;
    }
    p->sent = sent;
    p->timer = loop_after(p->loop, GOODBYE_MS, goodbye_over, l);
}

void
login_finish(struct guest *l)
{
    struct guest_private *p = l->priv;

    p->state = LOGIN_ENDING;
    if (p->call)
        auth_cancel(p->call);
    p->call = NULL;
    loop_cancel(p->again);
    p->again = NULL;
    conn_hold(l->conn, true);
    loop_cancel(p->timer);
    p->sent = conn_total_sent(l->conn);
    p->timer = loop_after(p->loop, conn_unsent(l->conn) ? GOODBYE_MS : 0,
                          goodbye_over, l);
}

void
login_end(struct guest *l, const char *why)
{
    if (l->priv->state == LOGIN_ENDING)
        return;
    l->priv->why = why;
    login_log_failed(l);
    login_finish(l);
}

void
login_say_bye(struct guest *l, const char *why)
{
    if (l->priv->state >= LOGIN_ENDING)
        return;
    if (l->priv->state != LOGIN_SHAKING && l->priv->state != LOGIN_SWITCHING)
        l->protocol->bye(l, why);
    login_end(l, why);
}

static void
too_long(void *self)
{
    struct guest *l = self;

    l->priv->timer = NULL;
    login_say_bye(l, "Inactivity");
}

/* ---- input */

static bool
may_answer(const struct guest *l)
{
    return l->priv->state == LOGIN_COMMAND &&
           conn_unsent(l->conn) < OUTPUT_HIGH;
}

/* What is in l->work may be a password. */
static void
go_on(struct guest *l)
{
    while (may_answer(l) && l->protocol->input(l))
        arena_wipe(l->work);
    if (may_answer(l) && conn_input(l->conn).len >= INPUT_MAX)
        login_say_bye(l, "Input is too long");
    if (l->priv->state == LOGIN_COMMAND)
        conn_hold(l->conn, !may_answer(l));
    arena_wipe(l->work);
}

static void
has_input(void *own)
{
    struct guest *l = own;

    if (l->priv->state == LOGIN_RELAYING)
        relay_to_user(l);
    else
        go_on(l);
}

static void
has_ended(void *own, bool in_good_order)
{
    struct guest *l = own;

    (void)in_good_order;
    if (l->priv->state < LOGIN_ENDING) {
        if (l->priv->why == NULL) /* else TLS has said more */
            l->priv->why = CLOSED;
        if (l->priv->tls && l->priv->tls_why == NULL)
            l->priv->tls_why = CLOSED;
        login_log_failed(l);
    }
    login_free(l);
}

static void
has_sent(void *own)
{
    struct guest *l = own;
    struct guest_private *p = l->priv;

    if (p->state == LOGIN_ENDING) {
        login_free(l);
    } else if (p->state == LOGIN_RELAYING || p->state == LOGIN_RETURNING) {
        relay_to_client(l);
    } else if (p->state == LOGIN_COMMAND) {
        go_on(l);
    } else if (p->state == LOGIN_SWITCHING) {
        p->state = LOGIN_SHAKING;
        if (!login_tls_begin(l))
            login_end(l, "TLS is not available");
        else
            conn_hold(l->conn, false);
    }
}

static void
wait_for(struct guest *l, enum login_state state)
{
    l->priv->state = state;
    conn_hold(l->conn, true);
}

/* Back to commands; those that came meanwhile are next. */
static void
resume(struct guest *l)
{
    l->priv->state = LOGIN_COMMAND;
    conn_hold(l->conn, false);
    go_on(l);
}

/* ---- TLS */

bool
login_has_tls(const struct guest *l)
{
    return !l->secured && login_tls_possible();
}

void
login_start_tls(struct guest *l)
{
    wait_for(l, LOGIN_SWITCHING);
}

void
login_shaken(struct guest *l)
{
    struct guest_private *p = l->priv;

    p->shaken = true;
    l->secured = true;
    p->state = LOGIN_COMMAND;
    if (l->stage->wrapper)
        l->protocol->greet(l);
}

/* ---- authd */

static bool
takes_passwords(const struct guest *l)
{
    return l->secured || !l->conf->login_tls_auth_only;
}

bool
login_may_use(const struct guest *l, const struct sasl_mech *m)
{
    if (m->properties & SASL_BINDING)
        return l->secured;
    return takes_passwords(l) || !(m->properties & SASL_PLAINTEXT);
}

const struct sasl_mech *
login_mech(const struct guest *l, size_t n)
{
    const struct sasl_mech *m;

    for (size_t i = 0; (m = auth_mech(l->stage->auth, i)) != NULL; i++)
        if (login_may_use(l, m) && n-- == 0)
            return m;
    return NULL;
}

static void
challenged(void *own, struct str data)
{
    struct guest *l = own;

    exchange_challenge(l, data);
    resume(l);
}

static void
refuse(struct guest *l, const struct auth_result *r)
{
    l->attempts += r->code != DOVECOT_TEMP;
    exchange_refused(l, r->code);
    if (l->attempts >= ATTEMPTS_MAX)
        login_say_bye(l, "Too many failed logins");
    else
        resume(l);
}

static void
unavailable(struct guest *l)
{
    exchange_unavailable(l);
    login_end(l, "Mailbox unavailable");
}

static void enter(struct guest *l);

static void
enter_again(void *self)
{
    struct guest *l = self;

    l->priv->again = NULL;
    enter(l);
}

/* Many may come at once, and a broker be renewed. */
static void
not_now(struct guest *l)
{
    struct guest_private *p = l->priv;

    if (p->pause > AGAIN_MAX || !relay_renew(l)) {
        unavailable(l);
        conn_flush(l->conn);
        return;
    }
    p->again = loop_after(p->loop, p->pause, enter_again, l);
    p->pause *= 2;
}

static void
enter(struct guest *l)
{
    struct guest_private *p = l->priv;
    int fd = p->inner >= 0 ? p->inner : conn_fd(l->conn);

    if (stage_enter(l, p->ticket, fd))
        p->handed = p->tls == NULL;
    else
        not_now(l);
}

static void
answered(void *own, const struct auth_result *r)
{
    struct guest *l = own;
    struct guest_private *p = l->priv;

    p->call = NULL;
    exchange_over(l);
    if (r->user.len > 0) {
        drop(&p->user);
        p->user = str_from(str_dup(r->user));
    }
    if (!r->good) {
        refuse(l, r);
        conn_flush(l->conn);
        return;
    }
    wait_for(l, LOGIN_ENTERING);
    conn_flush(l->conn);

    /* Behind TLS it is we who send on; in the clear what stands in our buffer
     * would be lost. */
    drop(&p->ticket);
    p->ticket = str_from(str_dup(r->ticket));
    p->pause = AGAIN_MS;
    if ((p->tls == NULL && conn_unsent(l->conn) > 0) || !relay_prepare(l))
        unavailable(l);
    else
        enter(l);
    conn_flush(l->conn);
}

void
login_auth(struct guest *l, struct str mech, const struct str *initial,
           struct str greeting)
{
    static const struct auth_user user = {.challenge = challenged,
                                          .done = answered};
    struct guest_private *p = l->priv;
    struct dovecot_request r = {
        .mech = mech,
        .service = str_from(l->protocol->service),
        .rip = str_from(p->client),
        .lip = str_from(p->server),
        .rport = str_from(arena_fmt(l->work, "%u", p->client_port)),
        .lport = str_from(arena_fmt(l->work, "%u", p->server_port)),
        .session = str_from(p->id),
        .secured = takes_passwords(l),
        .tls = l->secured,
        .has_resp = initial != NULL,
        .resp = initial ? *initial : S(""),
    };

    p->asked = loop_now(p->loop);
    if (r.resp.len > RESPONSE_MAX) {
        login_say_bye(l, "Login data is too long");
        return;
    }
    if (p->tls)
        sasl_bindings_of(l->work, p->tls, mech, r.bindings);
    drop(&p->method);
    p->method = str_from(str_dup(mech));
    drop(&p->greeting);
    p->greeting = str_from(str_dup(greeting));
    wait_for(l, LOGIN_ASKING);
    p->call = auth_begin(l->stage->auth, &r, &user, l);
}

void
login_password(struct guest *l, struct str user, struct str password,
               struct str greeting)
{
    struct buf b = buf_in(l->work);

    drop(&l->priv->user);
    l->priv->user = str_from(str_dup(user));
    buf_addc(&b, '\0');
    buf_add(&b, user);
    buf_addc(&b, '\0');
    buf_add(&b, password);

    struct str initial = buf_str(&b);

    login_auth(l, S("PLAIN"), &initial, greeting);
}

void
login_continue(struct guest *l, struct str data)
{
    if (data.len > RESPONSE_MAX) {
        login_say_bye(l, "Login data is too long");
        return;
    }
    wait_for(l, LOGIN_ASKING);
    auth_continue(l->priv->call, data);
}

void
login_abort(struct guest *l)
{
    auth_cancel(l->priv->call);
    l->priv->call = NULL;
}

/* ---- the broker */

void
login_entered(struct guest *l, const struct msg_entered *m)
{
    struct guest_private *p = l->priv;

    if (p->state != LOGIN_ENTERING || p->again)
        return;
    if (m->rc != PERM)
        p->handed = false;
    if (m->rc == TEMP) {
        not_now(l);
        return;
    }
    if (m->rc != OK) {
        unavailable(l);
        conn_flush(l->conn);
        return;
    }
    log_login(l, m->pid);
    if (p->tls == NULL) {
        login_free(l); /* the socket lives on elsewhere */
        return;
    }
    loop_cancel(p->timer);
    p->timer = NULL;
    p->state = LOGIN_RELAYING;
    forget_protocol(l);
    relay_begin(l);
}

/* ---- back from his mailbox */

void
login_returned(struct guest *l, int fd, struct str input)
{
    l->priv->state = LOGIN_RETURNING; /* up to the end of the relay */
    conn_hold(l->conn, true);
    if (!relay_take_back(l, fd, input))
        login_finish(l);
    close(fd);
}

void
login_begin_again(struct guest *l)
{
    struct guest_private *p = l->priv;

    conn_free(p->relay);
    p->relay = NULL;
    drop(&p->user);
    drop(&p->method);
    drop(&p->ticket);
    make_id(p->id);
    l->attempts = 0;
    p->tried = NULL;
    l->own = calloc(1, l->protocol->size);
    must(l->own != NULL);
    p->began = loop_now(p->loop);
    p->timer = loop_after(p->loop, l->conf->login_timeout, too_long, l);
    p->state = LOGIN_COMMAND;
    if (l->stage->ending)
        login_say_bye(l, "Shutting down");
    else
        resume(l);
    conn_flush(l->conn);
}

/* ---- a new client */

static void
find_addresses(struct guest_private *p, int fd,
               const struct sockaddr_storage *peer)
{
    struct sockaddr_storage sa = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof sa;

    sock_text((const struct sockaddr *)peer, p->client, &p->client_port);
    (void)!getsockname(fd, (struct sockaddr *)&sa, &len);
    sock_text((const struct sockaddr *)&sa, p->server, &p->server_port);
}

struct guest *
login_new(struct login_stage *s, int fd, const struct sockaddr_storage *peer)
{
    static const struct conn_user user = {has_input, has_ended, has_sent};
    struct guest *l = calloc(1, sizeof *l);
    struct guest_private *p = calloc(1, sizeof *p);

    must(l != NULL && p != NULL);
    *l = (struct guest){.stage = s,
                        .protocol = s->protocol,
                        .conf = s->daemon->conf,
                        .priv = p};
    l->own = calloc(1, s->protocol->size);
    must(l->own != NULL);
    l->work = s->work;
    *p = (struct guest_private){
        .state = LOGIN_COMMAND, .loop = s->loop, .inner = -1, .ours = -1};
    p->began = loop_now(s->loop);
    find_addresses(p, fd, peer);
    make_id(p->id);
    sock_nodelay(fd);
    l->conn = conn_new(s->loop, fd, INPUT_MAX, &user, l);
    conn_wipe(l->conn);
    p->timer = loop_after(s->loop, l->conf->login_timeout, too_long, l);
    stage_add(l);
    return l;
}
