/* CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE, STATUS: RFC 9051 6.3.4 to
 * 6.3.8, 6.3.11, 6154 3, 8474 4.1. */
#include <string.h>

#include "base/utf8.h"
#include "condstore.h"
#include "space.h"
#include "status.h"
#include "store/acl_file.h"
#include "use.h"

/* What the client calls it; "a/" is "a", as it says only that there will be
 * folders below (RFC 9051 6.3.4). Answers where it is no name. */
static bool
take(struct session *s, struct str sent, struct str *name)
{
    if (sent.len > 0 && sent.p[sent.len - 1] == s->imap->names.separator)
        sent.len--;
    if (take_mailbox(s, sent, name))
        return true;
    reply_no(s, "[CANNOT] This is no mailbox name");
    return false;
}

/* RFC 6855 3, RFC 5198 2: no control and no line end of any kind. */
static bool
is_control(uint32_t c)
{
    return c < ' ' || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029;
}

/* The same for a name that is to be given. */
static bool
take_new(struct session *s, struct str sent, struct str *name)
{
    struct str rest;

    if (!take(s, sent, name))
        return false;
    rest = *name;
    while (rest.len > 0)
        if (is_control(utf8_next(&rest))) {
            reply_no(s, "[CANNOT] Names of mailboxes have no control bytes");
            return false;
        }
    return true;
}

static bool
take_uses(struct session *s, const struct strings *uses, struct str *text)
{
    struct buf b = buf_in(s->command);

    if (!uses_join(uses, &b)) {
        reply_no(s, "[USEATTR] Folders cannot have that use here");
        return false;
    }
    *text = buf_str(&b);
    return true;
}

/* As its parent (RFC 4314 4). */
static enum rc
create(struct session *s, const struct spot *spot, struct str use,
       struct why *why)
{
    const char *from;
    enum rc rc = space_check_new(s, spot, &from, why);

    if (rc == OK)
        rc = folder_create(spot->home, spot->name, use, why);
    if (rc == OK && from)
        rc = acl_inherit(spot->home, from, spot->path, why);
    return space_explain(s, spot, rc, why);
}

void
do_create(struct session *s, const struct command *c)
{
    struct buf id = buf_in(s->command);
    struct mailbox_status status;
    struct str name, use;
    struct spot spot;
    struct why why;

    if (!take_new(s, c->create.mailbox, &name) ||
        !take_uses(s, &c->create.uses, &use))
        return;
    if (space_find(s, name, &spot, &why) != OK) {
        reply_why(s, &why);
        return;
    }
    if (use.len > 0 && spot.kind != SPACE_PRIVATE) {
        reply_no(s, "[USEATTR] Only your own folders can have a use");
        return;
    }
    if (create(s, &spot, use, &why) != OK ||
        folder_status(spot.home, spot.name, false, &status, &why) != OK) {
        reply_why(s, &why);
        return;
    }
    put_mailbox_id(&id, status.guid);
    reply_ok(s, "[MAILBOXID (%s)] Created", buf_str(&id).p);
}

/* Who has it selected cannot go on; we ourselves are in no mailbox then. */
static void
leave(struct session *s, const struct mailbox *gone)
{
    for (size_t i = 0; i < s->imap->sessions.len; i++) {
        struct session *other = s->imap->sessions.at[i];

        if (other != s && other->box == gone)
            session_bye(other, "The selected mailbox was deleted");
    }
    if (s->box == gone)
        session_deselect(s, 0);
}

void
do_delete(struct session *s, const struct command *c)
{
    struct mailbox *box = NULL;
    struct spot spot;
    struct str name;
    struct why why;
    enum rc rc;

    if (!take(s, c->one.name, &name))
        return;
    if (space_find(s, name, &spot, &why) != OK ||
        space_check(&spot, RIGHT_REMOVE, &why) != OK) {
        reply_why(s, &why);
        return;
    }
    /* One that cannot be opened may be deleted nevertheless. */
    if (mailbox_open(spot.home, spot.name, &box, &why) != OK)
        box = NULL;
    rc = folder_delete(spot.home, spot.name, &why);
    if (box && rc == OK)
        leave(s, box);
    if (box)
        mailbox_close(box);
    if (rc == OK && spot.stamp.ino)
        space_shared(s, &spot);
    if (space_explain(s, &spot, rc, &why) == OK)
        reply_ok(s, "Deleted");
    else if (strcmp(why.dsn, "5.1.4") == 0)
        reply_no(s, "[HASCHILDREN] %s", why.text);
    else
        reply_why(s, &why);
}

static enum rc
rename_folder(struct session *s, const struct spot *from, const struct spot *to,
              struct why *why)
{
    const char *parent;
    enum rc rc = space_check(from, RIGHT_REMOVE, why);

    if (rc == OK)
        rc = space_check_new(s, to, &parent, why);
    if (rc == OK)
        rc = folder_rename(from->home, from->name, to->name, why);
    return space_explain(s, from, rc, why);
}

void
do_rename(struct session *s, const struct command *c)
{
    struct str from_name, to_name;
    struct spot from, to;
    struct why why;

    if (!take(s, c->rename.from, &from_name) ||
        !take_new(s, c->rename.to, &to_name))
        return;
    if (space_find(s, from_name, &from, &why) != OK ||
        space_find(s, to_name, &to, &why) != OK)
        reply_why(s, &why);
    else if (from.home != to.home)
        reply_no(s, "[CANNOT] Mailboxes stay in their namespace");
    else if (rename_folder(s, &from, &to, &why) != OK)
        reply_why(s, &why);
    else
        reply_ok(s, "Renamed");
}

/* What a name is in the file of subscriptions: as the home has it, or whole
 * where it is of another namespace. */
static enum rc
find_kept(struct session *s, struct str name, struct str *kept, struct why *why)
{
    const char *path;
    enum rc rc;

    *kept = name;
    if (space_is_others(s->imap, name))
        return OK;
    rc = space_private_name(s->imap, name, kept, why);
    return rc == OK ? home_path(s->imap->home, s->command, *kept, &path, why)
                    : rc;
}

/* His own, whosever the mailbox is; it need not exist, so no right is asked
 * for. */
void
do_subscribe(struct session *s, const struct command *c)
{
    bool subscribed = c->id == COMMAND_SUBSCRIBE;
    struct str name, kept;
    struct why why;

    if (!take(s, c->one.name, &name))
        return;
    if (find_kept(s, name, &kept, &why) != OK ||
        folder_subscribe(s->imap->home, kept, subscribed, &why) != OK)
        reply_why(s, &why);
    else
        reply_ok(s, subscribed ? "Subscribed" : "Unsubscribed");
}

struct work {
    struct status_telling telling;
    int64_t told;
};

static enum progress
step_status(struct session *s, void *work)
{
    struct work *w = work;
    struct why why;
    bool done;

    say_progress(s, &w->told);
    if (status_go_on(s, &w->telling, &done, &why) != OK)
        reply_why(s, &why);
    else if (!done)
        return MORE;
    else
        reply_ok(s, "Status told");
    return DONE;
}

static void
drop_status(struct session *s, void *work)
{
    struct work *w = work;

    (void)s;
    status_drop(&w->telling);
}

void
do_status(struct session *s, const struct command *c)
{
    struct work *w = arena_make(s->command, struct work);

    w->telling.items = c->status.items;
    if (!take_mailbox(s, c->status.mailbox, &w->telling.name)) {
        reply_no(s, "[CANNOT] This is no mailbox name");
        return;
    }
    if (c->status.items & STATUS_HIGHESTMODSEQ)
        condstore_enable(s);
    session_task(
        s, (struct task){.step = step_status, .drop = drop_status, .work = w});
}
