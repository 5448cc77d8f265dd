#include "master.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"

#define CONTROL   3
#define LOCK      4
#define SHORT_MS  1000 /* a life that makes a failure count */
#define TABLE_MAX (BOARD_PLACES + 4 * BOARD_CREWS)

/* A worker that was asked for and has not said its pid yet. */
struct ticket {
    int64_t number;
    struct process *template;
    unsigned place;
};

static struct {
    struct process at[TABLE_MAX];
    size_t used; /* entries ever taken */
    VEC(struct ticket) tickets;
    int64_t last_ticket;
    /* Children that ended before master heard of them. */
    struct {
        pid_t pid;
        int status;
    } strays[64];
    unsigned next_stray;
    struct packet packet;
} table;

/* An entry is free when its process is reaped and its link closed. */
static bool
is_free(const struct process *p)
{
    return p->pid == 0 && p->link.fd < 0;
}

static struct process *
add_process(enum process_kind kind, struct unit *u, pid_t pid)
{
    for (size_t i = 0; i < TABLE_MAX; i++) {
        struct process *p = &table.at[i];

        if (i < table.used && !is_free(p))
            continue;
        if (i == table.used)
            table.used++;
        *p = (struct process){.kind = kind,
                              .unit = u,
                              .pid = pid,
                              .started = loop_now(master.loop),
                              .link.fd = -1};
        return p;
    }
    log_fatal("more than %d processes", TABLE_MAX);
}

struct process *
process_next(size_t *pos)
{
    while (*pos < table.used) {
        struct process *p = &table.at[(*pos)++];

        if (p->pid > 0)
            return p;
    }
    return NULL;
}

unsigned
process_count(int kind)
{
    struct process *p;
    unsigned n = 0;

    for (size_t pos = 0; (p = process_next(&pos)) != NULL;)
        n += kind < 0 || (int)p->kind == kind;
    return n;
}

/* Its clients may stay for days: others take its place. */
static void
let_linger(struct process *p)
{
    p->retired = true;
    if (p->lingers || !(p->unit->role->listens & LINGERS))
        return;
    p->lingers = true;
    p->unit->lingering++;
}

void
process_signal_workers(const struct unit *u, int signo)
{
    struct process *p;

    for (size_t pos = 0; (p = process_next(&pos)) != NULL;)
        if (p->kind == WORKER && (u == NULL || p->unit == u)) {
            let_linger(p);
            kill(p->pid, signo);
        }
}

void
process_retire(struct process *p)
{
    p->retired = true;
    if (p->kind == TEMPLATE) {
        /* It ends when it has read what was sent; what it and the workers it
         * has just forked have to say still comes. */
        shutdown(p->link.fd, SHUT_WR);
        if (p->unit->template == p)
            p->unit->template = NULL;
        if (p->unit->successor == p)
            p->unit->successor = NULL;
    } else {
        kill(p->pid, SIGTERM);
    }
}

void
process_renew(struct unit *u)
{
    if (u->role->kind != POOL)
        return;
    if (u->template)
        process_retire(u->template);
    if (u->successor)
        process_retire(u->successor);
    if (u->role->listens)
        process_signal_workers(u, SIGHUP);
}

void
process_renew_all(void)
{
    for (size_t i = 0; i < master.units.len; i++)
        process_renew(master.units.at[i]);
}

/* ---- workers: asked for, known, gone */

static void
worker_gone(struct unit *u, unsigned place)
{
    if (u->full && u->row && unit_is_full(u))
        u->full = loop_now(master.loop);
    board_clear(master.board, place);
    u->workers--;
}

static void died(struct process *p, int status);

static void
working(const struct process *template, int64_t number, pid_t pid)
{
    size_t i = 0;

    while (i < table.tickets.len && (table.tickets.at[i].number != number ||
                                     table.tickets.at[i].template != template))
        i++;
    if (i == table.tickets.len)
        return; /* the worker and its template both say so */
    struct ticket t = table.tickets.at[i];
    struct process *p = add_process(WORKER, t.template->unit, pid);

    vec_drop(&table.tickets, i);
    p->place = t.place;
    for (size_t k = 0; k < COUNT(table.strays); k++)
        if (table.strays[k].pid == pid) {
            table.strays[k].pid = 0;
            died(p, table.strays[k].status);
            return;
        }
    if (t.template->retired) {
        let_linger(p);
        kill(pid, master.stopping ? SIGTERM : SIGHUP);
    }
}

/* All who could have said more about its tickets are gone. */
static void
forget_tickets(struct process *template)
{
    for (size_t i = 0; i < table.tickets.len;) {
        if (table.tickets.at[i].template == template) {
            worker_gone(template->unit, table.tickets.at[i].place);
            vec_drop(&table.tickets, i);
        } else {
            i++;
        }
    }
}

/* ---- what processes say */

static void
link_closed(struct process *p)
{
    struct unit *u = p->unit;

    loop_unwatch(p->watch);
    close(p->link.fd);
    p->link.fd = -1;
    p->watch = NULL;
    if (p->pid > 0 && !p->retired)
        kill(p->pid, SIGKILL); /* nobody could tell it anything any more */
    if (p->kind == TEMPLATE) {
        forget_tickets(p);
        unit_look(u);
    }
}

static void
became_ready(struct process *p)
{
    struct unit *u = p->unit;

    p->ready = true;
    /* Before the old workers hang up: who is then answered by a new one must
     * know that its certificates may be old. */
    if (strcmp(u->role->name, "keys") == 0)
        identities_ready();
    if (u->successor == p) {
        u->successor = NULL;
        process_renew(u);
        u->template = p;
        unit_look(u);
    }
}

static bool
hear(struct process *p)
{
    struct packet *packet = &table.packet;
    struct msg_ready ready;
    struct msg_working work;
    struct msg_want want;

    switch (packet->type) {
    case MSG_ready:
        if (!read_ready(packet, &ready))
            return false;
        became_ready(p);
        return true;
    case MSG_working:
        if (!read_working(packet, &work) || work.pid <= 0)
            return false;
        working(p, work.ticket, (pid_t)work.pid);
        return true;
    case MSG_want:
        if (p->kind != RUNNING || !read_want(packet, &want))
            return false;
        unit_want(want.service);
        return true;
    default:
        return false;
    }
}

static void
link_ready(void *self, unsigned events)
{
    struct process *p = self;
    enum link_state state = LINK_OK;

    (void)events;
    while (p->link.fd >= 0 && state == LINK_OK) {
        state = link_receive(&p->link, &table.packet);
        if (state == LINK_OK && !hear(p))
            state = LINK_BAD;
    }
    if (p->link.fd >= 0 && state != LINK_AGAIN)
        link_closed(p);
}

/* ---- starting */

static void
spawn_files(posix_spawn_file_actions_t *files, int control)
{
    posix_spawn_file_actions_init(files);
    posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(files, 1, "/dev/null", O_WRONLY, 0);
    if (master.log >= 0)
        posix_spawn_file_actions_adddup2(files, master.log, 2);
    else
        posix_spawn_file_actions_addopen(files, 2, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(files, control, CONTROL);
    posix_spawn_file_actions_adddup2(files, folders_lock_file(), LOCK);
}

/* No signal is blocked or ignored, and Ctrl-C on the terminal of a master in
 * the foreground is for master alone. */
static void
spawn_attributes(posix_spawnattr_t *attr)
{
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(attr);
    posix_spawnattr_setsigmask(attr, &none);
    posix_spawnattr_setsigdefault(attr, &all);
    posix_spawnattr_setpgroup(attr, 0);
    posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK |
                                       POSIX_SPAWN_SETSIGDEF |
                                       POSIX_SPAWN_SETPGROUP);
}

/* The arguments are for whoever reads ps(1). */
static pid_t
spawn(const struct unit *u, int control)
{
    const char *path = plan_program(master.plan, u->role);
    const char *argv[] = {u->role->name, "-n", u->name, "-t", u->type, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    pid_t pid;

    spawn_files(&files, control);
    spawn_attributes(&attr);
    int error = posix_spawn(&pid, path, &files, &attr, (char **)(uintptr_t)argv,
                            master.environment);

    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attr);
    if (error == 0)
        return pid;
    errno = error;
    log_warn("cannot start %s: %m", path);
    return -1;
}

static int
open_folder(const struct role *r)
{
    return r->folder ? openat(master.queue, r->folder,
                              O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                     : -1;
}

static bool
say_hello(const struct process *p)
{
    const struct unit *u = p->unit;
    auto_close int folder = open_folder(u->role);
    struct msg_hello m = {
        .service = str_from(u->row->settings->name),
        .role = str_from(u->role->name),
        .args = u->row->args,
        .unprivileged = !master.root,
        .crew = u->crew,
        .log = master.log >= 0,
        .folder = folder >= 0,
        .files = {.count = 3,
                  .fd = {u->stressed ? u->row->stressed : u->row->snapshot,
                         master.caller, master.board_fd}},
    };

    if (u->role->folder && folder < 0)
        log_warn("%s: cannot open folder %s/%s: %m", u->name,
                 master.plan->conf->queue_directory, u->role->folder);
    if (m.log)
        m.files.fd[m.files.count++] = master.log;
    if (m.folder)
        m.files.fd[m.files.count++] = folder;
    for (size_t i = 0; i < u->listeners.list.len; i++)
        if (m.files.count < SOCK_FILES_MAX)
            m.files.fd[m.files.count++] = u->listeners.list.at[i].fd;
    return send_hello(&p->link, &m);
}

void
process_settings(void)
{
    struct process *p = master.qmgr->template;
    struct buf list = buf_in(master.plan->life);
    struct msg_settings m = {
        .log = master.log >= 0,
        .files = {.count = 1, .fd = {master.qmgr->row->snapshot}}
    };

    for (size_t i = 0; i < master.plan->rows.len; i++) {
        const struct plan_row *row = &master.plan->rows.at[i];
        struct rec_transport t = {.name = str_from(row->row->name),
                                  .role = str_from(row->role->name),
                                  .limit = row->limit};

        if (!row->role->listens)
            put_transport(&list, &t);
    }
    m.transports = buf_str(&list);
    if (m.log)
        m.files.fd[m.files.count++] = master.log;
    if (p && !send_settings(&p->link, &m))
        log_warn("cannot give qmgr its settings: %m");
}

static void
adopt(struct process *p, int control)
{
    fcntl(control, F_SETFL, fcntl(control, F_GETFL) | O_NONBLOCK);
    p->link = (struct link){.fd = control,
                            .self = SIDE(MASTER),
                            .peer = SIDE(DAEMON) |
                                    (p->kind == RUNNING ? SIDE(QMGR) : 0)};
    p->watch = loop_watch(master.loop, control, LOOP_READ, link_ready, p);
}

/* NULL: it cannot be started. */
static struct process *
start(struct unit *u)
{
    int ends[2];

    if (!sock_pair(ends)) {
        log_warn("cannot make a socket pair: %m");
        return NULL;
    }
    pid_t pid = spawn(u, ends[1]);

    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return NULL;
    }
    struct process *p =
        add_process(u->role->kind == SINGLE ? RUNNING : TEMPLATE, u, pid);

    adopt(p, ends[0]);
    if (!say_hello(p))
        log_warn("%s: cannot speak to %s: %m", u->name, u->role->program);
    return p;
}

bool
process_start(struct unit *u)
{
    struct process *p = start(u);

    if (p == NULL) {
        unit_failed(u, true);
        return false;
    }
    u->template = p;
    if (p->kind == RUNNING)
        process_settings();
    return true;
}

void
process_replace(struct unit *u)
{
    if (u->template == NULL || !u->template->ready) {
        process_renew(u);
        (void)process_start(u);
        return;
    }
    if (u->successor)
        process_retire(u->successor);
    u->successor = start(u);
}

/* Both ends of a new link go to their owners. Some need none. */
static bool
give_link(const struct unit *u, int64_t ticket, unsigned place)
{
    struct msg_work lonely = {.ticket = ticket, .slot = place, .link = -1};
    int ends[2];

    if (u->role->link == 0)
        return send_work(&u->template->link, &lonely);

    if (!sock_pair(ends))
        return false;
    auto_close int qmgr = ends[0];
    auto_close int worker = ends[1];
    struct msg_peer peer = {.service = str_from(u->name),
                            .role = str_from(u->role->name),
                            .link = qmgr};
    struct msg_work work = {.ticket = ticket, .slot = place, .link = worker};

    return send_peer(&master.qmgr->template->link, &peer) &&
           send_work(&u->template->link, &work);
}

bool
process_fork(struct unit *u)
{
    unsigned place;

    if (master.qmgr->template == NULL ||
        (u->template == NULL && !process_start(u)))
        return false;
    if (!board_take(master.board, u->crew, &place)) {
        log_warn("more than %d workers", BOARD_PLACES);
        return false;
    }
    if (!give_link(u, ++table.last_ticket, place)) {
        log_warn("%s: cannot ask for a worker: %m", u->name);
        board_clear(master.board, place);
        return false;
    }
    *vec_add(&table.tickets) = (struct ticket){
        .number = table.last_ticket, .template = u->template, .place = place};
    u->workers++;
    return true;
}

/* ---- the end of a process */

/* The lines that Postfix's users look for. */
static void
tell_end(const struct process *p, int status)
{
    const char *path = plan_program(master.plan, p->unit->role);

    if (WIFSIGNALED(status))
        log_warn("process %s pid %d killed by signal %d", path, (int)p->pid,
                 WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        log_warn("process %s pid %d exit status %d", path, (int)p->pid,
                 WEXITSTATUS(status));
}

static void
qmgr_gone(void)
{
    for (size_t i = 0; i < master.units.len; i++)
        master.units.at[i]->wanted = 0;
}

static bool
is_failure(const struct process *p, int status)
{
    if (p->retired || master.stopping)
        return false;
    if (p->kind == WORKER)
        return status != 0 && loop_now(master.loop) - p->started < SHORT_MS;
    return status != 0 || !p->ready;
}

/* Who was told to end before he could hear it has done so. */
static bool
has_obeyed(const struct process *p, int status)
{
    return p->retired && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
}

static void
died(struct process *p, int status)
{
    struct unit *u = p->unit;
    bool failed = is_failure(p, status);
    bool at_start = p->kind != WORKER && !p->ready && WIFEXITED(status);

    if (!p->retired || (WIFSIGNALED(status) && !has_obeyed(p, status)))
        tell_end(p, status);
    p->pid = 0;
    if (u->template == p)
        u->template = NULL;
    if (u->successor == p) {
        u->successor = NULL;
        failed = false; /* what it was to replace goes on */
    }
    if (p->kind == WORKER) {
        worker_gone(u, p->place);
        u->lingering -= p->lingers;
    }
    if (p->kind == RUNNING) {
        qmgr_gone();
        if (p->link.fd >= 0)
            link_closed(p);
    }
    if (failed)
        unit_failed(u, at_start);
    if (p->kind == WORKER && (status != 0 || p->retired) && u->role->listens)
        unit_rescue(u);
    unit_look(u);
}

static struct process *
find_pid(pid_t pid)
{
    struct process *p;

    for (size_t pos = 0; (p = process_next(&pos)) != NULL;)
        if (p->pid == pid)
            return p;
    return NULL;
}

void
process_reap(void *unused)
{
    int status;
    pid_t pid;

    (void)unused;
    /* What they said before they died, and whom they forked. */
    for (size_t i = 0; i < table.used; i++)
        if (table.at[i].link.fd >= 0)
            link_ready(&table.at[i], LOOP_READ);
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct process *p = find_pid(pid);

        if (p) {
            died(p, status);
        } else {
            table.strays[table.next_stray].pid = pid;
            table.strays[table.next_stray].status = status;
            table.next_stray = (table.next_stray + 1) % COUNT(table.strays);
        }
    }
    master_check_stop();
}
