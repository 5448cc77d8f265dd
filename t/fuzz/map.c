/* Tables as text: pcre, regexp, cidr and texthash, read and asked. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "fuzz/fuzz.h"
#include "map/type.h"

static const struct {
    const char *name;
    const struct map_type *type;
} types[] = {
    {"pcre",     &type_pcre    },
    {"regexp",   &type_regexp  },
    {"cidr",     &type_cidr    },
    {"texthash", &type_texthash},
};

/* A file with that content; its name. */
static const char *
file_of(struct str text)
{
    static char name[32];
    static int fd = -1;

    if (fd < 0) {
        fd = memfd_create("table", 0);
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        log_open("fuzz", memfd_create("log", 0), "mail");
    }
    must(ftruncate(fd, 0) == 0);
    must(pwrite(fd, text.p, text.len, 0) == (ssize_t)text.len);
    return name;
}

/* The first byte says which type, the rest of the first line is the key. */
static void
fuzz(struct arena *a, struct str in)
{
    struct str key, value = {0};
    struct map_table table = {0};
    struct why why = {0};

    if (in.len < 2 || in.len > 1 << 14)
        return;

    size_t t = (unsigned char)in.p[0] % COUNT(types);

    in = str_sub(in, 1, in.len);
    str_cut(&in, '\n', &key);
    if (types[t].type->open(types[t].name, file_of(in), &table, &why) != OK)
        return;
    if (types[t].type->get(table.own, key, a, &value, &why) != OK)
        must(why.text[0]);
    types[t].type->close(table.own);
}

FUZZ((size_t)64 << 20)
