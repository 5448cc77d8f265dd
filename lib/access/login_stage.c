#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access/login_own.h"
#include "base/log.h"

#define WORK_MAX   ((size_t)1 << 20)
#define ALONG_MAX  ((size_t)32768) /* a packet has to hold it */
#define AUTH_MS    2000 /* for what can be offered to the first client */
#define RELIEVED   8    /* a share of those who have not logged in */
#define GOODBYE_MS 2000 /* for what users' processes say when all must end */

static struct login_stage stage = {.broker.fd = -1};

void
stage_add(struct guest *l)
{
    l->priv->place = l->stage->all.len;
    *vec_add(&l->stage->all) = l;
}

static void
check_end(struct login_stage *s)
{
    if (s->ending && s->all.len == 0)
        loop_stop(s->loop);
}

void
stage_remove(struct guest *l)
{
    struct login_stage *s = l->stage;
    size_t place = l->priv->place;

    vec_drop(&s->all, place);
    if (place < s->all.len)
        s->all.at[place]->priv->place = place;
    daemon_many_gone(s->daemon);
    check_end(s);
}

/* ---- the broker */

static void
broker_lost(struct login_stage *s)
{
    loop_unwatch(s->broker_watch);
    s->broker_watch = NULL;
    close(s->broker.fd);
    s->broker.fd = -1;
    for (size_t i = s->all.len; i > 0; i--)
        if (i <= s->all.len) {
            struct guest *l = s->all.at[i - 1];
            /* His own socket may be served already: not twice. */
            struct msg_entered lost = {.rc = l->priv->tls ? TEMP : PERM};

            login_entered(l, &lost);
        }
}

/* Who is waited for came not long ago. */
static struct guest *
find(const struct login_stage *s, enum login_state state, int64_t tag)
{
    for (size_t i = s->all.len; i > 0; i--)
        if (s->all.at[i - 1]->priv->state == state &&
            s->all.at[i - 1]->priv->tag == tag)
            return s->all.at[i - 1];
    return NULL;
}

static bool
entered(struct login_stage *s)
{
    struct msg_entered m;

    if (!read_entered(&s->packet, &m))
        return false;
    struct guest *l = find(s, LOGIN_ENTERING, m.tag);

    if (l)
        login_entered(l, &m);
    return true;
}

static bool
returned(struct login_stage *s)
{
    struct msg_returned m;

    if (!read_returned(&s->packet, &m))
        return false;
    struct guest *l = find(s, LOGIN_RELAYING, m.tag);

    if (l)
        login_returned(l, m.fd, m.input);
    else
        close(m.fd);
    return true;
}

static void
broker_ready(void *self, unsigned events)
{
    struct login_stage *s = self;
    enum link_state state = link_receive(&s->broker, &s->packet);

    (void)events;
    if (state == LINK_OK &&
        !(s->packet.type == MSG_returned ? returned(s) : entered(s)))
        state = LINK_BAD;
    packet_drop(&s->packet);
    if (state == LINK_GONE || state == LINK_BAD)
        broker_lost(s);
}

static bool
broker_connect(struct login_stage *s)
{
    const char *path =
        arena_fmt(s->daemon->life, "private/%s-users", s->protocol->service);
    int fd = sock_connect_unix(path, SOCK_SEQPACKET);

    if (fd < 0) {
        log_warn("connect to %s: %m", path);
        return false;
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    s->broker =
        (struct link){.fd = fd, .self = SIDE(LOGIN), .peer = SIDE(BROKER)};
    s->broker_watch = loop_watch(s->loop, fd, LOOP_READ, broker_ready, s);
    return true;
}

bool
stage_enter(struct guest *l, struct str ticket, int fd)
{
    struct login_stage *s = l->stage;
    struct guest_private *p = l->priv;
    struct str input = str_sub(conn_input(l->conn), 0, ALONG_MAX);
    struct msg_enter m = {
        .tag = ++s->last_tag,
        .ticket = ticket,
        .session = str_from(p->id),
        .client = str_from(p->client),
        .server = str_from(p->server),
        .tls = l->secured,
        .greeting = p->greeting,
        .input = input,
        .fd = fd,
    };

    p->tag = m.tag;
    p->along = input.len;
    if (s->broker.fd < 0 && !broker_connect(s))
        return false;
    bool sent = send_enter(&s->broker, &m);

    if (!sent && errno != EAGAIN)
        log_warn("cannot hand a login over: %m");
    packet_wipe(NULL); /* of the ticket */
    return sent;
}

/* ---- the worker */

static void
connected(void *own, int fd, const struct sockaddr_storage *peer)
{
    struct login_stage *s = own;
    struct guest *l = login_new(s, fd, peer);

    auth_wake(s->auth);
    if (!s->wrapper) {
        l->protocol->greet(l);
        return;
    }
    l->priv->state = LOGIN_SHAKING;
    if (!login_tls_begin(l))
        login_end(l, "TLS is not available");
}

static int
cmp_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static bool
is_undecided(const struct guest *l)
{
    return l->priv->state < LOGIN_ASKING;
}

/* As Dovecot does it: whoever has opened thousands of connections that say
 * nothing keeps nobody out, as those who want to log in do so soon. */
static void
relieve(void *own)
{
    struct login_stage *s = own;
    int64_t *since = calloc(s->all.len + 1, sizeof *since);
    size_t n = 0;

    must(since != NULL);
    for (size_t i = 0; i < s->all.len; i++)
        if (is_undecided(s->all.at[i]))
            since[n++] = s->all.at[i]->priv->began;
    qsort(since, n, sizeof *since, cmp_time);
    int64_t last = n ? since[(n - 1) / RELIEVED] : 0;

    free(since);
    for (size_t i = s->all.len; i > 0; i--)
        if (i <= s->all.len && is_undecided(s->all.at[i - 1]) &&
            s->all.at[i - 1]->priv->began <= last)
            login_say_bye(s->all.at[i - 1], "Too many connections");
}

static void
stop(void *self)
{
    struct login_stage *s = self;

    loop_stop(s->loop);
}

/* Who has not logged in is sent away; who has, and is encrypted here, stays
 * as long as he likes, unless all must end now: then his process is about to
 * say so. */
static void
end(void *own, bool now)
{
    struct login_stage *s = own;

    s->ending = true;
    for (size_t i = s->all.len; i > 0; i--)
        if (i <= s->all.len)
            login_say_bye(s->all.at[i - 1], "Shutting down");
    if (now)
        loop_after(s->loop, GOODBYE_MS, stop, s);
    check_end(s);
}

static void
too_late(void *self)
{
    struct login_stage *s = self;

    s->late = NULL;
    loop_stop(s->loop);
}

/* What authd offers stands in the greeting of the first client already. */
static void
wait_for_auth(struct login_stage *s)
{
    s->late = loop_after(s->loop, AUTH_MS, too_late, s);
    auth_when_up(s->auth, stop, s);
    auth_wake(s->auth);
    loop_run(s->loop);
    auth_when_up(s->auth, NULL, NULL);
    loop_cancel(s->late);
    s->late = NULL;
}

void
login_work(struct daemon *d, const struct login_protocol *p)
{
    struct login_stage *s = &stage;
    const struct daemon_many many = {
        .full_at = (size_t)d->conf->login_process_client_limit,
        .connected = connected,
        .relieve = relieve,
        .end = end,
        .own = s,
    };

    s->daemon = d;
    s->protocol = p;
    s->loop = loop_new();
    s->work = arena_new("login", WORK_MAX);
    s->wrapper = d->conf->login_tls_wrappermode;
    s->auth = auth_new(s->loop, "private/authd");
    wait_for_auth(s);
    daemon_many(d, s->loop, &many);
    loop_run(s->loop);
}
