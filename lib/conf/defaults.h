/*
 * defaults.h - defaults that no table can hold: the machine's own.
 */
#ifndef CONF_DEFAULTS_H
#define CONF_DEFAULTS_H

#include "conf/expand.h"
#include "conf/names.h"
#include "conf/settings.h"

/* What a name stands for before expansion: as set, else by default. The
 * arguments must outlive the result. */
struct expand_names defaults_names(struct arena *a, const struct settings *s,
                                   const struct names *names);

/* The default alone; false for a name that has none. */
bool defaults_get(struct arena *a, const struct settings *s,
                  const struct names *names, struct str name, struct str *raw);

#endif
