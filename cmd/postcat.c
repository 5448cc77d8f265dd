/*
 * postcat - show what is in a queue file.
 */
#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "queue.h"
#include "sys/disk.h"

static const char usage[] =
    "usage: postcat [-b (body text)] [-c config_dir] [-d (decimal record "
    "type)] [-e (envelope records)] [-h (header text)] [-o (offset)] [-q "
    "(access queue)] [-r (file order)] [-s offset] [-v] [file(s)...]";

static struct {
    const struct conf *conf;
    const char *dir;
    bool body, envelope, header; /* what to show */
    bool types, offsets, by_id;
    uint64_t from; /* -s */
    const char *name;
    int64_t offset; /* of what is shown now */
} state;

/* With -o the place in the file, with -d the type that Postfix's files have
 * for such a record. */
static void
begin_record(int type)
{
    if (state.offsets)
        printf("%9lu ", (unsigned long)state.offset);
    if (state.types)
        printf("%3d ", type);
}

static void
record(int type, const char *name, struct str value)
{
    if (value.len == 0)
        return;
    begin_record(type);
    printf("%s: %.*s\n", name, STR(value));
}

static void
attribute(const char *name, struct str value)
{
    if (value.len == 0)
        return;
    begin_record('A');
    printf("named_attribute: %s=%.*s\n", name, STR(value));
}

static void
number(int type, const char *name, int64_t value)
{
    begin_record(type);
    printf("%s: %ld\n", name, (long)value);
}

static void
moment(const char *name, int64_t us)
{
    time_t when = (time_t)(us / 1000000);
    char text[64];

    strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", localtime(&when));
    record('T', name, str_from(text));
}

static void
frame(const char *what)
{
    if (state.envelope)
        printf("*** %s %s ***\n", what, state.name);
}

/* ---- envelope */

static void
show_rcpt(const struct queue_file *f, const struct rcpt *r, size_t index)
{
    bool done = queue_state_of(f, index) > QUEUE_DEFERRED;

    record('A', "dsn_orig_rcpt", r->orcpt);
    if (r->notify)
        number('A', "dsn_notify_flags", r->notify);
    record('O', "original_recipient", r->orig.len ? r->orig : r->addr);
    if (done)
        record('D', "done_recipient", r->addr);
    else
        record('R', "recipient", r->addr);
    attribute("transport", r->transport);
    attribute("nexthop", r->nexthop);
}

static void
show_results(struct arena *a, const struct queue_file *f)
{
    static const char *const words[] = {"todo", "deferred", "sent", "failed"};
    struct queue_result *list = queue_results(a, f);

    for (size_t i = 0; i < f->envelope.nrcpts; i++)
        if (list[i].when)
            attribute(words[list[i].state],
                      str_from(arena_fmt(a, "%zu %.*s %.*s", i,
                                         STR(list[i].dsn), STR(list[i].text))));
}

static void
show_envelope(struct arena *a, const struct queue_file *f)
{
    const struct envelope *e = &f->envelope;
    struct queue_cursor c = queue_rcpts(f);
    struct rcpt r;

    state.offset = f->at.stop;
    number('C', "message_size", f->at.stop - f->at.start);
    moment("message_arrival_time", e->arrived);
    if (e->release)
        moment("message_release_time", e->release);
    attribute("message_id", e->message_id);
    attribute("envelope_id", e->envid);
    attribute("log_client_name", e->origin.name);
    attribute("log_client_address", e->origin.addr);
    attribute("log_helo_name", e->origin.helo);
    attribute("log_protocol_name", e->origin.proto);
    attribute("sasl_username", e->origin.login);
    attribute("encoding", e->flags & ENVELOPE_8BIT ? S("8bit") : S("7bit"));
    attribute("content_filter", e->filter);
    begin_record('S');
    printf("sender: %.*s\n", STR(e->sender));
    while (queue_next(&c, &r))
        show_rcpt(f, &r, c.next - 1);
    show_results(a, f);
    attribute("held", f->held ? S("yes") : S(""));
    attribute("forced_expire", f->forced ? S("yes") : S(""));
}

/* ---- content */

struct lines {
    int fd;
    off_t at, end;
    char data[65536];
    size_t len;
};

/* The next line with its end, or the part of a very long one. */
static bool
next_line(struct lines *l, struct str *line)
{
    if (memchr(l->data, '\n', l->len) == NULL && l->at < l->end) {
        size_t want = sizeof l->data - l->len;
        ssize_t n;

        if ((off_t)want > l->end - l->at)
            want = (size_t)(l->end - l->at);
        n = disk_read(l->fd, l->data + l->len, want, l->at);
        if (n < 0)
            cmd_fatal(1, "postcat", "%s: %s", state.name, strerror(errno));
        l->at = n < (ssize_t)want ? l->end : l->at + n;
        l->len += (size_t)n;
    }

    char *end = memchr(l->data, '\n', l->len);

    *line = (struct str){l->data, end ? (size_t)(end - l->data) + 1 : l->len};
    return line->len > 0;
}

static void
drop_line(struct lines *l, size_t len)
{
    l->len -= len;
    memmove(l->data, l->data + len, l->len);
}

/* A header field, or its continuation. */
static bool
is_header(struct str line, bool first)
{
    if (!first && (line.p[0] == ' ' || line.p[0] == '\t'))
        return true;
    for (size_t i = 0; i < line.len; i++) {
        if (line.p[i] == ':')
            return i > 0;
        if (line.p[i] <= ' ' || line.p[i] == 127)
            return false;
    }
    return false;
}

static void
show_content(int fd, const struct queue_file *f)
{
    static struct lines l;
    struct str line;
    bool header = true, first = true;

    l = (struct lines){.fd = fd, .at = f->at.start, .end = f->at.stop};
    state.offset = f->at.start;
    while (next_line(&l, &line)) {
        header = header && is_header(line, first);
        first = false;
        if ((header ? state.header : state.body) &&
            (uint64_t)state.offset >= state.from) {
            begin_record('N');
            fwrite(line.p, 1, line.len, stdout);
            if (line.p[line.len - 1] != '\n' && l.at >= l.end)
                putchar('\n');
        }
        state.offset += (int64_t)line.len;
        drop_line(&l, line.len);
    }
}

static void
show(int fd)
{
    struct arena *a = arena_new("queue file", (size_t)256 << 20);
    struct queue_file f;
    struct why why;

    if (queue_load(a, fd, 0, &f, &why) != QUEUE_WHOLE) {
        fprintf(stderr,
                "postcat: warning: %s: input is not a valid queue file\n",
                state.name);
        arena_free(a);
        return;
    }
    frame("ENVELOPE RECORDS");
    if (state.envelope && (uint64_t)f.at.stop >= state.from)
        show_envelope(a, &f);
    if (state.header || state.body) {
        frame("MESSAGE CONTENTS");
        show_content(fd, &f);
    }
    frame("HEADER EXTRACTED");
    frame("MESSAGE FILE END");
    arena_free(a);
}

/* ---- finding the file */

static void
keep_path(void *own, struct str text)
{
    snprintf(own, SPOOL_PATH_MAX, "%.*s", STR(text));
}

static int
search_files(struct queue_id id, char *path)
{
    auto_close int dir = queue_folder(state.conf);
    enum spool_folder folder;
    int64_t seal;

    if (dir < 0 || !spool_find(dir, id, &folder, &seal))
        return -1;
    spool_path(folder, id, seal, path);
    return disk_open(dir, path, O_RDONLY);
}

static void
show_id(const char *text)
{
    static char path[SPOOL_PATH_MAX];
    struct queue_id id;
    int file = -1;

    if (queue_id_parse(str_from(text), &id)) {
        if (queue_ask(state.conf, "file", str_from(text), keep_path, path,
                      &file) == QUEUE_DOWN)
            file = search_files(id, path);
        else if (file < 0 && access(state.conf->queue_directory, W_OK) == 0)
            file = search_files(id, path); /* set aside, say */
    }

    auto_close int fd = file;

    if (fd < 0)
        cmd_fatal(1, "postcat", "open queue file %s: %s", text,
                  geteuid() == 0 ? "No such file or directory"
                                 : "no such file, or not allowed");
    state.name = path;
    show(fd);
}

static void
show_path(const char *path)
{
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        cmd_fatal(1, "postcat", "open %s: %s", path, strerror(errno));
    state.name = path;
    show(fd);
}

/* A queue file is read from its end: a pipe is copied first. */
static void
show_input(void)
{
    auto_close int fd = memfd_create("stdin", MFD_CLOEXEC);
    char data[65536];
    ssize_t n;

    while ((n = read(STDIN_FILENO, data, sizeof data)) > 0)
        if (fd < 0 || !disk_write(fd, (struct str){data, (size_t)n}))
            cmd_fatal(1, "postcat", "standard input: %s", strerror(errno));
    state.name = "stdin";
    show(fd);
}

/* ---- options */

static void
option(int c)
{
    switch (c) {
    case 'b':
        state.body = true;
        break;
    case 'c':
        state.dir = optarg;
        break;
    case 'd':
        state.types = true;
        break;
    case 'e':
        state.envelope = true;
        break;
    case 'h':
        state.header = true;
        break;
    case 'o':
        state.offsets = true;
        break;
    case 'q':
        state.by_id = true;
        break;
    case 's':
        if (!str_num(str_from(optarg), &state.from))
            cmd_fatal(1, "postcat", "bad offset: %s", optarg);
        break;
    case 'r': /* our files have one order */
    case 'v':
        break;
    default:
        cmd_fatal(1, "postcat", "%s", usage);
    }
}

int
postcat_main(int argc, char **argv)
{
    int c;

    while ((c = getopt(argc, argv, "bc:dehoqrs:v")) != -1)
        option(c);
    if (!state.body && !state.envelope && !state.header)
        state.body = state.envelope = state.header = true;
    if (state.by_id)
        state.conf = cmd_conf(arena_new("postcat", (size_t)64 << 20), state.dir,
                              "postcat", 1);
    if (optind == argc)
        show_input();
    for (int i = optind; i < argc; i++)
        (state.by_id ? show_id : show_path)(argv[i]);
    return fflush(stdout) == 0 ? 0 : 1;
}
