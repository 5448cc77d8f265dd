/*
 * postconf.h - what the parts of postconf(1) share.
 */
#ifndef CMD_POSTCONF_H
#define CMD_POSTCONF_H

#include "base/buf.h"
#include "conf/names.h"
#include "conf/services.h"
#include "conf/settings.h"
#include "conf/used.h"

/* Options, as bits. */
enum {
    PC_SASL_SERVER = 1 << 0, /* -a */
    PC_SASL_CLIENT = 1 << 1, /* -A */
    PC_BOUNCE_TEXT = 1 << 2, /* -b */
    PC_LOCKS = 1 << 3,       /* -l */
    PC_MAPS = 1 << 4,        /* -m */
    PC_TLS = 1 << 5,         /* -T */
    PC_TEMPLATES = 1 << 6,   /* -t */
    PC_MAIN = 1 << 7,        /* -p */
    PC_SERVICES = 1 << 8,    /* -M */
    PC_FIELDS = 1 << 9,      /* -F */
    PC_PARAMS = 1 << 10,     /* -P */
    PC_DEFAULTS = 1 << 11,   /* -d */
    PC_EDIT = 1 << 12,       /* -e */
    PC_SET = 1 << 13,        /* -n */
    PC_COMMENT = 1 << 14,    /* -# */
    PC_REMOVE = 1 << 15,     /* -X */
    PC_FOLD = 1 << 16,       /* -f */
    PC_EXPAND = 1 << 17,     /* -x */
    PC_OVERRIDE = 1 << 18,   /* -o */
    PC_NO_NAME = 1 << 19,    /* -h */
    PC_NO_VALUE = 1 << 20,   /* -H */
    PC_CLASS = 1 << 21,      /* -C */

    PC_BOUNCE = PC_BOUNCE_TEXT | PC_TEMPLATES,
    PC_MASTER = PC_SERVICES | PC_FIELDS | PC_PARAMS,
    PC_CHANGE = PC_EDIT | PC_COMMENT | PC_REMOVE,
};

struct postconf {
    struct arena *arena;
    const char *dir;
    bool dir_given;         /* by -c or MAIL_CONFIG */
    const char *tls;        /* -T */
    unsigned options;       /* PC_ */
    unsigned classes;       /* NAME_ */
    bool quiet;             /* -q */
    struct settings *extra; /* -o */
    char **words;           /* behind the options; NULL at the end */
    size_t word_count;

    /* What was read; PC_DEFAULTS: main is empty. */
    struct settings *main;
    struct services services;
    struct names *names;
    struct used *used; /* NULL with PC_DEFAULTS */

    struct buf out; /* for standard output */
};

/* "postconf: warning: ..." on standard error, behind what was printed. */
void pc_warn(struct postconf *p, const char *fmt, ...) PRINTF(2, 3);
/* "postconf: fatal: ...", then exit status 1. */
void pc_fatal(struct postconf *p, const char *fmt, ...) PRINTF(2, 3) NORETURN;
/* Write what has been printed. */
void pc_flush(struct postconf *p);

/* main.cf or master.cf of the folder. */
const char *pc_path(struct postconf *p, const char *name);

/*
 * The raw value of a name for a service (NULL: for main.cf); false where it
 * has none. Defaults only with PC_DEFAULTS.
 */
bool pc_get(struct postconf *p, const struct service *s, struct str name,
            struct str *raw);
/* A text with its $names filled in; a text that makes no sense is fatal. */
struct str pc_expand(struct postconf *p, const struct service *s,
                     struct str raw);

void pc_show_main(struct postconf *p);
void pc_show_services(struct postconf *p);
void pc_show_fields(struct postconf *p);
void pc_show_params(struct postconf *p);
void pc_edit_main(struct postconf *p);
void pc_edit_master(struct postconf *p);
void pc_show_bounce(struct postconf *p);
void pc_show_other(struct postconf *p);
/* What parameters mean (none named: all); the rows of main.cf(5). */
void pc_explain(struct postconf *p, char **names);
void pc_man_rows(struct postconf *p);

#endif
