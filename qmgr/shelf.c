#include "shelf.h"

#include "base/vec.h"
#include "mem.h"

#define CHUNK 4096
#define NONE  UINT32_MAX

/*
 * Entries stand in chunks and are known by number. `index` is an open hash
 * table of numbers + 1 (0 is free), at most three quarters full; a removal
 * moves later ones up, so there are no tombstones. `heap` has the DUE ones.
 */
struct shelf {
    VEC(struct entry *) chunks;
    uint32_t used, free; /* numbers given out; list of those given back */
    uint32_t *index;
    size_t slots;
    VEC(uint32_t) heap;
    uint32_t first_fresh, last_fresh;
    size_t count[SHELF_STATES], total;
};

static struct entry *
at(const struct shelf *s, uint32_t number)
{
    return &s->chunks.at[number / CHUNK][number % CHUNK];
}

struct shelf *
shelf_new(void)
{
    struct shelf *s = mem_make(struct shelf);

    s->free = s->first_fresh = s->last_fresh = NONE;
    s->slots = 1024;
    s->index = mem_new(s->slots * sizeof *s->index);
    return s;
}

/* Ids follow the clock; multiplying spreads them. */
static size_t
home(const struct shelf *s, struct queue_id id)
{
    uint64_t h = (id.time ^ (uint64_t)id.tail << 48) * 0x9e3779b97f4a7c15u;

    return (size_t)(h >> 32) & (s->slots - 1);
}

static bool
same(const struct entry *e, struct queue_id id)
{
    return e->time == id.time && e->tail == id.tail && e->is_long == id.is_long;
}

/* The slot that has that id, or the free one where it belongs. */
static size_t
find_slot(const struct shelf *s, struct queue_id id)
{
    size_t i = home(s, id);

    while (s->index[i] && !same(at(s, s->index[i] - 1), id))
        i = (i + 1) & (s->slots - 1);
    return i;
}

struct entry *
shelf_find(const struct shelf *s, struct queue_id id)
{
    uint32_t number = s->index[find_slot(s, id)];

    return number ? at(s, number - 1) : NULL;
}

static void
grow_index(struct shelf *s)
{
    uint32_t *old = s->index;
    size_t n = s->slots;

    if (s->total < n - n / 4)
        return;
    s->slots = n * 2;
    s->index = mem_new(s->slots * sizeof *s->index);
    for (size_t i = 0; i < n; i++)
        if (old[i])
            s->index[find_slot(s, shelf_id(at(s, old[i] - 1)))] = old[i];
    mem_free(old);
}

/* What follows the freed slot must still be found from its home. */
static void
close_gap(struct shelf *s, size_t gap)
{
    size_t i = gap;

    for (;;) {
        i = (i + 1) & (s->slots - 1);
        if (s->index[i] == 0)
            break;

        size_t h = home(s, shelf_id(at(s, s->index[i] - 1)));
        bool between = gap <= i ? gap < h && h <= i : gap < h || h <= i;

        if (between)
            continue;
        s->index[gap] = s->index[i];
        gap = i;
    }
    s->index[gap] = 0;
}

static uint32_t
new_number(struct shelf *s)
{
    uint32_t number = s->free;

    if (number != NONE) {
        s->free = at(s, number)->place;
        return number;
    }
    must(s->used < NONE - 1);
    if (s->used % CHUNK == 0)
        *vec_add(&s->chunks) = mem_new(CHUNK * sizeof(struct entry));
    return s->used++;
}

struct entry *
shelf_add(struct shelf *s, struct queue_id id, int64_t seal)
{
    grow_index(s);

    size_t slot = find_slot(s, id);

    if (s->index[slot])
        return NULL;

    uint32_t number = new_number(s);
    struct entry *e = at(s, number);

    *e = (struct entry){
        .time = id.time, .tail = id.tail, .is_long = id.is_long, .seal = seal};
    s->index[slot] = number + 1;
    s->count[SHELF_FREE]++;
    s->total++;
    return e;
}

static uint32_t
number_of(const struct shelf *s, const struct entry *e)
{
    return s->index[find_slot(s, shelf_id(e))] - 1;
}

static void
heap_put(struct shelf *s, uint32_t place, uint32_t number)
{
    s->heap.at[place] = number;
    at(s, number)->place = place;
}

static int64_t
heap_due(const struct shelf *s, uint32_t place)
{
    return at(s, s->heap.at[place])->due;
}

static void
sift_up(struct shelf *s, uint32_t place)
{
    uint32_t number = s->heap.at[place];
    int64_t due = at(s, number)->due;

    for (; place > 0 && heap_due(s, (place - 1) / 2) > due;
         place = (place - 1) / 2)
        heap_put(s, place, s->heap.at[(place - 1) / 2]);
    heap_put(s, place, number);
}

static void
sift_down(struct shelf *s, uint32_t place)
{
    uint32_t number = s->heap.at[place], child;
    int64_t due = at(s, number)->due;

    while ((child = 2 * place + 1) < s->heap.len) {
        if (child + 1 < s->heap.len &&
            heap_due(s, child + 1) < heap_due(s, child))
            child++;
        if (heap_due(s, child) >= due)
            break;
        heap_put(s, place, s->heap.at[child]);
        place = child;
    }
    heap_put(s, place, number);
}

static void
heap_add(struct shelf *s, uint32_t number)
{
    *vec_add(&s->heap) = number;
    sift_up(s, (uint32_t)s->heap.len - 1);
}

static void
heap_drop(struct shelf *s, uint32_t place)
{
    uint32_t last = s->heap.at[--s->heap.len];

    if (place == s->heap.len)
        return;
    heap_put(s, place, last);
    sift_up(s, place);
    sift_down(s, at(s, last)->place);
}

static void
fresh_add(struct shelf *s, uint32_t number)
{
    at(s, number)->place = NONE;
    if (s->last_fresh == NONE)
        s->first_fresh = number;
    else
        at(s, s->last_fresh)->place = number;
    s->last_fresh = number;
}

/* Nearly always the first one leaves. */
static void
fresh_drop(struct shelf *s, uint32_t number)
{
    uint32_t next = at(s, number)->place, before = NONE;

    for (uint32_t n = s->first_fresh; n != number; n = at(s, n)->place)
        before = n;
    if (before == NONE)
        s->first_fresh = next;
    else
        at(s, before)->place = next;
    if (s->last_fresh == number)
        s->last_fresh = before;
}

void
shelf_set(struct shelf *s, struct entry *e, enum shelf_state state, int64_t due)
{
    uint32_t number = number_of(s, e);

    if (e->state == SHELF_DUE)
        heap_drop(s, e->place);
    if (e->state == SHELF_FRESH)
        fresh_drop(s, number);
    s->count[e->state]--;
    e->state = (uint8_t)state;
    s->count[state]++;
    e->due = due;
    if (state == SHELF_DUE)
        heap_add(s, number);
    if (state == SHELF_FRESH)
        fresh_add(s, number);
}

void
shelf_remove(struct shelf *s, struct entry *e)
{
    uint32_t number = number_of(s, e);

    shelf_set(s, e, SHELF_FREE, 0);
    s->count[SHELF_FREE]--;
    s->total--;
    close_gap(s, find_slot(s, shelf_id(e)));
    *e = (struct entry){.place = s->free};
    s->free = number;
}

struct entry *
shelf_fresh(const struct shelf *s)
{
    return s->first_fresh == NONE ? NULL : at(s, s->first_fresh);
}

struct entry *
shelf_due(const struct shelf *s)
{
    return s->heap.len ? at(s, s->heap.at[0]) : NULL;
}

size_t
shelf_count(const struct shelf *s, enum shelf_state state)
{
    return s->count[state];
}

size_t
shelf_total(const struct shelf *s)
{
    return s->total;
}

struct entry *
shelf_next(const struct shelf *s, uint32_t *pos)
{
    while (*pos < s->used) {
        struct entry *e = at(s, (*pos)++);

        if (e->state != SHELF_FREE)
            return e;
    }
    return NULL;
}

uint32_t
shelf_site(struct str name)
{
    uint32_t h = 2166136261u; /* FNV-1a */

    for (size_t i = 0; i < name.len; i++)
        h = (h ^ (unsigned char)to_lower(name.p[i])) * 16777619u;
    return 1u << (h >> 27);
}
