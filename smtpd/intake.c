#include "intake.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "mail/address.h"

/* A header is held back until this much of it has come: then the recipients
 * are taken for final, and the mailbox file cannot be the queue file. */
#define FRONT_MAX ((size_t)64 << 10)

/* Enough to tell a mailbox line. */
#define LEAD_MIN ((size_t)16)

void
words_add(struct words **list, struct arena *a, struct str text)
{
    while (*list)
        list = &(*list)->next;
    *list = arena_make(a, struct words);
    (*list)->text = arena_str(a, text);
}

static unsigned
overrides(const char *list)
{
    static const struct {
        const char *name;
        unsigned bit;
    } words[] = {
        {"no_unknown_recipient_checks", OVERRIDE_UNKNOWN },
        {"no_address_mappings",         OVERRIDE_MAPPINGS},
        {"no_header_body_checks",       OVERRIDE_CHECKS  },
        {"no_milters",                  OVERRIDE_MILTERS },
    };
    struct str rest = str_from(list), word;
    unsigned bits = 0;

    while (str_word(&rest, " ,\t\r\n", &word)) {
        unsigned before = bits;

        for (size_t i = 0; i < COUNT(words); i++)
            if (str_ieq(word, str_from(words[i].name)))
                bits |= words[i].bit;
        if (bits == before)
            log_fatal("receive_override_options: unknown option \"%.*s\"",
                      STR(word));
    }
    return bits;
}

void
intake_open(struct intake *in, struct arena *life, const struct conf *conf,
            struct router *router)
{
    struct str names = str_from(conf->message_drop_headers), name;

    *in = (struct intake){
        .conf = conf,
        .router = router,
        .packet = arena_make(life, struct packet),
        .dropped = hash_new(),
        .scratch = arena_new("look-up", (size_t)16 << 20),
        .override = overrides(conf->receive_override_options),
    };
    while (str_word(&names, " ,\t\r\n", &name))
        *hash_put(in->dropped, arena_lower(life, name)) = in;
    if (!(in->override & OVERRIDE_CHECKS))
        in->filter = filter_open(life, conf);
}

/* ---- envelope ---- */

static int64_t
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct message *
message_new(struct intake *in, struct arena *a)
{
    struct message *m = arena_make(a, struct message);

    m->in = in;
    m->a = a;
    m->fd = -1;
    m->front = buf_in(a);
    m->lead = buf_in(a);
    m->env.arrived = now();
    return m;
}

static bool
unmapped(const struct message *m)
{
    return m->in->override & OVERRIDE_MAPPINGS;
}

enum rc
message_sender(struct message *m, struct str sender, struct why *why)
{
    m->env.sender = sender;
    if (sender.len == 0 || unmapped(m))
        return OK;
    return route_rewrite(m->in->router, m->a, sender, ROUTE_ENVELOPE_SENDER,
                         &m->env.sender, why);
}

/* False where the message goes there already. */
static bool
is_new(struct message *m, struct str addr)
{
    struct str key = arena_lower(m->a, addr);

    if (m->seen == NULL)
        m->seen = hash_new();

    void **place = hash_put(m->seen, key);
    bool fresh = *place == NULL;

    *place = m;
    return fresh;
}

static void
push(struct message *m, const struct rcpt *r)
{
    struct envelope *e = &m->env;

    if (!is_new(m, r->addr))
        return;
    if (e->nrcpts == m->room) {
        size_t room = m->room ? m->room * 2 : 4;

        e->rcpts =
            arena_grow(m->a, e->rcpts, m->room * sizeof *r, room * sizeof *r);
        m->room = room;
    }
    e->rcpts[e->nrcpts++] = *r;
}

/* Without mappings: only where it goes. */
static enum rc
add_as_is(struct message *m, const struct rcpt *given, struct why *why)
{
    struct rcpt r = *given;
    struct route route;
    enum rc rc =
        route_resolve(m->in->router, m->a, m->env.sender, r.addr, &route, why);

    if (rc != OK)
        return rc;
    r.transport = route.transport;
    r.nexthop = route.nexthop;
    push(m, &r);
    return OK;
}

static enum rc
add_expanded(struct message *m, const struct rcpt *rewritten, struct why *why)
{
    struct rcpt *list = NULL;
    size_t count = 0;
    enum rc rc = route_expand(m->in->router, m->a, m->env.sender, rewritten,
                              &list, &count, why);

    for (size_t i = 0; rc == OK && i < count; i++)
        push(m, &list[i]);
    return rc;
}

/* A copy that somebody else gets because of this address; its fate is not the
 * sender's concern. */
static enum rc
add_copies(struct message *m, struct str addr, enum route_role role,
           struct why *why)
{
    struct str copies[2];
    size_t count = 0;
    enum rc rc =
        route_bcc(m->in->router, m->a, addr, role, copies, &count, why);

    for (size_t i = 0; rc == OK && i < count; i++) {
        struct rcpt r = {.addr = copies[i], .notify = NOTIFY_NEVER};

        rc = add_expanded(m, &r, why);
    }
    return rc;
}

enum rc
message_add(struct message *m, const struct rcpt *given, struct why *why)
{
    struct rcpt r = *given;

    if (m->first.p == NULL)
        m->first = r.orig.len > 0 ? r.orig : r.addr;
    if (unmapped(m))
        return add_as_is(m, given, why);

    enum rc rc = route_rewrite(m->in->router, m->a, r.addr, ROUTE_ENVELOPE_RCPT,
                               &r.addr, why);

    if (rc == OK)
        rc = add_expanded(m, &r, why);
    if (rc == OK)
        rc = add_copies(m, r.addr, ROUTE_ENVELOPE_RCPT, why);
    return rc;
}

void
message_take_back(struct message *m, struct str addr)
{
    struct envelope *e = &m->env;
    size_t kept = 0;

    for (size_t i = 0; i < e->nrcpts; i++)
        if (!str_eq(e->rcpts[i].addr, addr))
            e->rcpts[kept++] = e->rcpts[i];
    e->nrcpts = kept;
    (void)hash_del(m->seen, arena_lower(m->a, addr));
}

/* ---- the queue file ---- */

static enum rc
link_broken(struct message *m, struct why *why)
{
    m->in->broken = true;
    m->queue = QUEUE_NONE;
    return fail(why, "4.3.0", "queue file write error");
}

void
message_ask(struct message *m)
{
    struct msg_queue_open ask = {.size = m->announced};

    if (m->queue != QUEUE_NONE || m->in->broken)
        return;
    if (send_queue_open(m->in->qmgr, &ask))
        m->queue = QUEUE_ASKED;
    else
        m->in->broken = true;
}

static enum rc
refused(struct message *m, struct packet *p, struct why *why)
{
    struct msg_queue_refused no;

    m->queue = QUEUE_NONE;
    if (!read_queue_refused(p, &no))
        return link_broken(m, why);
    return fail(why,
                rc_of(arena_cstr(m->a, no.dsn)) == OK
                    ? "4.3.0"
                    : arena_cstr(m->a, no.dsn),
                "%.*s", STR(no.text));
}

enum rc
message_open(struct message *m, struct why *why)
{
    struct packet *p = m->in->packet;
    struct msg_queue_opened opened;

    if (m->queue == QUEUE_OPEN)
        return OK;
    message_ask(m);
    if (m->in->broken || link_receive(m->in->qmgr, p) != LINK_OK)
        return link_broken(m, why);
    if (p->type == MSG_queue_refused)
        return refused(m, p, why);
    if (p->type != MSG_queue_opened || !read_queue_opened(p, &opened))
        return link_broken(m, why);
    m->queue = QUEUE_OPEN;
    m->id = arena_str(m->a, opened.id);
    m->fd = opened.fd;
    m->out = queue_write(m->a, m->fd, opened.seal);
    return OK;
}

void
message_drop(struct message *m)
{
    struct msg_queue_abandon leave;
    struct why why;

    /* The answer to a question must not be taken for the next one's. */
    if (m->queue == QUEUE_ASKED && message_open(m, &why) != OK)
        m->queue = QUEUE_NONE;
    leave.id = m->id;
    if (m->queue == QUEUE_OPEN && !m->in->broken &&
        !send_queue_abandon(m->in->qmgr, &leave))
        m->in->broken = true;
    if (m->fd >= 0)
        close(m->fd);
    m->fd = -1;
    m->queue = QUEUE_NONE;
    if (m->seen)
        hash_free(m->seen);
    m->seen = NULL;
}

/* ---- content ---- */

void
message_fail(struct message *m, enum rc rc, const struct why *why)
{
    if (m->rc != OK || rc == OK)
        return;
    m->why = *why;
    m->rc = rc;
}

enum rc
message_trouble(const struct message *m, struct why *why)
{
    if (m->rc != OK)
        *why = m->why;
    return m->rc;
}

bool
message_filtered(const struct message *m)
{
    return m->in->filter && !m->unchecked;
}

/* Whom actions send it to instead, or too. */
static enum rc
apply_actions(struct message *m, struct why *why)
{
    enum rc rc = OK;

    if (!m->applied && !unmapped(m) && m->env.sender.p)
        rc = add_copies(m, m->env.sender, ROUTE_ENVELOPE_SENDER, why);
    m->applied = true;
    for (; rc == OK && m->actions.bcc; m->actions.bcc = m->actions.bcc->next) {
        struct rcpt r = {.addr = m->actions.bcc->text, .notify = NOTIFY_NEVER};

        rc = add_expanded(m, &r, why);
    }
    if (rc == OK && m->actions.redirect.len > 0) {
        struct rcpt r = {.addr = m->actions.redirect};

        if (m->env.nrcpts > 0)
            r.orig = m->env.rcpts[0].addr;
        m->env.nrcpts = 0;
        if (m->seen)
            hash_free(m->seen);
        m->seen = NULL;
        m->actions.redirect = (struct str){0};
        rc = add_expanded(m, &r, why);
    }
    return rc;
}

/* The recipient whose mailbox may become the owner of the file. */
static const struct rcpt *
only_mailbox(const struct message *m)
{
    const struct rcpt *r = m->env.rcpts;

    if (m->env.nrcpts != 1 || m->env.filter.len > 0 ||
        (message_filtered(m) && filter_has_body(m->in->filter)) ||
        m->front.len > FRONT_MAX)
        return NULL;
    return str_eq(r->transport, S("local")) ||
                   str_eq(r->transport, S("virtual"))
               ? r
               : NULL;
}

void
message_settle(struct message *m)
{
    struct why why;

    if (m->settled)
        return;
    m->settled = true;
    if (m->actions.filter.len > 0)
        m->env.filter = m->actions.filter;
    message_fail(m, apply_actions(m, &why), &why);
    queue_put_delivery_block(m->out, m->env.sender, only_mailbox(m));
    queue_put(m->out, buf_str(&m->front));
}

void
message_write(struct message *m, struct str text)
{
    if (m->rc != OK)
        return;
    if (m->settled) {
        queue_put(m->out, text);
        return;
    }
    buf_add(&m->front, text);
    if (m->front.len > FRONT_MAX)
        message_settle(m);
}

static void
begin(struct message *m)
{
    if (m->begun)
        return;
    m->begun = true;
    fields_begin(m);
}

void
message_field(struct message *m, struct str field)
{
    must(m->queue == QUEUE_OPEN && !m->begun);
    message_write(m, field);
}

/* A line "From x@y Mon Jan 1 ..." before the header is of a mailbox file, and
 * would end the header. It is kept as a field. */
static bool
is_mailbox_line(struct str text)
{
    while (str_skip(&text, S(">")))
        ;
    return str_starts(text, S("From "));
}

static void
put_lead(struct message *m)
{
    struct str lead = buf_str(&m->lead);

    m->led = true;
    if (is_mailbox_line(lead))
        header_filter_put(&m->header, S("X-Mailbox-Line: "));
    header_filter_put(&m->header, lead);
}

static void
put_content(struct message *m, struct str content)
{
    if (!m->led) {
        size_t some = LEAD_MIN - m->lead.len;

        buf_add(&m->lead, str_sub(content, 0, some));
        content = str_sub(content, some, content.len);
        if (m->lead.len < LEAD_MIN)
            return;
        put_lead(m);
    }
    if (content.len > 0)
        header_filter_put(&m->header, content);
}

void
message_put(struct message *m, struct str content)
{
    int64_t limit = m->unchecked ? 0 : m->in->conf->message_size_limit;
    struct why why;

    begin(m);
    m->size += (int64_t)content.len;
    if (limit > 0 && m->size > limit && m->rc == OK) {
        log_warn("%.*s: queue file size limit exceeded", STR(m->id));
        message_fail(m, fail(&why, "5.3.4", "message file too big"), &why);
    }
    if (m->rc == OK)
        put_content(m, content);
}

/* ---- the end ---- */

static enum rc
commit(struct message *m, struct why *why)
{
    struct msg_queue_commit done = {.id = m->id};
    struct msg_queue_committed committed;
    struct packet *p = m->in->packet;

    /* Lines about it stand before qmgr's. */
    log_flush();
    if (!send_queue_commit(m->in->qmgr, &done) ||
        link_receive(m->in->qmgr, p) != LINK_OK)
        return link_broken(m, why);
    if (p->type == MSG_queue_refused)
        return refused(m, p, why);
    if (p->type != MSG_queue_committed ||
        !read_queue_committed(p, &committed) || !str_eq(committed.id, m->id))
        return link_broken(m, why);
    m->queue = QUEUE_NONE;
    close(m->fd);
    m->fd = -1;
    return OK;
}

static enum rc
store(struct message *m, struct why *why)
{
    enum rc rc = apply_actions(m, why);

    if (rc != OK)
        return rc;
    if (m->env.nrcpts == 0)
        return fail(why, "5.5.1", "no recipients specified");
    if (m->actions.filter.len > 0)
        m->env.filter = m->actions.filter;
    if (m->actions.hold)
        m->env.flags |= ENVELOPE_HOLD;
    rc = queue_finish(m->out, &m->env, why);
    return rc == OK ? commit(m, why) : rc;
}

enum rc
message_finish(struct message *m, struct why *why)
{
    must(m->queue == QUEUE_OPEN);
    begin(m);
    if (!m->led)
        put_lead(m);
    header_filter_end(&m->header);
    if (message_filtered(m))
        filter_body_end(m);
    message_settle(m);
    if (m->rc != OK)
        return message_trouble(m, why);
    return m->actions.discard ? OK : store(m, why);
}
