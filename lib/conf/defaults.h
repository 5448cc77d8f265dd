/*
 * defaults.h - defaults that no table can hold: the machine's own.
 */
#ifndef CONF_DEFAULTS_H
#define CONF_DEFAULTS_H

#include "conf/expand.h"
#include "conf/settings.h"

/* What a name stands for before expansion: as set, else by default. */
struct expand_names defaults_names(struct arena *a, const struct settings *s);

#endif
