/*
 * words.h - lists with braces, as main.cf writes them: "a, {b c}, d:{ {e} }".
 */
#ifndef MAP_WORDS_H
#define MAP_WORDS_H

#include "base/str.h"

/* Cut the next word between blanks, line ends and commas that stand in no
 * braces. False when none is left. */
bool words_next(struct str *list, struct str *word);

/* Is the whole of *s one pair of braces? Then *s is what stands in them,
 * without blanks around it. */
bool words_unbrace(struct str *s);

#endif
