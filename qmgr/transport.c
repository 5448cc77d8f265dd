#include "transport.h"

#include <fcntl.h>

#include "base/log.h"
#include "deliver.h"
#include "dest.h"
#include "inside.h"
#include "mem.h"
#include "qmgr.h"

static enum transport_way
way_of(struct str name, struct str role)
{
    static const struct {
        const char *role;
        enum transport_way way;
    } rows[] = {
        {"local",   WAY_LOCAL  },
        {"virtual", WAY_LOCAL  },
        {"discard", WAY_DISCARD},
        {"retry",   WAY_RETRY  },
        {"error",   WAY_ERROR  },
    };

    /* The program error(8) is named twice in master.cf. */
    if (str_eq(name, S("retry")) && str_eq(role, S("error")))
        return WAY_RETRY;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_eq(role, str_from(rows[i].role)))
            return rows[i].way;
    return WAY_AGENT;
}

void
transport_settings(struct str list)
{
    struct rec_transport r;
    struct transport *t;
    size_t pos = 0;

    while ((t = dest_next_transport(&pos)))
        t->listed = false;
    while (list.len && get_transport(&list, &r)) {
        t = dest_make_transport(r.name);
        t->listed = true;
        t->way = way_of(r.name, r.role);
        t->crew.limit = (size_t)r.limit;
    }
    for (pos = 0; (t = dest_next_transport(&pos));)
        if (!t->listed)
            t->way = WAY_NONE;
    dest_configure(qmgr.conf);
}

struct crew *
transport_crew(struct str service)
{
    struct transport *t = hash_get(qmgr.transports, service);

    return t ? &t->crew : NULL;
}

static struct task *
new_task(struct message *m, struct dest *d)
{
    struct task *k = mem_make(struct task);

    k->message = m;
    k->dest = d;
    k->job.site = &d->site;
    k->job.retry = m->retry;
    k->job.served = &m->served;
    d->newest = k;
    list_add(&m->tasks, &k->in_message);
    plan_add(&k->job);
    return k;
}

void
transport_free_task(struct task *k)
{
    if (k->dest->newest == k)
        k->dest->newest = NULL;
    list_remove(&k->in_message);
    vec_free(&k->rcpts);
    mem_free(k);
}

/* Messages are loaded one after the other: if this one has a task there, it is
 * the newest. */
static struct task *
task_for(struct message *m, struct dest *d)
{
    return d->newest && d->newest->message == m ? d->newest : new_task(m, d);
}

static void
add_bytes(struct task *k, struct str s)
{
    size_t want = k->rcpts.len + s.len;

    if (want > k->rcpts.cap) {
        size_t cap = want > 2 * k->rcpts.cap ? want : 2 * k->rcpts.cap;
        char *p = mem_new(cap);

        if (k->rcpts.len)
            memcpy(p, k->rcpts.at, k->rcpts.len);
        mem_free(k->rcpts.at);
        k->rcpts.at = p;
        k->rcpts.cap = cap;
    }
    memcpy(k->rcpts.at + k->rcpts.len, s.p, s.len);
    k->rcpts.len = want;
}

static void
add_to_site(struct message *m, struct transport *t, struct str rcpts,
            struct str addr, struct str nexthop)
{
    struct dest *d = dest_get(t, addr, nexthop);

    if (d->site.dead)
        inside_suspended(m, d, rcpts);
    else
        add_bytes(task_for(m, d), rcpts);
}

static void
no_such_transport(struct message *m, struct str name, struct str rcpts)
{
    log_warn("%s: transport %.*s is not in master.cf", m->id, STR(name));
    inside_all(m, rcpts, TEMP, S("4.3.0"), S("mail transport unavailable"));
}

void
transport_add(struct message *m, struct str rcpts, struct str transport,
              struct str nexthop)
{
    struct transport *t = dest_transport(transport);
    struct rec_rcpt r;

    if (nexthop.len > QUEUE_TEXT_MAX) {
        inside_all(m, rcpts, TEMP, S("4.3.0"), S("next hop is too long"));
    } else if (t == NULL || t->way == WAY_NONE) {
        no_such_transport(m, transport, rcpts);
    } else if (t->defers) {
        inside_all(m, rcpts, TEMP, S("4.3.2"), S("deferred transport"));
    } else if (t->way >= WAY_ERROR) {
        inside_deliver(m, t->way, rcpts, nexthop);
    } else if (t->rcpt_limit != 1) {
        add_to_site(m, t, rcpts, S(""), nexthop);
    } else {
        for (struct str rest = rcpts, one; rest.len;) {
            one = rest;
            must(get_rcpt(&rest, &r));
            one.len -= rest.len;
            add_to_site(m, t, one, r.addr, nexthop);
        }
    }
}

static struct str
waiting_of(const struct task *k)
{
    return (struct str){k->rcpts.at + k->from, k->rcpts.len - k->from};
}

void
transport_withdraw(struct message *m)
{
    struct node *n;
    struct rec_rcpt r;

    while ((n = list_first(&m->tasks))) {
        struct task *k = list_item(n, struct task, in_message);
        struct dest *d = k->dest;

        for (struct str rest = waiting_of(k); rest.len;) {
            must(get_rcpt(&rest, &r));
            m->loaded--;
            qmgr.rcpts--;
        }
        plan_remove(&k->job);
        transport_free_task(k);
        dest_release(d);
    }
}

/* Whatever waits for this site has its outcome now. */
static void
refuse_waiting(struct dest *d, const char *unavailable)
{
    while (d->site.ranks) {
        int rank = __builtin_ctz(d->site.ranks);
        struct job *j =
            list_item(list_first(&d->site.jobs[rank]), struct job, in_site);
        struct task *k = task_of(j);
        struct message *m = k->message;

        plan_remove(j);
        if (unavailable)
            inside_all(m, waiting_of(k), TEMP, S("4.3.0"),
                       str_from(unavailable));
        else
            inside_suspended(m, d, waiting_of(k));
        transport_free_task(k);
        message_settle(m);
    }
}

void
transport_suspend(struct dest *d, struct str dsn, struct str text)
{
    dest_died(d, dsn, text);
    refuse_waiting(d, NULL);
}

/* So long without an agent: those who wait make room for others. */
void
transport_missing(struct crew *c, int64_t seconds, struct str text)
{
    struct transport *t = list_item(c, struct transport, crew);
    VEC(struct dest *) list = {0};
    size_t pos = 0;
    void *value;

    (void)text;
    if (seconds * 1000 < qmgr.conf->transport_retry_time)
        return;
    while (hash_next(t->dests, &pos, NULL, &value))
        *vec_add(&list) = value;
    for (size_t i = 0; i < list.len; i++) {
        refuse_waiting(list.at[i], "mail transport unavailable");
        dest_release(list.at[i]);
    }
    vec_free(&list);
}

void
transport_wake(struct str site)
{
    struct transport *t;
    size_t at = 0;

    while ((t = dest_next_transport(&at))) {
        VEC(struct dest *) list = {0};
        size_t pos = 0;
        void *value;

        while (hash_next(t->dests, &pos, NULL, &value)) {
            struct dest *d = value;

            if (d->site.dead &&
                (site.len == 0 || str_ieq(str_from(d->nexthop), site)))
                *vec_add(&list) = d;
        }
        for (size_t i = 0; i < list.len; i++)
            dest_wake(list.at[i]);
        vec_free(&list);
    }
}

void
transport_thin(int64_t before)
{
    struct transport *t;
    size_t pos = 0;

    while ((t = dest_next_transport(&pos)))
        crew_thin(&t->crew, before);
}

void
transport_renew(void)
{
    struct transport *t;
    size_t pos = 0;

    while ((t = dest_next_transport(&pos)))
        crew_renew(&t->crew);
}

void
transport_run(void)
{
    struct transport *t;
    size_t pos = 0;

    while ((t = dest_next_transport(&pos)))
        transport_crew_run(&t->crew);
}

void
transport_crew_run(struct crew *c)
{
    struct transport *t = list_item(c, struct transport, crew);

    if (!qmgr.stopping && plan_waiting(&t->plan))
        deliver_run(t);
}
