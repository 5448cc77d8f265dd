/*
 * quotas.h - the value of quota_rule where main.cf has none.
 */
#ifndef CONF_QUOTAS_H
#define CONF_QUOTAS_H

#include "base/arena.h"

/* "*:storage=0", which limits whom a field limits, where a source of users
 * (auth_user_sources, expanded) has such fields; else "", as looking at them
 * costs something with each message. */
struct str quotas_default(struct arena *a, struct str sources);

#endif
