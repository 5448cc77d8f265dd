#include "job.h"

#include <stdio.h>
#include <time.h>

#include "base/log.h"
#include "mail/dsn.h"
#include "mail/lines.h"

/* A report packet holds what all recipients need and no more. */
#define REPORT_ROOM ((size_t)60000)

static int64_t
wall_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct job *
job_new(const struct settings *s, struct packet *p, struct arena *a)
{
    struct job *j = arena_make(a, struct job);
    struct rec_rcpt r;

    j->settings = s;
    j->arena = a;
    j->started = wall_clock();
    if (!read_deliver(p, &j->m))
        return NULL;
    for (struct str rest = j->m.rcpts; rest.len > 0; j->count++)
        if (!get_rcpt(&rest, &r))
            return NULL;
    j->rcpts = arena_alloc(a, sizeof *j->rcpts * (j->count + 1));
    j->left = j->count;
    struct str rest = j->m.rcpts;

    for (size_t i = 0; i < j->count; i++)
        must(get_rcpt(&rest, &j->rcpts[i].in));
    return j;
}

static const char *
status_of(const struct job *j, const struct job_rcpt *r)
{
    bool probe = j->m.flags & DELIVER_VERIFY;

    if (r->rc == OK)
        return probe ? "deliverable" : "sent";
    if (r->rc == PERM)
        return probe ? "undeliverable" : "bounced";
    return r->softened ? "SOFTBOUNCE" : "deferred";
}

static void
log_result(const struct job *j, const struct job_rcpt *r, const char *dsn,
           struct str text)
{
    struct lines_result l = {.id = j->m.id,
                             .to = r->in.addr,
                             .orig_to = r->in.orig,
                             .relay = str_from(r->relay),
                             .conn_use = (int)r->uses + 1,
                             .arrived = j->m.arrived,
                             .active = j->m.active,
                             .handed = j->started,
                             .connected = j->connected,
                             .done = wall_clock(),
                             .dsn = dsn,
                             .status = status_of(j, r),
                             .text = text};
    struct str line = lines_result(j->arena, &l);

    log_info("%.*s", STR(line));
}

/*
 * smtp_delivery_status_filter: other words for "5.1.1 text". A delivery stays
 * one and a failure too, but it may become a temporary or a final one.
 */
static void
filter_status(const struct job *j, struct job_rcpt *r, char dsn[10],
              struct str *text)
{
    struct str key, value, word;
    struct why why;

    if (j->settings->status_filter == NULL)
        return;
    key = str_from(arena_fmt(j->arena, "%s %.*s", dsn, STR(*text)));
    if (maps_get(j->settings->status_filter, key, j->arena, &value, &why) != OK)
        log_warn("%s", why.text);
    else if (value.p && str_word(&value, " \t", &word) && dsn_is_code(word) &&
             (word.p[0] == '2') == (dsn[0] == '2')) {
        *text = str_trim(value);
        snprintf(dsn, 10, "%.*s", STR(word));
        r->rc = dsn[0] == '2' ? OK : rc_of(dsn);
    } else if (value.p) {
        log_warn("delivery_status_filter: bad result for %.*s", STR(key));
    }
}

void
job_done(struct job *j, struct job_rcpt *r, const struct session *s)
{
    bool dsn = session_offers(s, SMTP_DSN);

    must(!r->done);
    r->done = true;
    j->left--;
    r->rc = OK;
    r->action = dsn                         ? ACTION_FORWARDED
                : j->settings->assume_final ? ACTION_NONE
                                            : ACTION_RELAYED;
    r->relay = arena_cstr(j->arena, str_from(s->relay));
    r->uses = s->uses;
    memcpy(r->dsn, s->reply.dsn, sizeof r->dsn);
    r->text =
        arena_str(j->arena, (struct str){s->reply.text.p, s->reply.text.len});
    r->trouble = (struct trouble){.remote = arena_str(j->arena, s->host),
                                  .reply = r->text};
    filter_status(j, r, r->dsn, &r->text);
    log_result(j, r, r->dsn, r->text);
}

/* The reason is final. */
static void
give_up(struct job *j, struct job_rcpt *r)
{
    r->done = true;
    j->left--;
    r->text = str_from(r->trouble.why.text);
    filter_status(j, r, r->trouble.why.dsn, &r->text);
    log_result(j, r, r->trouble.why.dsn, r->text);
}

/* soft_bounce: what is for good becomes for now. */
static void
soften(const struct job *j, struct job_rcpt *r)
{
    if (r->rc != PERM || !j->settings->soft_bounce)
        return;
    r->rc = TEMP;
    r->trouble.why.dsn[0] = '4';
    r->softened = true;
}

void
job_fail(struct job *j, struct job_rcpt *r, const struct trouble *t,
         const struct session *s)
{
    must(!r->done);
    r->trouble = *t;
    r->rc = rc_of(t->why.dsn);
    soften(j, r);
    r->relay = arena_cstr(j->arena, str_from(s->relay));
    r->uses = s->uses;
    if (r->rc == PERM)
        give_up(j, r);
    j->noted = false;
}

void
job_fail_all(struct job *j, const struct trouble *t, const struct session *s)
{
    for (size_t i = 0; i < j->count; i++)
        if (!j->rcpts[i].done)
            job_fail(j, &j->rcpts[i], t, s);
}

static void
block(struct job_rcpt *r, const struct why *why)
{
    r->trouble = (struct trouble){.why = *why};
    r->rc = rc_of(why->dsn);
    r->relay = "none";
    r->uses = 0;
}

void
job_refuse(struct job *j, struct job_rcpt *r, const struct why *why)
{
    block(r, why);
    soften(j, r);
    give_up(j, r);
}

void
job_pass(struct job *j, struct job_rcpt *r, const char *transport)
{
    must(!r->done);
    r->done = true;
    j->left--;
    r->rc = OK;
    r->action = ACTION_PASS;
    r->relay = transport;
    r->text = S("passed on");
    memcpy(r->dsn, "2.0.0", sizeof "2.0.0");
}

void
job_blocked(struct job *j, const struct why *why)
{
    for (size_t i = 0; i < j->count; i++)
        if (!j->rcpts[i].done)
            block(&j->rcpts[i], why);
    j->noted = true;
}

void
job_next_server(struct job *j)
{
    const char *last = "";

    for (size_t i = 0; i < j->count && !j->noted; i++) {
        const struct job_rcpt *r = &j->rcpts[i];

        if (r->done || r->rc == OK || strcmp(r->trouble.why.text, last) == 0)
            continue;
        last = r->trouble.why.text;
        log_info("%.*s: %s", STR(j->m.id), last);
    }
    j->noted = true;
}

void
job_finish(struct job *j)
{
    for (size_t i = 0; i < j->count; i++) {
        struct job_rcpt *r = &j->rcpts[i];

        if (r->done)
            continue;
        must(r->rc != OK);
        if (r->trouble.hard_at_last) {
            r->rc = PERM;
            r->trouble.why.dsn[0] = '5';
        }
        soften(j, r);
        give_up(j, r);
    }
}

/* Long replies of many recipients are clipped, so that all of them fit. */
static void
put_one(struct buf *list, const struct job_rcpt *r, size_t room)
{
    bool ok = r->rc == OK;
    struct rec_result out = {.index = r->in.index,
                             .rc = r->rc,
                             .dsn = str_from(ok ? r->dsn : r->trouble.why.dsn),
                             .text = str_sub(r->text, 0, room / 3),
                             .relay = str_sub(str_from(r->relay), 0, room / 6),
                             .remote = str_sub(r->trouble.remote, 0, room / 6),
                             .reply = str_sub(r->trouble.reply, 0, room / 3),
                             .action = r->action};

    put_result(list, &out);
}

bool
job_report(struct job *j, const struct link *qmgr, struct str keeps)
{
    struct buf list = buf_in(j->arena);
    size_t room = REPORT_ROOM / (j->count + 1);

    /* Of each there are some bytes beside the texts. */
    room = room > 16384 ? 16384 : room > 60 ? room - 40 : 20;
    for (size_t i = 0; i < j->count; i++)
        put_one(&list, &j->rcpts[i], room);
    struct msg_delivered m = {.id = j->m.id,
                              .site_down = j->site_down,
                              .open_nexthop = keeps,
                              .results = buf_str(&list)};

    /* qmgr's "removed" comes behind our lines. */
    log_flush();
    return send_delivered(qmgr, &m);
}
