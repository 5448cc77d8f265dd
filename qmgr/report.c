#include "report.h"

#include "base/log.h"
#include "mem.h"
#include "qmgr.h"

/* A report that cannot be written for so long is tried again with the
 * message's next pass. */
#define PATIENCE_MS 300000
#define TRIES_MAX   3

struct request {
    struct node in_queue;
    struct message *message; /* NULL: withdrawn */
    int64_t kind;
    struct peer *peer; /* who writes; NULL: waits for somebody */
    struct timer *timer;
    unsigned tries;
};

static struct {
    struct crew crew;
    struct node waiting, asked; /* struct request */
} own;

static void
end_request(struct request *q, enum rc rc)
{
    struct message *m = q->message;
    int64_t kind = q->kind;

    loop_cancel(q->timer);
    if (q->peer)
        q->peer->request = NULL;
    list_remove(&q->in_queue);
    mem_free(q);
    if (m == NULL)
        return;
    m->waiting = false;
    message_reported(m, kind, rc);
}

static void
too_late(void *self)
{
    struct request *q = self;
    struct peer *p = q->peer;

    q->timer = NULL;
    if (q->message)
        log_warn("%s: no report could be written: no answer", q->message->id);
    end_request(q, TEMP);
    if (p)
        peer_close(p);
}

static void
send_request(struct request *q, struct peer *p)
{
    struct message *m = q->message;
    int fd = message_reader(m);

    if (fd < 0) {
        end_request(q, TEMP);
        return;
    }
    list_remove(&q->in_queue);
    list_add(&own.asked, &q->in_queue);
    q->peer = p;
    q->tries++;
    p->request = q;
    crew_take(&own.crew, p);
    log_flush(); /* our lines about it come first */
    if (!send_report(&p->link, &(struct msg_report){.id = str_from(m->id),
                                                    .kind = q->kind,
                                                    .fd = fd}))
        peer_close(p);
    else
        message_close_surplus(m);
}

static void
run(struct crew *c)
{
    struct node *n;

    while ((n = list_first(&own.waiting))) {
        struct peer *p = crew_idle(c);

        if (p == NULL) {
            crew_need(c);
            return;
        }
        send_request(list_item(n, struct request, in_queue), p);
    }
}

void
report_init(void)
{
    list_init(&own.waiting);
    list_init(&own.asked);
    crew_init(&own.crew, "bounce", run);
}

struct crew *
report_crew(void)
{
    return &own.crew;
}

void
report_ask(struct message *m, int64_t kind)
{
    struct request *q = mem_make(struct request);

    q->message = m;
    q->kind = kind;
    q->timer = loop_after(qmgr.loop, PATIENCE_MS, too_late, q);
    m->waiting = true;
    list_add(&own.waiting, &q->in_queue);
    run(&own.crew);
}

bool
report_reported(struct peer *p, struct packet *packet)
{
    struct msg_reported m;
    struct request *q = p->request;

    if (!read_reported(packet, &m) || q == NULL)
        return false;
    if (q->message && !str_eq(m.id, str_from(q->message->id)))
        return false;
    if (q->message && m.rc != OK)
        log_warn("%s: no report could be written: %.*s", q->message->id,
                 STR(m.text));
    p->request = NULL;
    q->peer = NULL;
    crew_rest(&own.crew, p);
    end_request(q, (enum rc)m.rc);
    run(&own.crew);
    return true;
}

void
report_lost(struct peer *p)
{
    struct request *q = p->request;

    p->request = NULL;
    if (q == NULL)
        return;
    q->peer = NULL;
    if (q->message == NULL || q->tries >= TRIES_MAX) {
        end_request(q, TEMP);
        return;
    }
    list_remove(&q->in_queue);
    list_push(&own.waiting, &q->in_queue);
    run(&own.crew);
}

static struct request *
find(const struct node *list, const struct message *m)
{
    for (struct node *n = list->next; n != list; n = n->next)
        if (list_item(n, struct request, in_queue)->message == m)
            return list_item(n, struct request, in_queue);
    return NULL;
}

void
report_withdraw(struct message *m)
{
    struct request *q = find(&own.waiting, m);

    if (q == NULL)
        q = find(&own.asked, m);
    if (q == NULL)
        return;
    q->message = NULL;
    m->waiting = false;
    if (q->peer == NULL)
        end_request(q, TEMP);
}
