#include "local.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "mail/address.h"
#include "mail/atext.h"
#include "mail/header.h"
#include "mail/lines.h"
#include "sys/disk.h"

#define HEADER_FIRST ((size_t)16 << 10)
#define HEADER_MAX   ((size_t)512 << 10)

/* Bytes of all results together, beside what has been done for whom: their
 * marks of before, which came in one packet, and new ones. */
#define RESULTS_ROOM ((size_t)28000)
#define NUMBERS_ROOM 24 /* of a result */

static int64_t
now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* The header of the content; of one that does not end, the first bytes. */
static struct str
read_header(struct job *j)
{
    size_t skip = (size_t)j->msg.skip, want = HEADER_FIRST + skip;
    struct str body, header;

    for (;;) {
        if ((off_t)want > j->msg.end)
            want = (size_t)j->msg.end;
        char *data = arena_alloc(j->arena, want + 1);
        ssize_t n = disk_read(j->msg.fd, data, want, 0);

        if (n < (ssize_t)skip)
            return str_sub(j->front, skip, j->front.len);
        j->front = (struct str){data, (size_t)n};
        header = header_of(str_sub(j->front, skip, (size_t)n), &body);
        if (body.len > 0 || (size_t)n < want || (off_t)want == j->msg.end ||
            want >= HEADER_MAX)
            return header;
        want *= 4;
    }
}

static off_t
count_lines(struct str s)
{
    off_t lines = 0;
    const char *end = s.p + s.len;

    for (const char *p = s.p; p < end; p++, lines++) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (p == NULL)
            break;
    }
    return lines;
}

off_t
job_lines(const struct job *j, off_t from)
{
    static char piece[64 << 10];
    off_t at = (off_t)j->front.len, lines = 0;

    if (from < at)
        lines = count_lines(str_sub(j->front, (size_t)from, j->front.len));
    else
        at = from;
    while (at < j->msg.end) {
        size_t want = sizeof piece;

        if ((off_t)want > j->msg.end - at)
            want = (size_t)(j->msg.end - at);
        ssize_t n = disk_read(j->msg.fd, piece, want, at);

        if (n <= 0)
            return -1;
        lines += count_lines((struct str){piece, (size_t)n});
        at += n;
    }
    return lines;
}

static bool
count_rcpts(struct job *j)
{
    struct str rest = j->msg.rcpts;
    struct rec_rcpt rcpt;

    for (; rest.len > 0; j->nrcpts++)
        if (!get_rcpt(&rest, &rcpt))
            return false;
    return j->msg.fd >= 0 && j->msg.skip >= 0 && j->msg.end >= j->msg.skip;
}

struct job *
job_new(struct daemon *d, struct arena *a, struct packet *p)
{
    struct job *j = arena_make(a, struct job);

    *j = (struct job){.d = d, .conf = d->conf, .set = d->own, .arena = a};
    j->handed = now_us();
    j->msg.fd = -1;
    if (!read_deliver(p, &j->msg) || !count_rcpts(j)) {
        if (j->msg.fd >= 0)
            close(j->msg.fd);
        return NULL;
    }
    j->header = read_header(j);
    j->seen = hash_new();
    return j;
}

void
job_free(struct job *j)
{
    hash_free(j->seen);
    close(j->msg.fd);
}

bool
job_is_probe(const struct job *j)
{
    return j->msg.flags & (DELIVER_VERIFY | ENVELOPE_PROBE | ENVELOPE_BV);
}

enum rc
job_become(struct job *j, const struct priv_user *user, struct why *why)
{
    if (j->as && j->as->uid == user->uid && j->as->gid == user->gid &&
        j->as->ngroups == user->ngroups)
        return OK;
    job_return(j);
    if (!priv_become(user))
        return fail(why, "4.3.0", "cannot become user id %u: %m", user->uid);
    j->as = user;
    return OK;
}

void
job_return(struct job *j)
{
    if (j->as)
        priv_return();
    j->as = NULL;
}

enum rc
job_find_user(struct job *j, struct str name, const struct account **user,
              struct why *why)
{
    if (!account_is_known(name))
        job_return(j);
    return account_find(name, user, why);
}

enum rc
job_envelope(struct job *j, const struct envelope **e, struct why *why)
{
    if (j->file == NULL) {
        struct queue_file *file = arena_make(j->arena, struct queue_file);

        if (queue_load(j->arena, j->msg.fd, 0, file, why) != QUEUE_WHOLE)
            return TEMP;
        j->file = file;
    }
    *e = &j->file->envelope;
    return OK;
}

/* Nothing in an address ends a line. */
static struct str
shown(struct arena *a, struct str addr)
{
    struct str quoted = address_quote(a, addr);
    char *p = arena_cstr(a, quoted);

    for (size_t i = 0; i < quoted.len; i++)
        if (is_control(p[i]))
            p[i] = '?';
    return (struct str){p, quoted.len};
}

struct store_message
job_content(struct job *j, const struct rec_rcpt *rcpt, struct str delivered)
{
    struct buf b = buf_in(j->arena);
    struct str sender = shown(j->arena, j->msg.sender);
    struct str orig = shown(j->arena, rcpt->orig.len ? rcpt->orig : rcpt->addr);

    buf_fmt(&b, "Return-Path: <%.*s>\nX-Original-To: %.*s\n", STR(sender),
            STR(orig));
    if (delivered.len) {
        struct str to = shown(j->arena, delivered);

        buf_fmt(&b, "Delivered-To: %.*s\n", STR(to));
    }
    return (struct store_message){.head = buf_str(&b),
                                  .fd = j->msg.fd,
                                  .from = j->msg.skip,
                                  .to = j->msg.end};
}

struct str
job_from_line(struct job *j, struct str null_sender)
{
    struct str sender =
        j->msg.sender.len ? shown(j->arena, j->msg.sender) : null_sender;

    return mbox_from_line(j->arena, sender, time(NULL));
}

bool
job_was_delivered_to(const struct job *j, struct str addr)
{
    struct str rest = j->header;
    struct header_field f;

    while (header_next(&rest, &f))
        if (f.id == HEADER_ID_DELIVERED_TO &&
            address_eq(
                address_unquote(j->arena, header_unfold(j->arena, f.body)),
                addr))
            return true;
    return false;
}

/* soft_bounce: what is for good becomes for now. */
static bool
soften(const struct job *j, enum rc *rc, struct why *why)
{
    if (*rc != PERM || !j->conf->soft_bounce)
        return false;
    *rc = TEMP;
    why->dsn[0] = '4';
    return true;
}

static const char *
status_of(const struct job *j, enum rc rc, bool softened)
{
    if (job_is_probe(j))
        return rc == OK ? "deliverable" : "undeliverable";
    return rc == OK     ? "sent"
           : softened   ? "SOFTBOUNCE"
           : rc == TEMP ? "deferred"
                        : "bounced";
}

void
job_log(struct job *j, const struct rec_rcpt *rcpt, struct str to, enum rc rc,
        const struct why *cause)
{
    struct why why = *cause;
    bool softened = soften(j, &rc, &why);
    struct lines_result r = {
        .id = j->msg.id,
        .to = to,
        .orig_to = rcpt->orig.len ? rcpt->orig : rcpt->addr,
        .relay = str_from(j->d->service),
        .arrived = j->msg.arrived,
        .active = j->msg.active,
        .handed = j->handed,
        .done = now_us(),
        .dsn = why.dsn,
        .status = status_of(j, rc, softened),
        .text = str_from(why.text),
    };
    struct str line = lines_result(j->arena, &r);

    log_info("%.*s", STR(line));
}

void
job_say(struct why *why, const char *dsn, const char *fmt, ...)
{
    va_list args;

    snprintf(why->dsn, sizeof why->dsn, "%s", dsn);
    va_start(args, fmt);
    vsnprintf(why->text, sizeof why->text, fmt, args);
    va_end(args);
}

static size_t
text_room(const struct job *j)
{
    size_t all = RESULTS_ROOM / j->nrcpts;
    size_t rest = strlen(j->d->service) + NUMBERS_ROOM;

    return all > rest ? all - rest : 0;
}

void
job_result(struct job *j, const struct rec_rcpt *rcpt, enum rc rc,
           const struct why *cause, struct rec_result *result)
{
    struct why why = *cause;
    struct str text = str_from(why.text);

    soften(j, &rc, &why);

    *result = (struct rec_result){
        .index = rcpt->index,
        .rc = rc,
        .dsn = arena_str(j->arena, str_from(why.dsn)),
        .text = arena_str(j->arena, str_sub(text, 0, text_room(j))),
        .relay = str_from(j->d->service),
    };
}
