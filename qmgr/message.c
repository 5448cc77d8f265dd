#include "message.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "claim.h"
#include "load.h"
#include "mail/address.h"
#include "mem.h"
#include "portion.h"
#include "qmgr.h"
#include "queue/journal.h"
#include "queue/spool.h"
#include "report.h"
#include "reroute.h"
#include "run.h"
#include "say.h"
#include "sys/disk.h"
#include "transport.h"

#define DISK_AGAIN_MS 10000
#define BIT(kind)     (1u << (kind))

/* A quarter of the recipients' room is kept for lists that are under way. */
bool
message_room(void)
{
    size_t limit = (size_t)qmgr.conf->qmgr_message_recipient_limit;

    return shelf_count(qmgr.shelf, SHELF_ACTIVE) <
               (size_t)qmgr.conf->qmgr_message_active_limit &&
           qmgr.rcpts < limit - limit / 4;
}

static int
open_file(const struct message *m, int flags)
{
    const struct entry *e = m->entry;
    char path[SPOOL_PATH_MAX];
    int fd;

    spool_path((enum spool_folder)e->folder, shelf_id(e), e->seal, path);
    fd = disk_open(qmgr.dir, path, flags);
    if (fd < 0)
        log_warn("%s: cannot open %s: %m", m->id, path);
    else
        qmgr.files++;
    return fd;
}

int
message_reader(struct message *m)
{
    if (m->reader < 0)
        m->reader = open_file(m, O_RDONLY);
    return m->reader;
}

int
message_writer(struct message *m)
{
    if (m->fd < 0)
        m->fd = open_file(m, O_RDWR);
    return m->fd;
}

static void
close_file(int *fd)
{
    if (*fd < 0)
        return;
    close(*fd);
    *fd = -1;
    qmgr.files--;
}

void
message_close_surplus(struct message *m)
{
    if (qmgr.files <= qmgr.files_max)
        return;
    close_file(&m->reader);
    if (m->busy == 0) /* after a claim it is needed again */
        close_file(&m->fd);
}

static struct str
keep(char **at, struct str s)
{
    struct str copy = {*at, s.len};

    if (s.len)
        memcpy(*at, s.p, s.len);
    *at += s.len;
    return copy;
}

/* Reports that an earlier pass, or an earlier qmgr, left to be written. */
static unsigned
reports_due(const struct queue_file *f)
{
    struct queue_cursor c = queue_rcpts(f);
    struct queue_result *last;
    unsigned reports = 0;
    struct rcpt r;

    if (f->nblocks == 1)
        return 0;
    last = queue_results(qmgr.scratch, f);
    while (queue_next(&c, &r)) {
        size_t i = c.next - 1;

        if (queue_reports(f, i, &r, &last[i], REPORT_FAILURE))
            reports |= BIT(REPORT_FAILURE);
        if (queue_reports(f, i, &r, &last[i], REPORT_SUCCESS))
            reports |= BIT(REPORT_SUCCESS);
    }
    return reports;
}

/* A report needs the envelope, so who wants one of success keeps it. */
static bool
is_claimable(const struct queue_file *f)
{
    struct queue_cursor c = queue_rcpts(f);
    struct rcpt r;

    return f->claimable && f->envelope.nrcpts == 1 &&
           !(f->envelope.flags &
             (ENVELOPE_PROBE | ENVELOPE_BV | ENVELOPE_VERBOSE)) &&
           queue_next(&c, &r) && !(r.notify & NOTIFY_SUCCESS);
}

static struct message *
new_message(struct entry *e, const struct queue_file *f)
{
    const struct envelope *env = &f->envelope;
    struct message *m = mem_make(struct message);
    char *at = m->text = mem_new(env->sender.len + env->envid.len +
                                 env->verp.len + env->filter.len);

    m->entry = e;
    queue_id_text(shelf_id(e), m->id);
    m->fd = m->reader = -1;
    m->sender = keep(&at, env->sender);
    m->envid = keep(&at, env->envid);
    m->verp = keep(&at, env->verp);
    m->filter = keep(&at, env->filter);
    m->flags = env->flags;
    m->arrived = env->arrived;
    m->since = env->release > env->arrived ? env->release : env->arrived;
    m->active = now_us();
    m->nrcpts = env->nrcpts;
    m->claimable = is_claimable(f);
    list_init(&m->tasks);
    return m;
}

/* What may have changed since it was loaded last. */
static void
refresh(struct message *m, const struct queue_file *f)
{
    m->at = f->at;
    m->todo = f->todo;
    m->retry = f->tried != 0 || f->anew;
    m->warned = f->warned;
    m->entry->forced = f->forced;
    m->reports |= reports_due(f);
}

static void
free_message(struct message *m)
{
    must(m->busy == 0 && m->loaded == 0 && !m->waiting);
    close_file(&m->fd);
    close_file(&m->reader);
    loop_cancel(m->again);
    vec_free(&m->unsaved);
    mem_free(m->text);
    mem_free(m);
}

/* It is no time to deliver it: on hold, or not before its release. */
static bool
is_kept(struct entry *e, const struct queue_file *f)
{
    if (f->held) {
        load_move(e, SPOOL_HOLD);
        shelf_set(qmgr.shelf, e, SHELF_HELD, 0);
        return true;
    }
    if (f->envelope.release > now_us()) {
        load_move(e, SPOOL_DEFERRED);
        shelf_set(qmgr.shelf, e, SHELF_DUE, f->envelope.release / 1000 + 1);
        run_due_changed();
        return true;
    }
    return false;
}

static void
begin(struct entry *e, int fd, const struct queue_file *f)
{
    struct message *m = new_message(e, f);

    refresh(m, f);
    m->fd = fd;
    qmgr.files++;
    shelf_set(qmgr.shelf, e, SHELF_ACTIVE, 0);
    e->message = m;
    say_active(m);
    portion_take(m, f);
    message_close_surplus(m);
    message_settle(m);
}

bool
message_begin(struct entry *e, int fd)
{
    struct queue_file f;

    if (!load_entry(e, &fd, &f))
        return false;
    if (is_kept(e, &f)) {
        close(fd);
        return false;
    }
    begin(e, fd, &f);
    return true;
}

bool
message_commit(struct queue_id id, int64_t seal, int fd, struct why *why)
{
    struct queue_file f;
    struct entry *e;

    if (queue_load(qmgr.scratch, fd, seal, &f, why) != QUEUE_WHOLE)
        return false;
    e = shelf_add(qmgr.shelf, id, seal);
    must(e != NULL);
    e->folder = SPOOL_INCOMING;
    if (is_kept(e, &f)) {
        close(fd);
    } else if (!message_room() || shelf_fresh(qmgr.shelf)) {
        shelf_set(qmgr.shelf, e, SHELF_FRESH, 0);
        close(fd);
    } else {
        begin(e, fd, &f);
    }
    return true;
}

bool
message_mark(struct message *m, enum queue_mark mark)
{
    int fd;

    if (m->lent) {
        m->marks |= BIT(mark);
        return true;
    }
    fd = message_writer(m);
    if (fd >= 0 && queue_add_mark(qmgr.scratch, fd, &m->at, now_us(), mark))
        return true;
    log_warn("%s: cannot write to its file: %m", m->id);
    return false;
}

/* ---- results */

static enum queue_state
state_of(const struct rec_result *r)
{
    return r->rc == OK     ? QUEUE_SENT
           : r->rc == TEMP ? QUEUE_DEFERRED
                           : QUEUE_FAILED;
}

/* Who must be told? bounce decides in detail (queue_reports). */
static unsigned
reports_of(const struct message *m, const struct outcome *o)
{
    int64_t notify = o->rcpt.notify;
    unsigned reports = 0;

    if (m->flags & (ENVELOPE_BV | ENVELOPE_VERBOSE))
        reports |= BIT(REPORT_SUCCESS);
    if (o->result.rc == PERM && (notify == 0 || notify & NOTIFY_FAILURE))
        reports |= BIT(REPORT_FAILURE);
    if (o->result.rc == OK && notify & NOTIFY_SUCCESS &&
        o->result.action != ACTION_FORWARDED)
        reports |= BIT(REPORT_SUCCESS);
    return reports;
}

static struct queue_result
as_result(const struct message *m, const struct outcome *o)
{
    const struct rec_result *r = &o->result;

    /* Whom nobody will be told about needs few words in a long list's file. */
    if (r->rc == OK && !(reports_of(m, o) & BIT(REPORT_SUCCESS)))
        return (struct queue_result){
            .index = o->rcpt.index, .state = QUEUE_SENT, .dsn = r->dsn};
    return (struct queue_result){.index = o->rcpt.index,
                                 .state = state_of(r),
                                 .action = r->action,
                                 .dsn = r->dsn,
                                 .text = r->text,
                                 .relay = r->relay,
                                 .remote = r->remote,
                                 .reply = r->reply,
                                 .done = r->done};
}

static bool
write_results(struct message *m, const struct queue_result *list, size_t count)
{
    int fd = m->lent ? -1 : message_writer(m);

    return fd >= 0 &&
           queue_add_attempt(qmgr.scratch, fd, &m->at, now_us(), list, count);
}

/* The disk is full, perhaps. What was delivered must not be again: the
 * message stays in memory until its file knows. */
static void
remember(struct message *m, const struct outcome *list, size_t count)
{
    struct buf b = buf_in(qmgr.scratch);

    log_warn("%s: cannot write to its file: %m", m->id);
    for (size_t i = 0; i < count; i++) {
        put_rcpt(&b, &list[i].rcpt);
        put_result(&b, &list[i].result);
    }
    for (size_t i = 0; i < b.len; i++)
        *vec_add(&m->unsaved) = b.p[i];
}

static bool
save_remembered(struct message *m)
{
    struct str rest = {m->unsaved.at, m->unsaved.len};

    while (rest.len) {
        struct outcome o;

        must(get_rcpt(&rest, &o.rcpt) && get_result(&rest, &o.result));

        struct queue_result r = as_result(m, &o);

        if (m->lent && claim_end(m, &o.rcpt, S(""), S("")) == CLAIM_MAILBOX) {
            m->todo = m->reports = 0;
            break;
        }
        if (!write_results(m, &r, 1))
            return false;
    }
    vec_free(&m->unsaved);
    return true;
}

/* Nothing is left to do but to remove the file: no need to write to it. */
static bool
is_over(const struct message *m)
{
    return m->todo == 0 && m->loaded == 0 && m->reports == 0 &&
           m->next >= m->nrcpts && m->unsaved.len == 0;
}

void
message_results(struct message *m, const struct outcome *list, size_t count)
{
    struct queue_result *results =
        arena_alloc(qmgr.scratch, (count + 1) * sizeof *results);

    m->loaded -= count;
    qmgr.rcpts -= count;
    for (size_t i = 0; i < count; i++) {
        results[i] = as_result(m, &list[i]);
        m->todo -= results[i].state > QUEUE_DEFERRED;
        m->reports |= reports_of(m, &list[i]);
    }
    if (count == 0 || m->doomed || is_over(m))
        return;
    if (m->unsaved.len || !write_results(m, results, count))
        remember(m, list, count);
}

/* ---- the end of a pass */

static void
settle_again(void *self)
{
    struct message *m = self;

    m->again = NULL;
    message_settle(m);
}

static void
wait_for_disk(struct message *m)
{
    if (m->again == NULL)
        m->again = loop_after(qmgr.loop, DISK_AGAIN_MS, settle_again, m);
}

static void
forget(struct message *m)
{
    struct entry *e = m->entry;

    free_message(m);
    shelf_remove(qmgr.shelf, e);
}

static void
finish(struct message *m)
{
    if (!load_remove(m->entry)) {
        wait_for_disk(m);
        return;
    }
    say_removed(m->id);
    forget(m);
}

/* The longer it has waited the longer it waits, and not all at once. */
static int64_t
next_try(const struct message *m)
{
    int64_t age = now_ms() - m->since / 1000;

    if (m->requeue)
        return now_ms();
    return now_ms() + run_backoff(age);
}

static void
put_back(struct message *m)
{
    struct entry *e = m->entry;
    int64_t due = next_try(m);
    bool hold = m->hold;

    e->sites = m->sites;
    load_move(e, hold ? SPOOL_HOLD : SPOOL_DEFERRED);
    free_message(m);
    shelf_set(qmgr.shelf, e, hold ? SHELF_HELD : SHELF_DUE, due);
    run_due_changed();
}

static bool
is_expired(const struct message *m)
{
    int64_t life = m->sender.len ? qmgr.conf->maximal_queue_lifetime
                                 : qmgr.conf->bounce_queue_lifetime;

    return m->entry->forced || now_ms() - m->since / 1000 >= life;
}

/* Whoever is left has had the last try. */
static bool
expire(struct message *m)
{
    if (!message_mark(m, QUEUE_EXPIRED))
        return false;
    say_expired(m);
    m->todo = 0;
    m->reports |= BIT(REPORT_FAILURE);
    return true;
}

static bool
delay_is_news(const struct message *m)
{
    int64_t limit = qmgr.conf->delay_warning_time;

    return limit > 0 && m->todo > 0 && !m->warned && !m->owed &&
           m->sender.len > 0 && now_ms() - m->since / 1000 >= limit;
}

/* Before the last of a portion is done: one dead host in each must not hold
 * up a whole list. */
static bool
wants_more(const struct message *m)
{
    return m->next < m->nrcpts && m->loaded <= m->portion / 2 && !m->waiting &&
           !m->hold && !m->missed && !m->doomed;
}

/* The next recipients of a long list. */
static void
load_on(struct message *m)
{
    struct queue_file f;
    struct why why;
    int fd = message_writer(m);

    if (fd < 0 ||
        queue_load(qmgr.scratch, fd, m->entry->seal, &f, &why) != QUEUE_WHOLE) {
        if (fd >= 0)
            log_warn("%s: %s", m->id, why.text);
        m->missed = true;
        m->next = m->nrcpts;
        return;
    }
    portion_take(m, &f);
    message_close_surplus(m);
}

/* Many lists may be through with a portion at a time, or one with many: each
 * gets the next in a turn of its own, as it takes memory for the whole list. */
static void
load_in_turn(void *self)
{
    struct message *m = self;

    m->again = NULL;
    if (wants_more(m))
        load_on(m);
    message_settle(m);
    arena_reset(qmgr.scratch);
}

static int64_t
first_report(const struct message *m)
{
    if (m->reports & BIT(REPORT_FAILURE))
        return REPORT_FAILURE;
    if (m->reports & BIT(REPORT_SUCCESS))
        return REPORT_SUCCESS;
    return delay_is_news(m) ? REPORT_DELAY : 0;
}

/* Probes and checks (sendmail -bv) get one pass, whatever comes of it. */
static bool
had_its_only_pass(const struct message *m)
{
    return m->flags & (ENVELOPE_PROBE | ENVELOPE_BV) && !m->missed && !m->owed;
}

void
message_settle(struct message *m)
{
    bool stopped = m->hold || m->missed || m->doomed;
    bool more = wants_more(m);

    if (more && m->again == NULL)
        m->again = loop_after(qmgr.loop, 0, load_in_turn, m);
    if (more || m->busy || m->loaded || m->waiting)
        return;
    if (m->doomed) {
        forget(m);
        return;
    }
    if (m->unsaved.len && !save_remembered(m)) {
        wait_for_disk(m);
        return;
    }
    if (m->todo && !stopped && is_expired(m) && !had_its_only_pass(m) &&
        !expire(m)) {
        wait_for_disk(m);
        return;
    }

    int64_t kind = stopped ? 0 : first_report(m);

    if (kind)
        report_ask(m, kind);
    else if ((m->todo == 0 && !m->reports && !m->owed) || had_its_only_pass(m))
        finish(m);
    else
        put_back(m);
}

void
message_reported(struct message *m, int64_t kind, enum rc rc)
{
    static const enum queue_mark marks[] = {
        [REPORT_FAILURE] = QUEUE_REPORTED_FAILURE,
        [REPORT_DELAY] = QUEUE_WARNED,
        [REPORT_SUCCESS] = QUEUE_REPORTED_SUCCESS,
    };

    m->reports &= ~BIT(kind);
    if (rc == TEMP)
        m->owed = true;
    else if (m->todo || m->reports || m->owed)
        message_mark(m, marks[kind]);
    if (kind == REPORT_DELAY)
        m->warned = true;
    message_settle(m);
}

void
message_withdraw(struct message *m)
{
    m->missed = true;
    transport_withdraw(m);
    reroute_withdraw(m);
    report_withdraw(m);
    message_settle(m);
}

void
message_delete(struct message *m)
{
    load_remove(m->entry);
    say_removed(m->id);
    m->doomed = true;
    message_withdraw(m);
}
