/* ESEARCH: one search in many mailboxes (RFC 7377). */
#include <string.h>

#include "base/log.h"
#include "condstore.h"
#include "filter.h"
#include "finder.h"
#include "searching.h"
#include "space.h"

#define FINDER_MAX ((size_t)256 << 20) /* for one mailbox at a time */
#define NAMES_MAX  1000                /* of all sources */

struct work {
    const struct command *c;
    struct arena *command; /* the session's own, of all of it */
    bool selected;         /* the selected mailbox comes first */
    struct filter_names *filters;
    size_t filter_count;
    struct space_list folders;
    size_t next;

    /* The one that is searched; NULL: none. */
    struct mailbox *box;
    struct view *own; /* the view, where it is not the session's */
    struct found_where where;
    struct finder finder;

    struct arena *a; /* of the search of one mailbox */
    int64_t told;
    bool failed; /* somewhere */
    struct why why;
};

static void
leave_mailbox(struct work *w)
{
    if (w->box == NULL)
        return;
    finder_end(&w->finder);
    view_close(w->own);
    mailbox_close(w->box);
    w->box = NULL;
    w->own = NULL;
    arena_reset(w->a);
}

static void
drop(struct session *s, void *work)
{
    struct work *w = work;

    (void)s;
    leave_mailbox(w);
    arena_free(w->a);
}

/* ---- which mailboxes */

static bool
is_wanted(const struct work *w, const struct space_folder *f)
{
    if (!(f->f.bits & FOLDER_SELECTABLE) || !(f->spot.rights & RIGHT_READ))
        return false;
    for (size_t i = 0; i < w->filter_count; i++)
        if (filter_has(&w->filters[i], &f->f, f->spot.kind))
            return true;
    return false;
}

/* The view is the session's own where the mailbox is selected: its numbers are
 * what the client knows. */
static enum rc
look_into(struct session *s, struct work *w, struct str name, struct why *why)
{
    struct mailbox_status status = {0};
    enum rc rc = space_open(s, name, RIGHT_READ, &w->box, why);

    if (rc != OK)
        return rc;
    if (w->box != s->box)
        rc = view_open(w->box, false, &w->own, why);
    if (rc == OK)
        rc = mailbox_status(w->box, false, &status, why);
    if (rc == OK)
        rc = finder_begin(&w->finder, s, w->box, w->own ? w->own : s->view,
                          w->c->search.key, why);
    w->where = (struct found_where){name, status.validity};
    if (rc == OK && w->finder.q.by_modseq)
        condstore_enable(s);
    return rc;
}

/* False where there is none left. */
static bool
enter_next(struct session *s, struct work *w, struct why *why, enum rc *rc)
{
    if (w->selected) {
        w->selected = false;
        *rc = look_into(s, w, s->selected, why);
        return true;
    }
    while (w->next < w->folders.len) {
        const struct space_folder *f = &w->folders.at[w->next++];

        if (is_wanted(w, f)) {
            *rc = look_into(s, w, f->f.name, why);
            return true;
        }
    }
    return false;
}

/* ---- the search */

/* RFC 7377 2.1: nothing is said of a mailbox where nothing was found. */
static void
tell(struct session *s, struct work *w)
{
    const struct search *c = &w->c->search;
    const struct finder *f = &w->finder;

    if (f->hits.len > 0)
        found_say(s, w->c, f, &w->where);
    if (c->returns & RETURN_SAVE)
        found_save(s, c, f->hits.at, f->hits.len);
}

/* What is told with the reply may outlast the search (s->untold). */
static enum progress
finish(struct session *s, struct work *w)
{
    session_borrow(s, w->command);
    if (w->failed)
        searching_refuse(s, &w->why);
    else
        reply_ok(s, "%s completed", command_name(w->c->id));
    drop(s, w);
    return DONE;
}

/* One that has gone meanwhile, and one that the user may not read, is passed
 * over (2.2). A search that is wrong itself is so in all of them. */
static bool
is_fatal(struct session *s, struct work *w, const struct why *why)
{
    if (strcmp(why->dsn, "5.2.0") == 0 || strcmp(why->dsn, "5.7.1") == 0)
        return false;
    if (why->dsn[0] == '4')
        log_warn("imap(%.*s): %.*s: %s", STR(s->imap->user->user),
                 STR(w->where.mailbox), why->text);
    w->failed = true;
    w->why = *why;
    return why->dsn[0] != '4';
}

static enum progress
step(struct session *s, void *work)
{
    struct work *w = work;

    say_progress(s, &w->told);
    while (session_may_go_on(s)) {
        bool found = false;
        struct why why;
        enum rc rc = OK;

        if (w->box)
            rc = finder_go_on(&w->finder, &found, &why);
        else if (!enter_next(s, w, &why, &rc))
            return finish(s, w);
        if (rc == OK && found)
            tell(s, w);
        if (rc != OK || found)
            leave_mailbox(w);
        if (rc != OK && is_fatal(s, w, &why))
            return finish(s, w);
    }
    return MORE;
}

/* ---- the beginning */

/* "$" is of the selected mailbox. */
static bool
uses_saved(const struct search_key *key)
{
    if ((key->kind == SEARCH_SEQ || key->kind == SEARCH_UID) && key->set.saved)
        return true;
    for (size_t i = 0; i < key->count; i++)
        if (uses_saved(&key->children[i]))
            return true;
    return false;
}

static const char *
wrong(const struct session *s, const struct search *c)
{
    bool selected = c->source_count == 0, others = false;

    for (size_t i = 0; i < c->source_count; i++)
        if (c->sources[i].filter == FILTER_SELECTED)
            selected = true;
        else
            others = true;
    if (selected && s->box == NULL)
        return "Select a mailbox first";
    if (others && c->returns & RETURN_SAVE)
        return "SAVE is for the selected mailbox alone";
    if (others && uses_saved(c->key))
        return "$ is of the selected mailbox alone";
    return NULL;
}

/* False where they are too many. */
static bool
make_filters(struct session *s, struct work *w)
{
    const struct search *c = &w->c->search;
    size_t names = 0;

    w->selected = c->source_count == 0;
    w->filters =
        arena_alloc(s->command, (c->source_count + 1) * sizeof *w->filters);
    for (size_t i = 0; i < c->source_count; i++) {
        names += 1 + c->sources[i].mailboxes.count;
        if (names > NAMES_MAX)
            return false;
        if (c->sources[i].filter == FILTER_SELECTED)
            w->selected = true;
        else
            w->filters[w->filter_count++] =
                filter_make(s, s->command, &c->sources[i]);
    }
    return true;
}

static bool
is_listed(const struct space_list *folders, struct str name)
{
    for (size_t i = 0; i < folders->len; i++)
        if (folders->at[i].f.bits & FOLDER_SELECTABLE &&
            str_eq(folders->at[i].f.name, name))
            return true;
    return false;
}

/* Those that are named need not be such as the user is shown (2.2): what is
 * left of them, but has his right to read it, is looked for by its name. */
static void
add_named(struct session *s, struct space_list *all,
          const struct filter_names *named)
{
    struct why why;

    if (named->filter != FILTER_MAILBOXES)
        return;
    for (size_t i = 0; i < named->count; i++) {
        struct space_folder f = {
            .f = {.name = named->names[i], .bits = FOLDER_SELECTABLE}
        };

        if (!is_listed(all, f.f.name) &&
            space_find(s, f.f.name, &f.spot, &why) == OK)
            all->at[all->len++] = f;
    }
}

/* All that one of the filters may have. */
static enum rc
find_folders(struct session *s, struct work *w, struct why *why)
{
    struct space_list all;
    size_t room = 1;
    enum rc rc = space_list(s, s->command, SPACE_ALL, &all, why);

    if (rc != OK)
        return rc;
    for (size_t i = 0; i < w->filter_count; i++)
        room += w->filters[i].count;
    w->folders.len = all.len;
    w->folders.at = arena_alloc(s->command, (all.len + room) * sizeof *all.at);
    if (all.len > 0)
        memcpy(w->folders.at, all.at, all.len * sizeof *all.at);
    for (size_t i = 0; i < w->filter_count; i++)
        add_named(s, &w->folders, &w->filters[i]);
    return OK;
}

/* So that the selected one is not searched twice. */
static void
leave_out(struct space_list *folders, struct str name)
{
    for (size_t i = 0; i < folders->len; i++)
        if (str_eq(folders->at[i].f.name, name))
            folders->at[i].f.bits &= ~(unsigned)FOLDER_SELECTABLE;
}

void
do_esearch(struct session *s, const struct command *c)
{
    struct work *w = arena_make(s->command, struct work);
    struct why why;

    if (wrong(s, &c->search)) {
        reply_bad(s, "%s", wrong(s, &c->search));
        return;
    }
    if (!searching_charset(s, c))
        return;
    w->c = c;
    w->command = s->command;
    if (!make_filters(s, w)) {
        reply_no(s, "[LIMIT] Too many mailboxes are named");
        return;
    }
    if (w->filter_count > 0 && find_folders(s, w, &why) != OK) {
        reply_why(s, &why);
        return;
    }
    if (w->selected)
        leave_out(&w->folders, s->selected);
    w->a = arena_new("esearch", FINDER_MAX);
    session_task(
        s, (struct task){.step = step, .drop = drop, .work = w, .arena = w->a});
}
