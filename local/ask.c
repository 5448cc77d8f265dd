#include "ask.h"

#include <unistd.h>

#include "base/hash.h"
#include "expand.h"
#include "room.h"
#include "virtual.h"

/* Only who gets it in one Maildir of his own can have too much: others are
 * told when it is delivered. */
static enum rc
check_local(struct job *j, const struct rec_rcpt *rcpt, int64_t size,
            struct why *why)
{
    struct targets all = {0};
    const struct target *t;

    expand_recipient(j, rcpt, &all);
    t = &all.at[0];
    if (all.count != 1 || t->kind != TARGET_MAILBOX ||
        !str_ends(t->text, S("/")))
        return OK;
    return room_check(j, t->user->name, &t->user->user,
                      arena_cstr(j->arena, t->text), size, why);
}

static enum rc
check_virtual(struct job *j, const struct rec_rcpt *rcpt, int64_t size,
              struct why *why)
{
    struct virtual_box box;
    enum rc rc;

    if (j->set->virtual_mailboxes == NULL)
        return OK;
    rc = virtual_find(j, rcpt->addr, &box, why);
    if (rc != OK || !str_ends(str_from(box.path), S("/")))
        return rc;
    return room_check(j, box.owner, &box.user, box.path, size, why);
}

static struct msg_room
answer(struct daemon *d, struct arena *a, const struct msg_ask_room *m,
       struct why *why)
{
    /* Expansion is to say what that service would do. */
    struct daemon as = *d;
    struct job j = {
        .d = &as,
        .conf = d->conf,
        .set = d->own,
        .arena = a,
        .msg.fd = -1,
        .nrcpts = 1,
        .seen = hash_new(),
    };
    const struct rec_rcpt rcpt = {.addr = m->addr};
    bool virtual = str_eq(m->transport, S("virtual"));
    enum rc rc;

    as.service = virtual ? "virtual" : "local";
    rc = virtual ? check_virtual(&j, &rcpt, m->size, why)
                 : check_local(&j, &rcpt, m->size, why);
    job_return(&j);
    hash_free(j.seen);
    /* What else is wrong is told when it is delivered. */
    if (rc == OK || !str_ends(str_from(why->dsn), S(".2.2")))
        return (struct msg_room){.rc = OK};
    return (struct msg_room){.rc = rc, .dsn = str_from(why->dsn)};
}

static void
serve(struct daemon *d, const struct link *link, struct arena *a)
{
    static struct packet packet;
    struct msg_ask_room m;
    struct why why;

    while (daemon_serve(link, &packet)) {
        arena_reset(a);
        accounts_refresh();
        if (packet.type != MSG_ask_room || !read_ask_room(&packet, &m))
            return;

        struct msg_room says = answer(d, a, &m, &why);

        if (!send_room(link, &says))
            return;
    }
}

void
ask_serve(struct daemon *d)
{
    struct arena *a = arena_new("question", JOB_MEMORY);
    struct sockaddr_storage peer;
    socklen_t len;
    int fd;

    while ((fd = daemon_accept(d, &peer, &len)) >= 0) {
        const struct link link = {
            .fd = fd, .self = SIDE(ROOM), .peer = SIDE(PRODUCER)};

        serve(d, &link, a);
        close(fd);
    }
}
