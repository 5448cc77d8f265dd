/*
 * list.h - doubly linked lists whose nodes stand inside what they link.
 */
#ifndef QMGR_LIST_H
#define QMGR_LIST_H

#include "base/base.h"

struct node {
    struct node *next, *prev; /* NULL: in no list */
};

#define list_item(node, type, member)                                          \
    ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void
list_init(struct node *list)
{
    list->next = list->prev = list;
}

static inline bool
list_empty(const struct node *list)
{
    return list->next == list;
}

static inline bool
list_linked(const struct node *n)
{
    return n->next != NULL;
}

/* At the end; list_push: at the front. */
static inline void
list_add(struct node *list, struct node *n)
{
    n->prev = list->prev;
    n->next = list;
    list->prev->next = n;
    list->prev = n;
}

static inline void
list_push(struct node *list, struct node *n)
{
    list_add(list->next, n);
}

/* Out of whichever list it stands in, if any. */
static inline void
list_remove(struct node *n)
{
    if (n->next == NULL)
        return;
    n->prev->next = n->next;
    n->next->prev = n->prev;
    n->next = n->prev = NULL;
}

/* The first one, or NULL. */
static inline struct node *
list_first(const struct node *list)
{
    return list->next == list ? NULL : list->next;
}

#endif
