#include "mail/needles.h"

/* The needles as a tree of bytes. A node stands for a text that begins one of
 * them; it falls back to the longest end of that text that begins one too. */
struct node {
    uint32_t child, next; /* the first one; the next of the same parent */
    uint32_t back;
    uint32_t ends;    /* 1 + the mark of the needle that ends here; 0: none */
    uint32_t shorter; /* on the way back, where another needle ends */
    unsigned char byte;
};

struct needles {
    struct node *nodes;
    uint32_t count;
    uint32_t first[256]; /* children of the root */
    uint32_t at;
    unsigned kind;
    uint32_t *mark;  /* of each needle; 0: it is empty */
    unsigned *found; /* by mark: kinds; 0 is the empty needle's */
    size_t marks;
};

static uint32_t
child_of(const struct needles *n, uint32_t node, unsigned char byte)
{
    uint32_t c;

    if (node == 0)
        return n->first[byte];
    for (c = n->nodes[node].child; c && n->nodes[c].byte != byte;)
        c = n->nodes[c].next;
    return c;
}

static uint32_t
add_child(struct needles *n, uint32_t node, unsigned char byte)
{
    uint32_t c = n->count++;

    n->nodes[c] = (struct node){.byte = byte, .next = n->nodes[node].child};
    n->nodes[node].child = c;
    if (node == 0)
        n->first[byte] = c;
    return c;
}

static void
add(struct needles *n, struct str needle, uint32_t *mark)
{
    uint32_t node = 0, next;

    for (size_t i = 0; i < needle.len; i++) {
        unsigned char byte = (unsigned char)needle.p[i];

        next = child_of(n, node, byte);
        node = next ? next : add_child(n, node, byte);
    }
    if (node > 0 && n->nodes[node].ends == 0)
        n->nodes[node].ends = (uint32_t)n->marks++;
    *mark = n->nodes[node].ends;
}

static uint32_t
step(const struct needles *n, uint32_t node, unsigned char byte)
{
    uint32_t next;

    while ((next = child_of(n, node, byte)) == 0 && node > 0)
        node = n->nodes[node].back;
    return next;
}

/* Breadth first, so that where a node falls back to is done before it. */
static void
make_ways_back(struct arena *a, struct needles *n)
{
    uint32_t *queue = arena_alloc(a, (n->count + 1) * sizeof *queue);
    size_t len = 0;

    queue[len++] = 0;
    for (size_t i = 0; i < len; i++) {
        uint32_t parent = queue[i];

        for (uint32_t c = n->nodes[parent].child; c; c = n->nodes[c].next) {
            struct node *node = &n->nodes[c];

            if (parent > 0)
                node->back = step(n, n->nodes[parent].back, node->byte);
            node->shorter = n->nodes[node->back].ends
                                ? node->back
                                : n->nodes[node->back].shorter;
            queue[len++] = c;
        }
    }
}

struct needles *
needles_new(struct arena *a, const struct str *mapped, size_t count)
{
    struct needles *n = arena_make(a, struct needles);
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += mapped[i].len;
    n->nodes = arena_alloc(a, (bytes + 1) * sizeof *n->nodes);
    n->count = 1;
    n->mark = arena_alloc(a, (count + 1) * sizeof *n->mark);
    n->marks = 1;
    for (size_t i = 0; i < count; i++)
        add(n, mapped[i], &n->mark[i]);
    n->found = arena_alloc(a, n->marks * sizeof *n->found);
    make_ways_back(a, n);
    return n;
}

void
needles_forget(struct needles *n)
{
    memset(n->found, 0, n->marks * sizeof *n->found);
    n->at = 0;
}

void
needles_begin(struct needles *n, unsigned kind)
{
    n->at = 0;
    n->kind = kind;
    n->found[0] |= kind;
}

static void
end_here(struct needles *n, uint32_t node)
{
    for (; node; node = n->nodes[node].shorter)
        n->found[n->nodes[node].ends] |= n->kind;
}

void
needles_put(struct needles *n, struct str mapped)
{
    const unsigned char *p = (const unsigned char *)mapped.p;
    uint32_t at = n->at;

    for (size_t i = 0; i < mapped.len; i++) {
        if (at == 0) {
            while (i < mapped.len && n->first[p[i]] == 0)
                i++;
            if (i == mapped.len)
                break;
        }
        at = step(n, at, p[i]);
        if (n->nodes[at].ends || n->nodes[at].shorter)
            end_here(n, at);
    }
    n->at = at;
}

unsigned
needles_found(const struct needles *n, size_t needle)
{
    return n->found[n->mark[needle]];
}
