#include "change.h"

#include "base/log.h"
#include "load.h"
#include "message.h"
#include "qmgr.h"
#include "queue/journal.h"
#include "queue/spool.h"
#include "run.h"
#include "say.h"

static const char *const verbs[CHANGES] = {
    [CHANGE_DELETE] = "delete",   [CHANGE_HOLD] = "hold",
    [CHANGE_RELEASE] = "release", [CHANGE_REQUEUE] = "requeue",
    [CHANGE_EXPIRE] = "expire",
};

bool
change_find(struct str verb, enum change *change)
{
    for (size_t i = 0; i < CHANGES; i++)
        if (str_eq(verb, str_from(verbs[i]))) {
            *change = (enum change)i;
            return true;
        }
    return false;
}

const char *
change_folder(const struct entry *e)
{
    switch (e->state) {
    case SHELF_ACTIVE:
        return "active";
    case SHELF_HELD:
        return "hold";
    case SHELF_DUE:
        return "deferred";
    default:
        return "incoming";
    }
}

/* Write marks into the file of a message that is not active. */
static bool
mark_file(struct entry *e, const enum queue_mark *marks, size_t count)
{
    struct queue_file f;
    char id[QUEUE_ID_MAX];
    int fd = -1;

    if (!load_entry(e, &fd, &f))
        return false;
    auto_close int file = fd;

    for (size_t i = 0; i < count; i++)
        if (!queue_add_mark(qmgr.scratch, file, &f.at, now_us(), marks[i])) {
            log_warn("%s: cannot write to its file: %m",
                     queue_id_text(shelf_id(e), id));
            return false;
        }
    return true;
}

static bool
mark(struct entry *e, enum queue_mark m)
{
    return e->state == SHELF_ACTIVE ? message_mark(e->message, m)
                                    : mark_file(e, &m, 1);
}

static void
make_due(struct entry *e)
{
    load_move(e, SPOOL_DEFERRED);
    shelf_set(qmgr.shelf, e, SHELF_DUE, now_ms());
    run_due_changed();
}

static bool delete (struct entry *e)
{
    char id[QUEUE_ID_MAX];

    if (e->state == SHELF_ACTIVE) {
        message_delete(e->message);
        return true;
    }
    if (!load_remove(e))
        return false;
    say_removed(queue_id_text(shelf_id(e), id));
    shelf_remove(qmgr.shelf, e);
    return true;
}

static bool
hold(struct entry *e)
{
    if (e->state == SHELF_HELD || !mark(e, QUEUE_HOLD))
        return false;
    if (e->state == SHELF_ACTIVE) {
        e->message->hold = true;
        message_withdraw(e->message);
        return true;
    }
    load_move(e, SPOOL_HOLD);
    shelf_set(qmgr.shelf, e, SHELF_HELD, 0);
    run_due_changed();
    return true;
}

static bool
release(struct entry *e)
{
    if (e->state != SHELF_HELD || !mark(e, QUEUE_RELEASE))
        return false;
    make_due(e);
    return true;
}

static bool
requeue(struct entry *e)
{
    static const enum queue_mark marks[] = {QUEUE_RELEASE, QUEUE_REQUEUE};

    if (e->state != SHELF_ACTIVE) {
        if (!mark_file(e, marks, COUNT(marks)))
            return false;
        make_due(e);
        return true;
    }
    if (!message_mark(e->message, QUEUE_REQUEUE))
        return false;
    e->message->requeue = true;
    message_withdraw(e->message);
    return true;
}

static bool
expire(struct entry *e)
{
    if (!mark(e, QUEUE_FORCE))
        return false;
    e->forced = true;
    return true;
}

bool
change_do(struct entry *e, enum change change)
{
    static bool (*const doers[CHANGES])(struct entry *) = {
        [CHANGE_DELETE] = delete,   [CHANGE_HOLD] = hold,
        [CHANGE_RELEASE] = release, [CHANGE_REQUEUE] = requeue,
        [CHANGE_EXPIRE] = expire,
    };

    return doers[change](e);
}
