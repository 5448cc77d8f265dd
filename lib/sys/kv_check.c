/*
 * The file format of LMDB 0.9 (data version 1), as far as a table of one
 * database without duplicates has it. Numbers are the machine's own.
 *
 *   page    u64 number, u16 pad, u16 flags, u16 lower, u16 upper; overflow
 *           pages have u32 count in place of lower and upper
 *   meta    page, then u32 magic, u32 version, u64 address, u64 map size,
 *           two databases (free list, main), u64 last page, u64 transaction;
 *           pages 0 and 1; the one with the higher transaction counts
 *   db      u32 pad, u16 flags, u16 depth, u64 branch, leaf and overflow
 *           pages, u64 entries, u64 root; pad of the free list is page size
 *   branch, leaf   u16 offsets of nodes up to `lower`, nodes from `upper`
 *   node    u16 lo, u16 hi, u16 flags, u16 key size, key, data; of a branch lo,
 *           hi and flags are the child's page; of a leaf lo and hi are the
 *           size of the data, which stand there or (flag) on overflow pages
 */
#include "sys/kv_check.h"

enum {
    PAGE_HEAD = 16,
    NODE_HEAD = 8,
    META_SIZE = PAGE_HEAD + 136,
    MAX_DEPTH = 32,
    FLAG_BRANCH = 1,
    FLAG_LEAF = 2,
    FLAG_OVERFLOW = 4,
    FLAG_META = 8,
    NODE_BIG = 1,
    NUMBER_KEYS = 8, /* of the free list; other bits are the file's own */
    FIXED_MAP = 1,
    KINDS = 0x7f & ~0x10, /* all kinds of page; not the dirty flag */
};

#define MAGIC   0xBEEFC0DEu
#define VERSION 1
#define NONE    UINT64_MAX

struct table {
    const char *file;
    uint64_t page_size, pages; /* as the meta page says */
    uint64_t budget;           /* pages that may still be visited */
};

static uint64_t
number(const char *at, size_t size)
{
    uint64_t value = 0;

    memcpy(&value, at, size); /* little endian, as all we run on */
    return value;
}

static const char *
page_at(const struct table *t, uint64_t page)
{
    return t->file + page * t->page_size;
}

static bool
overflow_ok(struct table *t, uint64_t page, uint64_t size)
{
    uint64_t need = (size + PAGE_HEAD + t->page_size - 1) / t->page_size;

    if (page < 2 || page >= t->pages || need > t->pages - page)
        return false;

    const char *p = page_at(t, page);

    return number(p, 8) == page &&
           (number(p + 10, 2) & KINDS) == FLAG_OVERFLOW &&
           number(p + 12, 4) >= need;
}

static bool
leaf_ok(struct table *t, const char *node, uint64_t room)
{
    uint64_t flags = number(node + 4, 2), key = number(node + 6, 2);
    uint64_t size = number(node, 2) | number(node + 2, 2) << 16;

    if (NODE_HEAD + key > room)
        return false;
    room -= NODE_HEAD + key;
    if (flags == NODE_BIG)
        return room >= 8 &&
               overflow_ok(t, number(node + NODE_HEAD + key, 8), size);
    return flags == 0 && size <= room;
}

static bool tree_ok(struct table *t, uint64_t page, unsigned depth);

static bool
branch_ok(struct table *t, const char *node, uint64_t room, unsigned depth)
{
    uint64_t child =
        number(node, 2) | number(node + 2, 2) << 16 | number(node + 4, 2) << 32;

    return NODE_HEAD + number(node + 6, 2) <= room &&
           tree_ok(t, child, depth + 1);
}

static bool
tree_ok(struct table *t, uint64_t page, unsigned depth)
{
    if (depth > MAX_DEPTH || page < 2 || page >= t->pages || t->budget-- == 0)
        return false;

    const char *p = page_at(t, page);
    uint64_t kind = number(p + 10, 2) & KINDS;
    uint64_t lower = number(p + 12, 2), upper = number(p + 14, 2);

    if (number(p, 8) != page || (kind != FLAG_BRANCH && kind != FLAG_LEAF) ||
        lower % 2 || lower > upper || upper > t->page_size ||
        lower < PAGE_HEAD + (kind == FLAG_BRANCH ? 4 : 2))
        return false;
    for (uint64_t at = PAGE_HEAD; at < lower; at += 2) {
        uint64_t node = number(p + at, 2);

        if (node < upper || node + NODE_HEAD > t->page_size)
            return false;
        if (kind == FLAG_LEAF
                ? !leaf_ok(t, p + node, t->page_size - node)
                : !branch_ok(t, p + node, t->page_size - node, depth))
            return false;
    }
    return true;
}

/* The page of one meta. With FIXED_MAP, LMDB would map the file where the file
 * says. */
static bool
meta_ok(const char *page, uint64_t number_of_page, uint64_t page_size)
{
    const char *meta = page + PAGE_HEAD, *free_list = meta + 24;

    return number(page, 8) == number_of_page &&
           (number(page + 10, 2) & KINDS) == FLAG_META &&
           number(meta, 4) == MAGIC && number(meta + 4, 4) == VERSION &&
           number(free_list, 4) == page_size &&
           (number(free_list + 4, 2) & (NUMBER_KEYS | FIXED_MAP)) ==
               NUMBER_KEYS;
}

const char *
kv_check(struct str file)
{
    struct table t = {.file = file.p};

    if (file.len < META_SIZE || number(file.p + PAGE_HEAD, 4) != MAGIC)
        return "is no LMDB table";
    t.page_size = number(file.p + PAGE_HEAD + 24, 4);
    if (t.page_size < 512 || t.page_size > 32768 ||
        (t.page_size & (t.page_size - 1)) != 0)
        return "is damaged";
    if (file.len < 2 * t.page_size)
        return "is cut short";
    if (!meta_ok(page_at(&t, 0), 0, t.page_size) ||
        !meta_ok(page_at(&t, 1), 1, t.page_size))
        return "is damaged";

    const char *metas[] = {page_at(&t, 0) + PAGE_HEAD,
                           page_at(&t, 1) + PAGE_HEAD};
    bool second = number(metas[1] + 128, 8) > number(metas[0] + 128, 8);
    const char *db = metas[second] + 72;
    uint64_t last = number(metas[second] + 120, 8), root = number(db + 40, 8);

    if (last >= file.len / t.page_size)
        return "is cut short";
    t.pages = t.budget = last + 1;
    if (number(db + 4, 2) != 0) /* keys with duplicates, numbers ... */
        return "has databases of a kind that tables do not have";
    if (root == NONE)
        return number(db + 32, 8) == 0 ? NULL : "is damaged";
    return tree_ok(&t, root, 0) ? NULL : "is damaged";
}
