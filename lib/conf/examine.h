/*
 * examine.h - what the parts of the check share. For lib/conf only.
 */
#ifndef CONF_EXAMINE_H
#define CONF_EXAMINE_H

#include "conf/check.h"

/* One scope of names: main.cf, or a service with its overrides on top. */
struct scope {
    const struct config *config;
    const struct service *service; /* NULL: main.cf */
    struct settings *settings;
    struct arena *arena;
};

struct exam {
    const struct config *config;
    const struct check *check;
    struct arena *arena;
    size_t fatal;
};

/* Report a problem of a setting (NULL: of the configuration as a whole). */
void exam_warn(struct exam *e, const struct setting *at, const char *fmt, ...)
    PRINTF(3, 4);
void exam_fatal(struct exam *e, const struct setting *at, const char *fmt, ...)
    PRINTF(3, 4);

/* The expanded value of a name there; "" where it has none or no sense. */
struct str scope_value(const struct scope *s, const char *name);

/* Sources of passwords, and their files. */
void exam_logins(struct exam *e, const struct scope *s);

/* Rules of quotas, in main.cf and in files of users. */
void exam_quotas(struct exam *e, const struct scope *s);
/* Namespaces of IMAP. */
void exam_mail_spaces(struct exam *e, const struct scope *s);

/* Combinations that open a hole or cannot work. */
void exam_risks(struct exam *e, const struct scope *s);

#endif
