#include "attempt.h"

#include <time.h>

#include "base/log.h"
#include "base/utf8.h"
#include "block.h"
#include "login.h"
#include "policy.h"
#include "transfer.h"

static int64_t
wall_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static bool
on_list(const char *list, struct str name)
{
    struct str rest = str_from(list), one;

    while (str_word(&rest, ", \t\r\n", &one))
        if (str_ieq(one, name))
            return true;
    return false;
}

/* May the session carry another message after this one? */
static bool
may_keep(const struct attempt *t, const struct session *s)
{
    const struct settings *st = t->settings;
    int64_t age = io_now() - s->opened;

    if (!t->first || !(st->connection_cache_on_demand ||
                       on_list(st->connection_cache_destinations, t->hop.host)))
        return false;
    return (st->connection_reuse_count_limit == 0 ||
            s->uses + 1 < st->connection_reuse_count_limit) &&
           (st->connection_reuse_time_limit == 0 ||
            age < st->connection_reuse_time_limit);
}

static void
part(struct attempt *t)
{
    if (t->session == NULL)
        return;
    if (t->session->quitting)
        session_close(t->session);
    else
        session_quit(t->session, t->job->arena);
    t->session = NULL;
}

/* Does the message need SMTPUTF8 on its way, and not only its sender's leave
 * to use it? (RFC 6531 3.6) */
static bool
needs_utf8(const struct attempt *t)
{
    const struct job *j = t->job;
    bool needs = !utf8_is_ascii(j->sender);

    for (size_t i = 0; i < j->count && !needs; i++)
        needs = !j->rcpts[i].done && !utf8_is_ascii(j->rcpts[i].wire);
    return needs ||
           ((j->m.flags & ENVELOPE_UTF8) && content_header_8bit(&t->content));
}

/* What this server cannot take whatever we say. */
static enum rc
check_server(const struct attempt *t, struct trouble *trouble)
{
    const struct session *s = t->session;
    int64_t size = content_size(&t->content);

    *trouble = (struct trouble){0};
    if (!session_offers(s, SMTP_UTF8) && needs_utf8(t)) {
        trouble->hard_at_last = true;
        return fail(&trouble->why, "4.6.7",
                    "message requires SMTPUTF8, but no server was found that "
                    "supports SMTPUTF8. The last attempted server was %s",
                    s->name);
    }
    if (s->server.size > 0 && (uint64_t)size > s->server.size)
        return fail(&trouble->why, "5.3.4",
                    "message size %lld exceeds size limit %llu of server %s",
                    (long long)size, (unsigned long long)s->server.size,
                    s->name);
    return OK;
}

/* How many have not been asked in this session. */
static size_t
unasked(const struct job *j)
{
    size_t n = 0;

    for (size_t i = 0; i < j->count; i++)
        n += !j->rcpts[i].done && !j->rcpts[i].asked;
    return n;
}

static struct job_rcpt *
next_rcpt(const struct job *j)
{
    for (size_t i = 0; i < j->count; i++)
        if (!j->rcpts[i].done && !j->rcpts[i].asked)
            return &j->rcpts[i];
    return NULL;
}

/* Fields for this transaction's recipient; false where he has had the message
 * before. */
static bool
prepare_block(struct attempt *t)
{
    const struct settings *s = t->settings;
    struct job_rcpt *r = next_rcpt(t->job);
    struct why why;

    if (!s->add_return_path && !s->single)
        return true;
    if (s->add_delivered_to && block_loops(t->job, r, &t->content)) {
        (void)!fail(&why, "5.4.6", "mail forwarding loop for %.*s",
                    STR(r->in.addr));
        job_refuse(t->job, r, &why);
        return false;
    }
    t->content.block = block_make(t->job, r);
    return true;
}

/* As many as the server's limit of recipients makes necessary. Each asks
 * somebody for the first time, or has delivered to somebody. */
static enum transfer
run_transactions(struct attempt *t, bool keep)
{
    struct session *s = t->session;
    struct job *j = t->job;
    enum transfer result = TRANSFER_DONE;

    for (size_t i = 0; i < j->count; i++)
        j->rcpts[i].asked = false;
    while (result == TRANSFER_DONE && !s->quitting && unasked(j) > 0) {
        bool last = !keep && unasked(j) <= session_rcpt_limit(s);

        if (!prepare_block(t))
            continue;
        result = transfer_run(s, j, &t->content, last);
        s->uses++;
    }
    return result;
}

/* One message over t->session; then it is kept in t->session or gone. False:
 * it was stale, and another one is needed. */
static bool
use_session(struct attempt *t)
{
    struct session *s = t->session;
    bool keep = may_keep(t, s);
    struct trouble trouble;

    t->job->connected = wall_clock();
    if (check_server(t, &trouble) != OK) {
        job_fail_all(t->job, &trouble, s);
        t->job->talked = true;
        return true;
    }
    t->content.convert = t->settings->convert_8bit &&
                         !session_offers(s, SMTP_EIGHT_BIT) &&
                         content_any_8bit(&t->content);

    enum transfer result = run_transactions(t, keep);

    t->broke_off = s->dead && s->tls && s->demand->level == TLS_MAY;
    if (result == TRANSFER_STALE) {
        session_close(s);
        t->session = NULL;
        return false;
    }
    if (result == TRANSFER_DONE)
        t->job->talked = true;
    if (s->dead || !keep)
        part(t);
    return true;
}

/* Where it leads and what TLS is to be there stays with the session, so that
 * the next job can tell whether it will do. */
static void
remember_target(struct attempt *t, const struct target *target,
                const struct tls_demand *demand)
{
    struct session *s = t->session;
    struct arena *a = t->agent->talk;

    s->may_loop = target_may_loop(t->settings, &t->hop);
    s->demand = demand;
    if (target) {
        struct target *copy = arena_make(a, struct target);

        *copy = *target;
        copy->host = arena_str(a, target->host);
        copy->domain = arena_str(a, target->domain);
        copy->owner = arena_str(a, target->owner);
        s->target = copy;
    }
}

/* In the clear where TLS, which is not needed, has just failed. */
static struct session *
connect_to(struct attempt *t, const struct target *target, bool clear,
           struct why *why)
{
    struct agent *g = t->agent;
    struct tls_demand *demand;

    arena_reset(g->talk);
    demand = arena_make(g->talk, struct tls_demand);
    if (!clear && policy_find(t->settings, g->dns, &t->hop, target, g->talk,
                              demand, why) != OK)
        return NULL;
    t->session =
        target ? session_connect(t->settings, g->own, target, t->hop.port,
                                 g->talk, why)
               : session_connect_unix(t->settings, t->hop.host, g->talk, why);
    if (t->session)
        remember_target(t, target, demand);
    else
        log_info("%s", why->text);
    return t->session;
}

/* What a password is looked for by. */
static struct login_keys
keys_of(const struct attempt *t, const struct target *target)
{
    struct str dest = t->hop.text;

    if (t->settings->lmtp && !str_skip(&dest, S("unix:")))
        str_skip(&dest, S("inet:"));
    return (struct login_keys){
        .sender = t->job->m.sender,
        .host = target ? target->host : str_from(t->settings->myhostname),
        .dest = dest};
}

/* A message that has waited once already goes in the clear rather than not at
 * all; others can wait for TLS to work, and so can passwords. */
static bool
may_go_clear(const struct attempt *t, const struct target *target)
{
    const struct job *j = t->job;
    struct login_keys keys = keys_of(t, target);

    if (login_expected(t->settings, &keys, j->arena))
        return false;
    return (j->m.active - j->m.arrived) / 1000 >=
           j->settings->tls->fallback_age;
}

/* Until mail can be sent. */
static enum rc
greet(struct attempt *t, const struct target *target, struct trouble *trouble)
{
    struct job *j = t->job;
    struct login_keys keys = keys_of(t, target);
    enum rc rc = session_hello(t->session, j->arena, j->m.nexthop, trouble);

    return rc == OK ? login_run(t->session, j->arena, &keys, trouble) : rc;
}

/* Connect, greet, send. False: TLS failed, try again without. */
static bool
talk_to(struct attempt *t, const struct target *target, bool clear)
{
    struct job *j = t->job;
    struct trouble trouble;
    struct why why;

    part(t);
    job_next_server(j);
    t->broke_off = false;
    if (connect_to(t, target, clear, &why) == NULL) {
        job_blocked(j, &why);
        return true;
    }
    if (greet(t, target, &trouble) != OK) {
        t->broke_off = t->session->demand->level == TLS_MAY &&
                       (t->session->handshake_failed ||
                        (t->session->tls && t->session->dead));
        /* What opportunistic TLS does is no reason to slow down. */
        j->talked |= t->broke_off;
        job_fail_all(j, &trouble, t->session);
        part(t);
    } else {
        t->sessions++;
        must(use_session(t));
    }
    return !(t->broke_off && j->left > 0 && may_go_clear(t, target));
}

void
attempt_target(struct attempt *t, const struct target *target)
{
    if (!talk_to(t, target, false))
        (void)talk_to(t, target, true);
}

/* What TLS has to be may have changed with a table or in DNS. */
static bool
demands_the_same(const struct attempt *t)
{
    const struct session *s = t->session;
    struct arena *a = t->job->arena;
    struct tls_demand demand;
    struct why why;

    return policy_find(t->settings, t->agent->dns, &t->hop, s->target, a,
                       &demand, &why) == OK &&
           str_eq(tls_demand_key(a, &demand), tls_demand_key(a, s->demand));
}

void
attempt_open(struct attempt *t)
{
    struct agent *g = t->agent;
    struct str list = t->job->m.nexthop, one;
    struct why why;

    t->session = g->open;
    g->open = NULL;
    if (t->session == NULL)
        return;
    if (!str_eq(str_from(g->nexthop), t->job->m.nexthop) ||
        !login_serves(t->session, t->job->m.sender) ||
        !nexthop_cut(&list, &one) ||
        nexthop_parse(one, t->settings->lmtp, t->settings->port, &t->hop,
                      &why) != OK ||
        !demands_the_same(t)) {
        part(t);
        return;
    }
    t->session->waited = true;
    memcpy(&t->used, &t->session->sa, sizeof t->used);
    if (use_session(t))
        t->sessions = 1;
    else
        memset(&t->used, 0, sizeof t->used);
}
