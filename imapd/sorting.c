#include "sorting.h"

#include <string.h>

#include "access/fields.h"
#include "access/keys.h"
#include "store/changes.h"

#define FACTS_MAX   ((size_t)256 << 20) /* of all messages */
#define SCRATCH_MAX ((size_t)512 << 20)
#define MESSAGE_MAX ((size_t)1 << 20) /* facts of one, at most */

/* What the command compares. */
enum {
    WANT_SIZE = 1,
    WANT_DATE = 2,
    WANT_SUBJECT = 4,
    WANT_FROM = 8,
    WANT_TO = 16,
    WANT_CC = 32,
    WANT_DISPLAY_FROM = 64,
    WANT_DISPLAY_TO = 128,
    WANT_THREAD = 256,

    WANT_KEYS = WANT_DATE | WANT_THREAD, /* kept ready (keys.h) */
    WANT_ADDRESSES =
        WANT_FROM | WANT_TO | WANT_CC | WANT_DISPLAY_FROM | WANT_DISPLAY_TO,
    WANT_TEXTS = WANT_SUBJECT | WANT_ADDRESSES, /* of the header */
};

/* What is known of a message. */
struct known {
    bool all;
    struct sort_message sort;
    struct thread_message thread;
};

static unsigned
wants(const struct sorting *g)
{
    static const unsigned bits[] = {
        [SORT_ARRIVAL] = 0,
        [SORT_CC] = WANT_CC,
        [SORT_DATE] = WANT_DATE,
        [SORT_FROM] = WANT_FROM,
        [SORT_SIZE] = WANT_SIZE,
        [SORT_SUBJECT] = WANT_SUBJECT,
        [SORT_TO] = WANT_TO,
        [SORT_DISPLAYFROM] = WANT_DISPLAY_FROM,
        [SORT_DISPLAYTO] = WANT_DISPLAY_TO,
    };
    const struct search *c = &g->c->search;
    unsigned all = 0;

    if (g->thread)
        return WANT_THREAD;
    for (size_t i = 0; i < c->criteria_count; i++)
        all |= bits[c->criteria[i].key];
    return all;
}

enum rc
sorting_begin(struct sorting *g, struct session *s, const struct command *c,
              size_t count, struct why *why)
{
    size_t room = (count + 1) * (sizeof *g->hits + sizeof *g->threads);

    *g = (struct sorting){
        .s = s,
        .c = c,
        .thread = c->id == COMMAND_THREAD || c->id == COMMAND_UID_THREAD,
        .a = arena_new("sort", FACTS_MAX),
        .scratch = arena_new("sort scratch", SCRATCH_MAX),
        .headers = arena_new("sort header", SCRATCH_MAX),
    };
    g->wants = wants(g);
    if (room + MESSAGE_MAX > arena_room(s->command))
        return fail(why, "5.3.4", "too many messages to put in order");
    g->hits = arena_alloc(s->command, (count + 1) * sizeof *g->hits);
    if (g->thread)
        g->threads = arena_alloc(s->command, (count + 1) * sizeof *g->threads);
    else
        g->messages =
            arena_alloc(s->command, (count + 1) * sizeof *g->messages);
    return OK;
}

void
sorting_end(struct sorting *g)
{
    arena_free(g->a);
    arena_free(g->scratch);
    arena_free(g->headers);
    g->a = g->scratch = g->headers = NULL;
}

/* ---- what is known of each */

/* A copy of the texts that are asked for. */
static struct facts *
keep(struct sorting *g, const struct facts *f)
{
    struct facts *out = arena_make(g->a, struct facts);
    const struct {
        unsigned bit;
        struct str from, *to;
    } texts[] = {
        {WANT_SUBJECT,      f->subject,      &out->subject     },
        {WANT_FROM,         f->from,         &out->from        },
        {WANT_TO,           f->to,           &out->to          },
        {WANT_CC,           f->cc,           &out->cc          },
        {WANT_DISPLAY_FROM, f->display_from, &out->display_from},
        {WANT_DISPLAY_TO,   f->display_to,   &out->display_to  },
    };

    for (size_t i = 0; i < COUNT(texts); i++)
        if (g->wants & texts[i].bit && texts[i].from.p)
            *texts[i].to = arena_str(g->a, texts[i].from);
    return out;
}

static void
take_header(struct sorting *g, struct known *k, struct str header)
{
    unsigned asked = (g->wants & WANT_SUBJECT ? FACTS_SUBJECT : 0) |
                     (g->wants & WANT_ADDRESSES ? FACTS_ADDRESSES : 0);
    struct facts facts;

    arena_reset(g->scratch);
    facts_of(g->scratch, g->s->imap->charsets, header, asked, &facts);
    k->sort.facts = keep(g, &facts);
}

static bool
take_keys(struct sorting *g, struct known *k, const struct message *m,
          struct str kept)
{
    if (!g->thread)
        return keys_date(kept, m->date, &k->sort.date);
    if (!keys_read(g->a, kept, m->date, &k->thread))
        return false;
    k->thread.number = g->c->uid ? m->uid : view_seq(g->s->view, m->uid);
    return true;
}

static void
take_record(struct known *k, const struct message *m)
{
    *k = (struct known){
        .all = true, .sort = {.arrival = m->date, .size = m->vsize}
    };
}

/* One of which the index does not know all. */
static enum rc
open_one(struct sorting *g, struct known *k, uint32_t uid, struct why *why)
{
    struct opened o = {
        .uid = uid, .box = g->s->box, .charsets = g->s->imap->charsets};
    struct message m;
    struct str kept;
    enum rc rc = mailbox_message(o.box, uid, &m, why);

    if (rc == OK && g->wants & WANT_SIZE && m.vsize == 0)
        rc = mailbox_vsize(o.box, uid, &m.vsize, why);
    if (rc == OK)
        take_record(k, &m);
    if (rc == OK && g->wants & WANT_KEYS)
        rc = keys_of(g->headers, &o, &kept, why);
    if (rc == OK && g->wants & WANT_KEYS)
        k->all = take_keys(g, k, &m, kept);
    if (rc == OK && g->wants & WANT_TEXTS)
        rc = fields_of(g->headers, &o, &kept, why);
    if (rc == OK && g->wants & WANT_TEXTS)
        take_header(g, k, kept);
    message_close(&o);
    arena_reset(g->headers);
    return rc;
}

static void
take_kept(struct sorting *g, struct changes_walk *walk, const struct message *m,
          struct known *k)
{
    struct str header;

    take_record(k, m);
    if (m->saved == 0 || (g->wants & WANT_SIZE && m->vsize == 0))
        k->all = false; /* nobody has looked at its file yet */
    if (k->all && g->wants & WANT_KEYS)
        k->all = take_keys(g, k, m, changes_blob(walk, m->uid, BLOB_KEYS));
    if (!k->all || !(g->wants & WANT_TEXTS))
        return;
    if (fields_read(changes_blob(walk, m->uid, BLOB_FIELDS), &header))
        take_header(g, k, header);
    else
        k->all = false;
}

/* What the index knows. */
static enum rc
read_index(struct sorting *g, const struct hit *hits, size_t n,
           struct known *known, struct why *why)
{
    struct uid_range at[SORTING_SOME];
    struct changes_walk walk;
    struct message m;
    size_t i = 0, len = 0;

    for (size_t k = 0; k < n; k++) {
        uids_extend(at, &len, hits[k].uid);
        known[k].all = false;
    }
    enum rc rc =
        changes_begin(&walk, g->s->box, (struct uid_set){at, len}, why);

    if (rc != OK)
        return rc;
    while (changes_next(&walk, &m)) {
        while (hits[i].uid < m.uid)
            i++;
        take_kept(g, &walk, &m, &known[i]);
    }
    return changes_end(&walk, why);
}

static void
add(struct sorting *g, const struct hit *hit, const struct known *k)
{
    if (g->thread)
        g->threads[g->count] = k->thread;
    else
        g->messages[g->count] = k->sort;
    g->hits[g->count++] = *hit;
}

enum rc
sorting_add(struct sorting *g, const struct hit *hits, size_t n,
            struct why *why)
{
    struct known known[SORTING_SOME];

    if (arena_room(g->a) < n * MESSAGE_MAX)
        return fail(why, "5.3.4", "too many messages to put in order");
    enum rc rc = read_index(g, hits, n, known, why);

    for (size_t i = 0; rc == OK && i < n; i++) {
        if (!known[i].all)
            rc = open_one(g, &known[i], hits[i].uid, why);
        if (rc == OK)
            add(g, &hits[i], &known[i]);
        else if (strcmp(why->dsn, "5.2.0") == 0)
            rc = OK; /* it is gone */
    }
    return rc;
}

/* ---- the order */

static enum rc
begin_order(struct sorting *g, struct why *why)
{
    const struct search *c = &g->c->search;
    size_t things = g->count;

    for (size_t i = 0; g->thread && i < g->count; i++)
        things += g->threads[i].count;
    if (things > SCRATCH_MAX / 256)
        return fail(why, "5.3.4", "too many messages to put in order");
    arena_reset(g->scratch);
    if (g->thread)
        g->threading =
            thread_begin(g->scratch, c->method, g->threads, g->count);
    else
        sort_begin(&g->sort, g->scratch, g->messages, g->count, c->criteria,
                   c->criteria_count);
    g->ordering = true;
    return OK;
}

enum rc
sorting_order(struct sorting *g, bool *done, struct why *why)
{
    *done = false;
    if (!g->ordering)
        return begin_order(g, why);
    *done = g->thread ? thread_step(g->threading) : sort_step(&g->sort);
    return OK;
}

size_t
sorting_take(const struct sorting *g, struct hit *hits)
{
    for (size_t i = 0; i < g->count; i++)
        hits[i] = g->hits[g->sort.order.at[i].place];
    return g->count;
}

bool
sorting_put_threads(struct sorting *g, struct buf *b)
{
    return thread_put(g->threading, b);
}
