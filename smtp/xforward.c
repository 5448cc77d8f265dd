#include "xforward.h"

#include "base/log.h"
#include "mail/xtext.h"
#include "queue/file.h"

struct attribute {
    const char *name;
    struct str value;
    enum phase phase;
};

#define ATTRIBUTES 7

static bool
known(struct str value)
{
    return value.len > 0 && !str_ieq(value, S("unknown"));
}

static void
fill(const struct job *j, struct attribute a[ATTRIBUTES])
{
    const struct origin *o = j->origin;
    const char *port =
        o->port > 0 ? arena_fmt(j->arena, "%lld", (long long)o->port) : "";
    bool local = j->m.flags & ENVELOPE_LOCAL;
    const struct attribute all[ATTRIBUTES] = {
        {"NAME",   o->name,                          PHASE_XFORWARD_NAME },
        {"ADDR",   o->addr,                          PHASE_XFORWARD_NAME },
        {"PORT",   str_from(port),                   PHASE_XFORWARD_NAME },
        {"PROTO",  o->proto,                         PHASE_XFORWARD_PROTO},
        {"HELO",   o->helo,                          PHASE_XFORWARD_PROTO},
        {"IDENT",  j->m.id,                          PHASE_XFORWARD_PROTO},
        {"SOURCE", local ? S("LOCAL") : S("REMOTE"), PHASE_XFORWARD_PROTO},
    };

    memcpy(a, all, sizeof all);
}

/* Does the server take it, and is it known? */
static bool
wanted(const struct session *s, const struct attribute *a)
{
    struct str rest = s->server.xforward, word;

    while (str_word(&rest, " \t", &word))
        if (str_ieq(word, str_from(a->name)))
            return known(a->value);
    return false;
}

static bool
read_origin(struct job *j)
{
    struct queue_file f;
    struct why why;

    if (j->origin)
        return true;
    if (queue_load(j->arena, j->m.fd, 0, &f, &why) != QUEUE_WHOLE) {
        log_warn("%.*s: no XFORWARD: %s", STR(j->m.id), why.text);
        return false;
    }
    struct origin *o = arena_make(j->arena, struct origin);

    *o = f.envelope.origin;
    j->origin = o;
    return true;
}

size_t
xforward_plan(const struct session *s, struct job *j, enum phase *phases)
{
    struct attribute all[ATTRIBUTES];
    size_t n = 0;

    if (!s->settings->send_xforward_command ||
        !session_offers(s, SMTP_XFORWARD) || !read_origin(j))
        return 0;
    fill(j, all);
    for (size_t i = 0; i < ATTRIBUTES; i++)
        if (wanted(s, &all[i]) && (n == 0 || phases[n - 1] != all[i].phase))
            phases[n++] = all[i].phase;
    return n;
}

struct str
xforward_command(const struct session *s, const struct job *j, enum phase phase)
{
    struct attribute all[ATTRIBUTES];
    struct buf b = buf_in(j->arena);

    fill(j, all);
    buf_add(&b, S("XFORWARD"));
    for (size_t i = 0; i < ATTRIBUTES; i++) {
        if (all[i].phase != phase || !wanted(s, &all[i]))
            continue;
        struct str value =
            xtext_encode(j->arena, str_sub(all[i].value, 0, 255));

        buf_fmt(&b, " %s=%.*s", all[i].name, STR(value));
    }
    buf_add(&b, S("\r\n"));
    return buf_str(&b);
}

void
xforward_refused(const struct session *s, enum phase phase)
{
    log_warn("host %s said: %.*s (in reply to %s)", s->relay,
             (int)s->reply.text.len, s->reply.text.p, phase_asked(phase));
}
