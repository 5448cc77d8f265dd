#include "deliver.h"

#include <unistd.h>

#include "attempt.h"
#include "base/log.h"
#include "command.h"

/* Requests are bounded by the packet; replies and content are streamed. */
#define REQUEST_MAX ((size_t)64 << 20)
#define TALK_MAX    ((size_t)4 << 20)
#define FIELD_MAX   ((size_t)8 << 20)

static bool
same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    struct dns_record x = dns_from_sockaddr((const struct sockaddr *)a);
    struct dns_record y = dns_from_sockaddr((const struct sockaddr *)b);

    return x.type == y.type && str_eq(x.data, y.data);
}

static void
try_targets(struct attempt *t, const struct targets *list)
{
    const struct settings *s = t->settings;

    for (size_t i = 0; i < list->count && t->job->left > 0; i++) {
        if (t->first && same_address(&list->at[i].sa, &t->used))
            continue;
        if (s->mx_address_limit > 0 && (int64_t)i >= s->mx_address_limit)
            return;
        if (s->mx_session_limit > 0 && t->sessions >= s->mx_session_limit)
            return;
        attempt_target(t, &list->at[i]);
    }
}

static bool
is_loop(const struct why *why)
{
    return strcmp(why->dsn + 1, ".4.6") == 0;
}

/* A next hop that the administrator chose is not the sender's mistake. */
static void
excuse(const struct attempt *t, bool fallback, struct why *why)
{
    const char *relayhost = t->settings->relayhost;
    bool chosen = !t->settings->lmtp && *relayhost != '\0' &&
                  str_eq(t->job->m.nexthop, str_from(relayhost));

    if (rc_of(why->dsn) != PERM || !(fallback || chosen))
        return;
    log_warn("%s configuration problem",
             fallback ? "smtp_fallback_relay" : "relayhost");
    memcpy(why->dsn, "4.3.5", sizeof "4.3.5");
}

static void
try_hop(struct attempt *t, struct str text, bool fallback)
{
    struct agent *g = t->agent;
    const struct settings *s = t->settings;
    struct targets list = {0};
    struct why why;

    if (!t->first)
        t->sessions = 0;
    if (nexthop_parse(text, s->lmtp, s->port, &t->hop, &why) != OK) {
        log_warn("%s", why.text);
        job_blocked(t->job, &why);
        return;
    }
    if (t->hop.kind == NEXTHOP_UNIX) {
        attempt_target(t, NULL);
        return;
    }
    if (targets_find(s, g->own, g->dns, &t->hop, t->job->arena, &list, &why) !=
        OK) {
        t->final = list.self || is_loop(&why);
        excuse(t, fallback, &why);
        job_next_server(t->job);
        job_blocked(t->job, &why);
        return;
    }
    /* Where we are an exchanger, only better ones may have it. */
    t->final = list.self;
    try_targets(t, &list);
}

static void
try_list(struct attempt *t, struct str list, bool fallback)
{
    struct str one;

    while (t->job->left > 0 && !t->final && nexthop_cut(&list, &one)) {
        try_hop(t, one, fallback);
        t->first = false;
    }
}

/* Mail for a domain whose best exchanger we are, and whose users somebody
 * else here knows. */
static void
pass_on_loops(struct job *j, const char *transport)
{
    for (size_t i = 0; i < j->count; i++)
        if (!j->rcpts[i].done &&
            strcmp(j->rcpts[i].trouble.why.dsn, "5.4.6") == 0)
            job_pass(j, &j->rcpts[i], transport);
}

/* What must be right before any server is asked. */
static enum rc
check(struct attempt *t, struct why *why)
{
    if (!content_open(&t->content, why))
        return TEMP;
    return command_prepare(t->job, why);
}

static void
prepare_rewrite(struct attempt *t)
{
    const struct settings *s = t->settings;

    if (s->generic || s->header_checks)
        t->content.rewrite =
            rewrite_new(t->job->arena, t->agent->field, s->generic,
                        s->header_checks, t->job->m.id);
}

static void
run(struct attempt *t)
{
    struct job *j = t->job;
    struct str list = j->m.nexthop;
    struct why why;

    if (check(t, &why) != OK) {
        job_blocked(j, &why);
        job_finish(j);
        return;
    }
    (void)!fail(&why, "4.3.0", "server unavailable or unable to receive mail");
    job_blocked(j, &why);
    prepare_rewrite(t);
    t->first = true;
    attempt_open(t);
    try_list(t, list, false);
    if (!t->settings->lmtp || !str_starts(list, S("unix:")))
        try_list(t, str_from(t->settings->fallback_relay), true);
    if (j->left > 0 && t->final && *t->settings->best_mx_transport)
        pass_on_loops(j, t->settings->best_mx_transport);
    j->site_down = j->left > 0 && !j->talked;
    job_finish(j);
}

static bool
report(struct attempt *t, const struct link *qmgr)
{
    struct agent *g = t->agent;
    struct str keeps = {0};

    /* What was kept is what try_hop left in place at the end. */
    g->open = t->session;
    if (g->open) {
        g->nexthop = arena_cstr(g->talk, t->job->m.nexthop);
        keeps = str_from(g->nexthop);
    }
    return job_report(t->job, qmgr, keeps);
}

enum rc
agent_open(struct agent *g, struct arena *life, const struct conf *conf,
           bool lmtp, char **args, struct why *why)
{
    struct dns_options options = {.servers = conf->dns_servers};
    struct settings *s = settings_read(life, conf, lmtp, args, why);

    if (s == NULL)
        return rc_of(why->dsn);
    g->settings = s;
    g->dns = dns_open(life, &options, why);
    if (g->dns == NULL)
        return rc_of(why->dsn);
    g->own = own_read(life, conf, g->dns, s->families);
    g->request = arena_new("request", REQUEST_MAX);
    g->talk = arena_new("session", TALK_MAX);
    g->field = arena_new("header field", FIELD_MAX);
    return OK;
}

bool
deliver_request(struct agent *g, const struct link *qmgr, struct packet *p)
{
    struct attempt t = {.agent = g, .settings = g->settings};

    arena_reset(g->request);
    t.job = job_new(g->settings, p, g->request);
    if (t.job == NULL) {
        log_warn("malformed request of qmgr");
        return false;
    }
    auto_close int fd = t.job->m.fd;

    t.content = (struct content){.fd = fd,
                                 .from = t.job->m.skip,
                                 .end = t.job->m.end,
                                 .arena = g->request};
    run(&t);
    return report(&t, qmgr);
}

void
deliver_close(struct agent *g)
{
    if (g->open == NULL)
        return;
    session_quit(g->open, g->request);
    g->open = NULL;
}
