/*
 * maker.h - what postmap and postalias share: options, and what they do.
 */
#ifndef CMD_MAKER_H
#define CMD_MAKER_H

#include "conf/conf.h"
#include "map/map.h"
#include "table.h"

/* How the two differ. */
struct maker {
    const char *name;
    const char *flags, *usage; /* for getopt; behind "usage: NAME " */
    const char *separator;     /* between key and value, in a dump */

    /* Cut one logical line of a source; NULL, or what is wrong with it. The
     * result may be empty: nothing is to be stored. */
    const char *(*parse)(struct arena *a, struct str line, struct str *key,
                         struct str *value);
    /* Entries that every new table has; may be NULL. */
    void (*extra)(struct table *t, const struct conf *conf);
};

/* One call. */
struct making {
    const struct maker *maker;
    struct arena *arena;
    const struct conf *conf;
    const char *key; /* of -q or -d */
    bool no_fold, base64, header, body, mime;
    bool add, without_nul, with_nul, as_root, plain_mode;
    bool replace, keep, any_bytes, check_bytes;
    unsigned verbose;
};

int maker_main(const struct maker *maker, int argc, char **argv);

/* The settings of the folder that -c named, or of the usual one; NULL where
 * there is no main.cf yet: tables can be made before. */
const struct conf *maker_conf(struct arena *a, const char *dir,
                              const char *tool);

/* What is said to whoever runs it; with -v only. */
void maker_say(const struct making *m, const char *fmt, ...) PRINTF(2, 3);

/* The table file that spec names; ends the process for types that are no
 * files of ours, saying that they cannot do `what`. */
const char *maker_file(struct making *m, const char *spec, const char *what,
                       const char **source);

/* A key as tables have it. */
struct str maker_fold(struct making *m, struct str key);

/* Create a table from its source, or add what stands on standard input. */
void maker_build(struct making *m, const char *spec);
/* Remove keys: m->key, or those on standard input. Status. */
int maker_delete(struct making *m, char **specs);
/* Look up m->key, or what stands on standard input. Status. */
int maker_query(struct making *m, char **specs);
/* All entries. */
void maker_dump(struct making *m, const char *spec);

/* Call back for each line on standard input. */
void maker_lines(struct making *m, void (*line)(void *self, struct str text),
                 void *self);

#endif
