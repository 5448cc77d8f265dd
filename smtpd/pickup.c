#include "pickup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/routing.h"
#include "mail/date.h"
#include "mail/lines.h"
#include "queue/drop.h"
#include "sys/disk.h"

#define ARENA_MAX ((size_t)256 << 20)
#define PIECE     ((size_t)65536)
#define ABANDONED (24 * 3600) /* seconds: nobody writes on it any more */

/* One file of maildrop. */
struct dropped {
    struct pickup *p;
    const char *name;
    int fd;
    struct stat st;
    struct drop drop;
    size_t content;
};

void
pickup_open(struct pickup *p, struct daemon *d)
{
    struct why why;
    struct router *router = routing_open(d->life, d->conf, &why);

    if (router == NULL)
        log_fatal("%s", why.text);
    *p = (struct pickup){
        .daemon = d,
        .arena = arena_new("pickup", ARENA_MAX),
        .data = arena_alloc(d->life, PIECE),
        .corrupt = openat(d->queue_dir, "../corrupt",
                          O_RDONLY | O_DIRECTORY | O_CLOEXEC),
    };
    if (p->corrupt < 0)
        log_fatal("cannot open %s/corrupt: %m; \"posta check\" makes it",
                  d->conf->queue_directory);
    intake_open(&p->intake, d->life, d->conf, router);
}

/* ---- what is in a file ---- */

static void
put_aside(const struct dropped *f, const struct why *why)
{
    log_warn("maildrop/%s: uid=%ld: %s; moved to corrupt/", f->name,
             (long)f->st.st_uid, why->text);
    if (!disk_move(f->p->daemon->queue_dir, f->name, f->p->corrupt, f->name))
        log_warn("cannot move maildrop/%s to corrupt/: %m", f->name);
}

static enum rc
read_head(struct dropped *f, struct why *why)
{
    size_t len = f->st.st_size < DROP_HEAD_MAX ? (size_t)f->st.st_size
                                               : (size_t)DROP_HEAD_MAX;
    char *head = arena_alloc(f->p->arena, len + 1);
    ssize_t got = disk_read(f->fd, head, len, 0);

    if (got < 0)
        return fail(why, "4.3.0", "cannot read maildrop/%s: %m", f->name);
    return drop_get(f->p->arena, (struct str){head, (size_t)got}, &f->drop,
                    &f->content, why);
}

static enum rc
put_content(struct dropped *f, struct message *m, struct why *why)
{
    off_t at = (off_t)f->content;
    ssize_t got;

    while ((got = disk_read(f->fd, f->p->data, PIECE, at)) > 0) {
        message_put(m, (struct str){f->p->data, (size_t)got});
        at += got;
    }
    if (got < 0)
        return fail(why, "4.3.0", "cannot read maildrop/%s: %m", f->name);
    /* A last line without its end would run into what comes behind. */
    if (at > (off_t)f->content &&
        (disk_read(f->fd, f->p->data, 1, at - 1) != 1 || *f->p->data != '\n'))
        message_put(m, S("\n"));
    return OK;
}

/* ---- into the queue ---- */

static enum rc
put_envelope(struct dropped *f, struct message *m, struct why *why)
{
    const struct envelope *e = &f->drop.envelope;
    struct router *router = f->p->intake.router;
    enum rc rc =
        message_sender(m, route_complete(router, m->a, e->sender), why);

    m->env.flags = e->flags | ENVELOPE_LOCAL;
    m->env.envid = e->envid;
    m->env.verp = e->verp;
    m->env.filter = str_from(f->p->intake.conf->content_filter);
    m->env.arrived =
        (int64_t)f->st.st_mtim.tv_sec * 1000000 + f->st.st_mtim.tv_nsec / 1000;
    m->announced = (int64_t)f->st.st_size;
    m->client = S("local");
    m->local = true;
    m->full_name = f->drop.full_name;
    for (size_t i = 0; rc == OK && i < e->nrcpts; i++) {
        struct rcpt r = e->rcpts[i];

        r.orig = r.addr;
        r.addr = route_complete(router, m->a, r.addr);
        rc = message_add(m, &r, why);
    }
    return rc;
}

static struct str
received(const struct dropped *f, const struct message *m)
{
    const struct conf *c = f->p->intake.conf;

    return str_from(arena_fmt(
        m->a, "Received: by %s (%s, from userid %ld)\n\tid %.*s; %.*s\n",
        c->myhostname, c->mail_name, (long)f->st.st_uid, STR(m->id),
        STR(date_format(m->a, m->env.arrived / 1000000))));
}

/* Every recipient fails with that reason. */
static void
refuse_all(struct message *m, const struct why *reason)
{
    struct str text =
        str_from(arena_fmt(m->a, "%s %s", reason->dsn, reason->text));

    for (size_t i = 0; i < m->env.nrcpts; i++) {
        m->env.rcpts[i].transport = S("error");
        m->env.rcpts[i].nexthop = text;
    }
}

static enum rc
submit(struct dropped *f, struct message *m, const struct why *refused,
       struct why *why)
{
    enum rc rc = put_envelope(f, m, why);

    if (rc != OK)
        return rc;
    rc = message_open(m, why);
    if (rc != OK)
        return rc;

    struct str line =
        lines_pickup(m->a, m->id, (int64_t)f->st.st_uid, m->env.sender);

    log_info("%.*s", STR(line));
    if (refused) {
        m->unchecked = true;
        refuse_all(m, refused);
    }
    message_field(m, received(f, m));
    rc = put_content(f, m, why);
    return rc == OK ? message_finish(m, why) : rc;
}

static enum rc
submit_file(struct dropped *f, const struct why *refused, struct why *why)
{
    struct message *m = message_new(&f->p->intake, f->p->arena);
    enum rc rc = submit(f, m, refused, why);

    message_drop(m);
    return rc;
}

/* What is wrong with one message's addresses keeps no other waiting. */
static bool
is_its_own(const struct why *why)
{
    return strcmp(why->dsn, "4.6.0") == 0;
}

/* False where there is no use in going on now. */
static bool
take(struct dropped *f)
{
    struct why why, again;
    enum rc rc = read_head(f, &why);

    if (rc == PERM) {
        put_aside(f, &why);
        return true;
    }
    if (rc == OK)
        rc = submit_file(f, NULL, &why);
    if (rc == PERM) {
        rc = submit_file(f, &why, &again);
        if (rc == PERM) {
            put_aside(f, &why);
            return true;
        }
        why = again;
    }
    if (rc != OK) {
        log_warn("maildrop/%s: uid=%ld: %s; will try again", f->name,
                 (long)f->st.st_uid, why.text);
        return is_its_own(&why);
    }
    if (!disk_remove(f->p->daemon->queue_dir, f->name))
        log_warn("cannot remove maildrop/%s: %m", f->name);
    return true;
}

/* ---- the folder ---- */

/* Written to the end, by postdrop? */
static bool
is_complete(const struct dropped *f)
{
    int dir = f->p->daemon->queue_dir;

    if (!S_ISREG(f->st.st_mode))
        return false;
    if ((f->st.st_mode & 0777) == DROP_COMPLETE)
        return true;
    if (f->st.st_mtime + ABANDONED < time(NULL)) {
        log_warn("maildrop/%s: uid=%ld: not complete after a day, removed",
                 f->name, (long)f->st.st_uid);
        (void)disk_remove(dir, f->name);
    }
    return false;
}

static bool
visit(struct pickup *p, const char *name)
{
    int dir = p->daemon->queue_dir;
    auto_close int fd = -1;
    struct dropped f = {.p = p, .name = name};

    if (name[0] == '.' || fstatat(dir, name, &f.st, AT_SYMLINK_NOFOLLOW) < 0 ||
        !is_complete(&f))
        return true;
    fd = disk_open(dir, name, O_RDONLY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &f.st) < 0) {
        if (errno != ENOENT)
            log_warn("cannot open maildrop/%s: %m", name);
        return true;
    }
    f.fd = fd;
    arena_reset(p->arena);

    bool go_on = is_complete(&f) ? take(&f) : true;

    log_flush();
    return go_on;
}

static void
scan(struct pickup *p)
{
    int fd =
        openat(p->daemon->queue_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;

    if (dir == NULL) {
        log_warn("cannot read %s/maildrop: %m",
                 p->daemon->conf->queue_directory);
        return;
    }
    while (!p->intake.broken && !*daemon_stop() && (e = readdir(dir)) != NULL)
        if (!visit(p, e->d_name))
            break;
    closedir(dir);
}

void
pickup_work(struct pickup *p, struct daemon *d)
{
    struct sockaddr_storage sa;
    socklen_t len;
    int fd;

    p->intake.qmgr = &d->qmgr;
    do {
        scan(p);
        if (p->intake.broken)
            return;
        fd = daemon_accept(d, &sa, &len);
        /* Whoever pokes has dropped something; what it says is no matter. */
        if (fd >= 0)
            close(fd);
    } while (fd >= 0);
}
