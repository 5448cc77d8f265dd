#include "master.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/version.h"

#define PATH      "private/master"
#define ANSWERS   ((size_t)16 << 20)
#define PIECE_MAX ((size_t)32768)

/* A tool of root's that reads nothing does not hold master up for longer. */
#define PATIENCE_MS 1000

static struct {
    int fd;
    struct watch *watch;
    VEC(int) waiting; /* tools that wait for the end of stop */
} control = {.fd = -1};

/* One tool that asks; it gets its answer and the link is closed. */
struct client {
    struct link link;
    struct watch *watch;
    struct arena *arena;
};

static struct packet packet;

static void
add_json(struct buf *b, const char *text)
{
    buf_addc(b, '"');
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\')
            buf_addc(b, '\\');
        if ((unsigned char)*c < ' ')
            buf_fmt(b, "\\u%04x", (unsigned)*c);
        else
            buf_addc(b, *c);
    }
    buf_addc(b, '"');
}

static void
add_member(struct buf *b, const char *name, const char *value)
{
    add_json(b, name);
    buf_add(b, S(": "));
    add_json(b, value);
}

static void
add_listener(struct buf *b, const struct unit *u, const struct listener *l)
{
    struct str address = str_from(l->shown);
    ssize_t colon = str_rfind(address, ':');

    buf_add(b, S("{"));
    add_member(b, "service", u->name);
    buf_add(b, S(", "));
    add_member(b, "role", u->role->name);
    buf_add(b, S(", "));
    add_member(b, "type", u->type);
    buf_add(b, S(", "));
    if (l->type == SERVICE_INET) {
        struct str host = str_sub(address, 0, (size_t)colon);

        str_skip(&host, S("["));
        if (host.len && host.p[host.len - 1] == ']')
            host.len--;
        add_member(b, "address", arena_cstr(b->arena, host));
        buf_fmt(b, ", \"port\": %s", l->shown + colon + 1);
    } else {
        add_member(b, "path", l->shown);
    }
    buf_add(b, S("}"));
}

static void
add_listeners(struct buf *b)
{
    const char *comma = "";

    for (size_t i = 0; i < master.units.len; i++) {
        const struct unit *u = master.units.at[i];

        for (size_t k = 0; k < u->listeners.list.len; k++) {
            buf_fmt(b, "%s\n    ", comma);
            add_listener(b, u, &u->listeners.list.at[k]);
            comma = ",";
        }
    }
}

static void
add_processes(struct buf *b)
{
    static const char *const kinds[] = {
        [TEMPLATE] = "template", [WORKER] = "worker", [RUNNING] = "single"};
    const char *comma = "";
    struct process *p;

    for (size_t pos = 0; (p = process_next(&pos)) != NULL;) {
        buf_fmt(b, "%s\n    {\"pid\": %d, ", comma, (int)p->pid);
        add_member(b, "program", p->unit->role->program);
        buf_add(b, S(", "));
        add_member(b, "service", p->unit->name);
        buf_add(b, S(", "));
        add_member(b, "role", p->unit->role->name);
        buf_add(b, S(", "));
        add_member(b, "kind", kinds[p->kind]);
        buf_fmt(b, ", \"retired\": %s}", p->retired ? "true" : "false");
        comma = ",";
    }
}

/* "pids": {"smtpd": [1, 2], ...}, for scripts. */
static void
add_pids(struct buf *b)
{
    static const char *const programs[] = {
#define ROLE(role, program, ...) program,
#include "daemon/roles.def"
    };
    const char *comma = "";

    for (size_t i = 0; i < COUNT(programs); i++) {
        const char *inner = "";
        bool told = programs[i] == NULL;
        struct process *p;

        for (size_t k = 0; k < i && !told; k++)
            told = programs[k] && strcmp(programs[k], programs[i]) == 0;
        if (told)
            continue;
        buf_fmt(b, "%s\"%s\": [", comma, programs[i]);
        for (size_t pos = 0; (p = process_next(&pos)) != NULL;)
            if (strcmp(p->unit->role->program, programs[i]) == 0) {
                buf_fmt(b, "%s%d", inner, (int)p->pid);
                inner = ", ";
            }
        buf_add(b, S("]"));
        comma = ", ";
    }
}

static struct str
status(struct arena *a)
{
    struct buf b = buf_in(a);

    buf_fmt(&b, "{\n  \"pid\": %d,\n  \"version\": \"" POSTA_VERSION "\",\n  ",
            (int)getpid());
    add_member(&b, "configuration", master.dir);
    buf_add(&b, S(",\n  "));
    add_member(&b, "queue_directory", master.plan->conf->queue_directory);
    buf_fmt(&b, ",\n  \"uptime\": %lld,\n  \"state\": \"%s\",\n  \"pids\": {",
            (long long)(loop_now(master.loop) - master.started) / 1000,
            master.stopping ? "stopping" : "running");
    add_pids(&b);
    buf_add(&b, S("},\n  \"listeners\": ["));
    add_listeners(&b);
    buf_add(&b, S("\n  ],\n  \"processes\": ["));
    add_processes(&b);
    buf_add(&b, S("\n  ]\n}\n"));
    return buf_str(&b);
}

static void
answer(struct client *c, struct str text, int code, bool last)
{
    do {
        struct str piece = str_sub(text, 0, PIECE_MAX);

        text = str_sub(text, piece.len, text.len);
        struct msg_master_says m = {
            .text = piece, .status = code, .last = last && text.len == 0};

        if (!send_master_says(&c->link, &m))
            return; /* it no longer listens */
    } while (text.len > 0);
}

static void
client_end(struct client *c)
{
    loop_unwatch(c->watch);
    close(c->link.fd);
    arena_free(c->arena);
}

static void
say_status(struct client *c)
{
    answer(c, status(c->arena), 0, true);
}

static void
reload_with(struct client *c, bool files)
{
    struct problems p = {.arena = c->arena};
    struct buf b = buf_in(c->arena);
    bool good = master_reload(files, &p);

    for (size_t i = 0; i < p.warnings.len; i++)
        buf_fmt(&b, "warning: %s\n", p.warnings.at[i]);
    for (size_t i = 0; i < p.lines.len; i++)
        buf_fmt(&b, "%s\n", p.lines.at[i]);
    vec_free(&p.warnings);
    vec_free(&p.lines);
    answer(c, buf_str(&b), good ? 0 : 1, true);
}

static void
do_reload(struct client *c)
{
    reload_with(c, true);
}

/* The log was renamed: a new one is opened, nothing is read. */
static void
do_logrotate(struct client *c)
{
    reload_with(c, false);
}

/* The link closes when master ends: that is the rest of the answer. */
static void
do_stop(struct client *c)
{
    answer(c, S(""), 0, false);
    *vec_add(&control.waiting) = fcntl(c->link.fd, F_DUPFD_CLOEXEC, 3);
    master_stop("terminating on signal 15");
}

static void
do_abort(struct client *c)
{
    answer(c, S(""), 0, true);
    master_abort();
}

static const struct {
    const char *verb;
    void (*run)(struct client *c);
} verbs[] = {
    {"status",    say_status  },
    {"reload",    do_reload   },
    {"logrotate", do_logrotate},
    {"stop",      do_stop     },
    {"abort",     do_abort    },
};

static void
ask(struct client *c)
{
    struct msg_ask_master m;

    if (!read_ask_master(&packet, &m))
        return;
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (str_eq(m.verb, str_from(verbs[i].verb))) {
            verbs[i].run(c);
            return;
        }
    answer(c, S("unknown request\n"), 1, true);
}

static void
client_ready(void *self, unsigned events)
{
    struct client *c = self;
    enum link_state state = link_receive(&c->link, &packet);

    (void)events;
    if (state == LINK_AGAIN)
        return;
    if (state == LINK_OK)
        ask(c);
    client_end(c);
}

/* Only root and whoever runs this instance. */
static bool
may_ask(int fd)
{
    uid_t uid;

    return sock_peer_uid(fd, &uid, NULL) && (uid == 0 || uid == geteuid());
}

static void
client_new(void *unused, unsigned events)
{
    int fd = accept4(control.fd, NULL, NULL, SOCK_CLOEXEC);

    (void)unused;
    (void)events;
    if (fd < 0)
        return;
    if (!may_ask(fd)) {
        close(fd);
        return;
    }
    sock_timeout(fd, PATIENCE_MS);
    struct arena *a = arena_new("control", ANSWERS);
    struct client *c = arena_make(a, struct client);

    c->arena = a;
    c->link = (struct link){.fd = fd, .self = SIDE(MASTER), .peer = SIDE(TOOL)};
    c->watch = loop_watch(master.loop, fd, LOOP_READ, client_ready, c);
}

void
control_open(void)
{
    control.fd = sock_listen_unix(PATH, SOCK_SEQPACKET | SOCK_NONBLOCK, 0600);
    if (control.fd < 0)
        log_fatal("cannot listen on %s/" PATH ": %m",
                  master.plan->conf->queue_directory);
    control.watch =
        loop_watch(master.loop, control.fd, LOOP_READ, client_new, NULL);
}

void
control_close(void)
{
    if (control.fd < 0)
        return;
    unlink(PATH);
    close(control.fd);
    control.fd = -1;
}
