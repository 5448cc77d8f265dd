/*
 * settings.h - what a router is made of.
 *
 * The fields are parameters of main.cf (settings.def); daemon/routing.c fills
 * them in. Texts are never NULL; lists and tables are as in main.cf.
 */
#ifndef ROUTE_SETTINGS_H
#define ROUTE_SETTINGS_H

#include "base/base.h"

struct route_settings {
#define TEXT                const char *
#define BOOL                bool
#define NUM                 int64_t
#define SETTING(type, name) type name;
#include "route/settings.def"
#undef TEXT
#undef BOOL
#undef NUM
    const char *own_addresses; /* of inet_interfaces and proxy_interfaces */
};

#endif
