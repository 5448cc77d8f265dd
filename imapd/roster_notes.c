/* Notes (METADATA) compared with what they were: those of the user's own home,
 * of mail of others what all share, and what he has noted there for himself. */
#include "base/log.h"
#include "mail/mutf7.h"
#include "notes.h"
#include "roster_own.h"
#include "use.h"

static bool
anybody_wants_notes(const struct imap *imap)
{
    for (size_t i = 0; i < imap->sessions.len; i++) {
        const struct notify *n = imap->sessions.at[i]->notify;

        if (n && notify_wants(n, EVENT_MAILBOX_METADATA_CHANGE |
                                     EVENT_SERVER_METADATA_CHANGE))
            return true;
    }
    return false;
}

/* All notes, by "name<TAB>entry", as they are read. */
struct reading {
    struct roster *r;
    struct hash *notes;
    struct hash *places; /* by home and path, or name alone */
};

static struct str
place_key(const struct reading *g, const struct home *home, struct str path)
{
    return str_from(
        arena_fmt(g->r->scratch, "%p %.*s", (const void *)home, STR(path)));
}

static struct hash *
places_by_key(const struct reading *g)
{
    struct hash *h = hash_new();

    for (size_t i = 0; i < g->r->places.len; i++) {
        struct place *p = g->r->places.at[i];

        *hash_put(h, place_key(g, NULL, p->f.name)) = p;
        if (p->f.path)
            *hash_put(h, place_key(g, p->home, str_from(p->f.path))) = p;
    }
    return h;
}

static void
add_note(const struct reading *g, struct str name, struct str entry,
         struct str value)
{
    struct arena *a = g->r->scratch;
    char *key =
        arena_fmt(a, "%.*s\t%.*s", STR(name), STR(arena_lower(a, entry)));

    *hash_put(g->notes, str_from(key)) =
        (void *)(uintptr_t)(hash_of(value) | 1);
}

/* Whose note it is: NULL for none that is there. In the user's own home are
 * also his own notes on mail of others (cmd_meta.c). */
static const struct place *
place_of_note(const struct reading *g, const struct home *home,
              const struct metadata_note *n)
{
    struct arena *a = g->r->scratch;
    struct buf b = buf_in(a);
    struct str name, rest = n->path;
    bool own = home == g->r->imap->home;
    bool private = str_istarts(n->entry, S("/private/"));

    if (own && str_skip(&rest, S("//"))) {
        if (!private || !mutf7_decode(&b, rest))
            return NULL;
        name = names_divided(a, buf_str(&b), '/', g->r->imap->names.separator);
        return hash_get(g->places, place_key(g, NULL, name));
    }
    return own || !private ? hash_get(g->places, place_key(g, home, n->path))
                           : NULL;
}

static void
read_notes(const struct reading *g, struct home *home)
{
    struct imap *imap = g->r->imap;
    struct metadata_notes notes;
    struct why why;

    if (metadata_load(home, g->r->scratch, &notes, &why) != OK) {
        log_warn("imap(%.*s): %s", STR(imap->user->user), why.text);
        return;
    }
    for (size_t i = 0; i < notes.count; i++) {
        const struct metadata_note *n = &notes.at[i];
        const struct place *p;

        if (n->path.len == 0 && home == imap->home)
            add_note(g, S(""), n->entry, n->value);
        else if ((p = place_of_note(g, home, n)) != NULL &&
                 notes_let(p->rights))
            add_note(g, p->f.name, n->entry, n->value);
    }
}

static struct hash *
load_notes(struct roster *r)
{
    struct reading g = {.r = r, .notes = hash_new()};
    const struct home *last = NULL; /* places of a home stand together */

    g.places = places_by_key(&g);
    read_notes(&g, r->imap->home);
    for (size_t i = 0; i < r->places.len; i++) {
        struct place *p = r->places.at[i];

        if (p->kind == SPACE_PRIVATE && p->f.use.len > 0)
            add_note(&g, p->f.name, S(USE_ENTRY), p->f.use);
        if (p->kind == SPACE_PRIVATE || p->home == NULL || p->home == last)
            continue;
        read_notes(&g, p->home);
        last = p->home;
    }
    hash_free(g.places);
    arena_reset(r->scratch);
    return g.notes;
}

static void
note_changed(struct roster *r, struct str entry, const struct session *but)
{
    const struct place *p = NULL;
    struct str name;

    str_cut(&entry, '\t', &name);
    if (name.len > 0 && (p = roster_find(r->imap, name)) == NULL)
        return; /* its folder has gone as well */
    for (size_t i = 0; i < r->imap->sessions.len; i++) {
        struct session *s = r->imap->sessions.at[i];

        if (s != but && s->notify)
            notices_metadata(s, p, entry);
    }
}

/* Entries of one that the other does not have, or also other values. */
static void
differences(struct roster *r, const struct hash *of, const struct hash *other,
            bool values, const struct session *but)
{
    struct str entry;
    size_t pos = 0;
    void *value;

    while (hash_next(of, &pos, &entry, &value)) {
        const void *had = hash_get(other, entry);

        if (had == NULL || (values && had != value))
            note_changed(r, entry, but);
    }
}

void
roster_compare_notes(struct roster *r, const struct session *but)
{
    struct hash *old = r->notes;

    r->notes = anybody_wants_notes(r->imap) ? load_notes(r) : NULL;
    if (old && r->notes) {
        differences(r, r->notes, old, true, but);
        differences(r, old, r->notes, false, but);
    }
    if (old)
        hash_free(old);
}
