#include "mail/thread.h"

#include <stdlib.h>

#include "base/hash.h"

/* Nodes go by their index; 0 is none. */
typedef uint32_t node_id;

struct node {
    node_id parent, child, next; /* next: among siblings */
    node_id set;                 /* of those linked together; see find_set */
    uint32_t index; /* of the message, from 1; 0 of an id that only others
                       mention */
    bool gone;
    int64_t date;    /* by which it is ordered among siblings */
    uint32_t number; /* the same, where dates are equal */
};

struct forest {
    const struct sort_message *messages;
    size_t messages_count;
    struct node *nodes; /* from 1 */
    node_id count;
    node_id *list; /* room for all nodes, while some are put in order */
    struct hash *ids;
    enum thread_method method;
};

/* ---- the nodes ---- */

static node_id
new_node(struct forest *f)
{
    node_id id = ++f->count;

    f->nodes[id] = (struct node){.set = id};
    return id;
}

static const struct sort_message *
message_of(const struct forest *f, node_id n)
{
    return &f->messages[f->nodes[n].index - 1];
}

/* The node that has an id: made where it is new. */
static node_id
node_of(struct forest *f, struct str id)
{
    void **place = hash_put(f->ids, id);

    if (*place == NULL)
        *place = (void *)(uintptr_t)new_node(f);
    return (node_id)(uintptr_t)*place;
}

/* Of nodes that are linked, directly or not, all have the same set. */
static node_id
find_set(struct forest *f, node_id n)
{
    while (f->nodes[n].set != n) {
        f->nodes[n].set = f->nodes[f->nodes[n].set].set;
        n = f->nodes[n].set;
    }
    return n;
}

/* Make one the parent of another, which has none; not where that would close a
 * loop: a tree whose top the child is would contain the parent. */
static void
link_nodes(struct forest *f, node_id parent, node_id child)
{
    node_id a = find_set(f, parent), b = find_set(f, child);

    if (f->nodes[child].parent != 0 || a == b)
        return;
    f->nodes[child].parent = parent;
    f->nodes[b].set = a;
}

/* Step 1. RFC 5256 goes message by message, and lets a message's own last
 * reference override what others said of it. Here all messages speak for
 * themselves first, which comes to the same without unlinking anything. */
static void
link_messages(struct forest *f)
{
    for (uint32_t i = 1; i <= f->messages_count; i++) {
        const struct facts *facts = f->messages[i - 1].facts;
        node_id n =
            facts->message_id.len ? node_of(f, facts->message_id) : new_node(f);

        /* An id that two have: the second one is on its own. */
        if (f->nodes[n].index != 0)
            n = new_node(f);
        f->nodes[n].index = i;
        f->list[i] = n;
    }
    for (uint32_t i = 1; i <= f->messages_count; i++) {
        const struct facts *facts = f->messages[i - 1].facts;

        if (facts->count > 0)
            link_nodes(f, node_of(f, facts->references[facts->count - 1]),
                       f->list[i]);
    }
    for (uint32_t i = 1; i <= f->messages_count; i++) {
        const struct facts *facts = f->messages[i - 1].facts;

        for (size_t r = 1; r < facts->count; r++)
            link_nodes(f, node_of(f, facts->references[r - 1]),
                       node_of(f, facts->references[r]));
    }
}

/* ---- the trees ---- */

/* Give every node its children, in no order yet. Node 0 is the root of all. */
static void
gather_children(struct forest *f)
{
    for (node_id n = f->count; n > 0; n--) {
        struct node *parent = &f->nodes[f->nodes[n].parent];

        if (f->nodes[n].gone)
            continue;
        f->nodes[n].next = parent->child;
        parent->child = n;
    }
}

static void
forget_children(struct forest *f)
{
    for (node_id n = 0; n <= f->count; n++)
        f->nodes[n].child = f->nodes[n].next = 0;
}

/* Parents before their children, into list; how many. */
static node_id
top_down(struct forest *f)
{
    node_id count = 0;

    f->list[count++] = 0;
    for (node_id i = 0; i < count; i++)
        for (node_id c = f->nodes[f->list[i]].child; c; c = f->nodes[c].next)
            f->list[count++] = c;
    return count;
}

/* Step 3: ids without message go, and their children move up; but one at the
 * top that holds several together stays. */
static void
prune(struct forest *f)
{
    gather_children(f);

    node_id count = top_down(f);

    /* From below, so that what has lost all its children goes too. */
    for (node_id i = count - 1; i > 0; i--) {
        node_id n = f->list[i];
        struct node *node = &f->nodes[n];

        if (node->index == 0 && node->child == 0) {
            node->gone = true;
        } else if (node->index == 0) {
            node_id alive = 0;

            for (node_id c = node->child; c; c = f->nodes[c].next)
                alive += !f->nodes[c].gone;
            node->gone = alive == 0;
        }
    }
    /* From above: whom a child moves up to is known by then. */
    for (node_id i = 1; i < count; i++) {
        struct node *node = &f->nodes[f->list[i]];
        node_id p = node->parent;

        if (p != 0 && f->nodes[p].gone)
            node->parent = f->nodes[p].parent;
        if (node->index == 0 && !node->gone && node->parent != 0)
            node->gone = true;
    }
    forget_children(f);
}

/* What is still to be gathered at the top, once moved up: a node without
 * message and with one child. Counted after the moves. */
static void
prune_top(struct forest *f)
{
    node_id *only = f->list;

    memset(only, 0, (f->count + 1) * sizeof *only);
    for (node_id n = 1; n <= f->count; n++) {
        node_id p = f->nodes[n].parent;

        if (!f->nodes[n].gone && p != 0 && f->nodes[p].index == 0)
            only[p] = only[p] == 0 ? n : UINT32_MAX;
    }
    for (node_id n = 1; n <= f->count; n++)
        if (!f->nodes[n].gone && f->nodes[n].index == 0 &&
            only[n] != UINT32_MAX) {
            f->nodes[n].gone = true;
            if (only[n] != 0)
                f->nodes[only[n]].parent = 0;
        }
}

/* ---- order ---- */

static int
compare(const void *pa, const void *pb, void *self)
{
    const struct node *nodes = self;
    const struct node *a = &nodes[*(const node_id *)pa];
    const struct node *b = &nodes[*(const node_id *)pb];

    if (a->date != b->date)
        return a->date < b->date ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

/* Put the children of a node in order. */
static void
sort_children(struct forest *f, node_id *room, node_id n)
{
    size_t count = 0;

    for (node_id c = f->nodes[n].child; c; c = f->nodes[c].next)
        room[count++] = c;
    if (count < 2)
        return;
    qsort_r(room, count, sizeof *room, compare, f->nodes);
    f->nodes[n].child = room[0];
    for (size_t i = 0; i < count; i++)
        f->nodes[room[i]].next = i + 1 < count ? room[i + 1] : 0;
}

/* A node's own date, or that of its first child where it is none's. */
static void
take_date(struct forest *f, node_id n)
{
    struct node *node = &f->nodes[n];
    node_id from = node->index ? n : node->child;

    if (from == 0)
        return;
    if (node->index) {
        node->date = sort_date(message_of(f, n));
        node->number = message_of(f, n)->number;
        return;
    }
    node->date = f->nodes[from].date;
    node->number = f->nodes[from].number;
}

/* All siblings, from below. REFS: a thread counts by its newest message, so
 * that one that goes on comes to the end. */
static void
sort_forest(struct forest *f, struct arena *scratch)
{
    node_id *room = arena_alloc(scratch, (f->count + 1) * sizeof *room);
    int64_t *newest = arena_alloc(scratch, (f->count + 1) * sizeof *newest);
    node_id count = top_down(f);

    for (node_id i = 0; i <= f->count; i++)
        newest[i] = INT64_MIN;

    for (node_id i = count; i-- > 0;) {
        node_id n = f->list[i];
        struct node *node = &f->nodes[n];

        if (n == 0 && f->method == THREAD_REFS)
            for (node_id c = node->child; c; c = f->nodes[c].next)
                f->nodes[c].date = newest[c];
        sort_children(f, room, n);
        if (n == 0)
            break;
        take_date(f, n);
        if (node->index && sort_date(message_of(f, n)) > newest[n])
            newest[n] = sort_date(message_of(f, n));
        if (newest[n] > newest[node->parent])
            newest[node->parent] = newest[n];
    }
}

/* ---- subjects ---- */

/* The message that speaks for a thread: its top, or the first below it. */
static const struct facts *
thread_facts(const struct forest *f, node_id n)
{
    if (f->nodes[n].index == 0)
        n = f->nodes[n].child;
    return message_of(f, n)->facts;
}

/* Step 5: threads with the same subject become one. `top` are the threads in
 * order, with their children. */
static void
merge(struct forest *f, struct hash *subjects, node_id n)
{
    const struct facts *facts = thread_facts(f, n);
    void **place = hash_put(subjects, facts->subject);
    node_id other = (node_id)(uintptr_t)*place;

    if (other == n || facts->subject.len == 0)
        return;

    struct node *a = &f->nodes[other], *b = &f->nodes[n];

    if (a->index == 0 && b->index == 0) {
        for (node_id c = b->child; c; c = f->nodes[c].next)
            f->nodes[c].parent = other;
        b->gone = true;
    } else if (a->index == 0 ||
               (facts->reply && !thread_facts(f, other)->reply)) {
        b->parent = other;
    } else {
        node_id both = new_node(f);

        f->nodes[both].child = other;
        a->parent = b->parent = both;
        *place = (void *)(uintptr_t)both;
    }
}

static void
merge_subjects(struct forest *f)
{
    struct hash *subjects = hash_new();
    node_id count = 0;

    /* Which one a subject's threads go to: one that is nobody's message, or
     * else one that is no reply. */
    for (node_id n = f->nodes[0].child; n; n = f->nodes[n].next) {
        const struct facts *facts = thread_facts(f, n);
        void **place;
        node_id other;

        f->list[count++] = n;
        if (facts->subject.len == 0)
            continue;
        place = hash_put(subjects, facts->subject);
        other = (node_id)(uintptr_t)*place;
        if (other == 0 || (f->nodes[other].index != 0 &&
                           (f->nodes[n].index == 0 ||
                            (thread_facts(f, other)->reply && !facts->reply))))
            *place = (void *)(uintptr_t)n;
    }
    for (node_id i = 0; i < count; i++)
        if (thread_facts(f, f->list[i])->subject.len > 0)
            merge(f, subjects, f->list[i]);
    hash_free(subjects);
    forget_children(f);
    gather_children(f);
}

/* ---- ORDEREDSUBJECT ---- */

/* The first of a subject has all others below it. */
static void
link_subjects(struct forest *f, struct arena *scratch)
{
    struct hash *subjects = hash_new();
    node_id *order =
        arena_alloc(scratch, (f->messages_count + 1) * sizeof *order);

    for (uint32_t i = 0; i < f->messages_count; i++) {
        order[i] = new_node(f);
        f->nodes[order[i]].index = i + 1;
        take_date(f, order[i]);
    }
    if (f->messages_count > 1)
        qsort_r(order, f->messages_count, sizeof *order, compare, f->nodes);
    for (uint32_t i = 0; i < f->messages_count; i++) {
        void **place =
            hash_put(subjects, message_of(f, order[i])->facts->subject);

        if (*place == NULL)
            *place = (void *)(uintptr_t)order[i];
        else
            f->nodes[order[i]].parent = (node_id)(uintptr_t)*place;
    }
    hash_free(subjects);
}

/* ---- as text ---- */

/* A node, what is below it, and what is behind it. No recursion: a thread can
 * be as deep as a mailbox is long. */
static void
put_threads(const struct forest *f, const uint32_t *ids, struct buf *out)
{
    node_id n = f->nodes[0].child;

    while (n != 0) {
        const struct node *node = &f->nodes[n];
        bool single = node->parent != 0 && f->nodes[node->parent].child == n &&
                      node->next == 0;

        /* An only child follows its parent in the same parentheses. */
        if (single && f->nodes[node->parent].index)
            buf_addc(out, ' ');
        else if (!single)
            buf_add(out, node->parent != 0 &&
                                 f->nodes[node->parent].child == n &&
                                 f->nodes[node->parent].index
                             ? S(" (")
                             : S("("));
        if (node->index)
            buf_fmt(out, "%u", ids[node->index - 1]);
        if (node->child) {
            n = node->child;
            continue;
        }
        for (;;) {
            const struct node *done = &f->nodes[n];

            single = done->parent != 0 && f->nodes[done->parent].child == n &&
                     done->next == 0;
            /* The last of several has no next either. */
            if (!(done->parent != 0 && single))
                buf_addc(out, ')');
            if (done->next != 0) {
                n = done->next;
                break;
            }
            n = done->parent;
            if (n == 0)
                break;
        }
    }
}

static size_t
count_references(const struct sort_message *messages, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += messages[i].facts->count;
    return n;
}

void
thread_put(struct arena *scratch, enum thread_method method,
           const struct sort_message *messages, const uint32_t *ids,
           size_t count, struct buf *out)
{
    /* A node for each message, id, and pair of threads that was put together.
     */
    size_t nodes = 3 * count + count_references(messages, count) + 1;
    struct forest f = {
        .messages = messages, .messages_count = count, .method = method};

    must(nodes < UINT32_MAX);
    f.nodes = arena_alloc(scratch, nodes * sizeof *f.nodes);
    f.list = arena_alloc(scratch, nodes * sizeof *f.list);
    if (method == THREAD_ORDEREDSUBJECT) {
        link_subjects(&f, scratch);
        gather_children(&f);
    } else {
        f.ids = hash_new();
        link_messages(&f);
        hash_free(f.ids);
        prune(&f);
        prune_top(&f);
        gather_children(&f);
    }
    sort_forest(&f, scratch);
    if (method == THREAD_REFERENCES) {
        merge_subjects(&f);
        sort_forest(&f, scratch);
    }
    put_threads(&f, ids, out);
}
