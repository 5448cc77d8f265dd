/* COPY, MOVE, EXPUNGE, their UID forms, and CLOSE: RFC
 * 9051 6.4.1, 6.4.3, 6.4.7, 6.4.8, 6.4.9, 4315, 9738. */
#include <string.h>

#include "base/log.h"
#include "condstore.h"
#include "limit.h"
#include "rights.h"
#include "room.h"
#include "store/changes.h"
#include "store/copy.h"
#include "store/expunge.h"
#include "store/folders.h"
#include "store/ranges.h"

/* "[COPYUID 38505 304,319:320 3956:3958] "; left out where that cannot be told:
 * the messages are there, and who hears NO copies them again. */
static void
put_copied(struct buf *b, struct mailbox *to, struct uid_set from_uids,
           struct uid_set to_uids)
{
    struct mailbox_status status;
    struct why why;

    if (from_uids.len == 0 || mailbox_status(to, false, &status, &why) != OK)
        return;
    buf_fmt(b, "[COPYUID %u ", status.validity);
    put_uids(b, from_uids);
    buf_addc(b, ' ');
    put_uids(b, to_uids);
    buf_add(b, S("] "));
}

static void
tell_removed(struct session *s, const char *what, struct uid_set removed)
{
    struct buf code = buf_in(s->command);

    if (removed.len > 0)
        condstore_put_highest(s, &code);
    reply_ok(s, "%.*s%s", STR(buf_str(&code)), what);
}

/* ---- COPY and MOVE, some messages at a time. A COPY that fails takes back
 * what it has copied (RFC 9051 6.4.7); of a MOVE that fails some have been
 * moved (RFC 6851 3.3). */

#define SOME 300 /* messages of a step: 4 to 8 ms */

struct copying {
    struct mailbox *to;
    struct spot spot;
    struct str name;
    struct copy_how how;
    struct walk walk;
    struct ranges from_uids, to_uids;
    bool failed;
    struct why why;
};

static void
drop_copying(struct session *s, void *work)
{
    struct copying *c = work;

    vec_free(&c->from_uids.list);
    vec_free(&c->to_uids.list);
    flags_close(s->imap, c->to);
}

static enum rc
check_room(struct session *s, const struct copying *c, struct uid_set set,
           struct why *why)
{
    bool stays = c->how.move && mailbox_home(s->box) == c->spot.home;

    return stays ? OK : room_check_copy(s, c->spot.home, set, why);
}

/* Others may have filled the home since it was asked for room for all. */
static enum rc
copy_some(struct session *s, struct copying *c, struct uid_set set,
          struct why *why)
{
    struct uid_set from_uids, to_uids;
    enum rc rc = check_room(s, c, set, why);

    if (rc != OK)
        return rc;
    rc = copy_messages(s->box, set, c->to, &c->how, s->command, &from_uids,
                       &to_uids, why);
    ranges_add_set(&c->from_uids, from_uids);
    ranges_add_set(&c->to_uids, to_uids);
    news_added(s, c->name, c->to, to_uids);
    return rc;
}

static void
count_trashed(struct session *s, const struct copying *c, struct uid_set uids)
{
    struct str use, word;
    struct why why;

    if (folder_use(c->spot.home, s->command, c->spot.path, &use, &why) != OK)
        return;
    while (str_word(&use, " ", &word))
        if (str_ieq(word, S("\\Trash")))
            s->tally.trashed += uid_set_count(uids);
}

static void
answer_copy(struct session *s, struct copying *c)
{
    struct uid_set from_uids = ranges_take(&c->from_uids, s->command);
    struct uid_set to_uids = ranges_take(&c->to_uids, s->command);
    struct buf code = buf_in(s->command);

    news_look(s->imap, c->to);
    if (!c->failed)
        count_trashed(s, c, to_uids);
    /* RFC 4315 3: not where he may not look at them. */
    if (c->spot.rights & RIGHT_READ && !(c->failed && !c->how.move))
        put_copied(&code, c->to, from_uids, to_uids);
    if (c->how.move && code.len > 0)
        say(s, "* OK %.*sMoved\r\n", STR(buf_str(&code)));
    if (c->failed)
        reply_why(s, &c->why);
    else if (c->how.move)
        tell_removed(s, "Moved", from_uids);
    else
        reply_ok(s, "%.*sCopied", STR(buf_str(&code)));
}

/* From the end; false when nothing is left to be taken back. */
static bool
take_back_some(struct session *s, struct copying *c)
{
    size_t len = c->to_uids.list.len;
    struct uid_range *last, some;
    struct uid_set removed;
    struct why why;

    if (len == 0)
        return false;
    last = &c->to_uids.list.at[len - 1];
    some = *last;
    if (some.last - some.first >= SOME)
        some.first = some.last - SOME + 1;
    if (expunge_messages(c->to, (struct uid_set){&some, 1}, false, s->command,
                         &removed, &why) != OK) {
        log_warn("imap(%.*s): a part of what was copied to %.*s stays: %s",
                 STR(s->imap->user->user), STR(c->name), why.text);
        return false;
    }
    if (some.first == last->first)
        c->to_uids.list.len--;
    else
        last->last = some.first - 1;
    return true;
}

static enum progress
copy_step(struct session *s, void *work)
{
    struct copying *c = work;
    struct uid_set set = {0};

    if (!c->failed)
        set = walk_take(&c->walk, s->command, SOME);
    if (set.len > 0) {
        enum rc rc = copy_some(s, c, set, &c->why);

        c->failed = space_explain(s, &c->spot, rc, &c->why) != OK;
        return MORE;
    }
    if (c->failed && !c->how.move && take_back_some(s, c))
        return MORE;
    answer_copy(s, c);
    drop_copying(s, c);
    return DONE;
}

static void
begin_copy(struct session *s, struct copying *c, struct uid_set set, bool move)
{
    c->how = (struct copy_how){
        .move = move,
        .flags = rights_flags(c->spot.rights),
        .no_keywords = !(c->spot.rights & RIGHT_WRITE),
    };
    walk_begin_up(&c->walk, s, set);
    c->failed = check_room(s, c, set, &c->why) != OK;
    session_task(s, (struct task){.step = copy_step,
                                  .drop = drop_copying,
                                  .work = c,
                                  .whole = true});
}

void
do_copy(struct session *s, const struct command *c)
{
    bool move = c->id == COMMAND_MOVE || c->id == COMMAND_UID_MOVE;
    struct copying *w = arena_make(s->command, struct copying);
    struct uid_set set;
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
    if (!take_mailbox(s, c->copy.mailbox, &w->name)) {
        reply_no(s, "[CANNOT] This is no mailbox name");
        return;
    }
    if (space_find_open(s, w->name, RIGHT_INSERT, &w->spot, &w->to, &why) == OK)
        begin_copy(s, w, set, move);
    else if (strcmp(why.dsn, "5.2.0") == 0)
        reply_no(s, "[TRYCREATE] %s", why.text);
    else
        reply_why(s, &why);
}

/* ---- EXPUNGE, UID EXPUNGE, CLOSE: the \Deleted ones are found first */

#define LOOK_SOME 16384 /* messages of a step */

struct expunging {
    struct uid_set set;
    struct walk walk;
    struct ranges found, removed;
    uint32_t count;  /* of what was found */
    uint64_t modseq; /* of the mailbox before anybody looked */
    bool looked;
    bool limited; /* RFC 9738 3.1: UID EXPUNGE, by what is \Deleted */
    bool closing; /* nobody is told of each */
};

static void
drop_expunging(struct session *s, void *work)
{
    struct expunging *e = work;

    (void)s;
    vec_free(&e->found.list);
    vec_free(&e->removed.list);
}

static enum rc
look_for_deleted(struct session *s, struct expunging *e, struct uid_set set,
                 struct why *why)
{
    struct changes_walk walk;
    struct message m;
    enum rc rc = changes_begin(&walk, s->box, set, why);

    if (rc != OK)
        return rc;
    while (changes_next(&walk, &m))
        if (m.flags & FLAG_DELETED) {
            ranges_add(&e->found, m.uid);
            e->count++;
        }
    return changes_end(&walk, why);
}

/* As many as there are, and nothing has changed since the first look: nobody
 * goes on through a large mailbox. */
static bool
found_all(struct session *s, struct expunging *e)
{
    struct mailbox_status now;
    struct why why;

    if (mailbox_status(s->box, false, &now, &why) != OK)
        return false;
    if (e->modseq == 0)
        e->modseq = now.modseq;
    return e->count == now.deleted && e->modseq == now.modseq;
}

/* All has been looked at: these are removed. */
static void
take_found(struct session *s, struct expunging *e)
{
    struct uid_set found = ranges_take(&e->found, s->command);

    if (e->limited)
        found = limit_cut(s, found);
    walk_begin_up(&e->walk, s, found);
    e->looked = true;
}

static enum rc
expunge_some(struct session *s, struct expunging *e, struct uid_set set,
             struct why *why)
{
    struct uid_set removed;
    enum rc rc = expunge_messages(s->box, set, true, s->command, &removed, why);

    if (rc == OK)
        ranges_add_set(&e->removed, removed);
    return rc;
}

/* Of the set, those that the client has not been told of: they are no less in
 * the mailbox, and it may know their UIDs. */
static enum rc
expunge_untold(struct session *s, struct expunging *e, struct why *why)
{
    struct uid_range *at =
        arena_alloc(s->command, (e->set.len + 1) * sizeof *at);
    uint32_t next = view_next(s->view);
    size_t n = 0;

    for (size_t i = 0; i < e->set.len; i++) {
        struct uid_range r = e->set.at[i];

        if (r.last >= next)
            at[n++] =
                (struct uid_range){r.first < next ? next : r.first, r.last};
    }
    return expunge_some(s, e, (struct uid_set){at, n}, why);
}

static void
answer_expunge(struct session *s, struct expunging *e)
{
    struct uid_set removed = ranges_take(&e->removed, s->command);
    uint32_t count = uid_set_count(removed);

    s->tally.expunged += count;
    if (!e->closing) {
        tell_removed(s, "Expunged", removed);
        return;
    }
    session_deselect(s, count);
    reply_ok(s, "Closed");
}

static enum progress
expunge_step(struct session *s, void *work)
{
    struct expunging *e = work;
    size_t max = e->looked ? SOME : LOOK_SOME;
    struct uid_set set = {0};
    enum rc rc = OK;
    struct why why;

    if (e->looked || !found_all(s, e))
        set = walk_take(&e->walk, s->command, max);
    if (set.len == 0 && !e->looked) {
        take_found(s, e);
        return MORE;
    }
    if (set.len > 0)
        rc = e->looked ? expunge_some(s, e, set, &why)
                       : look_for_deleted(s, e, set, &why);
    if (set.len > 0 && rc == OK)
        return MORE;
    if (rc == OK)
        rc = expunge_untold(s, e, &why);
    if (rc == OK)
        answer_expunge(s, e);
    else
        reply_why(s, &why);
    drop_expunging(s, e);
    return DONE;
}

static void
begin_expunge(struct session *s, struct expunging *e, struct uid_set set)
{
    e->set = set;
    walk_begin_up(&e->walk, s, set);
    session_task(
        s,
        (struct task){.step = expunge_step, .drop = drop_expunging, .work = e});
}

static const struct uid_range every = {1, UINT32_MAX};

void
do_expunge(struct session *s, const struct command *c)
{
    struct expunging *e = arena_make(s->command, struct expunging);
    struct uid_set set = {&every, 1};

    e->limited = c->id == COMMAND_UID_EXPUNGE;
    if (!rights_let(s, RIGHT_EXPUNGE))
        return;
    if (e->limited && !set_uids(s, &c->expunge.set, true, &set))
        reply_bad(s, "This is no set of UIDs");
    else
        begin_expunge(s, e, set);
}

void
do_close(struct session *s, const struct command *c)
{
    struct expunging *e = arena_make(s->command, struct expunging);

    (void)c;
    e->closing = true;
    /* RFC 4314 4: without the right there is nothing to complain about. */
    begin_expunge(s, e,
                  !s->read_only && s->rights & RIGHT_EXPUNGE
                      ? (struct uid_set){&every, 1}
                      : (struct uid_set){0});
}
