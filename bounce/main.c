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
#include "report.h"

/* Longest bounce_template_file. */
#define TEMPLATES_MAX ((size_t)1 << 20)

/* A queue file's tail and a report around it; content is streamed. */
#define REQUEST_MAX ((size_t)256 << 20)

static struct {
    struct bounce bounce;
    struct packet request, answer;
} state;

/* A file that cannot be used leaves the built-in words, and a warning: reports
 * must not wait for it. */
static void
open_templates(struct arena *life, const char *path)
{
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct buf text = buf_in(life);
    struct why why;
    ssize_t n = 0;

    while (fd >= 0 && text.len < TEMPLATES_MAX &&
           (n = read(fd, buf_space(&text, 4096), 4096)) > 0)
        text.len += (size_t)n;
    if (fd < 0 || n < 0)
        log_warn("bounce_template_file: cannot read %s: %m", path);
    else if (template_read(life, buf_str(&text), state.bounce.words, &why) !=
             OK)
        log_warn("bounce_template_file: %s: %s; using the built-in words", path,
                 why.text);
}

static void
prepare(struct daemon *d)
{
    struct why why;

    template_defaults(state.bounce.words);
    if (d->conf->bounce_template_file[0])
        open_templates(d->life, d->conf->bounce_template_file);
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
