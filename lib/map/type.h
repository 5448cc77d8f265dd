/*
 * type.h - what a type of table is made of.
 *
 * A type is one row in types.def and one struct map_type. map.c does the rest:
 * finding it by name, watching the file behind it, folding keys, logging what
 * goes wrong.
 */
#ifndef MAP_TYPE_H
#define MAP_TYPE_H

#include "base/arena.h"
#include "base/why.h"

/* An open table. */
struct map_table {
    void *own;
    bool pattern; /* sees whole keys only; set by open from type->pattern, or
                     from the tables it is made of */
    bool fixed;   /* in: map_open_fixed, answers must not hold the key */
};

struct map_type {
    const char *suffix; /* the file behind it is NAME and this; NULL: none */
    bool fold;          /* keys are looked for in lower case */
    bool pattern;

    /*
     * Open what stands behind "type:". After a failure errno says EACCES
     * where rights are missing; why says what and where, and what to do. All
     * that is kept must outlive `name`.
     */
    enum rc (*open)(const char *type, const char *name, struct map_table *t,
                    struct why *why);
    /* As map_get. */
    enum rc (*get)(void *own, struct str key, struct arena *a,
                   struct str *value, struct why *why);
    /* NULL where there is nothing to give back. */
    void (*close)(void *own);
};

#define TYPE(name, type) extern const struct map_type type;
#include "map/types.def"

/* What lives as long as the process. */
struct arena *map_life(void);

/* As many bytes as one text table may have. */
#define MAP_TEXT_MAX ((size_t)256 << 20)

#endif
