/*
 * rules.h - tables of patterns in order: what pcre, regexp and cidr share.
 *
 *     PATTERN RESULT      !PATTERN RESULT      if [!]PATTERN ... endif
 *
 * The first rule that matches gives the result. What a pattern is, its type
 * says. A rule that cannot be understood is named in the log and skipped; one
 * with "if" then never holds, so that what it guards stays guarded.
 */
#ifndef MAP_RULES_H
#define MAP_RULES_H

#include "base/arena.h"
#include "base/vec.h"
#include "map/source.h"

struct rule {
    unsigned line;
    bool is_if, negated, broken;
    size_t next;   /* is_if: the rule behind its endif */
    void *pattern; /* NULL in an "if" that is broken */
    struct str result;
};

struct rules {
    struct arena *arena;
    const char *type, *name; /* "pcre", "/etc/postfix/x", for the log */
    VEC(struct rule) of;
};

struct rules_type {
    /*
     * Cut the pattern off the front of *text, which follows any "!"; what is
     * left is the result. NULL where it is wrong, with the reason in *why.
     */
    void *(*parse)(struct rules *r, struct str *text, struct why *why);
    /* Look at a rule's result when the table is read. */
    enum rc (*check)(const struct rule *rule, struct why *why);
    /* Does the subject match? TEMP where that cannot be told. */
    enum rc (*match)(void *pattern, const void *subject, bool *matched,
                     struct why *why);
    /* The result, for a subject that has just been matched. */
    struct str (*expand)(const struct rule *rule, const void *subject,
                         struct arena *a);
};

/* Open the table of that name: what open of a map_type needs. The rules live
 * in the arena. */
enum rc rules_open(struct rules *r, struct arena *a, const char *type,
                   const char *name, const struct rules_type *t,
                   struct why *why) MUST_USE;
void rules_read(struct rules *r, struct source *s, const struct rules_type *t);
void rules_close(struct rules *r);

/* `subject` is the key in the form that match wants. */
enum rc rules_get(struct rules *r, const struct rules_type *t,
                  const void *subject, struct arena *a, struct str *value,
                  struct why *why);

#endif
