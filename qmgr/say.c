#include "say.h"

#include "base/log.h"
#include "mail/lines.h"
#include "qmgr.h"

void
say_active(const struct message *m)
{
    struct str line = lines_active(qmgr.scratch, str_from(m->id), m->sender,
                                   m->at.stop - m->at.start, m->nrcpts);

    log_info("%.*s", STR(line));
}

void
say_expired(const struct message *m)
{
    const char *status = m->entry->forced ? "force-expired" : "expired";
    struct str line =
        lines_expired(qmgr.scratch, str_from(m->id), m->sender, status);

    log_info("%.*s", STR(line));
}

void
say_removed(const char *id)
{
    log_info("%s: removed", id);
}

static const char *
status_of(int64_t rc)
{
    return rc == OK ? "sent" : rc == TEMP ? "deferred" : "bounced";
}

void
say_outcome(const struct message *m, const struct outcome *o)
{
    int64_t now = now_us();
    struct lines_result r = {
        .id = str_from(m->id),
        .to = o->rcpt.addr,
        .orig_to = o->rcpt.orig,
        .relay = o->result.relay,
        .arrived = m->arrived,
        .active = m->active,
        .handed = now,
        .done = now,
        .dsn = arena_cstr(qmgr.scratch, o->result.dsn),
        .status = status_of(o->result.rc),
        .text = o->result.text,
    };
    struct str line = lines_result(qmgr.scratch, &r);

    log_info("%.*s", STR(line));
}
