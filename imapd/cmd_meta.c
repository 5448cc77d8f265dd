/* GETMETADATA, SETMETADATA: RFC 5464; special uses among them: RFC 6154 4. */
#include <string.h>

#include "base/log.h"
#include "mail/imap_text.h"
#include "mail/mutf7.h"
#include "notes.h"
#include "use.h"

#define WORK_LIMIT ((size_t)64 << 20)

bool
notes_valid(struct str entry)
{
    struct str rest = entry;

    if (entry.len > 255 ||
        !(str_iskip(&rest, S("/private/")) || str_iskip(&rest, S("/shared/"))))
        return false;
    for (size_t i = 0; i < entry.len; i++)
        if (entry.p[i] <= ' ' || entry.p[i] > '~')
            return false;
    return true;
}

/* ---- responses */

static void
put_value(struct session *s, struct buf *b, struct str value)
{
    struct buf wide = buf_in(s->command);

    if (value.p && value.len > 0 && memchr(value.p, '\0', value.len)) {
        buf_fmt(b, "~{%zu}\r\n", value.len);
        buf_add(b, value);
        return;
    }
    imap_put_nstring(&wide, value);
    if (session_is_wide(s))
        buf_add(b, buf_str(&wide));
    else
        imap_put_narrow(b, buf_str(&wide));
}

/* One response, as entries are put into it. */
struct telling {
    struct session *s;
    struct buf b;
    bool any;
};

static struct telling
begin(struct session *s, struct str name)
{
    struct telling t = {.s = s, .b = buf_in(s->command)};

    buf_add(&t.b, S("* METADATA "));
    if (name.len > 0)
        put_mailbox(s, &t.b, name);
    else
        buf_add(&t.b, S("\"\""));
    buf_add(&t.b, S(" ("));
    return t;
}

static void
put_entry(struct telling *t, struct str entry, struct str value)
{
    if (t->any)
        buf_addc(&t->b, ' ');
    t->any = true;
    imap_put_astring(&t->b, entry);
    buf_addc(&t->b, ' ');
    put_value(t->s, &t->b, value);
}

static void
end(struct telling *t)
{
    buf_add(&t->b, S(")\r\n"));
    if (t->any)
        conn_put(t->s->conn, buf_str(&t->b));
}

/* ---- where they are

Those of the private namespace are in one file. Of other mailboxes, what is
below /private is kept with the user's own mail, under their whole name (with
"/", whatever divides names now), so that it is his alone. */

struct place {
    struct home *home; /* of "/shared/..." */
    const char *path;
    struct home *own; /* of "/private/..." */
    const char *own_path;
};

static struct place
place_of(const struct session *s, const struct spot *spot, struct str name)
{
    struct place p = {.home = spot->home, .path = spot->path};

    p.own = s->imap->home;
    p.own_path = p.path;
    if (spot->kind != SPACE_PRIVATE) {
        struct buf b = buf_in(s->command);

        buf_add(&b, S("//"));
        name = names_divided(s->command, name, s->imap->names.separator, '/');
        (void)!mutf7_encode(&b, name);
        p.own_path = buf_str(&b).p;
    }
    return p;
}

static bool
is_private(struct str entry)
{
    return str_istarts(entry, S("/private/"));
}

static void
take_notes(struct metadata_notes *to, const struct metadata_notes *from,
           const char *path, bool private)
{
    for (size_t i = 0; i < from->count; i++)
        if (str_eq(from->at[i].path, str_from(path)) &&
            is_private(from->at[i].entry) == private &&
            !str_ieq(from->at[i].entry, S(USE_ENTRY)))
            to->at[to->count++] = from->at[i];
}

/* Only his own folders have uses, and INBOX needs none. */
static bool
has_uses(const struct place *p)
{
    return p->own == p->home && *p->path && strcmp(p->path, ".") != 0;
}

/* The use of a folder stands elsewhere (store/subs.h). */
static enum rc
take_use(struct session *s, const struct place *p, struct metadata_notes *to,
         struct why *why)
{
    struct str use;
    enum rc rc = folder_use(p->home, s->command, p->path, &use, why);

    if (rc == OK && use.len > 0)
        to->at[to->count++] =
            (struct metadata_note){str_from(p->path), S(USE_ENTRY), use};
    return rc;
}

/* Those of one mailbox. */
static enum rc
load(struct session *s, const struct place *p, struct metadata_notes *notes,
     struct why *why)
{
    struct metadata_notes shared, own;
    enum rc rc = metadata_load(p->home, s->command, &shared, why);

    own = shared;
    if (rc == OK && p->own != p->home)
        rc = metadata_load(p->own, s->command, &own, why);
    if (rc != OK)
        return rc;
    notes->count = 0;
    notes->at = arena_alloc(s->command,
                            (shared.count + own.count + 2) * sizeof *notes->at);
    take_notes(notes, &shared, p->path, false);
    take_notes(notes, &own, p->own_path, true);
    return has_uses(p) ? take_use(s, p, notes, why) : OK;
}

static const struct metadata_note *
find(const struct metadata_notes *notes, struct str entry)
{
    for (size_t i = 0; i < notes->count; i++)
        if (str_ieq(notes->at[i].entry, entry))
            return &notes->at[i];
    return NULL;
}

bool
notes_let(unsigned rights)
{
    const unsigned any =
        RIGHT_READ | RIGHT_SEEN | RIGHT_WRITE | RIGHT_INSERT | RIGHT_POST;

    return rights & RIGHT_LOOKUP && rights & any;
}

static enum rc
may_use(const struct spot *spot, struct why *why)
{
    return notes_let(spot->rights) ? OK : space_check(spot, RIGHTS_ALL, why);
}

void
notes_tell(struct session *s, const struct spot *spot, struct str name,
           const struct strings *entries)
{
    const struct place p = place_of(s, spot, name);
    struct metadata_notes notes;
    struct telling t;
    struct why why;

    if (may_use(spot, &why) != OK || load(s, &p, &notes, &why) != OK)
        return;
    t = begin(s, name);
    for (size_t i = 0; i < entries->count; i++) {
        const struct metadata_note *n = find(&notes, entries->at[i]);

        put_entry(&t, entries->at[i], n ? n->value : (struct str){0});
    }
    end(&t);
}

/* ---- GETMETADATA */

/* Is the entry the one that was asked for, or so far below it? */
static bool
is_asked(struct str entry, struct str asked, uint32_t depth)
{
    if (!str_iskip(&entry, asked))
        return false;
    if (entry.len == 0)
        return true;
    return entry.p[0] == '/' && (depth == METADATA_INFINITY ||
                                 (depth == 1 && str_rfind(entry, '/') == 0));
}

/* Each is told once, however often it is asked for. */
static void
tell_asked(struct telling *t, const struct metadata *m,
           const struct metadata_notes *notes, size_t *longest)
{
    bool *told = arena_alloc(t->s->command, notes->count * sizeof *told);

    for (size_t k = 0; k < m->count; k++) {
        struct str asked = m->entries[k].entry;
        bool there = false;

        for (size_t i = 0; i < notes->count; i++) {
            const struct metadata_note *n = &notes->at[i];

            if (!is_asked(n->entry, asked, m->depth))
                continue;
            there = true;
            if (told[i])
                continue;
            told[i] = true;
            if (!m->sized || n->value.len <= m->max_size)
                put_entry(t, n->entry, n->value);
            else if (n->value.len > *longest)
                *longest = n->value.len;
        }
        if (!there && m->depth == 0)
            put_entry(t, asked, (struct str){0});
    }
}

/* The account has the path "". Answers where there are none to be had. */
static bool
find_place(struct session *s, struct str sent, struct str *name,
           struct place *place)
{
    struct spot spot = {
        .home = s->imap->home, .kind = SPACE_PRIVATE, .path = ""};
    struct mailbox *box;
    struct why why;
    enum rc rc;

    *name = S("");
    if (sent.len > 0 && !take_mailbox(s, sent, name)) {
        reply_no(s, "[CANNOT] This is no mailbox name");
        return false;
    }
    *place = place_of(s, &spot, *name);
    if (sent.len == 0)
        return true;
    rc = space_find(s, *name, &spot, &why);
    if (rc == OK)
        rc = may_use(&spot, &why);
    if (rc == OK)
        rc = mailbox_open(spot.home, spot.name, &box, &why);
    if (space_explain(s, &spot, rc, &why) != OK) {
        reply_why(s, &why);
        return false;
    }
    mailbox_close(box);
    *place = place_of(s, &spot, *name);
    return true;
}

void
do_getmetadata(struct session *s, const struct command *c)
{
    const struct metadata *m = &c->metadata;
    struct metadata_notes notes;
    struct place place;
    struct telling t;
    struct str name;
    struct why why;
    size_t longest = 0;

    if (!find_place(s, m->mailbox, &name, &place))
        return;
    if (load(s, &place, &notes, &why) != OK) {
        reply_why(s, &why);
        return;
    }
    t = begin(s, name);
    tell_asked(&t, m, &notes, &longest);
    end(&t);
    if (longest > 0)
        reply_ok(s, "[METADATA LONGENTRIES %zu] Some are larger", longest);
    else
        reply_ok(s, "Metadata told");
}

/* ---- SETMETADATA */

static bool
is_fit(struct session *s, const struct metadata_value *v)
{
    if (!notes_valid(v->entry)) {
        reply_bad(s, "Entries are below /private or /shared");
        return false;
    }
    if (v->value.p && v->value.len > METADATA_VALUE) {
        reply_no(s, "[METADATA MAXSIZE %zu] The value is too large",
                 METADATA_VALUE);
        return false;
    }
    return true;
}

/* All of them are set, or none (4.3): these have been, and others cannot. */
static void
take_back(struct session *s, struct home *h, struct metadata_note *notes,
          size_t count, const struct metadata_notes *before)
{
    struct why why;

    for (size_t i = 0; i < count; i++) {
        const struct metadata_note *n = find(before, notes[i].entry);

        notes[i].value = n ? n->value : (struct str){0};
    }
    if (metadata_set(h, notes, count, &why) != OK)
        log_warn("imap(%.*s): notes that were set in part stay: %s",
                 STR(s->imap->user->user), why.text);
}

/* The use is a NULL view where it stays as it is. */
static enum rc
store(struct session *s, const struct metadata *m, const struct place *p,
      struct str use, struct why *why)
{
    struct metadata_note *notes =
        arena_alloc(s->command, (m->count + 1) * sizeof *notes);
    size_t own = 0, other = m->count;
    struct metadata_notes before;
    enum rc rc = load(s, p, &before, why);

    for (size_t i = 0; i < m->count; i++) {
        bool private = is_private(m->entries[i].entry);
        const char *path = private ? p->own_path : p->path;

        if (str_ieq(m->entries[i].entry, S(USE_ENTRY)))
            continue;
        notes[private || p->own == p->home ? own++ : --other] =
            (struct metadata_note){str_from(path), m->entries[i].entry,
                                   m->entries[i].value};
    }
    if (rc == OK)
        rc = metadata_set(p->home, notes + other, m->count - other, why);
    if (rc != OK)
        return rc;
    rc = metadata_set(p->own, notes, own, why);
    if (rc != OK) {
        take_back(s, p->home, notes + other, m->count - other, &before);
        return rc;
    }
    if (use.p && has_uses(p))
        rc = folder_set_use(p->home, p->path, use, why);
    if (rc != OK)
        take_back(s, p->own, notes, own, &before);
    return rc;
}

/* The use that is to be set: a NULL view for none of the entries. Answered
 * where that cannot be. */
static bool
take_new_use(struct session *s, const struct metadata *m, const struct place *p,
             struct str *use)
{
    *use = (struct str){0};
    for (size_t i = 0; i < m->count; i++) {
        struct buf b = buf_in(s->command);

        if (!str_ieq(m->entries[i].entry, S(USE_ENTRY)))
            continue;
        if (!uses_join_text(m->entries[i].value, &b) ||
            (b.len > 0 && !has_uses(p))) {
            reply_no(s, "[USEATTR] The mailbox cannot have that use");
            return false;
        }
        *use = b.len > 0 ? buf_str(&b) : S("");
    }
    return true;
}

void
do_setmetadata(struct session *s, const struct command *c)
{
    const struct metadata *m = &c->metadata;
    struct place place;
    struct str name, use;
    struct why why;
    enum rc rc;

    for (size_t i = 0; i < m->count; i++)
        if (!is_fit(s, &m->entries[i]))
            return;
    if (m->count > METADATA_ENTRIES) {
        reply_no(s, "[METADATA TOOMANY] Too many entries");
        return;
    }
    if (!find_place(s, m->mailbox, &name, &place) ||
        !take_new_use(s, m, &place, &use))
        return;
    rc = store(s, m, &place, use, &why);
    if (rc == OK)
        reply_ok(s, "Metadata stored");
    else if (strcmp(why.dsn, "5.3.4") == 0)
        reply_no(s, "[METADATA TOOMANY] %s", why.text);
    else
        reply_why(s, &why);
}
