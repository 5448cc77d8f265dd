/* SELECT, EXAMINE, UNSELECT: RFC 9051 6.3.2, 6.3.3, 6.4.2. */
#include <stdlib.h>
#include <string.h>

#include "condstore.h"
#include "indexing.h"
#include "rights.h"
#include "status.h"
#include "store/changes.h"
#include "store/ranges.h"

static enum rc
open_mailbox(struct session *s, struct str name, struct why *why)
{
    struct spot spot;
    enum rc rc = space_find_open(s, name, RIGHT_READ, &spot, &s->box, why);

    if (rc != OK)
        return rc;
    s->rights = spot.rights;
    s->guest = spot.kind != SPACE_PRIVATE;
    s->read_only = s->read_only || !(s->rights & RIGHTS_CHANGING);
    rc = view_open(s->box, !s->read_only, &s->view, why);
    if (rc != OK) {
        mailbox_close(s->box);
        s->box = NULL;
        return rc;
    }
    s->selected = str_from(str_dup(name));
    s->fetched = view_next(s->view);
    outside_watch(s);
    indexing_want(s->imap, s->box);
    return OK;
}

/* \* means that clients may make keywords. */
enum rc
rights_tell_flags(struct session *s, struct why *why)
{
    bool keywords = s->rights & RIGHT_WRITE;
    struct buf b = buf_in(s->command);
    const struct keywords *names;
    uint64_t all = 0;
    enum rc rc = mailbox_keywords(s->box, &names, why);

    if (rc != OK)
        return rc;
    for (size_t i = 0; i < KEYWORDS_MAX; i++)
        all |= (uint64_t)(names->name[i].len > 0) << i;
    put_flags(&b, FLAG_ALL, all, names, false);
    say(s, "* FLAGS %.*s\r\n", STR(buf_str(&b)));
    if (s->read_only) {
        say(s, "* OK [PERMANENTFLAGS ()] Read-only\r\n");
        return OK;
    }
    buf_reset(&b);
    put_flags(&b, rights_flags(s->rights), keywords ? all : 0, names, false);
    b.len--;
    say(s, "* OK [PERMANENTFLAGS %.*s%s)] Flags permitted\r\n",
        STR(buf_str(&b)), keywords ? " \\*" : "");
    return OK;
}

/* The first unseen message; rev1 clients are told of it. */
static void
tell_unseen(struct session *s)
{
    static const struct uid_range every = {1, UINT32_MAX};
    struct changes_walk w;
    struct message m;
    struct why why;
    uint32_t seq = 0;

    if (changes_begin(&w, s->box, (struct uid_set){&every, 1}, &why) != OK)
        return;
    while (seq == 0 && changes_next(&w, &m))
        if (!(m.flags & FLAG_SEEN))
            seq = view_seq(s->view, m.uid);
    if (changes_end(&w, &why) == OK && seq > 0)
        say(s, "* OK [UNSEEN %u] First unseen\r\n", seq);
}

static enum rc
tell_all(struct session *s, struct why *why)
{
    struct mailbox_status status;
    struct buf name = buf_in(s->command), id = buf_in(s->command);
    enum rc rc = mailbox_status(s->box, false, &status, why);

    if (rc == OK)
        rc = rights_tell_flags(s, why);
    if (rc != OK)
        return rc;
    if (status.pending) /* of a process that was killed, perhaps */
        flags_soon(s->imap);
    say(s, "* %u EXISTS\r\n", view_count(s->view));
    if (!(s->enabled & ENABLED_REV2)) {
        say(s, "* %u RECENT\r\n", view_recent(s->view));
        if (status.unseen > 0 && !(s->enabled & ENABLED_UIDONLY))
            tell_unseen(s);
    } else {
        put_mailbox(s, &name, s->selected);
        say(s, "* LIST () \"/\" %s\r\n", buf_str(&name).p);
    }
    say(s, "* OK [UIDVALIDITY %u] UIDs valid\r\n", status.validity);
    say(s, "* OK [UIDNEXT %u] Predicted next UID\r\n", status.next);
    say(s, "* OK [HIGHESTMODSEQ %llu] Highest\r\n",
        (unsigned long long)view_modseq(s->view));
    put_mailbox_id(&id, status.guid);
    say(s, "* OK [MAILBOXID (%s)] Ok\r\n", buf_str(&id).p);
    return OK;
}

void
do_select(struct session *s, const struct command *c)
{
    struct str name;
    struct why why;
    bool had = s->box != NULL;

    if (c->select.qresync && !(s->enabled & ENABLED_QRESYNC)) {
        reply_bad(s, "QRESYNC has not been enabled");
        return;
    }
    if (s->enabled & ENABLED_UIDONLY && c->select.match_seqs.count > 0) {
        reply_bad(s, "[UIDREQUIRED] Messages have no numbers");
        return;
    }
    session_deselect(s, 0);
    if (had && s->enabled & (ENABLED_QRESYNC | ENABLED_REV2))
        say(s, "* OK [CLOSED] Previous mailbox closed\r\n");
    if (!take_mailbox(s, c->select.mailbox, &name)) {
        reply_no(s, "[CANNOT] This is no mailbox name");
        return;
    }
    if (c->select.condstore)
        condstore_enable(s);
    s->read_only = c->id == COMMAND_EXAMINE;
    if (open_mailbox(s, name, &why) != OK || tell_all(s, &why) != OK) {
        session_deselect(s, 0);
        reply_why(s, &why);
        return;
    }
    if (c->select.qresync)
        condstore_resync(s, &c->select);
    else
        reply_ok(s, "[%s] Selected", s->read_only ? "READ-ONLY" : "READ-WRITE");
}

void
do_unselect(struct session *s, const struct command *c)
{
    (void)c;
    session_deselect(s, 0);
    reply_ok(s, "Unselected");
}
