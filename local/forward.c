#include "forward.h"

#include <time.h>

#include "base/log.h"
#include "daemon/produce.h"
#include "mail/address.h"
#include "mail/date.h"
#include "mail/header.h"
#include "mail/lines.h"
#include "store/copier.h"

/* Of qmgr, one at a time: a packet is big. */
static struct packet answers;

/* The duties of a success report go along with the only new recipient, else
 * they end here; a mailing list's mail is the list's own (RFC 3461 5.2.7). */
static unsigned
notify_of(const struct rec_rcpt *rcpt, const struct target *t, bool alone)
{
    unsigned notify = (unsigned)rcpt->notify;

    if (t->list)
        return 0;
    if (alone || !(notify & NOTIFY_SUCCESS))
        return notify;
    notify &= ~(unsigned)NOTIFY_SUCCESS;
    return notify ? notify : NOTIFY_NEVER;
}

static struct rcpt
new_rcpt(struct job *j, const struct rec_rcpt *rcpt, const struct target *t,
         bool alone)
{
    struct str orig = rcpt->orig.len ? rcpt->orig : rcpt->addr;
    struct rcpt r = {
        .addr = t->text,
        .orig = orig,
        .notify = notify_of(rcpt, t, alone),
    };

    if (!t->list)
        r.orcpt = rcpt->orcpt.len
                      ? rcpt->orcpt
                      : str_from(arena_fmt(j->arena, "rfc822;%.*s", STR(orig)));
    return r;
}

/* "transport:nexthop"; without next hop it is the domain. */
static void
set_route(struct rcpt *r, struct str transport)
{
    r->nexthop = transport;
    str_cut(&r->nexthop, ':', &r->transport);
    if (r->nexthop.len == 0)
        r->nexthop = address_domain(r->addr);
}

static enum rc
add_rcpt(struct job *j, const struct rec_rcpt *rcpt, const struct target *t,
         bool alone, struct envelope *e, struct why *why)
{
    struct rcpt r = new_rcpt(j, rcpt, t, alone);
    size_t n = e->nrcpts;
    enum rc rc;

    if (t->transport.len == 0) {
        rc = route_rewrite(j->set->router, j->arena, t->text,
                           ROUTE_ENVELOPE_RCPT, &r.addr, why);
        if (rc != OK)
            return rc;
        return route_expand(j->set->router, j->arena, t->sender, &r, &e->rcpts,
                            &e->nrcpts, why);
    }
    struct rcpt *list = arena_alloc(j->arena, (n + 1) * sizeof *list);

    if (n)
        memcpy(list, e->rcpts, n * sizeof *list);
    set_route(&r, t->transport);
    list[n] = r;
    e->rcpts = list;
    e->nrcpts = n + 1;
    return OK;
}

static int64_t
now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static enum rc
make_envelope(struct job *j, const struct rec_rcpt *rcpt,
              struct target *const *targets, size_t count, bool alone,
              struct envelope *e, struct why *why)
{
    const struct envelope *old;
    const struct target *first = targets[0];
    struct header_field id;
    enum rc rc = job_envelope(j, &old, why);

    if (rc != OK)
        return rc;
    *e = (struct envelope){
        .arrived = now_us(),
        .sender = first->sender,
        .envid = first->list ? S("") : j->msg.envid,
        .flags = (unsigned)j->msg.flags &
                 (ENVELOPE_8BIT | ENVELOPE_UTF8 | ENVELOPE_LOCAL),
        .origin = old->origin,
    };
    if (!first->list)
        e->flags |=
            (unsigned)j->msg.flags & (ENVELOPE_RET_HDRS | ENVELOPE_RET_FULL);
    if (header_find(j->header, S("Message-Id"), &id))
        e->message_id = header_unfold(j->arena, id.body);
    for (size_t i = 0; i < count && rc == OK; i++)
        rc = add_rcpt(j, rcpt, targets[i], alone, e, why);
    return rc;
}

static enum rc
hop_limit(const struct job *j, struct why *why)
{
    const char *text = conf_get(j->conf, "hopcount_limit");
    struct str rest = j->header;
    struct header_field f;
    uint64_t limit = 50, hops = 0;

    if (text && !str_num(str_from(text), &limit))
        limit = 50;
    while (header_next(&rest, &f))
        hops += f.id == HEADER_ID_RECEIVED;
    if (hops >= limit)
        return fail(why, "5.4.0", "too many hops");
    return OK;
}

static bool
put_content(struct job *j, struct queue_writer *w)
{
    struct store_message m = {
        .fd = j->msg.fd, .from = j->msg.skip, .to = j->msg.end};
    struct copier *c = copier_new(j->arena, &m, &(struct copier_style){0});
    struct str bytes;

    do {
        if (!copier_next(c, &bytes))
            return false;
        queue_put(w, bytes);
    } while (bytes.len > 0);
    return true;
}

static void
put_trace(struct job *j, struct queue_writer *w, struct str id,
          const struct target *t)
{
    struct str date = date_format(j->arena, time(NULL));
    struct str delivered = address_quote(j->arena, t->delivered);

    queue_put(w, str_from(arena_fmt(j->arena,
                                    "Received: by %s (%s)\n\tid %.*s; %.*s\n",
                                    j->conf->myhostname, j->conf->mail_name,
                                    STR(id), STR(date))));
    if (j->set->header_in & HEADER_FORWARD)
        queue_put(w, str_from(arena_fmt(j->arena, "Delivered-To: %.*s\n",
                                        STR(delivered))));
}

static enum rc
send_message(struct job *j, const struct envelope *e, const struct target *t,
             struct str *id, struct why *why)
{
    struct produce p = {.qmgr = &j->d->qmgr, .packet = &answers};
    enum rc rc = produce_open(&p, j->arena, j->msg.end - j->msg.skip, why);

    if (rc == OK) {
        queue_put_delivery_block(p.out, e->sender,
                                 e->nrcpts == 1 ? e->rcpts : NULL);
        put_trace(j, p.out, str_from(p.id), t);
        if (!put_content(j, p.out))
            rc = fail(why, "4.3.0", "error reading message: %m");
    }
    if (rc == OK) {
        *id = str_from(arena_cstr(j->arena, str_from(p.id)));
        struct str line = lines_message_id(j->arena, *id, e->message_id);

        log_info("%.*s", STR(line));
        log_flush();
        rc = produce_finish(&p, e, why);
    }
    produce_drop(&p);
    return rc;
}

enum rc
forward_message(struct job *j, const struct rec_rcpt *rcpt,
                struct target *const *targets, size_t count, bool alone,
                struct why *why)
{
    struct envelope e;
    struct str id;
    struct why cause;

    job_return(j);
    enum rc rc = hop_limit(j, why);

    if (rc != OK)
        return rc;
    rc = make_envelope(j, rcpt, targets, count, alone, &e, &cause);
    if (rc == OK)
        rc = send_message(j, &e, targets[0], &id, &cause);
    if (rc != OK)
        return fail(why, rc == TEMP ? "4.3.0" : cause.dsn,
                    "unable to forward message: %s", cause.text);
    job_say(why, "2.0.0", "forwarded as %.*s", STR(id));
    return OK;
}
