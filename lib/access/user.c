#include "access/user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "access/broker_own.h"
#include "auth/dovecot.h"
#include "base/log.h"
#include "daemon/roles.h"

#define LIFE_MAX    ((size_t)1 << 30)
#define GROUPS_MAX  100 /* of a field */
#define REFUSAL_MAX ((size_t)65536)
#define LINK        3 /* the broker, once nothing else is open */
#define LINK_MS     5000
#define ROOM_MS     1000
#define REST_MS     2000 /* without work */

static struct {
    struct user user;
    struct link broker;
    unsigned sessions;
    struct timer *rest;  /* until it is looked */
    bool worked, looked; /* since then; just now */
    bool ending, renewing;
    struct packet packet;
} own;

struct str
user_field(struct user *u, const char *name)
{
    struct str rest = u->fields;
    struct dovecot_word w;

    while (dovecot_next(u->life, &rest, &w))
        if (str_eq(w.name, str_from(name)) && w.value.p)
            return w.value;
    return S("");
}

void
user_folder(struct user_folders *folders, const char *path)
{
    if (path && folders->count < COUNT(folders->at))
        folders->at[folders->count++] = path;
}

void
user_renew(struct user *u)
{
    struct msg_renew m = {.pid = getpid()};

    must(u == &own.user);
    if (own.renewing)
        return;
    while (!send_renew(&own.broker, &m))
        if (!link_has_room(&own.broker))
            return;
    own.renewing = true;
}

bool
link_has_room(const struct link *link)
{
    struct pollfd p = {.fd = link->fd, .events = POLLOUT};

    return errno == EAGAIN && poll(&p, 1, ROOM_MS) == 1 &&
           (p.revents & POLLOUT);
}

static void
check_end(void)
{
    if (own.ending && own.sessions == 0)
        loop_stop(own.user.loop);
}

static void rest(void *unused);

static void
rest_later(void)
{
    if (own.rest == NULL)
        own.rest = loop_after(own.user.loop, REST_MS, rest, NULL);
}

/* Sessions may idle for days: what work took goes back to the system. */
static void
rest(void *unused)
{
    (void)unused;
    own.rest = NULL;
    own.looked = true;
    if (own.worked) {
        rest_later();
    } else {
        own.user.program->rest(&own.user);
        arena_trim();
    }
    own.worked = false;
}

/* After each round of the event loop; those of the timer are no work. */
static void
round_over(void *unused)
{
    (void)unused;
    if (!own.looked) {
        own.worked = true;
        rest_later();
    }
    own.looked = false;
}

void
user_gone(struct user *u, unsigned number)
{
    struct msg_detached m = {.number = number};

    must(u == &own.user && own.sessions > 0);
    own.sessions--;
    while (!send_detached(&own.broker, &m))
        if (!link_has_room(&own.broker)) {
            own.ending = true;
            break;
        }
    check_end();
}

void
user_return(struct user *u, unsigned number, int fd, struct str input)
{
    struct msg_leave m = {.number = number, .input = input, .fd = fd};

    must(u == &own.user && own.sessions > 0);
    own.sessions--;
    while (!send_leave(&own.broker, &m))
        if (!link_has_room(&own.broker)) {
            own.ending = true;
            break;
        }
    check_end();
}

static struct user_session
session_of(const struct msg_attach *m)
{
    return (struct user_session){
        .number = (unsigned)m->number,
        .fd = m->fd,
        .tls = m->tls != 0,
        .id = m->session,
        .client = m->client,
        .others = (unsigned)m->others,
        .server = m->server,
        .greeting = m->greeting,
        .input = m->input,
    };
}

/* Until the broker hears this it may be that nobody serves him. */
static void
tell_attached(unsigned number)
{
    struct msg_attached m = {.number = number};

    while (!send_attached(&own.broker, &m))
        if (!link_has_room(&own.broker))
            return;
}

static void
turn_away(const struct user_session *s, const char *why)
{
    struct arena *a = arena_new("refusal", REFUSAL_MAX);
    struct str text = own.user.program->refusal(a, s, why);

    (void)!send(s->fd, text.p, text.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(s->fd);
    arena_free(a);
}

/* As Dovecot words it, in its log line too. */
static bool
has_too_many(const struct user_session *s)
{
    int64_t limit = own.user.conf->mail_max_userip_connections;

    if (limit == 0 || s->client.len == 0 || s->others < limit)
        return false;
    char why[120];

    snprintf(why, sizeof why,
             "Maximum number of connections from user+IP exceeded "
             "(mail_max_userip_connections=%lld)",
             (long long)limit);
    log_info("%s-login: %s: user=<%.*s>, rip=%.*s, %.*s",
             own.user.program->service, why, STR(own.user.user), STR(s->client),
             STR(s->id));
    turn_away(s, why);
    return true;
}

static bool
take_session(struct packet *p)
{
    struct msg_attach m;

    if (!read_attach(p, &m))
        return false;
    struct user_session s = session_of(&m);

    fcntl(m.fd, F_SETFL, fcntl(m.fd, F_GETFL) | O_NONBLOCK);
    own.sessions++;
    if (has_too_many(&s))
        user_gone(&own.user, s.number);
    else
        own.user.program->attach(&own.user, &s);
    tell_attached(s.number);
    return true;
}

static bool
end_session(struct packet *p)
{
    struct msg_end_session m;

    if (!read_end_session(p, &m))
        return false;
    if (own.sessions > 0)
        own.user.program->end(&own.user, (unsigned)m.number,
                              arena_cstr(own.user.life, m.text));
    return true;
}

/* The broker lets a process go by closing the link, once no connection is
 * left; if it is gone itself, so are we (PDEATHSIG). */
static void
broker_ready(void *self, unsigned events)
{
    enum link_state state = link_receive(&own.broker, &own.packet);
    bool good = true;

    (void)self;
    (void)events;
    if (state == LINK_OK && own.packet.type == MSG_attach)
        good = take_session(&own.packet);
    else if (state == LINK_OK)
        good = own.packet.type == MSG_end_session && end_session(&own.packet);
    packet_drop(&own.packet);
    if (good && state != LINK_GONE && state != LINK_BAD)
        return;
    own.ending = true;
    if (own.sessions > 0)
        own.user.program->end(&own.user, 0, "Server shutting down");
    check_end();
}

/* Nothing of the broker's but the link and the log. */
static void
close_inherited(int link)
{
    const struct conf *conf = own.user.conf;
    char tag[64];

    if (link != LINK)
        must(dup2(link, LINK) == LINK);
    fcntl(LINK, F_SETFD, FD_CLOEXEC);
    must(close_range(LINK + 1, ~0u, 0) == 0);
    snprintf(tag, sizeof tag, "%s/%s", conf->syslog_name,
             own.user.program->service);
    log_open(tag, *conf->maillog_file ? 2 : -1, conf->syslog_facility);
}

enum rc
user_rights(const struct daemon *d, struct priv *rights, struct why *why)
{
    enum rc rc = role_rights(role_find(d->role), d->conf, rights, why);

    rights->may = PRIV_READ | PRIV_WRITE | PRIV_FIFO;
    rights->caps = 0;
    memset(rights->folders, 0, sizeof rights->folders);
    return rc;
}

static void
become(const struct user_start *start, const struct priv_user *ids,
       const struct user_folders *folders)
{
    struct priv rights;
    struct why why;

    if (user_rights(own.user.daemon, &rights, &why) != OK)
        log_fatal("%s", why.text);
    rights.user = *ids;
    rights.more = folders->at;
    rights.more_count = folders->count;
    rights.calls = start->calls;
    if (priv_enter(&rights, &why) != OK)
        log_fatal("%s", why.text);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* a change of ids clears it */
}

static void
add_groups(struct user *u, struct str *names, const gid_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct group *g = getgrgid(ids[i]);

        if (g)
            names[u->ngroups++] = arena_str(u->life, str_from(g->gr_name));
    }
}

/* An account of the system is in its groups; a virtual user only in those that
 * authd knows of. */
static void
find_groups(const struct user_start *start, struct priv_user *ids)
{
    struct user *u = &own.user;
    struct str *names =
        arena_alloc(u->life, (PRIV_GROUPS + GROUPS_MAX) * sizeof *names);
    struct str rest = user_field(u, "acl_groups"), word;
    struct priv_user account;
    struct why why;

    *ids = (struct priv_user){.uid = start->uid, .gid = start->gid};
    if (!u->daemon->unprivileged &&
        priv_find_user(arena_cstr(u->life, u->user), &account, &why) == OK &&
        account.uid == start->uid) {
        memcpy(ids->groups, account.groups, sizeof ids->groups);
        ids->ngroups = account.ngroups;
    }
    add_groups(u, names, ids->groups, ids->ngroups);
    for (size_t i = 0; i < GROUPS_MAX && str_word(&rest, ",", &word); i++)
        names[u->ngroups++] = str_trim(word);
    u->groups = names;
}

/* The folders must be there before the box is closed around them. */
static enum rc
prepare(const struct priv_user *ids, struct user_folders *folders,
        struct why *why)
{
    if (!priv_become(ids))
        log_fatal("cannot become user %u: %m", ids->uid);
    enum rc rc = own.user.program->prepare(&own.user, folders, why);

    priv_return();
    return rc;
}

/* He cannot be served. The one who has just logged in is told, and whoever
 * came right behind him; the next one gets a new process, and a new try. */
static void
refuse(const struct why *why)
{
    struct msg_attach m;

    log_warn("%s(%.*s): %s", own.user.program->service, STR(own.user.user),
             why->text);
    (void)!sock_timeout(LINK, LINK_MS);
    while (link_receive(&own.broker, &own.packet) == LINK_OK &&
           own.packet.type == MSG_attach && read_attach(&own.packet, &m)) {
        struct user_session s = session_of(&m);

        turn_away(&s, "Your mailbox is not available now");
        tell_attached(s.number);
        packet_drop(&own.packet);
        fcntl(LINK, F_SETFL, fcntl(LINK, F_GETFL) | O_NONBLOCK);
    }
}

static void
serve(void)
{
    fcntl(LINK, F_SETFL, fcntl(LINK, F_GETFL) | O_NONBLOCK);
    loop_watch(own.user.loop, LINK, LOOP_READ, broker_ready, NULL);
    loop_each_round(own.user.loop, round_over, NULL);
    loop_run(own.user.loop);
}

static void
reset_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGHUP, SIG_IGN); /* of master, to the broker */
    signal(SIGTERM, SIG_DFL);
}

void
user_work(struct daemon *d, const struct user_program *p,
          const struct user_start *start)
{
    struct user_folders folders = {0};
    struct priv_user ids;
    struct arena *life = arena_new("user", LIFE_MAX);
    struct why why;

    log_forked();
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    reset_signals();
    board_unmap(d->board); /* with counts of clients, and keys of tickets */
    d->board = NULL;
    own.user = (struct user){
        .daemon = d,
        .conf = d->conf,
        .program = p,
        .life = life,
        .user = arena_str(life, start->user),
        .fields = arena_str(life, start->fields),
        .uid = start->uid,
        .gid = start->gid,
        .dir = arena_cstr(life, start->dir),
    };
    close_inherited(start->link);
    find_groups(start, &ids);
    enum rc rc = prepare(&ids, &folders, &why);

    become(start, &ids, &folders);
    own.broker =
        (struct link){.fd = LINK, .self = SIDE(HOME), .peer = SIDE(BROKER)};
    own.user.loop = loop_new();
    if (rc == OK)
        rc = p->begin(&own.user, &why);
    arena_trim(); /* the box took much to build */
    if (rc == OK)
        serve();
    else
        refuse(&why);
    if (rc == OK && p->finish)
        p->finish(&own.user);
    log_flush();
    _exit(0);
}
