#include "session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access/mail.h"
#include "base/log.h"
#include "pop3d.h"
#include "store/changes.h"
#include "store/expunge.h"
#include "store/flags.h"
#include "uidl.h"

#define LINE_MAX_LEN ((size_t)1024)
#define INPUT_MAX    ((size_t)16384)
#define OUTPUT_HIGH  ((size_t)128 << 10)
#define WORK_MAX     ((size_t)256 << 20)
#define IDLE_MS      600000 /* RFC 1939 3: not less than ten minutes */
#define GOODBYE_MS   10000
#define QUIT_SOME    1000 /* messages that go in one turn: 10 ms */

static struct pop3 pop3;

void
say(struct session *s, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    conn_vfmt(s->conn, fmt, args);
    va_end(args);
    conn_put(s->conn, S("\r\n"));
}

/* ---- the end */

/* In Dovecot's shape, which statistics of logs read; of messages whose size
 * nobody has asked for it may be unknown. */
static void
log_end(const struct session *s)
{
    uint64_t size = 0;

    for (uint32_t i = 0; i < s->count; i++)
        size += s->list[i].size;
    log_as("dovecot",
           "pop3(%.*s)<%d><%s>: Disconnected: %s top=%u/%" PRIu64
           ", retr=%u/%" PRIu64 ", del=%u/%u, size=%" PRIu64,
           STR(s->pop3->user->user), (int)getpid(), s->id,
           s->end ? s->end : "Connection closed", s->done.top, s->done.top_size,
           s->done.retr, s->done.retr_size, s->done.deleted, s->count, size);
}

/* What was fetched has been seen, as with Dovecot: IMAP clients show it so. */
static void
mark_seen(struct session *s)
{
    struct uid_range *at = arena_alloc(s->work, (s->count + 1) * sizeof *at);
    struct uid_set set = {.at = at};
    struct flags_change change = {.how = FLAGS_ADD, .flags = FLAG_SEEN};
    struct flags_done done;
    struct why why;

    for (uint32_t i = 0; i < s->count; i++)
        if (s->list[i].seen)
            at[set.len++] = (struct uid_range){s->list[i].uid, s->list[i].uid};
    if (set.len > 0 &&
        flags_store(s->box, set, &change, s->work, &done, &why) != OK)
        log_warn("pop3(%.*s): %s", STR(s->pop3->user->user), why.text);
}

static void
session_free(struct session *s)
{
    struct user *user = s->pop3->user;
    unsigned number = s->number;

    log_end(s);
    send_drop(s);
    if (s->list)
        mark_seen(s);
    if (s->box)
        mailbox_close(s->box);
    for (size_t i = 0; i < pop3.sessions.len; i++)
        if (pop3.sessions.at[i] == s) {
            vec_drop(&pop3.sessions, i);
            break;
        }
    loop_cancel(s->timer);
    conn_free(s->conn);
    arena_free(s->work);
    free(s->list);
    free((char *)(uintptr_t)s->capabilities.p);
    free(s);
    user_gone(user, number);
}

static void
goodbye_over(void *self)
{
    struct session *s = self;
    uint64_t sent = conn_total_sent(s->conn);

    s->timer = NULL;

    /* What was deleted may be on its way still, to a client that is slow. */
    if (sent == s->sent || conn_unsent(s->conn) == 0) {
        session_free(s);
        return;
    }
    s->sent = sent;
    s->timer = loop_after(s->pop3->user->loop, GOODBYE_MS, goodbye_over, s);
}

void
session_end(struct session *s, const char *why)
{
    s->ending = true;
    s->end = why;
    conn_hold(s->conn, true);
    conn_flush(s->conn);
    loop_cancel(s->timer);
    s->sent = conn_total_sent(s->conn);
    s->timer =
        loop_after(s->pop3->user->loop,
                   conn_unsent(s->conn) > 0 ? GOODBYE_MS : 0, goodbye_over, s);
}

void
session_bye(struct session *s, const char *why)
{
    if (s->ending || s->quit.begun)
        return;
    if (s->sending == NULL)
        say(s, "-ERR %s", why);
    session_end(s, why);
}

static void too_idle(void *self);

static void
restart_timer(struct session *s)
{
    loop_cancel(s->timer);
    s->timer = loop_after(s->pop3->user->loop, IDLE_MS, too_idle, s);
}

static void
too_idle(void *self)
{
    struct session *s = self;

    s->timer = NULL;
    session_bye(s, "Disconnected for inactivity");
    s->end = "Inactivity";
}

/* ---- QUIT */

static struct uid_set
some_deleted(struct session *s)
{
    struct uid_range *at = arena_alloc(s->work, QUIT_SOME * sizeof *at);
    struct uid_set set = {.at = at};

    for (; s->quit.at < s->count && set.len < QUIT_SOME; s->quit.at++) {
        const struct pop3_message *m = &s->list[s->quit.at];

        if (m->deleted)
            at[set.len++] = (struct uid_range){m->uid, m->uid};
    }
    return set;
}

static void
remove_some(struct session *s)
{
    struct uid_set set = some_deleted(s), removed;
    struct why why;

    if (set.len == 0)
        return;
    if (expunge_messages(s->box, set, false, s->work, &removed, &why) == OK) {
        s->done.deleted += (unsigned)set.len;
        return;
    }
    log_warn("pop3(%.*s): %s", STR(s->pop3->user->user), why.text);
    s->quit.failed = true;
}

/* Whether the client is still there or not: it has said QUIT. */
static void
quit_some(void *self)
{
    struct session *s = self;

    remove_some(s);
    arena_reset(s->work);
    if (s->quit.at < s->count) {
        s->timer = loop_after(s->pop3->user->loop, 0, quit_some, s);
        return;
    }
    s->timer = NULL;
    s->quit.begun = false;
    if (s->quit.failed)
        say(s, "-ERR [SYS/TEMP] Some messages were not deleted");
    else
        say(s, "+OK Bye");
    session_end(s, "Logged out");
}

void
session_quit(struct session *s)
{
    loop_cancel(s->timer);
    s->quit.begun = true;
    quit_some(s);
}

/* ---- commands */

static bool
take_line(struct session *s)
{
    struct str all = conn_input(s->conn);
    ssize_t end = str_find(all, '\n');

    if (end < 0 && all.len < LINE_MAX_LEN)
        return false;
    if (end < 0 || (size_t)end > LINE_MAX_LEN) {
        session_bye(s, "Line too long");
        return false;
    }
    struct str line = arena_str(s->work, str_sub(all, 0, (size_t)end));

    conn_skip(s->conn, (size_t)end + 1);
    if (line.len > 0 && line.p[line.len - 1] == '\r')
        line.len--;
    restart_timer(s);
    verbs_run(s, line);
    arena_reset(s->work);
    return true;
}

/* One answer after the other; who does not read them waits. */
static void
session_go(struct session *s)
{
    bool more = true;

    while (more && !s->ending && !s->quit.begun &&
           conn_unsent(s->conn) < OUTPUT_HIGH)
        more = s->sending ? (send_more(s), true) : take_line(s);
    conn_hold(s->conn, s->ending || s->quit.begun || s->sending != NULL ||
                           conn_unsent(s->conn) >= OUTPUT_HIGH);
    arena_rest(s->work); /* thousands may idle */
    conn_flush(s->conn);
}

/* ---- the connection */

static void
has_input(void *own)
{
    struct session *s = own;

    if (s->sending == NULL)
        session_go(s);
}

static void
has_ended(void *own, bool in_good_order)
{
    struct session *s = own;

    if (s->quit.begun)
        return;
    if (!in_good_order || conn_unsent(s->conn) == 0)
        session_free(s);
    else if (!s->ending)
        session_end(s, NULL); /* it may read on */
}

static void
has_sent(void *own)
{
    struct session *s = own;

    if (s->ending) {
        session_free(s);
    } else if (!s->quit.begun) {
        restart_timer(s);
        session_go(s);
    }
}

/* ---- the beginning */

static enum rc
open_inbox(struct session *s, struct why *why)
{
    static const struct uid_range every = {1, UINT32_MAX};
    struct mailbox_status status;
    struct changes_walk walk;
    struct message m;
    enum rc rc = mailbox_open(s->pop3->home, S("INBOX"), &s->box, why);

    if (rc == OK)
        rc = mailbox_status(s->box, false, &status, why);
    if (rc == OK)
        rc = changes_begin(&walk, s->box, (struct uid_set){&every, 1}, why);
    if (rc != OK)
        return rc;
    s->validity = status.validity;
    s->list = calloc((size_t)status.messages + 1, sizeof *s->list);
    must(s->list != NULL);
    while (s->count < status.messages && changes_next(&walk, &m))
        s->list[s->count++] =
            (struct pop3_message){.uid = m.uid, .size = m.vsize};
    return changes_end(&walk, why);
}

static struct str
capabilities_of(struct str greeting)
{
    (void)str_skip(&greeting, S(POP3_UTF8));
    char *p = malloc(greeting.len + 1);

    must(p != NULL);
    memcpy(p, greeting.p, greeting.len);
    return (struct str){p, greeting.len};
}

void
session_attach(struct pop3 *p, const struct user_session *from)
{
    static const struct conn_user user = {has_input, has_ended, has_sent};
    struct session *s = calloc(1, sizeof *s);
    struct why why;

    must(s != NULL);
    s->pop3 = p;
    s->conf = p->user->conf;
    s->number = from->number;
    s->utf8 = str_starts(from->greeting, S(POP3_UTF8));
    s->capabilities = capabilities_of(from->greeting);
    s->work = arena_new("command", WORK_MAX);
    snprintf(s->id, sizeof s->id, "%.*s", STR(from->id));
    s->conn = conn_new(p->user->loop, from->fd, INPUT_MAX, &user, s);
    *vec_add(&p->sessions) = s;
    if (open_inbox(s, &why) != OK) {
        log_warn("pop3(%.*s): %s", STR(p->user->user), why.text);
        session_bye(s, "[SYS/TEMP] Your mailbox is not available now");
        return;
    }
    restart_timer(s);
    say(s, "+OK Logged in");
    conn_unread(s->conn, from->input);
    session_go(s);
}

/* ---- the process */

static enum rc
prepare(struct user *u, struct user_folders *folders, struct why *why)
{
    enum rc rc = uidl_check(u->conf->pop3_uidl_format, why);

    return rc == OK ? user_mail_prepare(u, folders, why) : rc;
}

static enum rc
begin(struct user *u, struct why *why)
{
    pop3.user = u;
    u->own = &pop3;
    return user_mail_open(u, &pop3.home, why);
}

static struct str
refusal(struct arena *a, const struct user_session *s, const char *why)
{
    (void)s;
    return str_from(arena_fmt(a, "-ERR [SYS/TEMP] %s\r\n", why));
}

static void
attach(struct user *u, const struct user_session *from)
{
    session_attach(u->own, from);
}

static void
end(struct user *u, unsigned number, const char *why)
{
    struct pop3 *p = u->own;

    for (size_t i = p->sessions.len; i > 0; i--)
        if (number == 0 || p->sessions.at[i - 1]->number == number)
            session_bye(p->sessions.at[i - 1], why);
}

static void
rest(struct user *u)
{
    const struct pop3 *p = u->own;

    home_rest(p->home);
}

const struct user_program pop3_user = {
    .service = "pop3",
    .prepare = prepare,
    .begin = begin,
    .refusal = refusal,
    .attach = attach,
    .end = end,
    .rest = rest,
};
