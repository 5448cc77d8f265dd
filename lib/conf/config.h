/*
 * config.h - a configuration folder: main.cf and master.cf, read once.
 */
#ifndef CONF_CONFIG_H
#define CONF_CONFIG_H

#include "conf/names.h"
#include "conf/services.h"
#include "conf/settings.h"

struct config {
    struct arena *life;
    const char *dir;
    struct settings *main;    /* of main.cf */
    struct services services; /* of master.cf, one row a name and type */
    struct names *names;      /* builtin, of services, and the site's own */
};

/*
 * Read DIR/main.cf and DIR/master.cf. PERM (TEMP where a file cannot be read)
 * with a line that names the file, the line and the trouble. The result
 * belongs to the arena, but for an index that config_free frees.
 */
enum rc config_read(struct arena *life, const char *dir, struct config *out,
                    struct why *why) MUST_USE;
void config_free(struct config *c);

/*
 * A value as that service sees it (NULL: the suite, without any service's
 * overrides): expanded, a default where it is not set. PERM where it cannot be
 * expanded. An unknown name is empty.
 */
enum rc config_value(const struct config *c, const struct service *service,
                     const char *name, struct str *value,
                     struct why *why) MUST_USE;

/*
 * The sealed settings of one service, for conf_from_snapshot: main.cf, its
 * overrides on top, $service_name and $process_name set. NULL is those of no
 * service (master's own). The descriptor is the caller's; -1 with why.
 */
int config_snapshot(const struct config *c, const struct service *service,
                    struct why *why);

/* The whole of a file, up to 4 MiB. */
enum rc config_read_file(struct arena *a, const char *path, struct str *text,
                         struct why *why) MUST_USE;

#endif
