/* LIST and LSUB: RFC 9051 6.3.9, 3501 6.3.9, 5258, 5819, 6154, 8440, 9590. */
#include "base/hash.h"
#include "condstore.h"
#include "notes.h"
#include "pattern.h"
#include "rights.h"
#include "space.h"
#include "status.h"

/* Bytes of all patterns of a command: the work for each folder. */
#define PATTERNS_MAX 16384
/* And of what they are made of, each with the reference in front. */
#define WHOLE_MAX ((size_t)8 << 20)
#define NOTES_MAX ((size_t)256 << 20) /* of one folder */

/* What is below a folder. */
enum {
    BELOW_MEETS = 1,  /* one that meets the selection */
    BELOW_UNTOLD = 2, /* and matches no pattern */
};

struct work {
    const struct list *list;
    bool lsub;
    char separator;
    struct str *patterns;
    size_t count;
    struct space_list folders;
    bool *matched;   /* of each folder: a pattern fits its name */
    bool *meets;     /* what was selected by fits it */
    unsigned *below; /* BELOW_ bits */
    size_t compared; /* so many with the patterns */
    size_t next;
    bool listed;                   /* of the next one, its LIST has been told */
    struct status_telling telling; /* and its STATUS is */
    int64_t told;
};

/* ---- what the client asked for */

static void
add_pattern(struct session *s, struct work *w, struct str sent)
{
    struct buf whole = buf_in(s->command);
    struct str pattern;

    buf_add(&whole, w->list->reference);
    buf_add(&whole, sent);
    /* Else no folder can have that name. */
    if (sent.len > 0 && take_pattern(s, buf_str(&whole), &pattern))
        w->patterns[w->count++] = pattern_make(s->command, pattern);
}

static bool
take_patterns(struct session *s, struct work *w)
{
    const struct strings *sent = &w->list->patterns;
    size_t bytes = 0, whole = 0;

    w->patterns = arena_alloc(s->command, sent->count * sizeof *w->patterns);
    for (size_t i = 0; i < sent->count && bytes <= PATTERNS_MAX; i++) {
        size_t before = w->count;

        whole += w->list->reference.len + sent->at[i].len;
        if (whole > WHOLE_MAX)
            return false;
        add_pattern(s, w, sent->at[i]);
        if (w->count > before)
            bytes += w->patterns[before].len;
    }
    return bytes <= PATTERNS_MAX;
}

static bool
matches(const struct work *w, struct str name)
{
    for (size_t i = 0; i < w->count; i++)
        if (pattern_match(w->patterns[i], name, w->separator))
            return true;
    return false;
}

/* ---- which folders */

/* A name that somebody subscribed to is none of a folder by that. */
static bool
is_there(const struct folder *f)
{
    return f->path || f->bits & FOLDER_CHILDREN;
}

static bool
meets(const struct work *w, const struct folder *f)
{
    unsigned select = w->list->select;

    if (select & LIST_SUBSCRIBED && !(f->bits & FOLDER_SUBSCRIBED))
        return false;
    if (select & LIST_SPECIAL_USE && f->use.len == 0)
        return false;
    return select & LIST_SUBSCRIBED || is_there(f);
}

/* RECURSIVEMATCH: whatever is above one that meets the selection. */
static void
mark_above(struct work *w)
{
    struct hash *places = hash_new();

    for (size_t i = 0; i < w->folders.len; i++)
        *hash_put(places, w->folders.at[i].f.name) = &w->below[i];
    for (size_t i = 0; i < w->folders.len; i++) {
        unsigned bits = BELOW_MEETS | (w->matched[i] ? 0 : BELOW_UNTOLD);
        struct str name = w->folders.at[i].f.name;
        ssize_t at;

        while (w->meets[i] && (at = str_rfind(name, w->separator)) > 0) {
            name = str_sub(name, 0, (size_t)at);
            unsigned *below = hash_get(places, name);

            if (below)
                *below |= bits;
        }
    }
    hash_free(places);
}

static void
select_folders(struct session *s, struct work *w)
{
    size_t len = w->folders.len;

    w->matched = arena_alloc(s->command, len * sizeof *w->matched);
    w->meets = arena_alloc(s->command, len * sizeof *w->meets);
    w->below = arena_alloc(s->command, len * sizeof *w->below);
    for (size_t i = 0; i < len; i++)
        w->meets[i] = meets(w, &w->folders.at[i].f);
}

/* Patterns may be long. False: the turn is over. */
static bool
compare(struct session *s, struct work *w)
{
    while (w->compared < w->folders.len) {
        size_t i = w->compared;

        if (!session_may_go_on(s))
            return false;
        w->matched[i] = matches(w, w->folders.at[i].f.name);
        if (++w->compared == w->folders.len &&
            (w->lsub || w->list->select & LIST_RECURSIVEMATCH))
            mark_above(w);
    }
    return true;
}

/* ---- a response */

static void
put_word(struct buf *b, struct str word)
{
    if (b->p[b->len - 1] != '(')
        buf_addc(b, ' ');
    buf_add(b, word);
}

static void
put_attributes(const struct session *s, struct buf *b, const struct list *l,
               const struct folder *f)
{
    bool modern = l->extended || s->enabled & ENABLED_REV2;

    buf_addc(b, '(');
    if (!(f->bits & FOLDER_SELECTABLE))
        put_word(b, modern && f->path == NULL ? S("\\NonExistent")
                                              : S("\\Noselect"));
    if ((l->select | l->returned) & LIST_SUBSCRIBED &&
        f->bits & FOLDER_SUBSCRIBED)
        put_word(b, S("\\Subscribed"));
    if (l->returned & LIST_CHILDREN || !l->extended)
        put_word(b, f->bits & FOLDER_CHILDREN ? S("\\HasChildren")
                                              : S("\\HasNoChildren"));
    if (f->use.len > 0)
        put_word(b, f->use);
    buf_addc(b, ')');
}

/* Which selection a folder below it meets (RFC 5258 4). */
static void
put_childinfo(struct buf *b, unsigned select)
{
    buf_add(b, S(" (\"CHILDINFO\" ("));
    if (select & LIST_SUBSCRIBED)
        buf_add(b, S("\"SUBSCRIBED\""));
    if (select & LIST_SPECIAL_USE)
        put_word(b, S("\"SPECIAL-USE\""));
    buf_add(b, S("))"));
}

static void
put_response(const struct session *s, struct buf *b, const struct list *l,
             const struct folder *f)
{
    buf_add(b, S("* LIST "));
    put_attributes(s, b, l, f);
    buf_fmt(b, " \"%c\" ", s->imap->names.separator);
    put_mailbox(s, b, f->name);
}

void
put_list(const struct session *s, struct buf *b, const struct folder *f)
{
    static const struct list all = {
        .extended = true, .returned = LIST_SUBSCRIBED | LIST_CHILDREN};

    put_response(s, b, &all, f);
}

static void
tell_list(struct session *s, const struct work *w, size_t i)
{
    struct folder f = w->folders.at[i].f;
    struct buf b = buf_in(s->command);

    /* RFC 5819 2: whose status is asked for and cannot be told. */
    if (w->list->returned & LIST_STATUS && f.path &&
        !(w->folders.at[i].spot.rights & RIGHT_READ))
        f.bits &= ~(unsigned)FOLDER_SELECTABLE;
    put_response(s, &b, w->list, &f);
    if (w->list->select & LIST_RECURSIVEMATCH && w->below[i])
        put_childinfo(&b, w->list->select);
    buf_add(&b, S("\r\n"));
    conn_put(s->conn, buf_str(&b));
}

/* LSUB tells \Noselect of what is only above a subscribed name. */
static void
tell_lsub(struct session *s, const struct work *w, size_t i)
{
    const struct folder *f = &w->folders.at[i].f;
    struct buf b = buf_in(s->command);
    bool plain = w->meets[i];

    buf_fmt(&b, "* LSUB (%s) \"%c\" ", plain ? "" : "\\Noselect", w->separator);
    put_mailbox(s, &b, f->name);
    buf_add(&b, S("\r\n"));
    conn_put(s->conn, buf_str(&b));
}

/* ---- all of them */

/* What does not meet the selection is told of where one below it does that is
 * not told itself (RFC 5258 3.3, 3.5). */
static bool
is_told(const struct work *w, size_t i)
{
    bool parents = w->list->select & LIST_RECURSIVEMATCH ||
                   (w->lsub && str_find(w->list->patterns.at[0], '%') >= 0);

    return w->matched[i] &&
           (w->meets[i] || (parents && w->below[i] & BELOW_UNTOLD));
}

/* Where a mailbox cannot be looked at, nothing is said. False: the turn is
 * over.
 */
static bool
tell_status(struct session *s, struct work *w, const struct folder *f)
{
    struct why why;
    bool done;

    if (!w->listed)
        w->telling =
            (struct status_telling){.name = f->name, .items = w->list->status};
    w->listed = true;
    return status_go_on(s, &w->telling, &done, &why) != OK || done;
}

/* They may be long, and all that the user noted is read for them. */
static void
tell_notes(struct session *s, const struct work *w,
           const struct space_folder *f)
{
    struct arena *a = arena_new("notes", NOTES_MAX);
    struct arena *own = session_borrow(s, a);

    notes_tell(s, &f->spot, f->f.name, &w->list->metadata);
    session_borrow(s, own);
    arena_free(a);
}

/* All about a folder; false: the turn is over. */
static bool
tell(struct session *s, struct work *w, size_t i)
{
    const struct folder *f = &w->folders.at[i].f;

    if (w->lsub) {
        tell_lsub(s, w, i);
        return true;
    }
    if (!w->listed)
        tell_list(s, w, i);
    /* Of what only stands above a match nothing more (5819 3, 8440 4, 9590). */
    if (!w->meets[i])
        return true;
    if (w->list->returned & LIST_STATUS && f->bits & FOLDER_SELECTABLE &&
        !tell_status(s, w, f))
        return false;
    w->listed = false;
    if (w->list->returned & LIST_MYRIGHTS)
        rights_tell(s, &w->folders.at[i]);
    if (w->list->returned & LIST_METADATA && f->bits & FOLDER_SELECTABLE)
        tell_notes(s, w, &w->folders.at[i]);
    return true;
}

static enum progress
step(struct session *s, void *work)
{
    struct work *w = work;

    say_progress(s, &w->told);
    if (!compare(s, w))
        return MORE;
    for (; w->next < w->folders.len; w->next++)
        if (!session_may_go_on(s) ||
            (is_told(w, w->next) && !tell(s, w, w->next)))
            return MORE;
    reply_ok(s, "Listed");
    return DONE;
}

static void
drop(struct session *s, void *work)
{
    struct work *w = work;

    (void)s;
    status_drop(&w->telling);
}

/* RFC 9051 6.3.9: an empty pattern asks for the separator, and for the root of
 * the reference. */
static bool
asks_separator(const struct list *l)
{
    return !l->extended && l->patterns.count == 1 && l->patterns.at[0].len == 0;
}

static void
tell_separator(struct session *s, const struct work *w)
{
    struct str name, root = S("");
    struct buf b = buf_in(s->command);

    if (take_mailbox(s, w->list->reference, &name))
        root = space_prefix(s->imap, name);
    buf_fmt(&b, "* %s (\\Noselect) \"%c\" ", w->lsub ? "LSUB" : "LIST",
            w->separator);
    put_mailbox(s, &b, root);
    buf_add(&b, S("\r\n"));
    conn_put(s->conn, buf_str(&b));
}

static bool
metadata_is_good(const struct list *l)
{
    for (size_t i = 0; i < l->metadata.count; i++)
        if (l->metadata.count > METADATA_ENTRIES ||
            !notes_valid(l->metadata.at[i]))
            return false;
    return true;
}

/* Could the pattern match a name of that namespace, or the namespace's own? */
static bool
may_be_in(struct str pattern, struct str prefix)
{
    size_t head = 0, len;

    while (head < pattern.len && !strchr("*%", pattern.p[head]))
        head++;
    len = head < prefix.len - 1 ? head : prefix.len - 1;
    return memcmp(pattern.p, prefix.p, len) == 0 &&
           (head < pattern.len || head >= prefix.len - 1);
}

/* Mail of others is looked at only where it may have to be told of. */
static unsigned
wanted_kinds(const struct session *s, const struct work *w)
{
    unsigned kinds = SPACE_PRIVATE;

    for (size_t i = 0; i < w->count; i++)
        for (unsigned kind = SPACE_SHARED; kind <= SPACE_PUBLIC; kind *= 2) {
            const struct mail_space *space;
            size_t pos = 0;

            while ((space = space_next_of(s->imap, kind, &pos)))
                if (may_be_in(w->patterns[i], space->prefix))
                    kinds |= kind;
        }
    return kinds;
}

void
do_list(struct session *s, const struct command *c)
{
    struct work *w = arena_make(s->command, struct work);
    struct list *l = arena_make(s->command, struct list);
    struct why why;

    *l = c->list;
    w->list = l;
    w->lsub = c->id == COMMAND_LSUB;
    w->separator = s->imap->names.separator;
    if (w->lsub)
        l->select = LIST_SUBSCRIBED;
    if (asks_separator(l)) {
        tell_separator(s, w);
        reply_ok(s, "Listed");
        return;
    }
    if (l->returned & LIST_STATUS && l->status & STATUS_HIGHESTMODSEQ)
        condstore_enable(s);
    if (!take_patterns(s, w)) {
        reply_no(s, "[LIMIT] Too many patterns");
        return;
    }
    if (!metadata_is_good(l)) {
        reply_bad(s, "This is no entry of METADATA");
        return;
    }
    if (space_list(s, s->command, wanted_kinds(s, w), &w->folders, &why) !=
        OK) {
        reply_why(s, &why);
        return;
    }
    select_folders(s, w);
    session_task(s, (struct task){.step = step, .drop = drop, .work = w});
}
