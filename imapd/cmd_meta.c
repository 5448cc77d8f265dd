/* GETMETADATA, SETMETADATA: RFC 5464. Notes are a user's own, the shared ones
 * too: nobody else has his mailboxes. */
#include <string.h>

#include "mail/imap_text.h"
#include "notes.h"
#include "space.h"

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

static const struct metadata_note *
find(const struct metadata_notes *notes, const char *path, struct str entry)
{
    for (size_t i = 0; i < notes->count; i++)
        if (str_eq(notes->at[i].path, str_from(path)) &&
            str_ieq(notes->at[i].entry, entry))
            return &notes->at[i];
    return NULL;
}

void
notes_tell(struct session *s, const struct metadata_notes *notes,
           struct str name, const char *path, const struct strings *entries)
{
    struct telling t = begin(s, name);

    for (size_t i = 0; i < entries->count; i++) {
        const struct metadata_note *n = find(notes, path, entries->at[i]);

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

static void
tell_asked(struct telling *t, const struct metadata *m,
           const struct metadata_notes *notes, const char *path,
           size_t *longest)
{
    for (size_t k = 0; k < m->count; k++) {
        struct str asked = m->entries[k].entry;
        bool there = false;

        for (size_t i = 0; i < notes->count; i++) {
            const struct metadata_note *n = &notes->at[i];

            if (!str_eq(n->path, str_from(path)) ||
                !is_asked(n->entry, asked, m->depth))
                continue;
            there = true;
            if (!m->sized || n->value.len <= m->max_size)
                put_entry(t, n->entry, n->value);
            else if (n->value.len > *longest)
                *longest = n->value.len;
        }
        if (!there && m->depth == 0)
            put_entry(t, asked, (struct str){0});
    }
}

/* Where its notes are: "" for the account. Answers where it is none. */
static bool
find_path(struct session *s, struct str sent, struct str *name,
          struct home **home, const char **path)
{
    struct mailbox *box;
    struct spot spot;
    struct why why;

    *name = S("");
    *path = "";
    *home = s->imap->home;
    if (sent.len == 0)
        return true;
    if (!take_mailbox(s, sent, name)) {
        reply_no(s, "[CANNOT] This is no mailbox name");
        return false;
    }
    if (space_find(s, *name, &spot, &why) != OK ||
        home_path(spot.home, s->command, spot.name, path, &why) != OK ||
        mailbox_open(spot.home, spot.name, &box, &why) != OK) {
        reply_why(s, &why);
        return false;
    }
    mailbox_close(box);
    *home = spot.home;
    return true;
}

void
do_getmetadata(struct session *s, const struct command *c)
{
    const struct metadata *m = &c->metadata;
    struct metadata_notes notes;
    struct telling t;
    struct str name;
    struct home *home;
    const char *path;
    struct why why;
    size_t longest = 0;

    if (!find_path(s, m->mailbox, &name, &home, &path))
        return;
    if (metadata_load(home, s->command, &notes, &why) != OK) {
        reply_why(s, &why);
        return;
    }
    t = begin(s, name);
    tell_asked(&t, m, &notes, path, &longest);
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

void
do_setmetadata(struct session *s, const struct command *c)
{
    const struct metadata *m = &c->metadata;
    struct metadata_note *notes =
        arena_alloc(s->command, (m->count + 1) * sizeof *notes);
    struct str name;
    struct home *home;
    const char *path;
    struct why why;

    for (size_t i = 0; i < m->count; i++)
        if (!is_fit(s, &m->entries[i]))
            return;
    if (m->count > METADATA_ENTRIES) {
        reply_no(s, "[METADATA TOOMANY] Too many entries");
        return;
    }
    if (!find_path(s, m->mailbox, &name, &home, &path))
        return;
    for (size_t i = 0; i < m->count; i++)
        notes[i] = (struct metadata_note){str_from(path), m->entries[i].entry,
                                          m->entries[i].value};
    if (metadata_set(home, notes, m->count, &why) == OK)
        reply_ok(s, "Metadata stored");
    else if (strcmp(why.dsn, "5.3.4") == 0)
        reply_no(s, "[METADATA TOOMANY] %s", why.text);
    else
        reply_why(s, &why);
}
