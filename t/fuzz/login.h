/*
 * login.h - a client of the login stage that says anything, for the protocol
 * that the including file names: LOGIN_FUZZ(imap_login).
 *
 * The input's first bytes set the scene, the rest is what the client sends:
 *
 *   0     bits: TLS is up; passwords may travel in the clear; the broker
 *         refuses; it hangs up
 *   1     what is sent at once (0: all)
 *   2-9   what authd answers, one after the other, round and round
 *
 * authd and broker are sockets that this file serves itself, in the same loop.
 */
#ifndef FUZZ_LOGIN_H
#define FUZZ_LOGIN_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/login_own.h"
#include "base/log.h"
#include "fuzz/fuzz.h"
#include "sys/sock.h"

#define SCENE     10
#define SENT_MAX  ((size_t)100000)
#define TURNS_MAX 10000 /* then it never ends */

enum { SECURED = 1, CLEAR = 2, REFUSES = 4, HANGS_UP = 8 };

static struct {
    struct login_stage stage;
    struct daemon daemon;
    const struct conf *conf[2]; /* with CLEAR in the second */
    int authd, broker;          /* listening */
    struct watch *watches[2];   /* of these */
    int authd_link;
    struct watch *authd_watch, *broker_watch;
    int home, folder; /* where we were, and where the sockets are */
    char path[32];    /* of the folder */
    struct link broker_link;
    struct packet packet;
    char line[2 * DOVECOT_LINE_MAX]; /* to authd, as far as it has come */
    size_t line_len;
    unsigned flags, answers;
    const uint8_t *script;
    bool over;
} scene;

/* ---- in place of a worker of master */

void
daemon_many(struct daemon *d, struct loop *l, const struct daemon_many *m)
{
    (void)d, (void)l, (void)m;
}

void
daemon_many_gone(struct daemon *d)
{
    (void)d;
    scene.over = true;
}

/* ---- authd */

/* A question that brings a password in the clear is none that may come. */
static void
look_at(struct str question)
{
    bool plain =
        str_find(question, '\t') >= 0 &&
        (strstr(question.p, "\tPLAIN\t") || strstr(question.p, "\tLOGIN\t"));

    must(!plain || scene.flags & (SECURED | CLEAR));
}

static void
answer_question(struct str question)
{
    static const struct {
        const char *verb, *fields;
    } replies[] = {
        {"FAIL", "\tuser=al"                                        },
        {"FAIL", "\tcode=temp_fail\ttemp"                           },
        {"FAIL", "\tuser=al\tcode=user_disabled\treason=gone <away>"},
        {"FAIL", "\tcode=pass_expired"                              },
        {"CONT", "\t"                                               },
        {"CONT", "\tcj0sLHM9"                                       },
        {"OK",   "\tuser=al\tticket=abc"                            },
        {"OK",   "\tuser=al\tnologin"                               },
    };
    unsigned id = 0;
    char text[128];

    look_at(question);
    if (sscanf(question.p, "AUTH\t%u", &id) != 1 &&
        sscanf(question.p, "CONT\t%u", &id) != 1)
        return;
    size_t n = scene.script[scene.answers++ % 8] % COUNT(replies);
    int len = snprintf(text, sizeof text, "%s\t%u%s\n", replies[n].verb, id,
                       replies[n].fields);

    must(write(scene.authd_link, text, (size_t)len) == len);
}

static void
authd_ready(void *self, unsigned events)
{
    ssize_t n = read(scene.authd_link, scene.line + scene.line_len,
                     sizeof scene.line - 1 - scene.line_len);
    char *end;

    (void)self, (void)events;
    must(n > 0);
    scene.line_len += (size_t)n;
    scene.line[scene.line_len] = '\0';
    while ((end = strchr(scene.line, '\n')) != NULL) {
        size_t len = (size_t)(end - scene.line) + 1;

        *end = '\0';
        answer_question((struct str){scene.line, len - 1});
        scene.line_len -= len;
        memmove(scene.line, end + 1, scene.line_len + 1);
    }
}

static void
authd_called(void *self, unsigned events)
{
    static const char greeting[] =
        "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\n"
        "MECH\tSCRAM-SHA-256\tdictionary\tactive\tmutual-auth\nDONE\n";

    (void)self, (void)events;
    scene.authd_link = accept(scene.authd, NULL, NULL);
    must(write(scene.authd_link, greeting, sizeof greeting - 1) > 0);
    scene.authd_watch = loop_watch(scene.stage.loop, scene.authd_link,
                                   LOOP_READ, authd_ready, NULL);
}

/* ---- the broker */

static void broker_ready(void *self, unsigned events);

static void
broker_close(void)
{
    loop_unwatch(scene.broker_watch);
    close(scene.broker_link.fd);
}

static void
broker_ready(void *self, unsigned events)
{
    struct msg_enter m;

    (void)self, (void)events;
    if (link_expect(&scene.broker_link, &scene.packet, MSG_enter) != LINK_OK ||
        !read_enter(&scene.packet, &m)) {
        broker_close();
        return;
    }
    must(str_eq(m.ticket, S("abc")));
    if (scene.flags & HANGS_UP) {
        close(m.fd);
        broker_close();
        return;
    }
    const struct msg_entered out = {.tag = m.tag,
                                    .rc = scene.flags & REFUSES ? PERM : OK};

    must(send_entered(&scene.broker_link, &out));
    close(m.fd);
}

static void
broker_called(void *self, unsigned events)
{
    int fd = accept(scene.broker, NULL, NULL);

    (void)self, (void)events;
    scene.broker_link =
        (struct link){.fd = fd, .self = SIDE(BROKER), .peer = SIDE(LOGIN)};
    scene.broker_watch =
        loop_watch(scene.stage.loop, fd, LOOP_READ, broker_ready, NULL);
}

/* ---- set-up */

static int
listen_at(const char *path, int type, loop_ready *called, struct watch **watch)
{
    int fd = sock_listen_unix(path, type | SOCK_NONBLOCK, 0600);

    must(fd >= 0);
    *watch = loop_watch(scene.stage.loop, fd, LOOP_READ, called, NULL);
    return fd;
}

static const struct conf *
conf_of(struct arena *life, const char *text)
{
    struct why why;
    const struct conf *conf = conf_from_text(life, text, &why);

    must(conf != NULL);
    return conf;
}

static void
clean_up(void)
{
    (void)!unlinkat(scene.folder, "private/authd", 0);
    (void)!unlinkat(scene.folder,
                    arena_fmt(scene.daemon.life, "private/%s-users",
                              scene.stage.protocol->service),
                    0);
    (void)!unlinkat(scene.folder, "private", AT_REMOVEDIR);
    (void)!rmdir(scene.path);
}

/* The stage looks for sockets where it is; the fuzzer for its files, too. */
static void
set_up(const struct login_protocol *p)
{
    static struct arena *life;
    char folder[] = "/tmp/posta-fuzz-XXXXXX", path[64];

    life = arena_new("settings", (size_t)64 << 20);
    log_open("fuzz", open("/dev/null", O_WRONLY | O_CLOEXEC), "mail");
    scene.home = open(".", O_PATH | O_CLOEXEC);
    must(scene.home >= 0 && mkdtemp(folder) && chdir(folder) == 0 &&
         mkdir("private", 0700) == 0);
    scene.folder = open(".", O_PATH | O_CLOEXEC);
    scene.conf[0] = conf_of(life, "");
    scene.conf[1] = conf_of(life, "login_tls_auth_only = no\n");
    scene.daemon.life = life;
    scene.stage = (struct login_stage){.daemon = &scene.daemon,
                                       .protocol = p,
                                       .loop = loop_new(),
                                       .work = arena_new("login", 1 << 20),
                                       .broker.fd = -1};
    scene.authd = listen_at("private/authd", SOCK_STREAM, authd_called,
                            &scene.watches[0]);
    snprintf(path, sizeof path, "private/%s-users", p->service);
    scene.broker =
        listen_at(path, SOCK_SEQPACKET, broker_called, &scene.watches[1]);
    scene.stage.auth = auth_new(scene.stage.loop, "private/authd");
    snprintf(scene.path, sizeof scene.path, "%s", folder);
    atexit(clean_up);
    must(fchdir(scene.home) == 0);
}

/* ---- one client */

static void
stop(void *self)
{
    (void)self;
    loop_stop(scene.stage.loop);
}

static void
turn(void)
{
    loop_after(scene.stage.loop, 0, stop, NULL);
    loop_run(scene.stage.loop);
}

static void
drain(int fd)
{
    char text[4096];

    while (read(fd, text, sizeof text) > 0)
        ;
}

/* The client sends all of it, then waits for the end. */
static void
converse(int fd, struct str in, size_t piece)
{
    for (int i = 0; i < TURNS_MAX && !scene.over; i++) {
        size_t most = piece && piece < in.len ? piece : in.len;
        ssize_t n = send(fd, in.p, most, MSG_NOSIGNAL);

        if (n > 0)
            in = str_sub(in, (size_t)n, in.len);
        if (in.len == 0 || (n < 0 && errno == EPIPE))
            shutdown(fd, SHUT_WR);
        turn();
        drain(fd);
    }
    must(scene.over);
}

static void
fuzz_login(const struct login_protocol *p, struct str in)
{
    const struct sockaddr_storage peer = {.ss_family = AF_UNIX};
    const uint8_t *set = (const uint8_t *)in.p;
    int ends[2];

    if (in.len < SCENE || in.len > SENT_MAX)
        return;
    if (scene.stage.loop == NULL)
        set_up(p);
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    must(fchdir(scene.folder) == 0);
    scene.flags = set[0];
    scene.script = set + 2;
    scene.answers = 0;
    scene.over = false;
    scene.daemon.conf = scene.conf[(scene.flags & CLEAR) != 0];

    struct guest *l = login_new(&scene.stage, ends[1], &peer);

    l->secured = scene.flags & SECURED;
    auth_wake(scene.stage.auth);
    p->greet(l);
    converse(ends[0], str_sub(in, SCENE, in.len), set[1]);
    must(scene.stage.all.len == 0 && fchdir(scene.home) == 0);
    close(ends[0]);
}

#define LOGIN_FUZZ(protocol)                                                   \
    static void fuzz(struct arena *a, struct str in)                           \
    {                                                                          \
        (void)a;                                                               \
        fuzz_login(&(protocol), in);                                           \
    }                                                                          \
    FUZZ(1 << 16)

#endif
