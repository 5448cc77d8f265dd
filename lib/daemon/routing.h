/*
 * routing.h - the router of lib/route as main.cf describes it.
 *
 * Opens every table a look-up may need; call it in `prepare`, while files
 * that only root can read may still be opened. Never NULL; the first trouble
 * (it has been logged, and look-ups answer TEMP) is told in *why, whose text
 * is else empty.
 */
#ifndef DAEMON_ROUTING_H
#define DAEMON_ROUTING_H

#include "conf/conf.h"
#include "route/route.h"

struct router *routing_open(struct arena *life, const struct conf *conf,
                            struct why *why);

#endif
