#include "tool.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "change.h"
#include "load.h"
#include "map/map.h"
#include "mem.h"
#include "message.h"
#include "qmgr.h"
#include "queue/listing.h"
#include "queue/spool.h"
#include "run.h"
#include "sys/disk.h"

#define TOOLS_MAX     50
#define STRANGERS_MAX 20    /* of users who are not in charge of the queue */
#define PIECE         32768 /* of an answer, in bytes */
#define FILES_A_SLICE 64
#define DENIED        77 /* sysexits */

struct tool {
    struct link link;
    struct watch *watch;
    uid_t uid;
    bool busy;    /* an answer is being made */
    uint32_t pos; /* on the shelf */
    size_t rcpt;  /* of the message before pos: where its list goes on */
    bool (*more)(struct tool *t, struct buf *b); /* false: that was all */
    enum change change;
    unsigned folders; /* of a change of ALL: bits of `folders` */
    VEC(char) piece;  /* made, and not yet sent */
    bool last;
};

static struct {
    struct packet packet;
    size_t count, strangers;
    const struct conf *of; /* whose these lists are */
    struct match_list *mailq, *flush;
} own;

static bool
is_master_user(const struct tool *t)
{
    return t->uid == 0 || t->uid == geteuid();
}

static void
tool_close(struct tool *t)
{
    loop_unwatch(t->watch);
    close(t->link.fd);
    vec_free(&t->piece);
    own.strangers -= !is_master_user(t);
    own.count--;
    mem_free(t);
}

/* ---- who may */

/* The lists of users, read again after a reload. */
static void
open_lists(void)
{
    const struct conf *c = qmgr.conf;

    if (own.of == c)
        return;
    own.of = c;
    own.mailq = match_open("authorized_mailq_users", c->authorized_mailq_users,
                           false, NULL);
    own.flush = match_open("authorized_flush_users", c->authorized_flush_users,
                           false, NULL);
}

static bool
is_listed(const struct tool *t, struct match_list *list)
{
    const struct passwd *pw = getpwuid(t->uid);
    struct str name = pw ? str_from(pw->pw_name) : S("unknown");
    struct why why;
    bool found;

    return match_word(list, name, &found, &why) == OK && found;
}

static bool
may_look(const struct tool *t)
{
    open_lists();
    return is_master_user(t) || is_listed(t, own.mailq);
}

static bool
may_flush(const struct tool *t)
{
    open_lists();
    return is_master_user(t) || is_listed(t, own.flush);
}

/* ---- answers */

static bool
answer(struct tool *t, struct str text, int64_t status, bool last, int fd)
{
    return send_queue_says(
        &t->link, &(struct msg_queue_says){
                      .text = text, .status = status, .last = last, .fd = fd});
}

static bool
done(struct tool *t)
{
    return answer(t, S(""), 0, true, -1);
}

static bool
refuse(struct tool *t, const char *text)
{
    return answer(t, str_from(text), 1, true, -1);
}

static bool
deny(struct tool *t, const char *text)
{
    return answer(t, str_from(text), DENIED, true, -1);
}

/* Send what is made, and make the next piece, while the tool takes it. */
static void
make_piece(struct tool *t)
{
    struct buf b = buf_in(qmgr.scratch);

    t->last = !t->more(t, &b);
    for (size_t i = t->piece.len = 0; i < b.len; i++)
        *vec_add(&t->piece) = b.p[i];
}

static void
go_on(struct tool *t)
{
    struct str text;

    if (t->piece.len == 0 && !t->last)
        make_piece(t);
    text = (struct str){t->piece.at, t->piece.len};
    if (text.len || t->last) {
        if (!answer(t, text, 0, t->last, -1))
            return; /* full: when it can be written to; gone: soon */
        t->piece.len = 0;
    }
    if (t->last) {
        t->busy = t->last = false;
        loop_change(t->watch, LOOP_READ);
    }
}

static bool
start(struct tool *t, bool (*more)(struct tool *, struct buf *))
{
    t->busy = true;
    t->pos = 0;
    t->rcpt = 0;
    t->more = more;
    loop_change(t->watch, LOOP_WRITE);
    return true;
}

/* ---- list */

static void
list_entry(struct tool *t, struct buf *b, struct entry *e)
{
    struct queue_file f;
    struct why why;
    char path[SPOOL_PATH_MAX], id[QUEUE_ID_MAX];
    auto_close int fd = disk_open(
        qmgr.dir,
        spool_path((enum spool_folder)e->folder, shelf_id(e), e->seal, path),
        O_RDONLY);

    if (fd < 0 ||
        queue_load(qmgr.scratch, fd, e->seal, &f, &why) != QUEUE_WHOLE) {
        t->rcpt = 0;
        return;
    }
    if (t->rcpt == 0)
        listing_message(b, str_from(queue_id_text(shelf_id(e), id)),
                        str_from(change_folder(e)), &f);
    t->rcpt = listing_rcpts(qmgr.scratch, b, &f, t->rcpt, PIECE);
    if (t->rcpt >= f.envelope.nrcpts)
        t->rcpt = 0;
}

static bool
list_more(struct tool *t, struct buf *b)
{
    for (int i = 0; i < FILES_A_SLICE && b->len < PIECE; i++) {
        uint32_t before = t->pos;
        struct entry *e = shelf_next(qmgr.shelf, &t->pos);

        if (e == NULL)
            return false;
        list_entry(t, b, e);
        if (t->rcpt > 0)
            t->pos = before; /* the same one again */
    }
    return true;
}

static bool
ask_list(struct tool *t, struct str args)
{
    (void)args;
    if (!may_look(t))
        return deny(t, "you may not see the mail queue");
    return start(t, list_more);
}

/* ---- counts */

static bool
ask_counts(struct tool *t, struct str args)
{
    const struct shelf *s = qmgr.shelf;
    char *text =
        arena_fmt(qmgr.scratch,
                  "{\"incoming\": %zu, \"active\": %zu, \"deferred\": %zu, "
                  "\"hold\": %zu}",
                  shelf_count(s, SHELF_FRESH), shelf_count(s, SHELF_ACTIVE),
                  shelf_count(s, SHELF_DUE), shelf_count(s, SHELF_HELD));

    (void)args;
    return answer(t, str_from(text), 0, true, -1);
}

/* ---- flush */

static bool
ask_flush(struct tool *t, struct str args)
{
    (void)args;
    if (!may_flush(t))
        return deny(t, "you may not flush the mail queue");
    run_flush();
    return done(t);
}

static bool
ask_flush_id(struct tool *t, struct str args)
{
    struct queue_id id;
    struct entry *e;

    if (!may_flush(t))
        return deny(t, "you may not flush the mail queue");
    if (!queue_id_parse(args, &id))
        return refuse(t, "not a queue id");
    e = shelf_find(qmgr.shelf, id);
    if (e == NULL)
        return refuse(t, "no such message");
    run_flush_one(e);
    return done(t);
}

static bool
ask_flush_site(struct tool *t, struct str args)
{
    if (!may_flush(t))
        return deny(t, "you may not flush the mail queue");
    run_flush_site(args);
    return done(t);
}

/* ---- the file itself */

static bool
ask_file(struct tool *t, struct str args)
{
    struct queue_id id;
    struct entry *e;
    char path[SPOOL_PATH_MAX];

    if (!is_master_user(t))
        return deny(t, "only root may read messages");
    if (!queue_id_parse(args, &id) || (e = shelf_find(qmgr.shelf, id)) == NULL)
        return refuse(t, "no such message");
    spool_path((enum spool_folder)e->folder, id, e->seal, path);

    auto_close int fd = disk_open(qmgr.dir, path, O_RDONLY);

    if (fd < 0)
        return refuse(t, "its file cannot be opened");
    return answer(t, str_from(path), 0, true, fd);
}

/* ---- changes */

static const char *const folders[] = {"incoming", "active", "deferred", "hold"};

static unsigned
folder_bit(const char *name)
{
    for (size_t i = 0; i < COUNT(folders); i++)
        if (strcmp(folders[i], name) == 0)
            return 1u << i;
    return 0;
}

static void
change_one(struct tool *t, struct buf *b, struct entry *e)
{
    char id[QUEUE_ID_MAX];

    queue_id_text(shelf_id(e), id);
    if (change_do(e, t->change))
        buf_fmt(b, "%s\n", id);
}

static bool
change_more(struct tool *t, struct buf *b)
{
    for (int i = 0; i < FILES_A_SLICE; i++) {
        struct entry *e = shelf_next(qmgr.shelf, &t->pos);

        if (e == NULL)
            return false;
        if (t->folders & folder_bit(change_folder(e)))
            change_one(t, b, e);
    }
    return true;
}

/* Names of folders, then ids or ALL. */
static bool
ask_change(struct tool *t, enum change change, struct str args)
{
    struct buf b = buf_in(qmgr.scratch);
    struct queue_id id;
    struct entry *e;
    struct str word;
    unsigned bits = 0, bit;

    if (!is_master_user(t))
        return deny(t, "only root may change the mail queue");
    t->change = change;
    while (str_word(&args, " \n", &word)) {
        t->folders = bits ? bits : ~0u;
        if ((bit = folder_bit(arena_cstr(qmgr.scratch, word))))
            bits |= bit;
        else if (str_eq(word, S("ALL")))
            return start(t, change_more);
        else if (queue_id_parse(word, &id) &&
                 (e = shelf_find(qmgr.shelf, id)) &&
                 t->folders & folder_bit(change_folder(e)))
            change_one(t, &b, e);
    }
    return answer(t, buf_str(&b), 0, true, -1);
}

/* ---- the conversation */

static const struct {
    const char *verb;
    bool (*run)(struct tool *t, struct str args);
} verbs[] = {
    {"list",       ask_list      },
    {"counts",     ask_counts    },
    {"flush",      ask_flush     },
    {"flush_id",   ask_flush_id  },
    {"flush_site", ask_flush_site},
    {"file",       ask_file      },
};

static bool
ask(struct tool *t)
{
    struct msg_ask_queue m;
    enum change change;

    if (!read_ask_queue(&own.packet, &m))
        return false;
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (str_eq(m.verb, str_from(verbs[i].verb)))
            return verbs[i].run(t, m.args);
    if (change_find(m.verb, &change))
        return ask_change(t, change, m.args);
    return refuse(t, "unknown request");
}

static void
tool_ready(void *self, unsigned events)
{
    struct tool *t = self;
    enum link_state state = LINK_AGAIN;

    if (t->busy && events == LOOP_WRITE) {
        go_on(t);
    } else {
        state = link_receive(&t->link, &own.packet);
        if (state == LINK_OK && (t->busy || !ask(t)))
            state = LINK_BAD;
    }
    packet_drop(&own.packet);
    if (state == LINK_GONE || state == LINK_BAD)
        tool_close(t);
    arena_reset(qmgr.scratch);
}

static void
accept_tool(void *self, unsigned events)
{
    int listener = (int)(intptr_t)self;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct tool *t;
    uid_t uid;

    (void)events;
    if (fd < 0)
        return;
    if (own.count >= TOOLS_MAX || !sock_peer_uid(fd, &uid, NULL)) {
        close(fd);
        return;
    }
    t = mem_make(struct tool);
    t->link = (struct link){.fd = fd, .self = SIDE(QMGR), .peer = SIDE(TOOL)};
    t->watch = loop_watch(qmgr.loop, fd, LOOP_READ, tool_ready, t);
    own.count++;
    t->uid = uid;
    own.strangers += !is_master_user(t);
    if (own.strangers > STRANGERS_MAX)
        tool_close(t);
}

void
tool_listen(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fcntl(fds[i], F_SETFL, fcntl(fds[i], F_GETFL) | O_NONBLOCK);
        loop_watch(qmgr.loop, fds[i], LOOP_READ, accept_tool,
                   (void *)(intptr_t)fds[i]);
    }
}
