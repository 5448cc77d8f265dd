#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "found.h"
#include "notify.h"
#include "parse.h"
#include "session.h"
#include "sys/deflate.h"
#include "sys/io.h"
#include "upload.h"

#define INPUT_MAX   ((size_t)49152) /* a packet has to hold it */
#define LIFE_MAX    ((size_t)1 << 20)
#define COMMAND_MAX ((size_t)256 << 20)
#define OUTPUT_HIGH                                                            \
    ((size_t)128 << 10)            /* a client that does not read waits        \
                                    */
#define TURN_MS    5               /* then other sessions go on */
#define JUNK_MAX   50
#define IDLE_MS    (30 * 60 * 1000) /* RFC 9051 5.4: not less */
#define GOODBYE_MS 10000

static const struct reader_limits limits = {
    .line = 1 << 20,
    .held = 16 << 20,
    .literals = 1024,
    .nonsync = UINT64_MAX,
};

/* ---- the end */

struct arena *
session_borrow(struct session *s, struct arena *a)
{
    struct arena *own = s->command;

    s->command = a;
    return own;
}

/* What a task puts into s->command goes into its own arena, where it has one.
 */
static enum progress
step_task(struct session *s)
{
    struct arena *a = s->task.arena ? s->task.arena : s->command;
    struct arena *own = session_borrow(s, a);
    enum progress p = s->task.step(s, s->task.work);

    session_borrow(s, own);
    return p;
}

static void
drop_task(struct session *s)
{
    struct task t = s->task;
    struct arena *own = session_borrow(s, t.arena ? t.arena : s->command);

    s->task = (struct task){0};
    if (t.step && t.drop)
        t.drop(s, t.work);
    session_borrow(s, own);
    if (t.aside)
        arena_free(t.arena);
}

void
session_deselect(struct session *s, uint32_t removed)
{
    found_forget(s);
    if (s->box == NULL)
        return;
    roster_left(s, removed);
    outside_unwatch(s);
    view_close(s->view);
    flags_close(s->imap, s->box);
    free((char *)(uintptr_t)s->selected.p);
    s->view = NULL;
    s->box = NULL;
    s->batches.count = 0;
    s->selected = (struct str){0};
    vec_free(&s->added);
}

static void
remove_from_list(struct session *s)
{
    struct imap *imap = s->imap;

    for (size_t i = 0; i < imap->sessions.len; i++)
        if (imap->sessions.at[i] == s) {
            vec_drop(&imap->sessions, i);
            return;
        }
}

/* In Dovecot's shape, which statistics of logs read. */
static void
log_end(const struct session *s)
{
    const struct tally *t = &s->tally;

    log_as("dovecot",
           "imap(%.*s)<%d><%s>: Disconnected: %s in=%" PRIu64 " out=%" PRIu64
           " deleted=%" PRIu64 " expunged=%" PRIu64 " trashed=%" PRIu64
           " hdr_count=%" PRIu64 " hdr_bytes=%" PRIu64 " body_count=%" PRIu64
           " body_bytes=%" PRIu64,
           STR(s->imap->user->user), (int)getpid(), s->id,
           s->end ? s->end : "Connection closed", conn_received(s->conn),
           conn_total_sent(s->conn), t->deleted, t->expunged, t->trashed,
           t->headers, t->header_bytes, t->bodies, t->body_bytes);
}

/* All but the news for the broker. */
static void
session_close(struct session *s)
{
    log_end(s);
    drop_task(s);
    upload_drop(s);
    session_deselect(s, 0);
    notify_end(s);
    remove_from_list(s);
    loop_cancel(s->timer);
    loop_cancel(s->turn);
    conn_free(s->conn);
    arena_free(s->command);
    arena_free(s->life);
    free(s);
}

static void
session_free(struct session *s)
{
    struct user *user = s->imap->user;
    unsigned number = s->number;

    s->lost = s->task.whole;
    if (s->lost)
        return;
    session_close(s);
    user_gone(user, number);
}

/* Back to the login stage, with what the client has sent ahead. Compressed,
 * that cannot be told from what he has sent in the clear. */
static void
session_return(struct session *s)
{
    struct str input = conn_input(s->conn);

    if (s->compressed && input.len > 0) {
        session_free(s);
        return;
    }
    user_return(s->imap->user, s->number, conn_fd(s->conn), input);
    session_close(s);
}

static void
goodbye_over(void *self)
{
    struct session *s = self;

    s->timer = NULL;
    session_free(s);
}

void
session_leave(struct session *s)
{
    s->leaving = true;
    loop_cancel(s->timer);
    s->timer = loop_after(s->imap->user->loop, GOODBYE_MS, goodbye_over, s);
}

void
session_bye(struct session *s, const char *why)
{
    if (s->ending)
        return;
    say(s, "* BYE %s\r\n", why);
    session_end(s, why);
}

void
session_end(struct session *s, const char *why)
{
    s->ending = true;
    s->end = arena_fmt(s->life, "%s", why);
    conn_hold(s->conn, true);
    if (!s->task.whole)
        drop_task(s);
    loop_cancel(s->timer);
    s->timer = loop_after(s->imap->user->loop, GOODBYE_MS, goodbye_over, s);
    conn_flush(s->conn);
}

static void
bye_now(void *self)
{
    struct session *s = self;

    s->timer = NULL;
    session_bye(s, s->farewell);
}

void
session_bye_soon(struct session *s, const char *why)
{
    if (s->ending)
        return;
    s->farewell = why;
    loop_cancel(s->timer);
    s->timer = loop_after(s->imap->user->loop, 0, bye_now, s);
}

static void
too_idle(void *self)
{
    struct session *s = self;

    s->timer = NULL;
    session_bye(s, "Disconnected for inactivity");
    s->end = "Inactivity";
}

static void
restart_timer(struct session *s)
{
    if (s->ending || s->farewell)
        return;
    loop_cancel(s->timer);
    s->timer = loop_after(s->imap->user->loop, IDLE_MS, too_idle, s);
}

/* ---- commands, one after the other */

static void
next(struct session *s)
{
    upload_drop(s);
    s->now = (struct command){0};
    s->untold = NULL;
    s->reply = S("");
    arena_reset(s->command);
    reader_next(s->reader, s->idling);
}

static enum progress
tell_untold(struct session *s, void *work)
{
    (void)work;
    if (!news_flags(s, s->untold))
        return MORE;
    s->untold = NULL;
    conn_put(s->conn, s->reply);
    return DONE;
}

/* The command is done, but for what reply.c has left. */
static void
over(struct session *s)
{
    if (s->untold)
        session_task(s, (struct task){.step = tell_untold});
    else
        next(s);
}

static void
bad(struct session *s, const char *why)
{
    reply_bad(s, "%s", why);
    if (++s->junk >= JUNK_MAX)
        session_bye(s, "Too many invalid commands");
}

static void
run(struct session *s)
{
    struct command_text text = reader_command(s->reader);
    const char *error;

    if (s->idling) {
        s->idling = false;
        s->now.tag = str_from(s->idle_tag);
        if (str_ieq(text.text, S("DONE")))
            reply_ok(s, "IDLE ended");
        else
            bad(s, "DONE was expected");
        return;
    }
    if (command_parse(s->command, &text, &s->now, &error) != PARSED) {
        bad(s, error);
        return;
    }
    if (s->now.tag.len > IMAP_TAG_MAX) {
        s->now.tag = S("");
        bad(s, "Tag is too long");
        return;
    }
    s->junk = 0;
    commands_run(s);
    if (s->box)
        news_look(s->imap, s->box);
}

/* A literal is announced: what the command says so far decides. It is parsed
 * from its beginning each time, so that takes memory of its own. */
static bool
takes_literal(struct session *s, const struct command_text *text)
{
    const struct literal *l = &text->literals[text->count - 1];
    struct arena *a = arena_new("literal", COMMAND_MAX);
    const char *error = "This command takes no literal here";
    enum parsed so_far = command_parse(a, text, &s->now, &error);
    bool taken = false;

    if (so_far == PARSED_MESSAGE) {
        taken = upload_announced(s, &s->now, l);
        if (taken)
            reader_stream(s->reader);
    } else if (so_far == PARSED_WANTS) {
        taken = reader_hold(s->reader);
        if (!taken)
            bad(s, "Literal is too long");
    } else {
        bad(s, error ? error : "This command takes no literal here");
    }
    arena_free(a);
    s->now = (struct command){0};
    return taken;
}

static void
literal(struct session *s)
{
    struct command_text text = reader_command(s->reader);
    bool sync = text.literals[text.count - 1].sync;

    if (takes_literal(s, &text)) {
        if (sync)
            say(s, "+ OK\r\n");
        return;
    }
    reader_refuse(s->reader);
    if (sync)
        over(s); /* the client sends nothing more of it */
}

static void
data(struct session *s)
{
    uint64_t left;

    restart_timer(s);
    upload_bytes(s, reader_data(s->reader, &left));
}

/* False: more input is needed. */
static bool
take_input(struct session *s)
{
    struct str in = conn_input(s->conn);
    size_t before = in.len;
    enum reader_event event = reader_put(s->reader, &in);

    if (event == READER_DATA)
        data(s); /* a view of the input */
    conn_skip(s->conn, before - in.len);
    switch (event) {
    case READER_COMMAND:
        restart_timer(s);
        run(s);
        if (s->task.step == NULL)
            over(s);
        return true;
    case READER_LITERAL:
        literal(s);
        return true;
    case READER_TOO_LONG:
        session_bye(s, "Command is too long");
        return false;
    case READER_REFUSED:
        over(s);
        return true;
    case READER_DATA:
        return true;
    case READER_MORE:
        break;
    }
    return false;
}

bool
session_may_go_on(const struct session *s)
{
    return conn_unsent(s->conn) < OUTPUT_HIGH && io_now() - s->began < TURN_MS;
}

static void session_go(struct session *s);

static void
my_turn(void *self)
{
    struct session *s = self;

    s->turn = NULL;
    session_go(s);
}

/* Back to it when others had their turn; when the client does not read, its
 * having read brings us back. */
static void
come_back(struct session *s)
{
    if (s->turn == NULL &&
        (s->task.whole || conn_unsent(s->conn) < OUTPUT_HIGH))
        s->turn = loop_after(s->imap->user->loop, 0, my_turn, s);
}

/* No further command is read before what was said is sent. */
static bool
is_over(const struct session *s)
{
    return s->ending || s->compressing || s->leaving;
}

void
session_tell_soon(struct session *s)
{
    s->tell = true;
    if (s->task.step == NULL && !is_over(s))
        come_back(s);
}

static void
finish_task(struct session *s)
{
    struct task t = s->task;

    s->task = (struct task){0};
    if (t.aside) {
        arena_free(t.arena);
        return;
    }
    if (s->box)
        news_look(s->imap, s->box);
    over(s);
}

static bool
may_work(const struct session *s)
{
    return s->task.whole ? io_now() - s->began < TURN_MS
                         : !is_over(s) && session_may_go_on(s);
}

static void
session_go(struct session *s)
{
    bool more = true;

    s->began = io_now();
    while (more && may_work(s)) {
        if (s->task.step == NULL && s->tell)
            news_begin(s);
        if (s->task.step == NULL)
            more = take_input(s) || s->tell;
        else if (step_task(s) == DONE && (!s->ending || s->task.whole))
            finish_task(s);
        if (s->lost && !s->task.whole) {
            session_free(s);
            return;
        }
    }
    conn_hold(s->conn, is_over(s) || s->task.step ||
                           conn_unsent(s->conn) >= OUTPUT_HIGH);
    if (more && (s->task.whole || !is_over(s)))
        come_back(s);
    else if (s->task.step == NULL)
        arena_rest(s->command); /* thousands may idle */
    conn_flush(s->conn);
}

void
session_task(struct session *s, struct task task)
{
    must(s->task.step == NULL);
    s->task = task;
}

/* ---- the connection */

static void
has_input(void *own)
{
    struct session *s = own;

    if (s->task.step == NULL)
        session_go(s);
}

static void
has_ended(void *own, bool in_good_order)
{
    struct session *s = own;

    /* The end of the compressed bytes is not that of the connection. */
    if (!s->leaving || !s->compressed || !in_good_order)
        session_free(s);
}

static void
has_sent(void *own)
{
    struct session *s = own;

    if (s->ending) {
        session_free(s);
        return;
    }
    if (s->leaving) {
        session_return(s);
        return;
    }
    if (s->compressing)
        conn_switch(s->conn, deflate_carrier(conn_fd(s->conn)));
    s->compressing = false;
    session_go(s);
}

/* The answer to the login that the login stage took. */
static void
greet(struct session *s, struct str tag)
{
    struct buf b = buf_in(s->command);

    capabilities_put(s, &b);
    say(s, "%.*s OK [%s] Logged in\r\n", STR(tag), buf_str(&b).p);
}

/* An APPEND of as many messages as may be must be read, and one of more. */
static struct reader_limits
limits_of(const struct conf *conf)
{
    struct reader_limits l = limits;

    l.literals += (size_t)conf->imap_message_limit;
    return l;
}

bool
session_attach(struct imap *imap, const struct user_session *from)
{
    static const struct conn_user user = {has_input, has_ended, has_sent};
    struct reader_limits own = limits_of(imap->user->conf);
    struct session *s = calloc(1, sizeof *s);

    must(s != NULL);
    s->imap = imap;
    s->conf = imap->user->conf;
    s->number = from->number;
    s->tls = from->tls;
    s->life = arena_new("session", LIFE_MAX);
    s->command = arena_new("command", COMMAND_MAX);
    s->reader = reader_new(s->life, s->command, &own);
    snprintf(s->id, sizeof s->id, "%.*s", STR(from->id));
    s->conn = conn_new(imap->user->loop, from->fd, INPUT_MAX, &user, s);
    *vec_add(&imap->sessions) = s;
    restart_timer(s);
    greet(s, from->greeting);
    conn_unread(s->conn, from->input);
    session_go(s);
    return true;
}
