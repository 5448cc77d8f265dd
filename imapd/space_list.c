/* Folders of all namespaces, as LIST tells them. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "space_own.h"

struct listing {
    struct session *s;
    struct arena *a;
    VEC(struct space_folder) found;
    struct hash *places; /* whole name to place, plus 1 */
};

static struct space_folder *
entry(struct listing *l, struct str name)
{
    void **place = hash_put(l->places, name);

    if (*place == NULL) {
        *vec_add(&l->found) =
            (struct space_folder){.f = {.name = arena_str(l->a, name)}};
        *place = (void *)(uintptr_t)l->found.len;
    }
    return &l->found.at[(uintptr_t)*place - 1];
}

static bool
is_name_of(const struct mail_space *s, struct str name)
{
    return str_starts(name, s->prefix) ||
           str_eq(name, str_sub(s->prefix, 0, s->prefix.len - 1));
}

bool
space_is_others(const struct imap *imap, struct str name)
{
    const struct mail_spaces *all = &imap->spaces->all;

    for (size_t i = 0; i < all->count; i++)
        if (is_name_of(&all->at[i], name))
            return true;
    return false;
}

/* ---- what is above them */

static void
tell_parent(struct listing *l, struct str name, unsigned tell)
{
    ssize_t at;

    while (tell && (at = str_rfind(name, l->s->imap->names.separator)) > 0) {
        name = str_sub(name, 0, (size_t)at);
        struct space_folder *e = entry(l, name);

        if ((e->f.bits & tell) == tell)
            return;
        e->f.bits |= tell;
    }
}

static void
add_parents(struct listing *l, size_t from)
{
    size_t count = l->found.len;

    for (size_t i = from; i < count; i++) {
        const struct folder f = l->found.at[i].f;

        if (f.path)
            tell_parent(l, f.name, FOLDER_CHILDREN);
        if (f.bits & FOLDER_SUBSCRIBED)
            tell_parent(l, f.name, FOLDER_CHILD_SUBSCRIBED);
    }
}

static int
cmp_name(const void *a, const void *b)
{
    struct str x = ((const struct space_folder *)a)->f.name;
    struct str y = ((const struct space_folder *)b)->f.name;
    bool in_x = str_eq(x, S("INBOX")), in_y = str_eq(y, S("INBOX"));

    return in_x != in_y ? in_y - in_x : str_cmp(x, y);
}

/* Of no use to entry() any more. */
static void
sort(struct listing *l, size_t from, size_t to)
{
    if (to > from)
        qsort(l->found.at + from, to - from, sizeof *l->found.at, cmp_name);
}

/* ---- the private one */

/* Subscriptions to names of other namespaces are kept with the user's own, and
 * none of his folders. */
static bool
is_only_others(const struct listing *l, const struct folder *f)
{
    return f->path == NULL && !(f->bits & FOLDER_CHILDREN) &&
           space_is_others(l->s->imap, f->name);
}

static void
add_own(struct listing *l, const struct folder *f)
{
    const struct imap *imap = l->s->imap;
    struct str whole = names_outer(&imap->names, l->a, f->name);
    struct space_folder *e;

    if (space_is_others(imap, whole) || is_only_others(l, f))
        return;
    e = entry(l, whole);
    e->f = *f;
    e->f.name = whole;
    e->spot = (struct spot){.home = imap->home,
                            .kind = SPACE_PRIVATE,
                            .name = f->name,
                            .path = f->path,
                            .rights = RIGHTS_ALL};
}

/* The home's list has all that is above them, but for parts of the prefix. */
static void
add_private(struct listing *l, const struct folder_list *own)
{
    for (size_t i = 0; i < own->len; i++)
        add_own(l, &own->at[i]);
    if (l->s->imap->names.prefix.len > 0)
        add_parents(l, 0);
}

/* ---- others */

/* A folder that he may see; others are as if they were not there. */
static void
add_visible(struct listing *l, struct str prefix, const struct folder *f,
            struct spot spot)
{
    struct space_folder *e;
    struct why why;

    spot.name = f->name;
    if (space_rights(l->s, l->a, &spot, &why) != OK ||
        !(spot.rights & RIGHT_LOOKUP))
        return;
    e = entry(l,
              str_from(arena_fmt(l->a, "%.*s%.*s", STR(prefix), STR(f->name))));
    e->f.path = f->path;
    e->f.bits |= f->bits & FOLDER_SELECTABLE;
    e->spot = spot;
}

static void
add_home(struct listing *l, struct str prefix, const struct space_home *h,
         unsigned kind)
{
    struct spot spot = {.home = h->home, .kind = kind, .shut = h->shut};
    struct folder_list list;
    struct why why;

    if (folders_list(h->home, l->a, &list, &why) != OK) {
        log_warn("imap(%.*s): %.*s: %s", STR(l->s->imap->user->user),
                 STR(prefix), why.text);
        return;
    }
    for (size_t i = 0; i < list.len; i++) {
        const struct folder *f = &list.at[i];

        if (f->path == NULL ||
            (kind == SPACE_PUBLIC && str_eq(f->name, S("INBOX"))))
            continue;
        add_visible(l, prefix, f, spot);
    }
}

/* What cannot be opened is left out: that is in the log. */
static void
add_shared(struct listing *l, const struct mail_space *space)
{
    struct shares shares = *space_shares(l->s->imap);

    for (size_t i = 0; i < shares.count; i++) {
        struct str owner = shares.owners[i];
        struct space_home *h;
        struct why why;

        if (space_home_seen(l->s->imap, space, owner, &h, &why) == OK)
            add_home(
                l,
                str_from(arena_fmt(l->a, "%.*s%.*s%c", STR(space->prefix),
                                   STR(owner), l->s->imap->names.separator)),
                h, SPACE_SHARED);
    }
}

static void
add_public(struct listing *l, const struct mail_space *space)
{
    struct space_home *h;
    struct why why;

    if (space_home(l->s->imap, space, S(""), &h, &why) == OK)
        add_home(l, space->prefix, h, SPACE_PUBLIC);
}

/* His own subscriptions to names in there. */
static void
add_subscriptions(struct listing *l, const struct folder_list *own,
                  const struct mail_space *space)
{
    for (size_t i = 0; i < own->len; i++)
        if (own->at[i].bits & FOLDER_SUBSCRIBED &&
            is_name_of(space, own->at[i].name))
            entry(l, own->at[i].name)->f.bits |= FOLDER_SUBSCRIBED;
}

static void
add_others(struct listing *l, const struct folder_list *own, unsigned kinds)
{
    const struct mail_spaces *all = &l->s->imap->spaces->all;
    size_t from = l->found.len;

    for (size_t i = 0; i < all->count; i++) {
        const struct mail_space *space = &all->at[i];

        if (!(kinds & (space->shared ? SPACE_SHARED : SPACE_PUBLIC)))
            continue;
        if (space->shared)
            add_shared(l, space);
        else
            add_public(l, space);
        add_subscriptions(l, own, space);
    }
    add_parents(l, from);
}

enum rc
space_list(struct session *s, struct arena *a, unsigned kinds,
           struct space_list *list, struct why *why)
{
    struct listing l = {.s = s, .a = a, .places = hash_new()};
    struct folder_list own = {0};
    enum rc rc = folders_list(s->imap->home, a, &own, why);
    size_t private;

    if (rc == OK && kinds & SPACE_PRIVATE)
        add_private(&l, &own);
    private = l.found.len;
    if (rc == OK)
        add_others(&l, &own, kinds);
    hash_free(l.places);
    if (s->imap->names.prefix.len > 0)
        sort(&l, 0, private);
    sort(&l, private, l.found.len);
    *list = (struct space_list){
        arena_alloc(a, (l.found.len + 1) * sizeof *list->at), l.found.len};
    if (l.found.len > 0)
        memcpy(list->at, l.found.at, l.found.len * sizeof *list->at);
    vec_free(&l.found);
    return rc;
}
