/* COPY, MOVE, EXPUNGE and their UID forms: RFC 9051 6.4.3, 6.4.7, 6.4.8,
 * 6.4.9, 4315, 9738. */
#include <string.h>

#include "condstore.h"
#include "limit.h"
#include "rights.h"
#include "room.h"
#include "store/changes.h"
#include "store/copy.h"
#include "store/expunge.h"
#include "store/ranges.h"

/* "[COPYUID 38505 304,319:320 3956:3958] " */
static enum rc
put_copied(struct buf *b, struct mailbox *to, struct uid_set from_uids,
           struct uid_set to_uids, struct why *why)
{
    struct mailbox_status status;
    enum rc rc = mailbox_status(to, false, &status, why);

    if (rc != OK || from_uids.len == 0)
        return rc;
    buf_fmt(b, "[COPYUID %u ", status.validity);
    put_uids(b, from_uids);
    buf_addc(b, ' ');
    put_uids(b, to_uids);
    buf_add(b, S("] "));
    return OK;
}

static void
tell_removed(struct session *s, const char *what, struct uid_set removed)
{
    struct buf code = buf_in(s->command);
    struct why why;

    s->tally.expunged += uid_set_count(removed);
    if (removed.len > 0 && condstore_put_highest(s, &code, &why) != OK)
        reply_why(s, &why);
    else
        reply_ok(s, "%.*s%s", STR(buf_str(&code)), what);
}

static void
run_copy(struct session *s, struct str name, struct mailbox *to,
         const struct spot *spot, struct uid_set set, bool move)
{
    const struct copy_how how = {
        .move = move,
        .flags = rights_flags(spot->rights),
        .no_keywords = !(spot->rights & RIGHT_WRITE),
    };
    struct buf code = buf_in(s->command);
    struct uid_set from_uids, to_uids;
    struct why why;

    bool checked = !move || mailbox_home(s->box) != spot->home;
    enum rc rc = checked ? room_check_copy(s, spot->home, set, &why) : OK;

    if (rc == OK)
        rc = copy_messages(s->box, set, to, &how, s->command, &from_uids,
                           &to_uids, &why);
    /* RFC 4315 3: not where he may not look at them. */
    if (rc == OK && spot->rights & RIGHT_READ)
        rc = put_copied(&code, to, from_uids, to_uids, &why);
    if (space_explain(s, spot, rc, &why) != OK) {
        reply_why(s, &why);
        return;
    }
    news_added(s, name, to, to_uids);
    news_look(s->imap, to);
    if (move && code.len > 0)
        say(s, "* OK %.*sMoved\r\n", STR(buf_str(&code)));
    if (move)
        tell_removed(s, "Moved", from_uids);
    else
        reply_ok(s, "%.*sCopied", STR(buf_str(&code)));
}

void
do_copy(struct session *s, const struct command *c)
{
    bool move = c->id == COMMAND_MOVE || c->id == COMMAND_UID_MOVE;
    struct mailbox *to;
    struct uid_set set;
    struct spot spot;
    struct str name;
    struct why why;

    /* RFC 6851 4.2 */
    if (move && !rights_let(s, RIGHT_DELETED | RIGHT_EXPUNGE))
        return;
    if (!set_uids(s, &c->copy.set, c->uid, &set)) {
        reply_bad(s, "There is no message of that number");
        return;
    }
    if (!move && limit_lowest(s, set) > 0) {
        limit_refuse(s, limit_lowest(s, set), "Too many messages to copy");
        return;
    }
    set = limit_cut(s, set);
    if (!take_mailbox(s, c->copy.mailbox, &name)) {
        reply_no(s, "[CANNOT] This is no mailbox name");
        return;
    }
    if (space_find_open(s, name, RIGHT_INSERT, &spot, &to, &why) != OK) {
        if (strcmp(why.dsn, "5.2.0") == 0)
            reply_no(s, "[TRYCREATE] %s", why.text);
        else
            reply_why(s, &why);
        return;
    }
    run_copy(s, name, to, &spot, set, move);
    mailbox_close(to);
}

/* RFC 9738 3.1: of UID EXPUNGE the \Deleted ones count. */
static enum rc
limit_deleted(struct session *s, struct uid_set *set, struct why *why)
{
    struct ranges deleted = {0};
    struct changes_walk walk;
    struct message m;
    enum rc rc;

    if (limit_lowest(s, *set) == 0)
        return OK;
    rc = changes_begin(&walk, s->box, *set, why);
    if (rc != OK)
        return rc;
    while (changes_next(&walk, &m))
        if (m.flags & FLAG_DELETED)
            ranges_add(&deleted, m.uid);
    *set = limit_cut(s, ranges_take(&deleted, s->command));
    return changes_end(&walk, why);
}

void
do_expunge(struct session *s, const struct command *c)
{
    static const struct uid_range every = {1, UINT32_MAX};
    struct uid_set set = {&every, 1}, removed;
    bool some = c->id == COMMAND_UID_EXPUNGE;
    struct why why;

    if (!rights_let(s, RIGHT_EXPUNGE))
        return;
    if (some && !set_uids(s, &c->expunge.set, true, &set)) {
        reply_bad(s, "This is no set of UIDs");
        return;
    }
    if ((some && limit_deleted(s, &set, &why) != OK) ||
        expunge_messages(s->box, set, true, s->command, &removed, &why) != OK)
        reply_why(s, &why);
    else
        tell_removed(s, "Expunged", removed);
}
