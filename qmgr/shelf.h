/*
 * shelf.h - every message in the queue, in a few dozen bytes each.
 *
 * A million waiting messages must fit into memory and be found by id, by the
 * time they are due, and in order of arrival; all else is in their files.
 */
#ifndef QMGR_SHELF_H
#define QMGR_SHELF_H

#include "queue/id.h"

enum shelf_state {
    SHELF_FREE,   /* no message */
    SHELF_FRESH,  /* never tried; waits for room among the active ones */
    SHELF_DUE,    /* to be tried at `due` */
    SHELF_HELD,   /* until an administrator releases it */
    SHELF_ACTIVE, /* loaded: `message` */
    SHELF_STATES
};

struct message;

struct entry {
    uint64_t time; /* with tail and is_long the queue id */
    int64_t seal;
    union {
        int64_t due; /* milliseconds since 1970 */
        struct message *message;
    };
    uint32_t place; /* in the heap, or the next in a list */
    uint32_t sites; /* shelf_site bits of its recipients; 0: unknown */
    uint16_t tail;
    uint8_t state, folder; /* enum shelf_state, enum spool_folder */
    bool is_long, forced;
};

struct shelf;

struct shelf *shelf_new(void);

/* Entries stay where they are until shelf_remove. */
struct entry *shelf_find(const struct shelf *s, struct queue_id id);
/* A new one, SHELF_FREE so far; NULL if the id is there already. */
struct entry *shelf_add(struct shelf *s, struct queue_id id, int64_t seal);
void shelf_remove(struct shelf *s, struct entry *e);

static inline struct queue_id
shelf_id(const struct entry *e)
{
    return (struct queue_id){e->time, e->tail, e->is_long};
}

/* Change the state; with `due` for SHELF_DUE. FRESH ones queue up in order. */
void shelf_set(struct shelf *s, struct entry *e, enum shelf_state state,
               int64_t due);

/* The FRESH entry that waits longest, and the DUE one that is due first. */
struct entry *shelf_fresh(const struct shelf *s);
struct entry *shelf_due(const struct shelf *s);

size_t shelf_count(const struct shelf *s, enum shelf_state state);
size_t shelf_total(const struct shelf *s);

/* Walk all: start with *pos 0; NULL at the end. Entries may come and go. */
struct entry *shelf_next(const struct shelf *s, uint32_t *pos);

/* One bit for a site's or domain's name (whatever its case), for `sites`. */
uint32_t shelf_site(struct str name);

#endif
