#include "conf/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "conf/defaults.h"
#include "conf/rows.h"

enum {
    SNAPSHOT_MAX = 8 << 20,     /* all values together */
    SNAPSHOT_MEMORY = 64 << 20, /* and what making them takes */
};

static int
pair_order(const void *a, const void *b)
{
    return strcmp(((const struct conf_pair *)a)->name,
                  ((const struct conf_pair *)b)->name);
}

struct maker {
    struct arena *arena, *scratch;
    const struct settings *settings;
    struct expand_names names;
    struct conf_pairs *out;
    size_t bytes;
};

/* Where it was set, in front of what is wrong. */
static enum rc
bad_value(const struct maker *m, struct str name, struct why *why)
{
    const struct setting *set = settings_get(m->settings, name);

    if (set == NULL)
        return fail(why, "5.3.5", "default of %.*s: %s", STR(name), why->text);
    return fail(why, "5.3.5", "%s, line %u: %.*s: %s", set->file, set->line,
                STR(name), why->text);
}

static enum rc
add_pair(struct maker *m, const char *name, struct str raw, bool as_it_is,
         struct why *why)
{
    struct str value = raw;

    arena_reset(m->scratch);
    if (!as_it_is && expand(m->scratch, raw, &m->names, &value, why) != OK)
        return rc_of(why->dsn);
    m->bytes += value.len;
    if (m->bytes > SNAPSHOT_MAX)
        return fail(why, "5.3.5", "all values are longer than %d bytes",
                    SNAPSHOT_MAX);
    m->out->at[m->out->count++] =
        (struct conf_pair){name, arena_cstr(m->arena, value)};
    return OK;
}

static enum rc
add_rows(struct maker *m, struct why *why)
{
    for (size_t i = 0; i < conf_row_count; i++) {
        const struct conf_row *row = &conf_rows[i];
        struct str name = str_from(row->name), raw;

        must(m->names.get(m->names.self, name, &raw));
        if (add_pair(m, row->name, raw, row->type == CONF_RAW, why) != OK)
            return bad_value(m, name, why);
    }
    return OK;
}

/* Nobody asks for a name that is none of ours; so it may be broken. */
static void
add_rest(struct maker *m)
{
    struct why why;

    for (size_t i = 0; i < settings_count(m->settings); i++) {
        const struct setting *set = settings_at(m->settings, i);

        if (conf_row_find(set->name) == NULL)
            (void)!add_pair(m, set->name.p, set->value, false, &why);
    }
}

enum rc
snapshot_resolve(struct arena *a, const struct settings *s,
                 const struct names *known, struct conf_pairs *out,
                 struct why *why)
{
    size_t most = conf_row_count + settings_count(s);
    struct maker m = {
        .arena = a,
        .scratch = arena_new("snapshot scratch", SNAPSHOT_MEMORY),
        .settings = s,
        .names = defaults_names(a, s, known),
        .out = out,
    };

    out->at = arena_alloc(a, most * sizeof *out->at);
    out->count = 0;
    enum rc rc = add_rows(&m, why);

    if (rc == OK)
        add_rest(&m);
    qsort(out->at, out->count, sizeof *out->at, pair_order);
    arena_free(m.scratch);
    return rc;
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
