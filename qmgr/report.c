#include "report.h"

#include "base/log.h"
#include "desk.h"
#include "mem.h"
#include "qmgr.h"

/* A report that cannot be written for so long is tried again with the
 * message's next pass. */
#define PATIENCE_MS 300000
#define TRIES_MAX   3

struct request {
    struct question asked; /* first */
    int64_t kind;
    unsigned tries;
};

static struct desk desk;

static void
end_request(struct request *q, enum rc rc)
{
    struct message *m = desk_end(&q->asked);
    int64_t kind = q->kind;

    mem_free(q);
    if (m)
        message_reported(m, kind, rc);
}

static void
too_late(void *self)
{
    struct request *q = self;
    struct peer *p = q->asked.peer;
    const struct message *m = q->asked.message;

    q->asked.timer = NULL;
    if (m)
        log_warn("%s: no report could be written: no answer", m->id);
    end_request(q, TEMP);
    if (p)
        peer_close(p);
}

static void
send_request(struct question *asked, struct peer *p)
{
    struct request *q = (struct request *)asked;
    struct message *m = asked->message;
    int fd = message_reader(m);

    if (fd < 0) {
        end_request(q, TEMP);
        return;
    }
    desk_hand(&desk, asked, p);
    q->tries++;
    log_flush(); /* our lines about it come first */
    if (!send_report(&p->link, &(struct msg_report){.id = str_from(m->id),
                                                    .kind = q->kind,
                                                    .fd = fd}))
        peer_close(p);
    else
        message_close_surplus(m);
}

void
report_init(void)
{
    desk_init(&desk, "bounce", send_request);
}

struct crew *
report_crew(void)
{
    return &desk.crew;
}

void
report_ask(struct message *m, int64_t kind)
{
    struct request *q = mem_make(struct request);

    q->kind = kind;
    desk_ask(&desk, &q->asked, m, PATIENCE_MS, too_late);
}

bool
report_reported(struct peer *p, struct packet *packet)
{
    struct msg_reported m;
    struct request *q = p->request;

    if (!read_reported(packet, &m) || q == NULL)
        return false;

    const struct message *about = q->asked.message;

    if (about && !str_eq(m.id, str_from(about->id)))
        return false;
    if (about && m.rc != OK)
        log_warn("%s: no report could be written: %.*s", about->id,
                 STR(m.text));
    p->request = NULL;
    q->asked.peer = NULL;
    crew_rest(&desk.crew, p);
    end_request(q, (enum rc)m.rc);
    desk_run(&desk);
    return true;
}

void
report_lost(struct peer *p)
{
    struct request *q = p->request;

    p->request = NULL;
    if (q == NULL)
        return;
    desk_take_back(&desk, &q->asked);
    if (q->asked.message == NULL || q->tries >= TRIES_MAX)
        end_request(q, TEMP);
    else
        desk_run(&desk);
}

void
report_withdraw(struct message *m)
{
    struct request *q = (struct request *)desk_withdraw(&desk, m);

    if (q && q->asked.peer == NULL)
        end_request(q, TEMP);
}
