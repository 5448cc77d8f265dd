/*
 * value.h - what the text of a setting says, by its type.
 *
 * All are strict, as Postfix is: nothing may follow, "1k" and "true" are
 * errors. False leaves *value alone.
 */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "base/str.h"

/* yes or no, in any case. */
bool value_bool(struct str text, bool *value) MUST_USE;

/* A decimal number from 0 on; one below 0 is for the caller to refuse. */
bool value_int(struct str text, int64_t *value) MUST_USE;

/*
 * A time with one unit (s m h d w), in milliseconds. Without a unit it is in
 * `unit`, which is that of the parameter's default (value_unit).
 */
bool value_time(struct str text, char unit, int64_t *ms) MUST_USE;

/* The unit in a default such as "5d" or "${stress?{10}:{300}}s"; 's' where
 * there is none. */
char value_unit(struct str fallback);

/*
 * Take the next word off a list, or what stands in braces, which come in
 * pairs: "{ one two }, three". False at the end, and where a brace is not
 * closed or holds nothing: then something is left of the list.
 */
bool value_next(struct str *list, struct str *word);

#endif
