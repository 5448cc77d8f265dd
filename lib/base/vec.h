/*
 * vec.h - a growing array of one type, for sets that live long.
 *
 *     VEC(struct rcpt) rcpts = {0};
 *     *vec_add(&rcpts) = r;                 rcpts.at[i], rcpts.len
 *     vec_free(&rcpts);
 *
 * An element's address changes when the array grows.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include "base/base.h"

#define VEC(type)                                                              \
    struct {                                                                   \
        type *at;                                                              \
        size_t len, cap;                                                       \
    }

/* The address of a new, zeroed element at the end. */
#define vec_add(v)                                                             \
    ((v)->at = vec_room((v)->at, (v)->len, &(v)->cap, sizeof *(v)->at),        \
     &(v)->at[(v)->len++])

/* Remove element i; the last one takes its place. */
#define vec_drop(v, i) ((v)->at[i] = (v)->at[--(v)->len])

#define vec_free(v)                                                            \
    (vec_release((v)->at), (v)->at = NULL, (v)->len = (v)->cap = 0)

void *vec_room(void *at, size_t len, size_t *cap, size_t size);
void vec_release(void *at);

#endif
