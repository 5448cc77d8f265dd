/*
 * Commands go out ahead of their replies as far as the window allows; a
 * sequence number tells which is which: first the commands that come once
 * (RSET, XFORWARD, MAIL), then one RCPT per recipient, then DATA.
 *
 *     0 .. once-1 | once .. once+count-1 | once+count
 *
 * Large content goes by BDAT where the server has it (CHUNKING, RFC 3030):
 * there is no DATA then, the chunks come when all recipients have heard.
 *
 * What the replies say stops the sender where going on makes no sense: MAIL
 * refused, nobody accepted. What was sent already is still answered.
 */
#include "transfer.h"

#include "command.h"
#include "xforward.h"

/* Commands without a reply, in bytes: more than that fills buffers on the way
 * and both sides would wait for each other to read. */
#define WINDOW 4096

struct transfer_state {
    struct session *s;
    struct job *j;
    struct content *c;
    struct job_rcpt **rcpts; /* who is tried in this session */
    size_t count;
    enum phase once[4];
    size_t nonce;
    size_t total, sent, got; /* commands */
    struct str next;         /* the command after those that were sent */
    size_t outstanding;      /* bytes of sent - got */
    unsigned *len;           /* of each command */
    size_t accepted;
    bool chunks; /* BDAT, not DATA */
    bool mail_refused, data_accepted, chunk_refused;
    size_t chunks_open; /* sent and not answered */
    struct trouble trouble;
};

static enum phase
phase_of(const struct transfer_state *t, size_t n)
{
    if (n < t->nonce)
        return t->once[n];
    if (n < t->nonce + t->count)
        return PHASE_RCPT;
    return t->j->m.flags & DELIVER_VERIFY ? PHASE_RSET : PHASE_DATA;
}

static struct str
build(const struct transfer_state *t, size_t n)
{
    switch (phase_of(t, n)) {
    case PHASE_RSET:
        return S("RSET\r\n");
    case PHASE_XFORWARD_NAME:
    case PHASE_XFORWARD_PROTO:
        return xforward_command(t->s, t->j, phase_of(t, n));
    case PHASE_MAIL:
        return command_mail(t->s, t->j, t->c);
    case PHASE_RCPT:
        return command_rcpt(t->s, t->j, t->rcpts[n - t->nonce]);
    default:
        return S("DATA\r\n");
    }
}

/* Would the next command be in vain? Known only when all is answered. */
static bool
in_vain(const struct transfer_state *t)
{
    bool behind_rcpts = t->sent == t->nonce + t->count;

    return t->mail_refused ||
           (behind_rcpts && t->got == t->sent && t->accepted == 0);
}

static bool
window_open(const struct transfer_state *t)
{
    if (t->sent == t->got)
        return true;
    return session_offers(t->s, SMTP_PIPELINING) &&
           t->outstanding + t->next.len <= WINDOW;
}

static void
send_more(struct transfer_state *t)
{
    while (t->sent < t->total) {
        if (in_vain(t)) {
            t->total = t->sent;
            return;
        }
        if (t->next.len == 0)
            t->next = build(t, t->sent);
        if (!window_open(t))
            return;
        io_put(t->s->io, t->next);
        t->len[t->sent] = (unsigned)t->next.len;
        t->outstanding += t->next.len;
        t->next.len = 0;
        t->sent++;
    }
}

/* Nobody can be reached over this session any more, or nobody at all. */
static void
fail_all(struct transfer_state *t)
{
    job_fail_all(t->j, &t->trouble, t->s);
}

/* This transaction has failed. */
static void
fail_these(struct transfer_state *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (!t->rcpts[i]->done)
            job_fail(t->j, t->rcpts[i], &t->trouble, t->s);
}

/* "Too many recipients": some were accepted, the others belong into another
 * transaction (RFC 5321 4.5.3.1.10). */
static bool
too_many(const struct transfer_state *t)
{
    const struct smtp_reply *r = &t->s->reply;

    return r->code == 452 && t->accepted > 0 &&
           (strcmp(r->dsn, "4.5.3") == 0 || strcmp(r->dsn, "4.0.0") == 0);
}

static void
take_rcpt(struct transfer_state *t, struct job_rcpt *r)
{
    const struct session *s = t->s;

    if (t->mail_refused)
        return;
    if (s->reply.code / 100 != 2) {
        (void)!session_refused(s, PHASE_RCPT, t->j->arena, &t->trouble);
        job_fail(t->j, r, &t->trouble, s);
        r->asked = !too_many(t);
        return;
    }
    r->accepted = true;
    t->accepted++;
    if (t->j->m.flags & DELIVER_VERIFY)
        job_done(t->j, r, s);
}

static void
take_reply(struct transfer_state *t, size_t n)
{
    enum phase phase = phase_of(t, n);
    bool good = t->s->reply.code / 100 == 2;

    switch (phase) {
    case PHASE_RCPT:
        take_rcpt(t, t->rcpts[n - t->nonce]);
        break;
    case PHASE_MAIL:
        if (!good) {
            (void)!session_refused(t->s, phase, t->j->arena, &t->trouble);
            t->mail_refused = true;
            fail_all(t);
        }
        break;
    case PHASE_DATA:
        t->data_accepted = t->s->reply.code / 100 == 3;
        if (!t->data_accepted && t->accepted > 0) {
            (void)!session_refused(t->s, phase, t->j->arena, &t->trouble);
            fail_these(t);
        }
        break;
    case PHASE_XFORWARD_NAME:
    case PHASE_XFORWARD_PROTO:
        if (!good)
            xforward_refused(t->s, phase);
        break;
    default:
        break;
    }
}

/*
 * An open session may have ended while it waited: the server's time was up.
 * Nothing has been delivered when a command before the content finds that
 * out, so another session may go on with whoever is left.
 */
static bool
is_stale(const struct transfer_state *t, size_t n, bool lost)
{
    if (!t->s->waited)
        return false;
    if (lost)
        return true;
    return n < t->nonce && t->s->reply.code / 100 != 2 &&
           (t->once[n] == PHASE_RSET || t->s->reply.code == 421);
}

/* Everything before the content. */
static enum transfer
run_envelope(struct transfer_state *t)
{
    for (send_more(t); t->got < t->sent; send_more(t)) {
        size_t n = t->got;
        enum phase phase = phase_of(t, n);
        bool lost = session_reply(t->s, phase, t->j->arena, &t->trouble) != OK;

        if (is_stale(t, n, lost))
            return TRANSFER_STALE;
        if (lost) {
            fail_all(t);
            return TRANSFER_LOST;
        }
        t->outstanding -= t->len[n];
        t->got++;
        take_reply(t, n);
    }
    return TRANSFER_DONE;
}

/* The reply to the dot is everybody's. */
static void
end_smtp(struct transfer_state *t)
{
    bool good = t->s->reply.code / 100 == 2;

    if (!good) {
        (void)!session_refused(t->s, PHASE_DOT, t->j->arena, &t->trouble);
        fail_these(t);
    }
    for (size_t i = 0; good && i < t->count; i++)
        if (t->rcpts[i]->accepted && !t->rcpts[i]->done)
            job_done(t->j, t->rcpts[i], t->s);
}

static void
end_lmtp(struct transfer_state *t, struct job_rcpt *r)
{
    if (t->s->reply.code / 100 == 2) {
        job_done(t->j, r, t->s);
        return;
    }
    (void)!session_refused(t->s, PHASE_DOT, t->j->arena, &t->trouble);
    job_fail(t->j, r, &t->trouble, t->s);
}

/* LMTP has one reply for each accepted recipient (RFC 2033 4.2). */
static enum transfer
read_ends(struct transfer_state *t)
{
    for (size_t i = 0; i < t->count; i++) {
        if (!t->rcpts[i]->accepted)
            continue;
        if (session_reply(t->s, PHASE_DOT, t->j->arena, &t->trouble) != OK) {
            fail_all(t);
            return TRANSFER_LOST;
        }
        if (!t->s->settings->lmtp) {
            end_smtp(t);
            return TRANSFER_DONE;
        }
        end_lmtp(t, t->rcpts[i]);
    }
    return TRANSFER_DONE;
}

/*
 * The connection broke under the content. Perhaps the server said why before
 * it closed; that it took the message, of which it has only a part, is not
 * believed.
 */
static enum transfer
lost_in_body(struct transfer_state *t, enum io io)
{
    struct trouble said;

    (void)!session_lost(t->s, io, PHASE_BODY, &t->trouble);
    io_drop_output(t->s->io);
    if (io == IO_EOF &&
        session_reply(t->s, PHASE_BODY, t->j->arena, &said) == OK &&
        t->s->reply.code >= 400)
        (void)!session_refused(t->s, PHASE_DOT, t->j->arena, &t->trouble);
    t->s->dead = true;
    fail_all(t);
    return TRANSFER_LOST;
}

static enum transfer
unreadable(struct transfer_state *t)
{
    t->trouble = (struct trouble){.why = t->c->why};
    t->s->dead = true;
    fail_all(t);
    return TRANSFER_LOST;
}

/* The reply to a chunk that is not the last. */
static enum io
read_chunk_reply(struct transfer_state *t)
{
    t->chunks_open--;
    if (session_reply(t->s, PHASE_BDAT, t->j->arena, &t->trouble) != OK)
        return IO_EOF;
    if (t->s->reply.code / 100 == 2 || t->chunk_refused)
        return IO_OK;
    (void)!session_refused(t->s, PHASE_BDAT, t->j->arena, &t->trouble);
    t->chunk_refused = true;
    return IO_OK;
}

/* One reply stays open while the next chunk is sent, if the server allows. */
static enum io
send_chunk(void *self, struct str data, bool last)
{
    struct transfer_state *t = self;
    size_t may_wait = session_offers(t->s, SMTP_PIPELINING) ? 1 : 0;

    io_fmt(t->s->io, "BDAT %zu%s\r\n", data.len, last ? " LAST" : "");
    io_put(t->s->io, data);
    if (last)
        return IO_OK;
    t->chunks_open++;
    enum io io = io_flush(t->s->io);

    while (io == IO_OK && t->chunks_open > may_wait)
        io = read_chunk_reply(t);
    t->s->limit = t->s->settings->data_xfer_timeout;
    return t->chunk_refused ? IO_STOPPED : io;
}

/* Replies to the chunks before the last, of which none has been refused yet
 * when the last was sent. */
static enum transfer
read_chunk_replies(struct transfer_state *t, bool last_sent)
{
    bool lost = false;

    while (t->chunks_open > 0 && !lost)
        lost = read_chunk_reply(t) != IO_OK;
    if (!lost && t->chunk_refused && last_sent) {
        struct trouble ignored;

        lost = session_reply(t->s, PHASE_DOT, t->j->arena, &ignored) != OK;
    }
    if (lost)
        fail_all(t);
    else if (t->chunk_refused)
        fail_these(t);
    return lost ? TRANSFER_LOST : TRANSFER_DONE;
}

static enum transfer
send_chunks(struct transfer_state *t)
{
    struct session *s = t->s;

    s->limit = s->settings->data_xfer_timeout;
    enum io io = content_send_chunks(t->c, s, send_chunk, t);

    if (t->c->unreadable)
        return unreadable(t);
    if (s->dead) {
        fail_all(t);
        return TRANSFER_LOST;
    }
    if (io != IO_OK && io != IO_STOPPED)
        return lost_in_body(t, io);
    enum transfer result = read_chunk_replies(t, io == IO_OK);

    if (result != TRANSFER_DONE || t->chunk_refused)
        return result;
    return read_ends(t);
}

static enum transfer
send_content(struct transfer_state *t, bool last)
{
    struct session *s = t->s;

    s->limit = s->settings->data_xfer_timeout;
    enum io io = content_send(t->c, s);

    if (t->c->unreadable)
        return unreadable(t);
    if (io != IO_OK)
        return lost_in_body(t, io);
    s->quitting = last && session_offers(s, SMTP_PIPELINING);
    if (s->quitting)
        io_put(s->io, S("QUIT\r\n"));
    return read_ends(t);
}

/* DATA was on its way when the last recipient was refused, and the server
 * waits for content: end it at once (RFC 2920 3.1). An LMTP server should not
 * have said 354 (RFC 2033 4.2), and how many replies would follow is anybody's
 * guess. */
static enum transfer
send_nothing(struct transfer_state *t)
{
    if (t->s->settings->lmtp) {
        t->s->dead = true;
        return TRANSFER_LOST;
    }
    io_put(t->s->io, S(".\r\n"));
    if (session_reply(t->s, PHASE_DOT, t->j->arena, &t->trouble) != OK)
        return TRANSFER_LOST;
    return TRANSFER_DONE;
}

/* What fits one chunk needs no more round trips by DATA. */
static bool
wants_chunks(const struct transfer_state *t)
{
    return !t->s->settings->lmtp && session_offers(t->s, SMTP_CHUNKING) &&
           !(t->j->m.flags & DELIVER_VERIFY) &&
           t->c->end - t->c->from > (int64_t)CONTENT_CHUNK_MAX;
}

static void
plan(struct transfer_state *t)
{
    struct job *j = t->j;
    size_t most = session_rcpt_limit(t->s);

    if (t->s->needs_rset)
        t->once[t->nonce++] = PHASE_RSET;
    t->nonce += xforward_plan(t->s, j, t->once + t->nonce);
    t->once[t->nonce++] = PHASE_MAIL;
    t->rcpts = arena_alloc(j->arena, sizeof *t->rcpts * (j->count + 1));
    for (size_t i = 0; i < j->count; i++) {
        j->rcpts[i].accepted = false;
        if (j->rcpts[i].done || j->rcpts[i].asked || t->count == most)
            continue;
        j->rcpts[i].asked = true;
        t->rcpts[t->count++] = &j->rcpts[i];
    }
    t->chunks = wants_chunks(t);
    t->total = t->nonce + t->count + !t->chunks;
    t->len = arena_alloc(j->arena, sizeof *t->len * t->total);
}

enum transfer
transfer_run(struct session *s, struct job *j, struct content *c, bool last)
{
    struct transfer_state t = {.s = s, .j = j, .c = c};

    plan(&t);
    s->needs_rset = true;
    enum transfer result = run_envelope(&t);

    s->waited = false;
    if (result == TRANSFER_DONE && t.chunks && t.accepted > 0)
        return send_chunks(&t);
    if (result != TRANSFER_DONE || !t.data_accepted)
        return result;
    return t.accepted > 0 ? send_content(&t, last) : send_nothing(&t);
}
