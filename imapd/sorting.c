#include "sorting.h"

#include <stdlib.h>
#include <string.h>

#include "store/changes.h"

#define FACTS_MAX   ((size_t)256 << 20) /* of all messages */
#define SCRATCH_MAX ((size_t)512 << 20)
#define MESSAGE_MAX ((size_t)1 << 20) /* facts of one, at most */

enum {
    SORTING_SIZE = 1,
    SORTING_DATE = 2,
    SORTING_SUBJECT = 4,
    SORTING_FROM = 8,
    SORTING_TO = 16,
    SORTING_CC = 32,
    SORTING_DISPLAY_FROM = 64,
    SORTING_DISPLAY_TO = 128,
    SORTING_REFERENCES = 256,
};

static unsigned
wants(const struct sorting *g)
{
    static const unsigned bits[] = {
        [SORT_ARRIVAL] = 0,
        [SORT_CC] = SORTING_CC,
        [SORT_DATE] = SORTING_DATE,
        [SORT_FROM] = SORTING_FROM,
        [SORT_SIZE] = SORTING_SIZE,
        [SORT_SUBJECT] = SORTING_SUBJECT,
        [SORT_TO] = SORTING_TO,
        [SORT_DISPLAYFROM] = SORTING_DISPLAY_FROM,
        [SORT_DISPLAYTO] = SORTING_DISPLAY_TO,
    };
    const struct search *c = &g->c->search;
    unsigned all = 0;

    if (g->thread)
        return SORTING_DATE | SORTING_SUBJECT | SORTING_REFERENCES;
    for (size_t i = 0; i < c->criteria_count; i++)
        all |= bits[c->criteria[i].key];
    return all;
}

static unsigned
facts_wanted(const struct sorting *g)
{
    static const struct {
        unsigned sorting, facts;
    } bits[] = {
        {SORTING_DATE,                    FACTS_DATE      },
        {SORTING_SUBJECT,                 FACTS_SUBJECT   },
        {SORTING_REFERENCES,              FACTS_REFERENCES},
        {SORTING_FROM | SORTING_TO | SORTING_CC | SORTING_DISPLAY_FROM |
             SORTING_DISPLAY_TO, FACTS_ADDRESSES },
    };
    unsigned facts = 0;

    for (size_t i = 0; i < COUNT(bits); i++)
        if (g->wants & bits[i].sorting)
            facts |= bits[i].facts;
    return facts;
}

void
sorting_begin(struct sorting *g, struct session *s, const struct command *c,
              size_t count)
{
    *g = (struct sorting){
        .s = s,
        .c = c,
        .thread = c->id == COMMAND_THREAD || c->id == COMMAND_UID_THREAD,
        .a = arena_new("sort", FACTS_MAX),
        .scratch = arena_new("sort scratch", SCRATCH_MAX),
        .headers = arena_new("sort header", SCRATCH_MAX),
    };
    g->wants = wants(g);
    g->facts = facts_wanted(g);
    g->messages = arena_alloc(s->command, (count + 1) * sizeof *g->messages);
    g->ids = arena_alloc(s->command, (count + 1) * sizeof *g->ids);
}

void
sorting_end(struct sorting *g)
{
    arena_free(g->a);
    arena_free(g->scratch);
    arena_free(g->headers);
    g->a = g->scratch = g->headers = NULL;
}

/* A copy of what is asked for. */
static struct facts *
keep(struct sorting *g, const struct facts *f)
{
    struct facts *out = arena_make(g->a, struct facts);
    const struct {
        unsigned bit;
        struct str from, *to;
    } texts[] = {
        {SORTING_SUBJECT,      f->subject,      &out->subject     },
        {SORTING_FROM,         f->from,         &out->from        },
        {SORTING_TO,           f->to,           &out->to          },
        {SORTING_CC,           f->cc,           &out->cc          },
        {SORTING_DISPLAY_FROM, f->display_from, &out->display_from},
        {SORTING_DISPLAY_TO,   f->display_to,   &out->display_to  },
        {SORTING_REFERENCES,   f->message_id,   &out->message_id  },
    };

    out->dated = f->dated;
    out->date = f->date;
    out->reply = f->reply;
    for (size_t i = 0; i < COUNT(texts); i++)
        if (g->wants & texts[i].bit && texts[i].from.p)
            *texts[i].to = arena_str(g->a, texts[i].from);
    if (g->wants & SORTING_REFERENCES && f->count > 0) {
        out->count = f->count;
        out->references = arena_alloc(g->a, f->count * sizeof *f->references);
        for (size_t i = 0; i < f->count; i++)
            out->references[i] = arena_str(g->a, f->references[i]);
    }
    return out;
}

static void
take_header(struct sorting *g, struct sort_message *out, struct str header)
{
    struct facts facts;

    arena_reset(g->scratch);
    facts_of(g->scratch, g->s->imap->charsets, header, g->facts, &facts);
    out->facts = keep(g, &facts);
}

static void
take_record(struct sorting *g, struct sort_message *out,
            const struct message *m)
{
    static const struct facts none;

    *out = (struct sort_message){
        .number = view_seq(g->s->view, m->uid),
        .arrival = m->date,
        .size = m->vsize,
        .facts = &none,
    };
}

/* One of which the index does not know all. */
static enum rc
open_one(struct sorting *g, struct sort_message *out, uint32_t uid,
         struct why *why)
{
    struct opened o = {.uid = uid};
    struct message m;
    struct str header;
    enum rc rc = mailbox_message(g->s->box, uid, &m, why);

    if (rc == OK && g->wants & SORTING_SIZE && m.vsize == 0)
        rc = mailbox_vsize(g->s->box, uid, &m.vsize, why);
    if (rc == OK)
        take_record(g, out, &m);
    if (rc == OK && g->facts)
        rc = fields_of(g->s, g->headers, &o, &header, why);
    if (rc == OK && g->facts)
        take_header(g, out, header);
    message_close(&o);
    arena_reset(g->headers);
    return rc;
}

static void
take_kept(struct sorting *g, struct changes_walk *walk, const struct message *m,
          struct sort_message *out)
{
    struct str header, kept = {0};
    struct facts facts = {0};

    if (g->facts)
        kept = changes_blob(walk, m->uid, BLOB_FIELDS);
    if (g->facts == 0) {
        take_record(g, out, m);
    } else if (g->facts == FACTS_DATE) {
        if (!fields_date(kept, &facts.dated, &facts.date))
            return;
        take_record(g, out, m);
        out->facts = keep(g, &facts);
    } else if (fields_read(kept, &header)) {
        take_record(g, out, m);
        take_header(g, out, header);
    }
}

/* What the index knows; number 0 for others. */
static enum rc
read_index(struct sorting *g, const struct hit *hits, size_t n,
           struct sort_message *out, struct why *why)
{
    struct uid_range at[SORTING_SOME];
    struct changes_walk walk;
    struct message m;
    size_t i = 0, len = 0;

    for (size_t k = 0; k < n; k++) {
        uids_extend(at, &len, hits[k].uid);
        out[k] = (struct sort_message){0};
    }
    enum rc rc =
        changes_begin(&walk, g->s->box, (struct uid_set){at, len}, why);

    if (rc != OK)
        return rc;
    while (changes_next(&walk, &m)) {
        while (hits[i].uid < m.uid)
            i++;
        if (g->wants & SORTING_SIZE && m.vsize == 0)
            continue;
        take_kept(g, &walk, &m, &out[i]);
    }
    return changes_end(&walk, why);
}

enum rc
sorting_add(struct sorting *g, const struct hit *hits, size_t n,
            struct why *why)
{
    struct sort_message out[SORTING_SOME];

    if (arena_room(g->a) < n * MESSAGE_MAX)
        return fail(why, "5.3.4", "too many messages to put in order");
    enum rc rc = read_index(g, hits, n, out, why);

    for (size_t i = 0; rc == OK && i < n; i++) {
        if (out[i].number == 0)
            rc = open_one(g, &out[i], hits[i].uid, why);
        if (rc == OK) {
            g->messages[g->count] = out[i];
            g->ids[g->count++] = hits[i].uid;
        } else if (strcmp(why->dsn, "5.2.0") == 0) {
            rc = OK; /* it is gone */
        }
    }
    return rc;
}

static int
by_uid(const void *pa, const void *pb)
{
    const struct hit *a = pa, *b = pb;

    return (a->uid > b->uid) - (a->uid < b->uid);
}

size_t
sorting_sort(struct sorting *g, struct hit *hits, size_t count)
{
    const struct search *c = &g->c->search;
    struct hit *old = arena_alloc(g->s->command, (count + 1) * sizeof *old);

    if (count > 0)
        memcpy(old, hits, count * sizeof *old);
    sort_messages(g->messages, g->count, c->criteria, c->criteria_count);
    for (size_t i = 0; i < g->count; i++) {
        struct hit key = {.uid = view_uid(g->s->view, g->messages[i].number)};

        hits[i] = *(struct hit *)bsearch(&key, old, count, sizeof key, by_uid);
    }
    return g->count;
}

enum rc
sorting_threads(struct sorting *g, struct buf *b, struct why *why)
{
    size_t things = g->count;

    for (size_t i = 0; i < g->count; i++)
        things += g->messages[i].facts->count;
    arena_reset(g->scratch);
    if (things > SCRATCH_MAX / 256)
        return fail(why, "5.3.4", "too many messages to make threads of");
    for (size_t i = 0; i < g->count && !g->c->uid; i++)
        g->ids[i] = g->messages[i].number;
    buf_add(b, S("* THREAD"));
    if (g->count > 0) {
        buf_addc(b, ' ');
        thread_put(g->scratch, g->c->search.method, g->messages, g->ids,
                   g->count, b);
    }
    buf_add(b, S("\r\n"));
    return OK;
}
