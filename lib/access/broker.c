#include "access/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "access/broker_own.h"
#include "access/members.h"
#include "auth/dovecot.h"
#include "auth/ticket.h"
#include "base/log.h"
#include "daemon/quota_notice.h"
#include "daemon/secret.h"

#define IDLE_MS  30000 /* a user's process without a connection */
#define WORK_MAX ((size_t)1 << 20)
#define PIECE    ((size_t)32768) /* of an answer to a tool, in bytes */

/* A login stage, or a tool. */
struct asker {
    struct link link;
    struct watch *watch;
};

static struct {
    struct daemon *daemon;
    const struct user_program *program;
    struct loop *loop;
    struct members *members;
    struct arena *work; /* of one packet */
    unsigned char key[TICKET_KEY];
    const struct priv_calls *calls;
    bool ending;
    struct packet packet;
} own;

/* Each user's process asks for names of users and groups: what that takes is
 * read and loaded here, once for all of them. */
static void
load_names(void)
{
    (void)getpwnam("posta-nobody-at-all");
}

void
broker_prepare(struct daemon *d, const struct user_program *p)
{
    struct priv rights;
    struct why why;

    load_names();
    if (secret_load(d->queue_dir, "ticket.key", own.key, &why) != OK ||
        user_rights(d, &rights, &why) != OK ||
        priv_calls_make(&rights, d->life, &own.calls, &why) != OK)
        log_fatal("%s", why.text);
    quota_notice_open(d->life, d->conf);
    if (p->share)
        p->share(d->life);
}

/* ---- users and their processes */

static void
check_end(void)
{
    if (own.ending && members_count(own.members) == 0)
        loop_stop(own.loop);
}

static bool
answer(struct asker *k, const struct msg_entered *m)
{
    while (!send_entered(&k->link, m))
        if (!link_has_room(&k->link))
            return false;
    return true;
}

static void asker_close(struct asker *k);

/* What has become of a session that its login stage waits for. */
static void
tell(struct member *u, struct open_session *s, enum rc rc)
{
    struct msg_entered m = {.tag = s->tag, .rc = rc, .pid = u->pid};

    if (s->taken)
        return;
    s->taken = true;
    if (s->from && !answer(s->from, &m))
        asker_close(s->from);
}

/* Those whom his process has not taken try again, with another one. */
static void
member_close(struct member *u)
{
    loop_unwatch(u->watch);
    loop_cancel(u->idle);
    close(u->link.fd);
    for (size_t i = 0; i < u->sessions.len; i++) {
        tell(u, &u->sessions.at[i], TEMP);
        daemon_many_count(own.daemon, -1);
    }
    members_drop(own.members, u);
    check_end();
}

/* He has had no connection for a while: closing the link ends his process. */
static void
member_idle(void *self)
{
    struct member *u = self;

    u->idle = NULL;
    member_close(u);
}

static void
consider_idle(struct member *u)
{
    bool at_once = own.ending || u->retired;

    if (u->sessions.len > 0)
        return;
    loop_cancel(u->idle);
    u->idle = loop_after(own.loop, at_once ? 0 : IDLE_MS, member_idle, u);
}

static void
session_remove(struct member *u, struct open_session *s)
{
    tell(u, s, OK); /* he may have been quick */
    member_remove(u, s);
    daemon_many_count(own.daemon, -1);
    consider_idle(u);
}

static bool
session_taken(struct member *u, struct packet *p)
{
    struct msg_attached m;

    if (!read_attached(p, &m))
        return false;
    struct open_session *s = member_find(u, m.number);

    if (s)
        tell(u, s, OK);
    return true;
}

static bool
session_ended(struct member *u, struct packet *p)
{
    struct msg_detached m;

    if (!read_detached(p, &m))
        return false;
    struct open_session *s = member_find(u, m.number);

    if (s)
        session_remove(u, s);
    return true;
}

/* Back to the login stage, to whoever there has the client's TLS. If it has
 * ended, so has the connection. */
static bool
session_left(struct member *u, struct packet *p)
{
    struct msg_leave m;

    if (!read_leave(p, &m))
        return false;
    auto_close int fd = m.fd;
    struct open_session *s = member_find(u, m.number);

    if (s == NULL)
        return true;
    tell(u, s, OK);
    struct asker *k = s->from;
    struct msg_returned back = {.tag = s->tag, .input = m.input, .fd = fd};

    session_remove(u, s);
    while (k && !send_returned(&k->link, &back))
        if (!link_has_room(&k->link))
            break;
    return true;
}

static bool
retire(struct member *u, struct packet *p)
{
    struct msg_renew m;

    if (!read_renew(p, &m))
        return false;
    members_retire(own.members, u);
    consider_idle(u);
    return true;
}

static bool
take_packet(struct member *u, struct packet *p)
{
    switch (p->type) {
    case MSG_attached:
        return session_taken(u, p);
    case MSG_renew:
        return retire(u, p);
    case MSG_leave:
        return session_left(u, p);
    case MSG_detached:
        return session_ended(u, p);
    default:
        return true;
    }
}

static void
member_ready(void *self, unsigned events)
{
    struct member *u = self;
    enum link_state state = link_receive(&u->link, &own.packet);

    (void)events;
    if (state == LINK_OK && !take_packet(u, &own.packet))
        state = LINK_BAD;
    packet_drop(&own.packet);
    if (state == LINK_GONE || state == LINK_BAD)
        member_close(u);
}

static void
reap(void *unused)
{
    int status;
    pid_t pid;

    (void)unused;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (WIFSIGNALED(status))
            log_warn("%s: process %d of a user was killed by signal %d",
                     own.program->service, (int)pid, WTERMSIG(status));
        else if (WEXITSTATUS(status) != 0)
            log_warn("%s: process %d of a user ended with exit status %d",
                     own.program->service, (int)pid, WEXITSTATUS(status));
}

/* ---- a new process */

static struct str
field(struct str fields, const char *name)
{
    struct dovecot_word w;

    while (dovecot_next(own.work, &fields, &w))
        if (str_eq(w.name, str_from(name)))
            return w.value.p ? w.value : S("");
    return S("");
}

/* The ids that the ticket names; never root, never below the site's limit. */
static enum rc
find_ids(const struct ticket *t, struct user_start *start, struct why *why)
{
    uint64_t uid, gid;
    int64_t least = own.daemon->conf->virtual_minimum_uid;

    if (own.daemon->unprivileged) {
        start->uid = geteuid();
        start->gid = getegid();
        return OK;
    }
    if (!str_num(field(t->fields, "uid"), &uid) ||
        !str_num(field(t->fields, "gid"), &gid) || uid > UINT32_MAX - 1 ||
        gid > UINT32_MAX - 1)
        return fail(why, "5.3.5", "user %.*s has no uid and gid", STR(t->user));
    if (uid == 0 || (int64_t)uid < least)
        return fail(why, "5.3.5",
                    "user %.*s: uid %llu is below virtual_minimum_uid = %lld",
                    STR(t->user), (unsigned long long)uid, (long long)least);
    start->uid = (uid_t)uid;
    start->gid = (gid_t)gid;
    return OK;
}

static pid_t
fork_user(struct user_start *start, const int ends[2])
{
    log_flush();
    pid_t pid = fork();

    if (pid == 0) {
        explicit_bzero(own.key, sizeof own.key);
        start->link = ends[1];
        start->calls = own.calls;
        user_work(own.daemon, own.program, start);
    }
    return pid;
}

static struct member *
add_member(struct str name, pid_t pid, int link)
{
    struct member *u = members_add(own.members, name, pid);

    fcntl(link, F_SETFL, fcntl(link, F_GETFL) | O_NONBLOCK);
    u->link =
        (struct link){.fd = link, .self = SIDE(BROKER), .peer = SIDE(HOME)};
    u->watch = loop_watch(own.loop, link, LOOP_READ, member_ready, u);
    return u;
}

static enum rc
start_member(const struct ticket *t, struct member **u, struct why *why)
{
    struct user_start start = {
        .user = t->user, .fields = t->fields, .dir = field(t->fields, "home")};
    int ends[2];

    enum rc rc = find_ids(t, &start, why);

    if (rc != OK)
        return rc;
    if (!sock_pair(ends))
        return fail(why, "4.3.0", "cannot make a socket pair: %m");
    pid_t pid = fork_user(&start, ends);

    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return fail(why, "4.3.0", "cannot start a process: %m");
    }
    *u = add_member(t->user, pid, ends[0]);
    return OK;
}

/* ---- logins */

static bool
attach(struct member *u, struct asker *from, const struct msg_enter *m)
{
    struct msg_attach a = {.number = u->last + 1,
                           .session = m->session,
                           .client = m->client,
                           .others = member_count(u, m->client),
                           .server = m->server,
                           .tls = m->tls,
                           .greeting = m->greeting,
                           .input = m->input,
                           .fd = m->fd};

    if (!send_attach(&u->link, &a))
        return false;
    struct open_session *s = member_add(u, m->client);

    s->from = from;
    s->tag = m->tag;
    s->tls = m->tls != 0;
    s->since = (int64_t)time(NULL);
    daemon_many_count(own.daemon, 1);
    loop_cancel(u->idle);
    u->idle = NULL;
    return true;
}

/* TEMP without a word: his process is busy, and the login stage asks again. */
static enum rc
enter(struct asker *from, const struct msg_enter *m, struct why *why)
{
    struct ticket t;
    struct member *u;

    if (ticket_open(own.work, own.key, (int64_t)time(NULL),
                    str_from(own.program->service), m->ticket, &t, why) != OK)
        return PERM;
    u = members_find(own.members, t.user);
    enum rc rc = u == NULL ? start_member(&t, &u, why) : OK;

    if (rc != OK || attach(u, from, m))
        return rc;
    bool busy = errno == EAGAIN;

    consider_idle(u);
    if (busy)
        return TEMP;
    return fail(why, "4.3.0", "the process of %.*s takes no more connections",
                STR(t.user));
}

/* Who was handed on is answered when his process has him. */
static bool
take_login(struct asker *k)
{
    struct msg_enter m;
    struct why why = {0};

    if (!read_enter(&own.packet, &m))
        return false;
    auto_close int fd = m.fd;
    enum rc rc = enter(k, &m, &why);

    (void)fd;
    if (rc == OK)
        return true;
    if (*why.text)
        log_warn("%s: login refused: %s", own.program->service, why.text);
    return answer(k, &(struct msg_entered){
                         .tag = m.tag, .rc = rc, .text = str_from(why.text)});
}

/* ---- tools */

static bool
say(struct asker *k, struct str text, bool good, bool last)
{
    struct msg_broker_says says = {.text = text, .status = !good, .last = last};

    while (!send_broker_says(&k->link, &says))
        if (!link_has_room(&k->link))
            return false;
    return true;
}

static void
put_session(struct buf *b, const struct member *u, const struct open_session *s)
{
    buf_fmt(b, "%s\t%s\t%s\t%d\t%lld\t%d\n", u->name, own.program->service,
            s->client, s->tls, (long long)s->since, (int)u->pid);
}

/* However many there are: no more than a piece is in memory. */
static bool
list(struct asker *k)
{
    struct buf b = buf_in(own.work);
    struct members_place p = {0};
    const struct member *u;

    while ((u = members_next(own.members, &p)))
        for (size_t i = 0; i < u->sessions.len; i++) {
            put_session(&b, u, &u->sessions.at[i]);
            if (b.len < PIECE)
                continue;
            if (!say(k, buf_str(&b), true, false))
                return false;
            buf_reset(&b);
        }
    return say(k, buf_str(&b), true, true);
}

static bool
kick(struct str name, struct buf *b)
{
    struct msg_end_session m = {
        .number = 0,
        .text = S("Your sessions were ended by the administrator")};
    struct members_place p = {0};
    struct member *u;
    size_t count = 0;

    while ((u = members_next(own.members, &p))) {
        if (!str_eq(str_from(u->name), name) || u->sessions.len == 0)
            continue;
        if (!send_end_session(&u->link, &m))
            return false;
        count += u->sessions.len;
    }
    if (count > 0)
        buf_fmt(b, "%zu\n", count);
    return count > 0;
}

static bool
take_question(struct asker *k)
{
    struct buf b = buf_in(own.work);
    struct msg_ask_broker m;

    if (!read_ask_broker(&own.packet, &m))
        return false;
    if (str_eq(m.verb, S("who")))
        return list(k);
    if (!str_eq(m.verb, S("kick")))
        return false;
    bool good = kick(m.args, &b);

    return say(k, buf_str(&b), good, true);
}

/* ---- who asks */

static void
asker_close(struct asker *k)
{
    members_forget(own.members, k);
    loop_unwatch(k->watch);
    close(k->link.fd);
    free(k);
}

static void
asker_ready(void *self, unsigned events)
{
    struct asker *k = self;
    enum link_state state = link_receive(&k->link, &own.packet);

    (void)events;
    if (state == LINK_OK && own.packet.type == MSG_enter && !take_login(k))
        state = LINK_BAD;
    else if (state == LINK_OK && own.packet.type == MSG_ask_broker &&
             !take_question(k))
        state = LINK_BAD;
    packet_drop(&own.packet);
    packet_wipe(&own.packet); /* the next user's process gets this memory */
    arena_wipe(own.work);
    if (state == LINK_GONE || state == LINK_BAD)
        asker_close(k);
}

static void
connected(void *unused, int fd, const struct sockaddr_storage *peer)
{
    struct asker *k = calloc(1, sizeof *k);
    uid_t uid;

    (void)unused;
    (void)peer;
    must(k != NULL);
    daemon_many_count(own.daemon, -1); /* sessions count, not askers */
    k->link =
        (struct link){.fd = fd, .self = SIDE(BROKER), .peer = SIDE(LOGIN)};
    if (sock_peer_uid(fd, &uid, NULL) && (uid == 0 || uid == geteuid()))
        k->link.peer |= SIDE(TOOL);
    k->watch = loop_watch(own.loop, fd, LOOP_READ, asker_ready, k);
}

static void
end_all(void *unused, bool now)
{
    struct msg_end_session m = {.number = 0, .text = S("Server shutting down")};
    struct members_place p = {0};
    struct member *u;

    (void)unused;
    own.ending = true;
    while ((u = members_next(own.members, &p))) {
        if (now)
            (void)!send_end_session(&u->link, &m);
        consider_idle(u);
    }
    check_end();
}

void
broker_work(struct daemon *d, const struct user_program *p)
{
    const struct daemon_many many = {.connected = connected, .end = end_all};

    own.daemon = d;
    own.program = p;
    own.loop = loop_new();
    own.members = members_new();
    own.work = arena_new("login", WORK_MAX);
    loop_signal(own.loop, SIGCHLD, reap, NULL);
    daemon_many(d, own.loop, &many);
    loop_run(own.loop);
}
