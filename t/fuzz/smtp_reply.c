/*
 * A server that says anything: the input is all it ever says, while the client
 * greets it and sends a message to three recipients, by SMTP or LMTP. Each
 * recipient must come out of it with one clean result. What follows a byte
 * 0xff is sent later: after STARTTLS, inside the handshake.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "fuzz/fuzz.h"
#include "mail/dsn.h"
#include "smtp/command.h"
#include "smtp/transfer.h"

static struct packet packet;

static const char main_cf[] = "myhostname = client.test\n"
                              "queue_directory = /nonexistent\n"
                              "smtp_tls_security_level = may\n"
                              "lmtp_tls_security_level = may\n";

static const struct settings *
settings(bool lmtp)
{
    static struct settings *both[2];
    struct arena *life;
    struct why why;

    if (both[lmtp])
        return both[lmtp];
    life = arena_new("settings", (size_t)1 << 24);
    both[lmtp] = settings_read(life, conf_from_text(life, main_cf, &why), lmtp,
                               NULL, &why);
    must(both[lmtp] != NULL);
    log_open("fuzz", open("/dev/null", O_WRONLY | O_CLOEXEC), "mail");
    return both[lmtp];
}

static struct job *
make_job(struct arena *a, const struct settings *s, int file, bool probe)
{
    struct link qmgr = {.self = SIDE(QMGR), .peer = SIDE(AGENT)};
    struct link agent = {.self = SIDE(AGENT), .peer = SIDE(QMGR)};
    struct buf rcpts = buf_in(a);
    int ends[2];

    for (int i = 0; i < 3; i++) {
        struct rec_rcpt r = {.index = i, .addr = S("b@remote.test")};

        put_rcpt(&rcpts, &r);
    }
    struct msg_deliver m = {.id = S("ID"),
                            .sender = S("a@example.test"),
                            .nexthop = S("remote.test"),
                            .flags = probe ? DELIVER_VERIFY : ENVELOPE_8BIT,
                            .rcpts = buf_str(&rcpts),
                            .fd = file};

    must(sock_pair(ends));
    qmgr.fd = ends[0];
    agent.fd = ends[1];
    must(send_deliver(&qmgr, &m));
    must(link_receive(&agent, &packet) == LINK_OK);
    close(ends[0]);
    close(ends[1]);
    return job_new(s, &packet, a);
}

static void
say(int fd, struct str said)
{
    if (said.len > 0)
        must(send(fd, said.p, said.len, MSG_DONTWAIT | MSG_NOSIGNAL) ==
             (ssize_t)said.len);
}

/* A connection on which all that the server says waits, in packets that are
 * read one by one; ends[0] is the client's. */
static void
connect_to(struct str said, int ends[2])
{
    struct str part;
    int room = 1 << 20; /* nobody reads what the client says */

    must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    while (said.len > 0) {
        str_cut(&said, (char)0xff, &part);
        say(ends[1], part);
    }
    must(shutdown(ends[1], SHUT_WR) == 0);
}

static void
check(const struct job *j)
{
    must(j->left == 0);
    for (size_t i = 0; i < j->count; i++) {
        const struct job_rcpt *r = &j->rcpts[i];
        const char *dsn = r->rc == OK ? r->dsn : r->trouble.why.dsn;

        must(r->done && dsn_is_code(str_from(dsn)));
        must(dsn[0] == (r->rc == OK ? '2' : '0' + (char)r->rc));
        for (size_t b = 0; b < r->text.len; b++)
            must((unsigned char)r->text.p[b] >= 32 && r->text.p[b] != 127);
    }
}

static void
talk(struct session *s, struct job *j, struct content *c)
{
    struct trouble t = {0};
    struct why why;

    must(content_open(c, &why) && command_prepare(j, &why) == OK);
    (void)!fail(&why, "4.3.0", "nothing yet");
    job_blocked(j, &why);
    if (session_hello(s, j->arena, j->m.nexthop, &t) != OK)
        job_fail_all(j, &t, s);
    else
        (void)transfer_run(s, j, c, false);
    job_finish(j);
    check(j);
}

static void
fuzz(struct arena *a, struct str in)
{
    static const struct tls_demand demands[] = {
        {.level = TLS_MAY,     .ciphers = "DEFAULT", .sni = ""},
        {.level = TLS_ENCRYPT, .ciphers = "DEFAULT", .sni = ""}
    };
    if (in.len < 1 || in.len > 32768)
        return;
    unsigned char choice = (unsigned char)in.p[0];
    const struct settings *st = settings(choice & 1);
    int file = memfd_create("message", MFD_CLOEXEC);
    int ends[2];

    connect_to(str_sub(in, 1, in.len), ends);
    struct session *s = session_over(st, ends[0], a);
    struct job *j = make_job(a, st, file, choice & 2);
    struct content c = {.fd = j->m.fd, .arena = a};

    if (choice & 4)
        must(ftruncate(file, 300000) == 0 && (c.end = 300000) > 0);
    s->host = S("fake.test");
    s->name = "fake.test[192.0.2.1]";
    s->relay = "fake.test[192.0.2.1]:25";
    s->demand = &demands[choice >> 3 & 1];
    talk(s, j, &c);
    session_close(s);
    close(j->m.fd);
    close(file);
    close(ends[1]);
}

FUZZ((size_t)64 << 20)
