#include "conf/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "conf/defaults.h"
#include "conf/rows.h"

enum { SNAPSHOT_MEMORY = 16 << 20 };

static int
pair_order(const void *a, const void *b)
{
    return strcmp(((const struct conf_pair *)a)->name,
                  ((const struct conf_pair *)b)->name);
}

/* The value of a row, with file and line in `why` where it was set. */
static enum rc
resolve_row(struct arena *a, const struct settings *s,
            const struct expand_names *names, const struct conf_row *row,
            struct str *value, struct why *why)
{
    struct str name = str_from(row->name), raw;
    const struct setting *set = settings_get(s, name);

    must(names->get(names->self, name, &raw));
    if (row->type == CONF_RAW) {
        *value = raw;
        return OK;
    }
    if (expand(a, raw, names, value, why) == OK)
        return OK;
    if (set == NULL)
        return fail(why, "5.3.5", "default of %s: %s", row->name, why->text);
    return fail(why, "5.3.5", "%s, line %u: %s: %s", set->file, set->line,
                row->name, why->text);
}

static void
resolve_rest(struct arena *a, const struct settings *s,
             const struct expand_names *names, struct conf_pairs *out)
{
    struct why why;

    for (size_t i = 0; i < settings_count(s); i++) {
        const struct setting *set = settings_at(s, i);
        struct str value;

        /* Nobody asked for a name that we do not have; it may be broken. */
        if (conf_row_find(set->name) ||
            expand(a, set->value, names, &value, &why) != OK)
            continue;
        out->at[out->count++] =
            (struct conf_pair){set->name.p, arena_cstr(a, value)};
    }
}

enum rc
snapshot_resolve(struct arena *a, const struct settings *s,
                 const struct names *known, struct conf_pairs *out,
                 struct why *why)
{
    struct expand_names names = defaults_names(a, s, known);
    size_t most = conf_row_count + settings_count(s);

    out->at = arena_alloc(a, most * sizeof *out->at);
    out->count = 0;
    for (size_t i = 0; i < conf_row_count; i++) {
        const struct conf_row *row = &conf_rows[i];
        struct str value;
        enum rc rc = resolve_row(a, s, &names, row, &value, why);

        if (rc != OK)
            return rc;
        out->at[out->count++] =
            (struct conf_pair){row->name, arena_cstr(a, value)};
    }
    resolve_rest(a, s, &names, out);
    qsort(out->at, out->count, sizeof *out->at, pair_order);
    return OK;
}

static bool
write_all(int fd, struct str data)
{
    while (data.len > 0) {
        ssize_t n = write(fd, data.p, data.len);

        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0)
            data = str_sub(data, (size_t)n, data.len);
    }
    return true;
}

static enum rc
seal(struct str data, int *out, struct why *why)
{
    const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    int fd = memfd_create("posta-settings", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd >= 0 && write_all(fd, data) && fcntl(fd, F_ADD_SEALS, seals) == 0) {
        *out = fd;
        return OK;
    }
    enum rc rc = fail(why, "4.3.0", "cannot make a settings snapshot: %m");

    if (fd >= 0)
        close(fd);
    return rc;
}

int
conf_snapshot(const struct settings *s, const struct names *names,
              struct why *why)
{
    struct arena *a = arena_new("snapshot", SNAPSHOT_MEMORY);
    struct buf bytes = buf_in(a);
    struct conf_pairs pairs;
    int fd = -1;

    if (snapshot_resolve(a, s, names, &pairs, why) == OK) {
        buf_add(&bytes, S(SNAPSHOT_MARK));
        for (size_t i = 0; i < pairs.count; i++)
            buf_fmt(&bytes, "%s%c%s%c", pairs.at[i].name, 0, pairs.at[i].value,
                    0);
        if (seal(buf_str(&bytes), &fd, why) != OK)
            fd = -1;
    }
    arena_free(a);
    return fd;
}
