/*
 * services.h - master.cf: its rows, with what follows the command.
 *
 *     name type private unprivileged chroot wakeup limit command args...
 *
 * Words are set apart by blanks. An argument in braces may hold blanks; the
 * braces and the blanks inside next to them are dropped. "-o name=value",
 * "-o { name = value }" and "{-o name = value}" override main.cf.
 */
#ifndef CONF_SERVICES_H
#define CONF_SERVICES_H

#include "base/arena.h"
#include "base/why.h"
#include "conf/settings.h"

enum service_type {
    SERVICE_INET,
    SERVICE_UNIX,
    SERVICE_FIFO,
    SERVICE_PASS,
    SERVICE_DGRAM,
};

enum service_column {
    COLUMN_NAME,
    COLUMN_TYPE,
    COLUMN_PRIVATE,
    COLUMN_UNPRIVILEGED,
    COLUMN_CHROOT,
    COLUMN_WAKEUP,
    COLUMN_LIMIT,
    COLUMN_COMMAND,
    COLUMN_COUNT,
};

struct service {
    const char *name;    /* "smtp", "127.0.0.1:10025", "[::1]:submission" */
    const char *command; /* "smtpd" */
    enum service_type type;
    bool private, unprivileged, chroot;
    bool wakeup_if_used; /* "60?" */
    int wakeup;          /* seconds, 0 is never */
    int limit;           /* of processes; 0 is none, -1 default_process_limit */
    char **args;         /* behind the command, without -o; NULL at the end */
    size_t arg_count;
    struct setting *overrides; /* in their order: later wins */
    size_t override_count;

    /* As it stands in the file. */
    const char *file;
    unsigned line;
    struct str columns[COLUMN_COUNT];
    struct str *words; /* behind the command, in canonical form: "-o" and */
    size_t word_count; /* "name=value" are two words, without braces */
};

struct services {
    struct service *at; /* in the order of the file */
    size_t count;
};

/* PERM names file and line of a row that is none. */
enum rc services_parse(struct arena *life, struct str text, const char *file,
                       struct services *out, struct why *why) MUST_USE;

/*
 * One row, as services_parse does it (for an editor). PERM says what is wrong
 * without file and line where file is NULL.
 */
enum rc service_parse(struct arena *life, struct str row, const char *file,
                      unsigned line, struct service *out,
                      struct why *why) MUST_USE;

/* Names of columns: "service", "type" ... "process_limit", "command". */
extern const char *const service_columns[COLUMN_COUNT];

/*
 * Drop rows that a later one of the same name and type replaces; the later
 * row takes the place of the first. report is called with each dropped row
 * and the row that stays; it may be NULL.
 */
void services_unique(struct services *s,
                     void (*report)(void *own, const struct service *dropped,
                                    const struct service *kept),
                     void *own);

/* "inet", "unix" ...; false where the text is no type. */
bool service_type_of(struct str text, enum service_type *type) MUST_USE;

#endif
