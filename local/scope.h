/*
 * scope.h - inside the expansion of a recipient: where in the tree of aliases
 * and files a destination stands. Shared by expand.c, alias.c and list.c.
 */
#ifndef LOCAL_SCOPE_H
#define LOCAL_SCOPE_H

#include "expand.h"
#include "mail/alias.h"

#define SCOPE_DEPTH_MAX 100    /* as Postfix's */
#define SCOPE_STEPS_MAX 200000 /* destinations of one recipient */
#define SCOPE_OWN_MAX   250    /* files and commands among them */

/* One expansion at work. */
struct expansion {
    struct job *job;
    struct targets *targets;
    struct hash *included; /* files that were read */
    size_t steps, own;     /* destinations; files and commands */
};

/* What surrounds a destination. */
struct scope {
    const struct scope *up;
    unsigned depth;
    enum origin_bit from; /* what listed it */
    struct str name;      /* the alias, the user of the .forward file, or the
                             path of the :include: file */
    struct who who;       /* whose expansion this is */
    struct str sender;    /* of forwards */
    struct str owner;     /* who is told of trouble; p NULL: nobody special */
    struct str delivered;
    struct str unmatched;         /* extension that goes on to the results */
    const struct account *rights; /* NULL: default_privs */
    bool list;                    /* sender is an owner-alias */
    bool split;                   /* one of several destinations */
    bool relayed;                 /* came by luser_relay */
};

/* Go on with one destination. */
void scope_follow(struct expansion *x, const struct scope *s,
                  const struct alias *destination);

/* All destinations of `text`, an alias's value, or of the lines of a file.
 * False if there is none. */
bool scope_follow_text(struct expansion *x, struct scope *s, struct str text);
bool scope_follow_lines(struct expansion *x, struct scope *s, struct str text);

struct target *scope_add(struct expansion *x, const struct scope *s,
                         enum target_kind kind, struct str text);
/* A target that fails as *why says. */
struct target *scope_fail(struct expansion *x, const struct scope *s,
                          const struct why *why);

/*
 * The three expansions. True if they were one: there is an alias of that
 * name; there is a .forward file, and destinations in it. A :include: file
 * always is one.
 */
bool alias_expand(struct expansion *x, const struct scope *s,
                  const struct who *w, struct str name);
bool forward_expand(struct expansion *x, const struct scope *s,
                    const struct who *w);
void include_expand(struct expansion *x, const struct scope *s,
                    struct str path);

#endif
