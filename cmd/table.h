/*
 * table.h - a table in memory, on its way from a file to a file.
 */
#ifndef CMD_TABLE_H
#define CMD_TABLE_H

#include "base/hash.h"
#include "base/vec.h"
#include "sys/kv.h"

struct table {
    struct arena *arena;
    struct hash *places; /* of each key, the number of its pair and one */
    VEC(struct kv_pair) pairs;
    bool without_nul; /* keys and values do not end with a NUL */
};

/* What becomes of an entry whose key is there already: it stays out, or takes
 * the other's place. */
enum table_old { TABLE_KEEP, TABLE_REPLACE };

struct table table_new(struct arena *a);
void table_free(struct table *t);

/* All of a table file. False where there is none; ends the process (`tool`
 * says so) where it cannot be read. */
bool table_load(struct table *t, const char *tool, const char *path);

/* False where the key was there already. */
bool table_put(struct table *t, struct str key, struct str value,
               enum table_old old);

/* False where the key was not there. */
bool table_drop(struct table *t, struct str key);

/* A pair's text, without the NUL. */
struct str table_text(struct str stored);

/* Replace the file at path; its owner and mode stay, or are those of `like`
 * where there is none yet. Ends the process where that fails. */
void table_save(struct table *t, const char *tool, const char *path,
                const struct stat *like);

#endif
