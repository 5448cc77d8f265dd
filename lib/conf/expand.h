/*
 * expand.h - $name and its kin in values, with Postfix's grammar.
 *
 *   $name ${name} $(name)              the value, itself expanded
 *   ${name?text} ${name?{text}}        text if the value is not empty
 *   ${name:text} ${name:{text}}        text if it is empty or unset
 *   ${name?{yes}:{no}}                 either
 *   ${{a} == {b} ? {yes} : {no}}       a comparison: == != < <= > >=, as
 *                                      numbers where both are; with "level"
 *                                      appended, as compatibility levels
 *   $$                                 a dollar sign
 *
 * "Not empty" looks at the value before expansion, as Postfix does. Names
 * that are not defined are empty. Depth, steps and length are bounded.
 */
#ifndef CONF_EXPAND_H
#define CONF_EXPAND_H

#include "base/arena.h"
#include "base/why.h"

/* Who knows the raw values: false where the name is not defined. */
struct expand_names {
    bool (*get)(void *self, struct str name, struct str *raw);
    void *self;
};

/* PERM with what is wrong with it (no names or positions: the caller knows
 * them). *out may be a view of raw. */
enum rc expand(struct arena *a, struct str raw,
               const struct expand_names *names, struct str *out,
               struct why *why) MUST_USE;

/*
 * Call found for every name the text refers to, in all branches. False where
 * the text has no sense; why tells.
 */
bool expand_scan(struct arena *a, struct str raw,
                 void (*found)(void *own, struct str name), void *own,
                 struct why *why) MUST_USE;

/* Compare compatibility levels ("3.6", "2"): -1, 0, 1; false if one is none. */
bool expand_compare_levels(struct str a, struct str b, int *order) MUST_USE;

#endif
