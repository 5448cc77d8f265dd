/*
 * Apart from conf.c, so that programs do not carry the table of all names.
 */
#include "conf/conf.h"
#include "conf/snapshot.h"

const struct conf *
conf_from_text(struct arena *life, const char *main_cf, struct why *why)
{
    struct settings *s = settings_new(life);
    struct names *names = names_new(life, NULL);
    struct conf_pairs *pairs = arena_make(life, struct conf_pairs);
    bool ok = settings_parse(s, str_from(main_cf), "main.cf", why) == OK &&
              snapshot_resolve(life, s, names, pairs, why) == OK;

    settings_free(s);
    names_free(names);
    return ok ? conf_make(life, pairs, why) : NULL;
}
