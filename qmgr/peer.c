#include "peer.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "deliver.h"
#include "draft.h"
#include "mem.h"
#include "qmgr.h"
#include "report.h"
#include "reroute.h"
#include "run.h"
#include "transport.h"

static struct packet packet;

/* Who may say that is checked by the link (messages.def). */
static bool
flush_site(struct peer *p, struct packet *from)
{
    struct msg_flush_site m;

    (void)p;
    if (!read_flush_site(from, &m))
        return false;
    run_flush_site(m.site);
    return true;
}

static bool
handle(struct peer *p)
{
    switch (packet.type) {
    case MSG_queue_open:
        return draft_open(p, &packet);
    case MSG_queue_commit:
        return draft_commit(p, &packet);
    case MSG_queue_abandon:
        return draft_abandon(p, &packet);
    case MSG_flush_site:
        return flush_site(p, &packet);
    case MSG_delivered:
        return deliver_done(p, &packet);
    case MSG_routed:
        return reroute_routed(p, &packet);
    case MSG_reported:
        return report_reported(p, &packet);
    default:
        return false;
    }
}

/* One packet a call: who says more waits until the others were heard. */
static void
ready(void *self, unsigned events)
{
    struct peer *p = self;

    (void)events;
    switch (link_receive(&p->link, &packet)) {
    case LINK_OK:
        if (!handle(p))
            peer_close(p);
        break;
    case LINK_AGAIN:
        break;
    default:
        peer_close(p);
    }
    packet_drop(&packet);
    arena_reset(qmgr.scratch);
}

static const struct {
    const char *role;
    enum peer_kind kind;
    unsigned sides;
} kinds[] = {
    {"smtpd",           PEER_PRODUCER, SIDE(PRODUCER)               },
    {"lmtpd",           PEER_PRODUCER, SIDE(PRODUCER)               },
    {"pickup",          PEER_PRODUCER, SIDE(PRODUCER)               },
    {"trivial-rewrite", PEER_RESOLVE,  SIDE(RESOLVE)                },
    {"bounce",          PEER_BOUNCE,   SIDE(BOUNCE) | SIDE(PRODUCER)},
    {"defer",           PEER_BOUNCE,   SIDE(BOUNCE) | SIDE(PRODUCER)},
    {"trace",           PEER_BOUNCE,   SIDE(BOUNCE) | SIDE(PRODUCER)},
    {"smtp",            PEER_AGENT,    SIDE(AGENT)                  },
    {"lmtp",            PEER_AGENT,    SIDE(AGENT)                  },
    {"local",           PEER_AGENT,    SIDE(AGENT) | SIDE(PRODUCER) },
    {"virtual",         PEER_AGENT,    SIDE(AGENT) | SIDE(PRODUCER) },
    {"pipe",            PEER_AGENT,    SIDE(AGENT) | SIDE(PRODUCER) },
};

static struct crew *
crew_of(enum peer_kind kind, struct str service)
{
    switch (kind) {
    case PEER_AGENT:
        return transport_crew(service);
    case PEER_RESOLVE:
        return reroute_crew();
    case PEER_BOUNCE:
        return report_crew();
    default:
        return NULL;
    }
}

static struct peer *
new_peer(int fd, enum peer_kind kind, unsigned sides)
{
    struct peer *p = mem_make(struct peer);

    p->link = (struct link){.fd = fd, .self = SIDE(QMGR), .peer = sides};
    p->kind = kind;
    list_init(&p->drafts);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    p->watch = loop_watch(qmgr.loop, fd, LOOP_READ, ready, p);
    return p;
}

void
peer_join(struct str service, struct str role, int fd)
{
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct crew *c;

        if (!str_eq(role, str_from(kinds[i].role)))
            continue;
        c = crew_of(kinds[i].kind, service);
        if (c == NULL && kinds[i].kind != PEER_PRODUCER)
            break;

        struct peer *p = new_peer(fd, kinds[i].kind, kinds[i].sides);

        p->crew = c;
        if (c)
            crew_join(c, p);
        return;
    }
    log_warn("a worker of %.*s (%.*s) is of no use", STR(service), STR(role));
    close(fd);
}

void
peer_close(struct peer *p)
{
    loop_unwatch(p->watch);
    if (p->crew)
        crew_leave(p->crew, p);
    if (p->kind == PEER_AGENT)
        deliver_lost(p);
    if (p->kind == PEER_RESOLVE)
        reroute_lost(p);
    if (p->kind == PEER_BOUNCE)
        report_lost(p);
    draft_drop_all(p);
    close(p->link.fd);
    mem_free(p);
}

void
peer_refused(struct str service, struct str text)
{
    struct crew *c = str_eq(service, S("rewrite"))  ? reroute_crew()
                     : str_eq(service, S("bounce")) ? report_crew()
                                                    : transport_crew(service);

    if (c)
        crew_refused(c, text);
}
