/*
 * Folders compared with what they were.
 *
 * They are the same that have the same name, or else the same inode of
 * cur/, which a renamed folder takes along: so it makes no difference who made,
 * renamed or removed one.
 */
#include <stdlib.h>

#include "base/log.h"
#include "roster_own.h"

/* A folder of the new list, and what it was before. */
struct pair {
    struct place *place;
    struct folder was;
    bool known;   /* it was listed */
    bool renamed; /* as a mailbox of another name */
};

struct comparison {
    struct roster *r;
    const struct space_list *list;
    struct pair *pairs;
    struct hash *names;       /* of the list, to places in it, plus 1 */
    VEC(struct place *) gone; /* what is left */
};

static bool
is_mailbox(const struct folder *f)
{
    return f->bits & FOLDER_SELECTABLE;
}

static bool
find(const struct hash *h, struct str key, size_t *i)
{
    void *place = hash_get(h, key);

    *i = (uintptr_t)place - 1;
    return place != NULL;
}

/* ---- which was which */

static void
pair_up(struct pair *pair, struct place *p)
{
    pair->place = p;
    pair->was = p->f;
    pair->known = true;
}

static void
pair_names(struct comparison *c)
{
    const struct space_list *list = c->list;

    for (size_t i = 0; i < list->len; i++)
        *hash_put(c->names, list->at[i].f.name) = (void *)(uintptr_t)(i + 1);
    for (size_t k = 0; k < c->r->places.len; k++) {
        struct place *p = c->r->places.at[k];
        struct pair *pair;
        size_t i;

        if (!find(c->names, p->f.name, &i)) {
            *vec_add(&c->gone) = p;
            continue;
        }
        pair = &c->pairs[i];
        pair_up(pair, p);
        if (!is_mailbox(&p->f) || is_mailbox(&list->at[i].f))
            continue;
        /* The mailbox has gone, its name stays: it may be subscribed. */
        pair->place = NULL;
        pair->was.bits &= ~(unsigned)FOLDER_SELECTABLE;
        *vec_add(&c->gone) = p;
    }
}

static struct str
inode(struct arena *a, const struct folder *f)
{
    return str_from(arena_fmt(a, "%llx %llx", (unsigned long long)f->dev,
                              (unsigned long long)f->ino));
}

static bool
is_new(const struct comparison *c, size_t i)
{
    const struct pair *pair = &c->pairs[i];

    return is_mailbox(&c->list->at[i].f) &&
           !(pair->known && is_mailbox(&pair->was));
}

/* Mailboxes whose names are gone: those that have new ones. A name there that
 * was no mailbox before gives way. */
static void
pair_inodes(struct comparison *c)
{
    struct hash *inodes = hash_new();
    struct arena *a = c->r->scratch;
    size_t kept = 0;

    for (size_t i = 0; i < c->list->len; i++)
        if (is_new(c, i))
            *hash_put(inodes, inode(a, &c->list->at[i].f)) =
                (void *)(uintptr_t)(i + 1);
    for (size_t k = 0, end = c->gone.len; k < end; k++) {
        struct place *p = c->gone.at[k];
        size_t i;

        if (is_mailbox(&p->f) && find(inodes, inode(a, &p->f), &i) &&
            !c->pairs[i].renamed) {
            struct place *other = c->pairs[i].place;

            pair_up(&c->pairs[i], p);
            c->pairs[i].renamed = true;
            if (other == NULL)
                continue;
            p = other;
        }
        c->gone.at[kept++] = p;
    }
    c->gone.len = kept;
    hash_free(inodes);
}

/* Has one above it been renamed, and this one with it? (5.4) */
static bool
follows(const struct comparison *c, const struct pair *pair, struct str name)
{
    char separator = c->r->imap->names.separator;
    struct str was = pair->was.name;
    ssize_t at, old;
    size_t i;

    while ((at = str_rfind(name, separator)) > 0 &&
           (old = str_rfind(was, separator)) > 0 &&
           str_eq(str_sub(name, (size_t)at, name.len),
                  str_sub(was, (size_t)old, was.len))) {
        name = str_sub(name, 0, (size_t)at);
        was = str_sub(was, 0, (size_t)old);
        if (find(c->names, name, &i) && c->pairs[i].renamed &&
            str_eq(c->pairs[i].was.name, was))
            return true;
    }
    return false;
}

/* ---- telling */

static void
tell_one(struct session *s, const struct comparison *c, size_t i)
{
    const struct space_folder *f = &c->list->at[i];
    const struct pair *pair = &c->pairs[i];
    const struct folder nothing = {.name = f->f.name};

    if (is_new(c, i) && !pair->renamed)
        notices_folder(s, NULL, &f->f, f->spot.kind);
    else if (!pair->renamed || !follows(c, pair, f->f.name))
        notices_folder(s, pair->known ? &pair->was : &nothing, &f->f,
                       f->spot.kind);
}

static void
tell_gone(struct session *s, const struct place *p)
{
    const struct folder nothing = {.name = p->f.name};

    notices_folder(s, &p->f, is_mailbox(&p->f) ? NULL : &nothing, p->kind);
}

static void
tell(const struct comparison *c, const struct session *but)
{
    const struct imap *imap = c->r->imap;

    for (size_t k = 0; k < imap->sessions.len; k++) {
        struct session *s = imap->sessions.at[k];

        if (s == but || s->notify == NULL ||
            !notify_wants(s->notify,
                          EVENT_MAILBOX_NAME | EVENT_SUBSCRIPTION_CHANGE))
            continue;
        for (size_t i = 0; i < c->list->len; i++)
            tell_one(s, c, i);
        for (size_t i = 0; i < c->gone.len; i++)
            tell_gone(s, c->gone.at[i]);
    }
}

/* ---- the new roster */

static struct place *
place_new(struct roster *r, const struct space_folder *f)
{
    struct place *p = calloc(1, sizeof *p);
    struct why why;

    must(p != NULL);
    if (f->f.path && f->spot.kind == SPACE_PRIVATE &&
        outside_add_folders(r->imap, f->spot.home, f->f.path, r, &why) != OK)
        r->others = true;
    return p;
}

/* Another folder has come in place of one of that name: whoever watched that
 * one would hear nothing of it. */
static void
look_anew(struct roster *r, struct place *p)
{
    if (p->watched)
        outside_drop(r->imap, p);
    p->watched = false;
    roster_place_changed(r->imap, p);
}

static void
take(struct comparison *c)
{
    struct roster *r = c->r;

    r->places.len = 0;
    for (size_t i = 0; i < c->list->len; i++) {
        const struct space_folder *f = &c->list->at[i];
        struct pair *pair = &c->pairs[i];

        if (pair->place == NULL) {
            pair->place = place_new(r, f);
            r->half |= f->f.path && !is_mailbox(&f->f);
        }
        if (pair->known && is_mailbox(&pair->was) &&
            (pair->was.ino != f->f.ino || pair->was.dev != f->f.dev))
            look_anew(r, pair->place);
        pair->place->f = f->f;
        pair->place->home = f->spot.home;
        pair->place->kind = f->spot.kind;
        pair->place->rights = f->spot.shut ? RIGHT_LOOKUP : f->spot.rights;
        pair->place->dirty |= pair->renamed;
        r->others |= f->spot.kind != SPACE_PRIVATE;
        *vec_add(&r->places) = pair->place;
    }
}

enum rc
roster_compare(struct roster *r, struct session *s, const struct session *but,
               struct why *why)
{
    struct arena *names = arena_new("folders", ROSTER_LIST_MAX);
    struct arena *own = session_borrow(s, r->scratch);
    struct space_list list;
    struct comparison c = {.r = r, .list = &list};
    enum rc rc = space_list(s, names, SPACE_ALL, &list, why);

    session_borrow(s, own);
    if (rc != OK) {
        arena_free(names);
        return rc;
    }
    bool first = r->places.len == 0;

    r->half = r->others = false;
    c.names = hash_new();
    c.pairs = arena_alloc(r->scratch, (list.len + 1) * sizeof *c.pairs);
    pair_names(&c);
    pair_inodes(&c);
    take(&c);
    space_hear(r->imap);
    if (!first)
        tell(&c, but);
    for (size_t i = 0; i < c.gone.len; i++)
        roster_forget(r, c.gone.at[i]);
    vec_free(&c.gone);
    hash_free(c.names);
    arena_free(r->names);
    r->names = names;
    arena_reset(r->scratch);
    return OK;
}
