#include "mail/thread.h"

#include "base/hash.h"
#include "base/order.h"

#define STEP 256 /* a message has up to 100 references */

/* Nodes go by their index; 0 is none, and the root of all. Message i of the
 * caller's array is node i + 1; those behind them are no message's: ids that
 * others mention, and what holds threads with one subject together. */
typedef uint32_t node_id;

struct node {
    node_id parent;
    node_id child, last, next; /* next: among siblings */
    node_id set, size;         /* see find_set */
};

/* From ids, or subjects, to nodes. */
struct place {
    uint64_t number;
    node_id node; /* 0: the place is free */
};

struct table {
    struct place *at;
    unsigned shift;
};

struct threading {
    const struct thread_message *messages;
    size_t message_count;
    struct arena *a;
    struct node *nodes; /* from 1 */
    node_id count;
    struct table ids, subjects;
    uint64_t secret;
    struct order order;
    node_id *top; /* threads, in order */
    size_t top_count;
    node_id *newest; /* message, of a set */

    unsigned method; /* its bit */
    const struct phase *phase;
    size_t at; /* how far the phase has come */
    node_id writing;
};

/* ---- tables ---- */

static struct table
table_new(struct arena *a, size_t most)
{
    struct table t = {.shift = 62};

    while ((size_t)1 << (64 - t.shift) < 2 * most)
        t.shift--;
    t.at = arena_alloc(a, sizeof *t.at << (64 - t.shift));
    return t;
}

/* The place of a number, perhaps a free one, which is its own then. Who sends
 * mail cannot know where in the table that is. */
static node_id *
table_put(const struct threading *t, struct table *table, uint64_t number)
{
    size_t mask = ((size_t)1 << (64 - table->shift)) - 1;
    size_t at = (size_t)(number * t->secret >> table->shift);

    while (table->at[at].node != 0 && table->at[at].number != number)
        at = (at + 1) & mask;
    table->at[at].number = number;
    return &table->at[at].node;
}

/* ---- nodes ---- */

static bool
is_dummy(const struct threading *t, node_id n)
{
    return n > t->message_count;
}

static const struct thread_message *
message_of(const struct threading *t, node_id n)
{
    return &t->messages[n - 1];
}

static node_id
new_dummy(struct threading *t)
{
    node_id n = ++t->count;

    t->nodes[n] = (struct node){.set = n, .size = 1};
    return n;
}

static node_id
node_of_id(struct threading *t, uint64_t id)
{
    node_id *place = table_put(t, &t->ids, id);

    if (*place == 0)
        *place = new_dummy(t);
    return *place;
}

/* Of nodes that are linked, directly or not, all have the same set. */
static node_id
find_set(struct threading *t, node_id n)
{
    while (t->nodes[n].set != n) {
        t->nodes[n].set = t->nodes[t->nodes[n].set].set;
        n = t->nodes[n].set;
    }
    return n;
}

/* Make one the parent of another, which has none; not where that would close a
 * loop: a tree whose top the child is would contain the parent. */
static void
link_nodes(struct threading *t, node_id parent, node_id child)
{
    node_id large = find_set(t, parent), small = find_set(t, child);

    if (t->nodes[child].parent != 0 || large == small)
        return;
    t->nodes[child].parent = parent;
    if (t->nodes[large].size < t->nodes[small].size) {
        node_id other = large;

        large = small;
        small = other;
    }
    t->nodes[small].set = large;
    t->nodes[large].size += t->nodes[small].size;
}

/* ---- REFERENCES, step 1. RFC 5256 goes message by message, and lets a
 * message's own last reference override what others said of it. Here all
 * messages speak for themselves first, so nothing is ever unlinked, and a loop
 * is seen at once however long the chains are. It comes to the same but where
 * References contradict each other, and where a message has none of its own:
 * what others say of it holds, whether they come before it or behind. */

/* An id that two have: the second one is on its own. */
static void
enter_message(struct threading *t, uint32_t i)
{
    const struct thread_message *m = &t->messages[i];
    node_id n = i + 1, *place;

    t->nodes[n] = (struct node){.set = n, .size = 1};
    place = m->id ? table_put(t, &t->ids, m->id) : NULL;
    if (place && *place == 0)
        *place = n;
}

static void
link_parent(struct threading *t, uint32_t i)
{
    const struct thread_message *m = &t->messages[i];

    if (m->count > 0)
        link_nodes(t, node_of_id(t, m->references[m->count - 1]), i + 1);
}

static void
link_ancestors(struct threading *t, uint32_t i)
{
    const struct thread_message *m = &t->messages[i];
    node_id parent = m->count > 1 ? node_of_id(t, m->references[0]) : 0;

    for (size_t r = 1; r < m->count; r++) {
        node_id child = node_of_id(t, m->references[r]);

        link_nodes(t, parent, child);
        parent = child;
    }
}

/* ---- Step 3: ids without message go, and their children move up; but one at
 * the top that holds several together stays. */

/* From a message to the next one above it, or to the top. The way is made
 * shorter for those that come later. `last` of one at the top without message
 * is its only child, or itself where it has several. */
static void
move_up(struct threading *t, uint32_t i)
{
    node_id p = t->nodes[i + 1].parent;

    while (is_dummy(t, p) && t->nodes[p].parent != 0) {
        node_id up = t->nodes[p].parent;

        if (is_dummy(t, up) && t->nodes[up].parent != 0)
            up = t->nodes[p].parent = t->nodes[up].parent;
        p = up;
    }
    t->nodes[i + 1].parent = p;
    if (is_dummy(t, p))
        t->nodes[p].last = t->nodes[p].last == 0 ? i + 1 : p;
}

static void
leave_single(struct threading *t, uint32_t i)
{
    node_id p = t->nodes[i + 1].parent;

    if (is_dummy(t, p) && t->nodes[p].last == i + 1)
        t->nodes[i + 1].parent = 0;
}

/* ---- order: all messages by date once, so siblings come in order */

static void
take_date(struct threading *t, uint32_t i)
{
    t->order.at[i] = (struct order_item){
        .key = order_number(t->messages[i].date), .place = i};
}

static void
forget_children(struct threading *t, uint32_t i)
{
    struct node *n = &t->nodes[i];

    n->child = n->last = n->next = 0;
}

static void
append(struct threading *t, node_id parent, node_id n)
{
    struct node *p = &t->nodes[parent];

    if (p->last == 0)
        p->child = n;
    else
        t->nodes[p->last].next = n;
    p->last = n;
    if (parent == 0)
        t->top[t->top_count++] = n;
}

/* What has no message has the date of its first child. */
static void
take_place(struct threading *t, uint32_t i)
{
    node_id n = t->order.at[i].place + 1, p = t->nodes[n].parent;

    if (i == 0)
        t->top_count = 0;
    if (is_dummy(t, p) && t->nodes[p].last == 0)
        append(t, 0, p);
    append(t, p, n);
}

/* ---- Step 5: threads with the same subject become one */

/* The message that speaks for a thread: its top, or the first below it. */
static node_id
speaker_of(const struct threading *t, node_id n)
{
    return is_dummy(t, n) ? t->nodes[n].child : n;
}

static bool
is_reply(const struct threading *t, node_id n)
{
    return message_of(t, speaker_of(t, n))->reply;
}

static node_id *
place_of_subject(struct threading *t, node_id n)
{
    uint64_t subject = message_of(t, speaker_of(t, n))->subject;

    return subject ? table_put(t, &t->subjects, subject) : NULL;
}

/* Which one a subject's threads go to: one that is nobody's message, or else
 * one that is no reply. */
static void
choose(struct threading *t, uint32_t i)
{
    node_id n = t->top[i], *place = place_of_subject(t, n);

    if (place == NULL)
        return;
    if (*place == 0 ||
        (!is_dummy(t, *place) &&
         (is_dummy(t, n) || (is_reply(t, *place) && !is_reply(t, n)))))
        *place = n;
}

static void
merge(struct threading *t, uint32_t i)
{
    node_id n = t->top[i], *place = place_of_subject(t, n);
    node_id other = place ? *place : n, both;

    if (other == n)
        return;
    if (is_dummy(t, other) && is_dummy(t, n)) {
        for (node_id c = t->nodes[n].child; c; c = t->nodes[c].next)
            t->nodes[c].parent = other;
    } else if (is_dummy(t, other) || (is_reply(t, n) && !is_reply(t, other))) {
        t->nodes[n].parent = other;
    } else {
        both = new_dummy(t);
        t->nodes[both].child = other;
        t->nodes[other].parent = t->nodes[n].parent = both;
        *place = both;
    }
}

/* ---- REFS: a thread counts by its newest message, so that one that goes on
 * comes to the end. All of a thread are linked, so it is one set. */

static void
find_newest(struct threading *t, uint32_t i)
{
    node_id n = t->order.at[i].place + 1;

    t->newest[find_set(t, n)] = n;
}

static int
by_speaker(const void *self, uint32_t a, uint32_t b)
{
    node_id x = speaker_of(self, a), y = speaker_of(self, b);

    return (x > y) - (x < y);
}

static void
take_newest(struct threading *t, uint32_t i)
{
    node_id n = t->newest[find_set(t, t->top[i])];

    if (i == 0) {
        order_begin(&t->order, t->a, t->top_count);
        t->order.tie = by_speaker;
        t->order.self = t;
    }
    t->order.at[i] = (struct order_item){
        .key = order_number(message_of(t, n)->date), .place = t->top[i]};
}

static void
take_top(struct threading *t, uint32_t i)
{
    if (i == 0) {
        t->top_count = 0;
        forget_children(t, 0);
    }
    t->nodes[t->order.at[i].place].next = 0;
    append(t, 0, t->order.at[i].place);
}

/* ---- ORDEREDSUBJECT: the first of a subject has all others below it */

static void
link_subject(struct threading *t, uint32_t i)
{
    node_id n = t->order.at[i].place + 1;
    node_id *place = table_put(t, &t->subjects, message_of(t, n)->subject);

    if (*place == 0)
        *place = n;
    else
        t->nodes[n].parent = *place;
}

/* ---- the phases: what is done to each, in turn */

enum {
    SUBJECTS = 1 << THREAD_ORDEREDSUBJECT,
    REFERENCES = 1 << THREAD_REFERENCES,
    REFS = 1 << THREAD_REFS,
    LINKED = REFERENCES | REFS,
    EVERY = SUBJECTS | LINKED,
};

static const struct phase {
    enum { MESSAGES, NODES, THREADS, SORT, SORTED, END } of;
    void (*run)(struct threading *t, uint32_t i);
    unsigned methods; /* that have it */
} phases[] = {
    {MESSAGES, enter_message,   LINKED    },
    {MESSAGES, link_parent,     LINKED    },
    {MESSAGES, link_ancestors,  LINKED    },
    {MESSAGES, move_up,         LINKED    },
    {MESSAGES, leave_single,    LINKED    },
    {MESSAGES, take_date,       EVERY     },
    {SORT,     NULL,            EVERY     },
    {SORTED,   link_subject,    SUBJECTS  },
    {NODES,    forget_children, LINKED    },
    {SORTED,   take_place,      EVERY     },
    {THREADS,  choose,          REFERENCES},
    {THREADS,  merge,           REFERENCES},
    {NODES,    forget_children, REFERENCES},
    {SORTED,   take_place,      REFERENCES},
    {SORTED,   find_newest,     REFS      },
    {THREADS,  take_newest,     REFS      },
    {SORT,     NULL,            REFS      },
    {SORTED,   take_top,        REFS      },
    {END,      NULL,            EVERY     },
};

/* From this row on, the first that the method has. */
static void
enter_phase(struct threading *t, const struct phase *phase)
{
    while (!(phase->methods & t->method))
        phase++;
    t->phase = phase;
    t->at = 0;
}

static size_t
phase_size(const struct threading *t)
{
    switch (t->phase->of) {
    case MESSAGES:
        return t->message_count;
    case NODES:
        return t->count + 1;
    case THREADS:
        return t->top_count;
    default:
        return t->order.count;
    }
}

bool
thread_step(struct threading *t)
{
    bool done;

    if (t->phase->of == END)
        return true;
    if (t->phase->of == SORT) {
        done = order_step(&t->order);
    } else {
        for (size_t i = 0; i < STEP && t->at < phase_size(t); i++)
            t->phase->run(t, (uint32_t)t->at++);
        done = t->at == phase_size(t);
    }
    if (done)
        enter_phase(t, t->phase + 1);
    t->writing = t->nodes[0].child;
    return false;
}

uint64_t
thread_number(struct str text)
{
    uint64_t n = hash_lasting(text);

    return text.len == 0 ? 0 : n ? n : 1;
}

static size_t
count_references(const struct thread_message *messages, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += messages[i].count;
    return n;
}

struct threading *
thread_begin(struct arena *a, enum thread_method method,
             const struct thread_message *messages, size_t count)
{
    /* One for each message, id, and pair of threads that is put together. */
    size_t ids = count + count_references(messages, count);
    size_t nodes = ids + count + 1;
    struct threading *t = arena_make(a, struct threading);

    must(nodes < UINT32_MAX);
    *t = (struct threading){
        .messages = messages,
        .message_count = count,
        .a = a,
        .nodes = arena_alloc(a, nodes * sizeof *t->nodes),
        .count = (node_id)count,
        .ids = table_new(a, ids),
        .subjects = table_new(a, count),
        .secret = hash_of(S("threads")) | 1,
        .top = arena_alloc(a, (count + 1) * sizeof *t->top),
        .newest = arena_alloc(a, nodes * sizeof *t->newest),
        .method = 1u << method,
    };
    order_begin(&t->order, a, count);
    enter_phase(t, phases);
    return t;
}

/* ---- as text ---- */

static bool
is_only_child(const struct threading *t, node_id n)
{
    const struct node *node = &t->nodes[n];

    return node->parent != 0 && node->next == 0 &&
           t->nodes[node->parent].child == n;
}

/* An only child follows its parent in the same parentheses. */
static void
put_node(const struct threading *t, node_id n, struct buf *out)
{
    node_id parent = t->nodes[n].parent;
    bool first =
        parent != 0 && !is_dummy(t, parent) && t->nodes[parent].child == n;

    if (first)
        buf_addc(out, ' ');
    if (!is_only_child(t, n))
        buf_addc(out, '(');
    if (!is_dummy(t, n))
        buf_num(out, message_of(t, n)->number);
}

/* What comes behind a node and all below it; 0 at the end. */
static node_id
end_node(const struct threading *t, node_id n, struct buf *out)
{
    while (n != 0) {
        if (!is_only_child(t, n))
            buf_addc(out, ')');
        if (t->nodes[n].next != 0)
            return t->nodes[n].next;
        n = t->nodes[n].parent;
    }
    return 0;
}

/* No recursion: a thread can be as deep as a mailbox is long. */
bool
thread_put(struct threading *t, struct buf *out)
{
    for (size_t i = 0; i < STEP && t->writing != 0; i++) {
        node_id n = t->writing;

        put_node(t, n, out);
        t->writing =
            t->nodes[n].child ? t->nodes[n].child : end_node(t, n, out);
    }
    return t->writing == 0;
}
