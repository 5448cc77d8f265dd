#include "dest.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/vec.h"
#include "mail/address.h"
#include "mem.h"
#include "qmgr.h"

static VEC(struct transport *) all;

static struct plan_feedback
feedback_of(const struct conf *conf, const char *transport, const char *suffix,
            const char *fallback)
{
    char *name = arena_fmt(qmgr.scratch, "%s_%s", transport, suffix);
    const char *text = conf_get(conf, name), *end;
    struct plan_feedback f = {1, PLAN_CONSTANT};
    struct str rest;

    if (text == NULL)
        text = fallback;
    f.value = strtod(text, (char **)(uintptr_t)&end);
    rest = str_trim(str_from(end));
    if (str_skip(&rest, S("/"))) {
        rest = str_trim(rest);
        f.kind =
            str_ieq(rest, S("concurrency")) ? PLAN_INVERSE : PLAN_INVERSE_ROOT;
    }
    if (!(f.value >= 0 && f.value <= 1)) {
        log_warn("%s: %s is not between 0 and 1; using 1", name, text);
        f = (struct plan_feedback){1, PLAN_CONSTANT};
    }
    return f;
}

/* Retries have at most three quarters of the agents, so that new mail finds
 * one even when each retry waits half a minute for a dead host. */
static int64_t
most_retries(const struct transport *t)
{
    size_t agents = t->crew.limit ? t->crew.limit : 100;

    return agents > 1 ? (int64_t)(agents - agents / 4) : 1;
}

static void
configure(struct transport *t, const struct conf *c)
{
    const char *name = t->name;
    struct plan_limits *l = &t->plan.limits;
    struct str list = str_from(c->defer_transports), word;

    l->initial = conf_transport_int(c, name, "initial_destination_concurrency",
                                    c->initial_destination_concurrency);
    l->most = conf_transport_int(c, name, "destination_concurrency_limit",
                                 c->default_destination_concurrency_limit);
    l->cohorts = conf_transport_int(
        c, name, "destination_concurrency_failed_cohort_limit",
        c->default_destination_concurrency_failed_cohort_limit);
    l->grow = feedback_of(c, name, "destination_concurrency_positive_feedback",
                          c->default_destination_concurrency_positive_feedback);
    l->shrink =
        feedback_of(c, name, "destination_concurrency_negative_feedback",
                    c->default_destination_concurrency_negative_feedback);
    l->retries = most_retries(t);
    t->rcpt_limit = conf_transport_int(c, name, "destination_recipient_limit",
                                       c->default_destination_recipient_limit);
    t->rate_delay = conf_transport_time(c, name, "destination_rate_delay",
                                        c->default_destination_rate_delay);
    t->own_rate_delay = conf_transport_time(c, name, "transport_rate_delay",
                                            c->default_transport_rate_delay);
    if (t->rate_delay > 0)
        l->most = 1;
    if (l->most > 0 && l->initial > l->most)
        l->initial = l->most;
    if (l->initial < 1)
        l->initial = 1;
    t->defers = false;
    while (str_word(&list, " \t\r\n,", &word))
        t->defers |= str_eq(word, str_from(name));
}

struct transport *
dest_next_transport(size_t *pos)
{
    return *pos < all.len ? all.at[(*pos)++] : NULL;
}

void
dest_configure(const struct conf *conf)
{
    for (size_t i = 0; i < all.len; i++)
        configure(all.at[i], conf);
}

static char *
copy(struct str s)
{
    char *p = mem_new(s.len + 1);

    memcpy(p, s.p, s.len);
    return p;
}

struct transport *
dest_transport(struct str name)
{
    return hash_get(qmgr.transports, name);
}

struct transport *
dest_make_transport(struct str name)
{
    void **place = hash_put(qmgr.transports, name);

    if (*place)
        return *place;

    struct transport *t = *place = mem_make(struct transport);

    t->name = copy(name);
    t->way = WAY_NONE;
    t->dests = hash_new();
    plan_init(&t->plan, &(struct plan_limits){0});
    crew_init(&t->crew, t->name, transport_crew_run);
    t->crew.missing = transport_missing;
    configure(t, qmgr.conf);
    *vec_add(&all) = t;
    return t;
}

/*
 * Where one recipient is delivered at a time, what must not be overrun is his
 * mailbox: his name is part of the site, without address extension.
 */
static struct str
key_of(const struct transport *t, struct str addr, struct str nexthop)
{
    struct str user, extension;

    if (t->rcpt_limit != 1)
        return arena_lower(qmgr.scratch, nexthop);
    address_extension(address_local(addr), qmgr.conf->recipient_delimiter,
                      &user, &extension);
    return arena_lower(qmgr.scratch,
                       str_from(arena_fmt(qmgr.scratch, "%.*s@%.*s", STR(user),
                                          STR(nexthop))));
}

struct dest *
dest_get(struct transport *t, struct str addr, struct str nexthop)
{
    struct str key = key_of(t, addr, nexthop);
    void **place = hash_put(t->dests, key);

    if (*place)
        return *place;

    struct dest *d = *place = mem_make(struct dest);

    plan_site(&t->plan, &d->site);
    d->transport = t;
    d->key = copy(key);
    d->nexthop = copy(nexthop);
    return d;
}

struct dest *
dest_find(const struct transport *t, struct str nexthop)
{
    return hash_get(t->dests, arena_lower(qmgr.scratch, nexthop));
}

void
dest_release(struct dest *d)
{
    if (!plan_site_unused(&d->site) || d->sessions || d->timer)
        return;
    hash_del(d->transport->dests, str_from(d->key));
    mem_free(d->key);
    mem_free(d->nexthop);
    mem_free(d);
}

void
dest_wake(struct dest *d)
{
    loop_cancel(d->timer);
    d->timer = NULL;
    d->suspended = false;
    if (d->site.dead)
        plan_wake(&d->site);
    if (d->site.resting)
        plan_rest(&d->site, false);
    dest_release(d);
}

static void
time_is_over(void *self)
{
    struct dest *d = self;

    d->timer = NULL;
    dest_wake(d);
}

static void
wait(struct dest *d, int64_t ms)
{
    loop_cancel(d->timer);
    d->timer = loop_after(qmgr.loop, ms, time_is_over, d);
}

void
dest_died(struct dest *d, struct str dsn, struct str text)
{
    char *code = arena_cstr(qmgr.scratch, dsn);

    if (fail(&d->why, code[0] ? code : "4.3.0", "%.*s", STR(text)) == OK)
        memcpy(d->why.dsn, "4.3.0", 6);
    d->why.dsn[0] = '4';
    d->suspended = true;
    wait(d, qmgr.conf->minimal_backoff_time);
}

void
dest_rest(struct dest *d)
{
    if (d->transport->rate_delay <= 0 || d->site.dead)
        return;
    plan_rest(&d->site, true);
    wait(d, d->transport->rate_delay);
}
