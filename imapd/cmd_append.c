/* APPEND and REPLACE: RFC 9051 6.3.12, 3502, 4315, 4469, 6855 4, 7889, 8508,
 * 9738. */
#include <string.h>
#include <time.h>

#include "access/message.h"
#include "incoming.h"
#include "limit.h"
#include "mail/imap_text.h"
#include "rights.h"
#include "room.h"
#include "status.h"
#include "store/append.h"
#include "store/expunge.h"
#include "upload.h"
#include "url.h"

/* RFC 8508 4.1 */
#define RIGHTS_REPLACE (RIGHT_DELETED | RIGHT_EXPUNGE)

#define MESSAGES_MAX 1000 /* of one APPEND, where nothing else limits it */
#define URL_SHOWN    256
#define WORK_LIMIT   ((size_t)64 << 20)
#define HELD_MAX     ((uint64_t)256 << 20) /* where nothing else limits it */
#define HELD_WORK    ((size_t)1 << 20)

struct upload {
    struct spot spot;
    struct mailbox *box; /* there */
    struct append *append;
    size_t message, piece; /* of the command: what comes next */
    bool begun;            /* that message has been */
    uint64_t size;         /* of it, as announced */
    uint64_t bytes;        /* of all */
    bool binary;           /* the literal that comes was announced with ~ */
    struct incoming in;
    uint32_t replaced; /* UID, 0: none */
    struct room room;
    uint64_t freed; /* its size */
    bool failed, bad;
    struct why why;
    const char *code; /* of the NO */
};

/* ---- what goes wrong */

static bool
fail_with(struct upload *u, const char *code, const char *text)
{
    u->failed = true;
    u->code = code;
    (void)!fail(&u->why, "5.0.0", "%s", text);
    return false;
}

static bool
fail_why(struct upload *u)
{
    u->failed = true;
    u->code = NULL;
    return false;
}

static void
answer_failure(struct session *s, const struct upload *u)
{
    if (u->bad)
        reply_bad(s, "%s", u->why.text);
    else if (u->code)
        reply_no(s, "%s%s", u->code, u->why.text);
    else
        reply_why(s, &u->why);
}

static bool
fail_url(struct session *s, struct upload *u, struct str url, const char *text)
{
    char *shown = arena_cstr(s->command, str_sub(url, 0, URL_SHOWN));

    for (char *p = shown; *p; p++)
        if (*p < ' ' || *p > '~' || *p == ']')
            *p = '?';
    return fail_with(u, arena_fmt(s->command, "[BADURL \"%s\"] ", shown), text);
}

/* ---- the target */

/* The literal is taken before commands_run looks at them, and tells. */
static unsigned
rights_by_now(struct session *s)
{
    unsigned before = s->rights, now;

    (void)space_look(s);
    now = s->rights;
    s->rights = before;
    return now;
}

static bool
find_replaced(struct session *s, struct upload *u, const struct command *c)
{
    const struct append *a = &c->append;
    uint32_t last = view_count(s->view);
    uint32_t seq = a->replaced;
    struct message m;

    if (s->read_only)
        return fail_with(u, "[READ-ONLY] ",
                         "The mailbox is open for reading "
                         "only");
    if ((rights_by_now(s) & RIGHTS_REPLACE) != RIGHTS_REPLACE)
        return fail_with(u, "[NOPERM] ",
                         "You have not the right to replace messages");
    if (a->replaced == 0)
        seq = last;
    else if (c->uid)
        seq = view_seq(s->view, a->replaced);
    if (seq == 0 || seq > last) {
        u->bad = !c->uid;
        return fail_with(u, "[NONEXISTENT] ", "There is no such message");
    }
    u->replaced = view_uid(s->view, seq);
    if (mailbox_message(s->box, u->replaced, &m, &u->why) != OK)
        return fail_with(u, "[EXPUNGEISSUED] ", "The message is gone");
    u->freed = m.size;
    return true;
}

static bool
open_target(struct session *s, struct upload *u, const struct command *c)
{
    struct str name;

    if (!take_mailbox(s, c->append.mailbox, &name))
        return fail_with(u, "[CANNOT] ", "This is no mailbox name");
    if (space_find_open(s, name, RIGHT_INSERT, &u->spot, &u->box, &u->why) ==
        OK) {
        u->append = append_new(u->box);
        return true;
    }
    u->box = NULL;
    if (strcmp(u->why.dsn, "5.2.0") != 0)
        return fail_why(u);
    u->failed = true;
    u->code = "[TRYCREATE] ";
    return false;
}

static bool
begin(struct session *s, const struct command *c)
{
    struct upload *u = arena_make(s->command, struct upload);
    bool replace = c->id == COMMAND_REPLACE || c->id == COMMAND_UID_REPLACE;

    s->upload = u;
    if (replace && s->box == NULL) {
        u->bad = true;
        return fail_with(u, "", "Select a mailbox first");
    }
    return (!replace || find_replaced(s, u, c)) && open_target(s, u, c);
}

/* ---- pieces */

/* What is replaced makes room, in its own home. */
static bool
has_room(struct session *s, struct upload *u)
{
    bool here = u->replaced && mailbox_home(s->box) == u->spot.home;
    uint64_t freed = here ? u->freed : 0;
    uint64_t bytes = u->bytes > freed ? u->bytes - freed : 0;
    uint64_t messages = u->message + !here;

    return room_check(s, u->spot.home, &u->room, bytes, messages, &u->why) ==
               OK ||
           fail_why(u);
}

static bool
check_size(struct session *s, struct upload *u, uint64_t more)
{
    uint64_t limit = (uint64_t)s->conf->imap_append_size_limit;

    if (limit > 0 && (more > limit || u->size > limit - more))
        return fail_with(u, "[TOOBIG] ", "The message is too large");
    u->size += more;
    u->bytes += more;
    return has_room(s, u);
}

/* RFC 9738 3.1 */
static bool
is_let(struct session *s, struct upload *u)
{
    struct buf code = buf_in(s->command);
    uint64_t limit = (uint64_t)s->conf->imap_message_limit;

    if (u->message < (limit > 0 ? limit : MESSAGES_MAX))
        return true;
    if (limit > 0)
        limit_put(s, &code, 0);
    else
        buf_add(&code, S("[LIMIT] "));
    return fail_with(u, buf_str(&code).p, "Too many messages to store");
}

static bool
begin_message(struct session *s, struct upload *u,
              const struct append_message *m)
{
    uint64_t keywords = 0;
    int64_t date = m->dated ? m->date : time(NULL);

    if (!is_let(s, u))
        return false;
    u->begun = true;
    u->size = 0;
    incoming_begin(&u->in,
                   s->conf->imap_utf8_accept && !(s->enabled & ENABLED_UTF8));
    /* RFC 4314 4: what he may not set is left out. */
    if (u->spot.rights & RIGHT_WRITE &&
        mailbox_keyword_bits(u->box, m->flags.keywords, m->flags.count,
                             &keywords, &u->why) != OK)
        return fail_why(u);
    return append_message(u->append,
                          m->flags.system & rights_flags(u->spot.rights),
                          keywords, date, &u->why) == OK ||
           fail_why(u);
}

static bool
put_run(struct upload *u, struct run *run)
{
    struct str span;

    while (run_next(run, &span))
        if (incoming_put(&u->in, u->append, span, &u->why) != OK)
            return fail_why(u);
    return true;
}

/* The bytes that a URL means, of a mailbox that is open. */
static bool
put_part(struct session *s, struct upload *u, struct arena *a, struct opened *m,
         const struct imap_url *url, struct str text)
{
    struct run run;

    if (message_bytes(m, &u->why) != OK ||
        message_structure(a, m, &u->why) != OK)
        return fail_url(s, u, text, "There is no such message");
    if (!section_find(a, m->bytes, &m->s, &url->section, &run))
        return fail_url(s, u, text, "The message has no such part");
    if (url->partial)
        run_cut(&run, m->bytes, &m->s, url->offset, url->length);
    return check_size(s, u, run.size) && put_run(u, &run);
}

static bool
put_mailbox_part(struct session *s, struct upload *u, struct arena *a,
                 const struct imap_url *url, struct str text)
{
    struct mailbox_status status;
    struct opened m = {.uid = url->uid, .charsets = s->imap->charsets};
    struct str name = names_canonical(&s->imap->names, a, url->mailbox);
    bool good;

    if (space_open(s, name, RIGHT_READ, &m.box, &u->why) != OK)
        return fail_url(s, u, text, "There is no such mailbox");
    if (mailbox_status(m.box, false, &status, &u->why) != OK)
        good = fail_why(u);
    else if (url->validity && url->validity != status.validity)
        good = fail_url(s, u, text, "The mailbox has another UIDVALIDITY");
    else
        good = put_part(s, u, a, &m, url, text);
    message_close(&m);
    mailbox_close(m.box);
    return good;
}

static bool
put_url(struct session *s, struct upload *u, struct str text)
{
    struct arena *a = arena_new("url", WORK_LIMIT);
    struct imap_url url;
    bool good = url_parse(a, text, &url)
                    ? put_mailbox_part(s, u, a, &url, text)
                    : fail_url(s, u, text, "This is no URL of a message here");

    arena_free(a);
    return good;
}

static bool
put_urls(struct session *s, struct upload *u, const struct append_message *m)
{
    for (; u->piece < m->count; u->piece++)
        if (m->pieces[u->piece].is_url &&
            !put_url(s, u, m->pieces[u->piece].url))
            return false;
    return true;
}

/* Up to the last piece that is there. */
static bool
go_on(struct session *s, struct upload *u, const struct append *a)
{
    for (;;) {
        const struct append_message *m = &a->messages[u->message];

        if (!u->begun && !begin_message(s, u, m))
            return false;
        if (!put_urls(s, u, m))
            return false;
        if (u->message + 1 == a->count)
            return true;
        if (u->size == 0)
            return fail_with(u, "", "A message is empty");
        u->message++;
        u->piece = 0;
        u->begun = false;
    }
}

/* ---- literals */

static bool
wants(struct session *s, const struct command *c, const struct literal *l)
{
    const struct append_message *m;
    struct upload *u;

    if (s->upload == NULL && !begin(s, c))
        return false;
    u = s->upload;
    if (u->failed || !go_on(s, u, &c->append))
        return false;
    /* RFC 3502 6.3.11: this is how a client takes it back. */
    m = &c->append.messages[u->message];
    if (l->size == 0 && !m->catenate)
        return fail_with(u, "", "The message is empty");
    if (m->utf8 && !(s->enabled & ENABLED_UTF8))
        return fail_with(u, "[CANNOT] ", "UTF8=ACCEPT has not been enabled");
    /* Which part of the message its binary parts are is not known here. */
    if (l->binary && m->catenate && !m->utf8)
        return fail_with(u, "[UNKNOWN-CTE] ",
                         "Binary parts in CATENATE must be encoded");
    if (!check_size(s, u, l->size))
        return false;
    if (l->binary && l->size > HELD_MAX)
        return fail_with(u, "[TOOBIG] ", "The message is too large");
    if (l->binary && !m->catenate)
        incoming_hold(&u->in, l->size);
    u->binary = l->binary;
    u->piece++;
    return true;
}

bool
upload_announced(struct session *s, const struct command *c,
                 const struct literal *l)
{
    if (wants(s, c, l))
        return true;
    answer_failure(s, s->upload);
    return false;
}

/* Nothing more is read of the command until it is written. */
static enum progress
write_held(struct session *s, void *work)
{
    struct upload *u = work;

    while (incoming_is_held(&u->in)) {
        if (!session_may_go_on(s))
            return MORE;
        if (incoming_write_some(&u->in, u->append, &u->why) != OK)
            fail_why(u);
    }
    return DONE;
}

void
upload_bytes(struct session *s, struct str bytes)
{
    struct upload *u = s->upload;

    if (u->failed)
        return;
    if (!u->in.held && memchr(bytes.p, '\0', bytes.len)) {
        u->bad = !u->binary;
        fail_with(u, u->binary ? "[UNKNOWN-CTE] " : "",
                  "NUL stands where it may not be");
        return;
    }
    if (incoming_put(&u->in, u->append, bytes, &u->why) != OK)
        fail_why(u);
    if (incoming_is_held(&u->in))
        session_task(s, (struct task){.step = write_held,
                                      .work = u,
                                      .arena = arena_new("held", HELD_WORK),
                                      .aside = true});
}

void
upload_drop(struct session *s)
{
    struct upload *u = s->upload;

    s->upload = NULL;
    if (u == NULL)
        return;
    incoming_drop(&u->in);
    if (u->append)
        append_abort(u->append);
    if (u->box)
        mailbox_close(u->box);
}

/* ---- the end */

/* "[APPENDUID 38505 3955:3957] " */
static bool
commit(struct session *s, struct upload *u, const struct append *a,
       struct buf *code)
{
    struct mailbox_status status;
    struct append *append = u->append;
    struct uid_set uids;
    struct str name;

    /* Others may have stored something meanwhile. */
    u->room.known = false;
    u->bytes += u->in.grown;
    if (!has_room(s, u))
        return false;
    u->append = NULL;
    if (append_commit(append, s->command, &uids, &u->why) != OK)
        return fail_why(u);
    /* RFC 4315 3: not where he may not look at them. It is stored, whatever
     * fails from here on: who hears NO sends it again. */
    if (u->spot.rights & RIGHT_READ &&
        mailbox_status(u->box, false, &status, &u->why) == OK) {
        buf_fmt(code, "[APPENDUID %u ", status.validity);
        put_uids(code, uids);
        buf_add(code, S("] "));
    }
    if (take_mailbox(s, a->mailbox, &name))
        news_added(s, name, u->box, uids);
    news_look(s->imap, u->box);
    return true;
}

static bool
take_replaced(struct session *s, struct upload *u)
{
    const struct uid_range one = {u->replaced, u->replaced};
    struct uid_set removed;

    return expunge_messages(s->box, (struct uid_set){&one, 1}, false,
                            s->command, &removed, &u->why) == OK ||
           fail_why(u);
}

static bool
finish(struct session *s, const struct command *c, struct buf *code)
{
    struct upload *u = s->upload;

    if (u->failed || !go_on(s, u, &c->append))
        return false;
    if (u->size == 0)
        return fail_with(u, "", "The message is empty");
    if (!commit(s, u, &c->append, code))
        return false;
    if (u->replaced == 0)
        return true;
    say(s, "* OK %.*sStored\r\n", STR(buf_str(code)));
    buf_reset(code);
    return take_replaced(s, u);
}

void
do_append(struct session *s, const struct command *c)
{
    struct buf code = buf_in(s->command);

    if ((s->upload || begin(s, c)) && finish(s, c, &code))
        reply_ok(s, "%.*sStored", STR(buf_str(&code)));
    else
        answer_failure(s, s->upload);
}
