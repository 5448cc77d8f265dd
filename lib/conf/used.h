/*
 * used.h - which names of a site's own something uses.
 *
 * A name that Postfix does not know is used if a value of main.cf or
 * master.cf refers to it with $, if it is one of smtpd_restriction_classes, or
 * if it begins with the name of an old-style table ("ldap:accounts" reads
 * accounts_server_host).
 */
#ifndef CONF_USED_H
#define CONF_USED_H

#include "conf/names.h"
#include "conf/services.h"
#include "conf/settings.h"

struct used;

/*
 * Look through a configuration; used names that main.cf sets are added to
 * `names`. complain (may be NULL) is called for each $name that nobody defines
 * ("undefined parameter: x") and each value that makes no sense, with the
 * file it stands in.
 */
struct used *
used_find(struct arena *life, struct names *names, const struct settings *main,
          const struct services *services,
          void (*complain)(void *own, const char *file, struct str what),
          void *own);
void used_free(struct used *u);

/* Is an override of this service, by that name, used? */
bool used_in_service(const struct used *u, const struct service *s,
                     struct str name);

#endif
