#include "sorting.h"

#include <stdlib.h>
#include <string.h>

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
    };
    g->wants = wants(g);
    g->messages = arena_alloc(s->command, (count + 1) * sizeof *g->messages);
    g->ids = arena_alloc(s->command, (count + 1) * sizeof *g->ids);
}

void
sorting_end(struct sorting *g)
{
    if (g->a)
        arena_free(g->a);
    if (g->scratch)
        arena_free(g->scratch);
    g->a = g->scratch = NULL;
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

static enum rc
take_facts(struct sorting *g, struct sort_message *m, uint32_t uid,
           struct why *why)
{
    struct opened o = {.uid = uid};
    struct facts facts;
    struct str header;
    enum rc rc = fields_of(g->s, g->scratch, &o, &header, why);

    if (rc == OK) {
        facts_of(g->scratch, g->s->imap->charsets, header, &facts);
        m->facts = keep(g, &facts);
    }
    message_close(&o);
    return rc;
}

static enum rc
take(struct sorting *g, struct sort_message *out, uint32_t uid, struct why *why)
{
    static const struct facts none;
    struct message m;
    enum rc rc = mailbox_message(g->s->box, uid, &m, why);

    if (rc == OK && g->wants & SORTING_SIZE && m.vsize == 0)
        rc = mailbox_vsize(g->s->box, uid, &m.vsize, why);
    *out = (struct sort_message){
        .number = view_seq(g->s->view, uid),
        .arrival = m.date,
        .size = m.vsize,
        .facts = &none,
    };
    if (rc == OK && g->wants & ~(unsigned)SORTING_SIZE)
        rc = take_facts(g, out, uid, why);
    return rc;
}

enum rc
sorting_add(struct sorting *g, uint32_t uid, struct why *why)
{
    enum rc rc;

    arena_reset(g->scratch);
    if (arena_room(g->a) < MESSAGE_MAX)
        return fail(why, "5.3.4", "too many messages to put in order");
    rc = take(g, &g->messages[g->count], uid, why);
    if (rc == OK)
        g->ids[g->count++] = uid;
    else if (strcmp(why->dsn, "5.2.0") == 0)
        return OK;
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
