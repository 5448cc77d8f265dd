/*
 * networks.h - the default of mynetworks, from the machine's own addresses.
 */
#ifndef CONF_NETWORKS_H
#define CONF_NETWORKS_H

#include "base/arena.h"

/*
 * The networks of the addresses that mail is received on, as mynetworks wants
 * them: "127.0.0.0/8 [::1]/128". interfaces, protocols and style are the
 * values of inet_interfaces, inet_protocols and mynetworks_style. Names in
 * inet_interfaces are resolved; this may block.
 */
struct str networks_default(struct arena *a, struct str interfaces,
                            struct str protocols, struct str style);

#endif
