/*
 * bounce - writes delivery reports (bounce(8)).
 *
 * It reads strangers' messages, so it is not qmgr and holds no rights: it is
 * handed the queue file of the message and the file of the report.
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/child.h"
#include "daemon/routing.h"
#include "daemon/templates.h"
#include "report.h"

/* A queue file's tail and a report around it; content is streamed. */
#define REQUEST_MAX ((size_t)256 << 20)

static struct {
    struct bounce bounce;
    struct packet request, answer;
} state;

static void
prepare(struct daemon *d)
{
    struct why why;

    template_defaults(state.bounce.words);
    templates_read(d->life, "bounce_template_file",
                   d->conf->bounce_template_file, state.bounce.words,
                   TEMPLATE_KINDS);
    state.bounce.conf = d->conf;
    state.bounce.router = routing_open(d->life, d->conf, &why);
}

static enum rc
report(const struct msg_report *m, struct arena *a, struct why *why)
{
    struct subject s = {.a = a, .kind = m->kind, .fd = m->fd};

    s.id = arena_cstr(a, m->id);
    if (queue_load(a, m->fd, 0, &s.file, why) != QUEUE_WHOLE)
        return TEMP;
    s.results = queue_results(a, &s.file);
    return report_all(&state.bounce, &s, why);
}

static void
work(struct daemon *d)
{
    struct arena *a = arena_new("report", REQUEST_MAX);
    bool timed_out;

    state.bounce.qmgr = &d->qmgr;
    state.bounce.packet = &state.answer;
    while (daemon_request(d, &state.request, 0, &timed_out)) {
        struct msg_report m;
        struct why why = {0};

        if (state.request.type != MSG_report ||
            !read_report(&state.request, &m))
            return;
        arena_reset(a);
        enum rc rc = report(&m, a, &why);
        struct msg_reported done = {
            .id = m.id, .rc = rc, .text = str_from(why.text)};

        if (rc != OK)
            log_warn("%.*s: cannot write a report: %s", STR(m.id), why.text);
        close(m.fd);
        log_flush();
        if (!send_reported(&d->qmgr, &done))
            return;
    }
}

int
main(int argc, char **argv)
{
    static const struct program program = {
        .name = "bounce", .prepare = prepare, .work = work};

    return daemon_main(argc, argv, &program);
}
