/*
 * id.h - queue ids, and the names of queue files.
 *
 * An id is made from the time in microseconds and never decreases in time, so
 * it is not used twice. Short ids are 10 hexadecimal digits (the time modulo
 * 12 days; qmgr skips those that are in use), long ones (enable_long_queue_ids)
 * have Postfix's shape: six digits of seconds and four of microseconds in base
 * 52, "z", and a random tail.
 *
 * A file's name is the id, "-", and its seal in 16 hexadecimal digits. The
 * seal is random and stands in each footer of the file (format.h); whoever
 * only sends content cannot know it.
 */
#ifndef QUEUE_ID_H
#define QUEUE_ID_H

#include "base/str.h"

enum {
    QUEUE_ID_MAX = 20,                     /* with the NUL */
    QUEUE_NAME_MAX = QUEUE_ID_MAX + 1 + 16 /* with the NUL */
};

/* The numbers behind an id: text and numbers say the same. */
struct queue_id {
    uint64_t time; /* microseconds; of a short id, modulo 2^40 */
    uint16_t tail; /* of a long id */
    bool is_long;
};

/* The id of that moment; tail is any number. */
struct queue_id queue_id_make(uint64_t us, uint16_t tail, bool is_long);

/* As text; returns text. */
char *queue_id_text(struct queue_id id, char text[QUEUE_ID_MAX]);
bool queue_id_parse(struct str text, struct queue_id *id);

/* When it was made, in microseconds, given a time not long after. */
uint64_t queue_id_time(struct queue_id id, uint64_t now);

/* "ID-SEAL"; returns name. */
char *queue_name(struct queue_id id, int64_t seal, char name[QUEUE_NAME_MAX]);
bool queue_name_parse(struct str name, struct queue_id *id, int64_t *seal);

#endif
