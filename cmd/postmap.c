/*
 * postmap - make and ask look-up tables.
 */
#include "base/log.h"
#include "cmd.h"
#include "maker.h"
#include "map/source.h"

static const char *
parse(struct arena *a, struct str line, struct str *key, struct str *value)
{
    const char *wrong = source_pair(line, key, value);

    (void)a;
    if (wrong == NULL && key->p[key->len - 1] == ':')
        log_warn("\"%.*s\" is in \"key: value\" format; is this an alias file?",
                 STR(*key));
    return wrong;
}

int
postmap_main(int argc, char **argv)
{
    static const struct maker postmap = {
        .name = "postmap",
        .flags = "bc:d:fFhimnNopq:rsuUvw",
        .usage = "[-bfFhimnNoprsuUvw] [-c config_dir] [-d key] [-q key] "
                 "[map_type:]file...",
        .separator = "\t",
        .parse = parse,
    };

    return maker_main(&postmap, argc, argv);
}
