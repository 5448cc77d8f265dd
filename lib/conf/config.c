#include "conf/config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/defaults.h"
#include "conf/snapshot.h"

enum { FILE_MAX = 4 << 20 };

/* Read on until `room` bytes are there or the file ends. */
static ssize_t
read_all(int fd, char *to, size_t room)
{
    size_t have = 0;

    while (have < room) {
        ssize_t n = read(fd, to + have, room - have);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        have += (size_t)n;
    }
    return (ssize_t)have;
}

enum rc
config_read_file(struct arena *a, const char *path, struct str *text,
                 struct why *why)
{
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0)
        return fail(why, "4.3.5", "open %s: %m", path);
    if (!S_ISREG(st.st_mode))
        return fail(why, "4.3.5", "open %s: not a regular file", path);
    if (st.st_size > FILE_MAX)
        return fail(why, "5.3.5", "%s: larger than %d bytes", path, FILE_MAX);
    char *bytes = arena_alloc(a, (size_t)st.st_size + 1);
    ssize_t len = read_all(fd, bytes, (size_t)st.st_size);

    if (len < 0)
        return fail(why, "4.3.5", "read %s: %m", path);
    *text = (struct str){bytes, (size_t)len};
    return OK;
}

static void
report_replaced(void *own, const struct service *dropped,
                const struct service *kept)
{
    (void)own;
    log_warn("%s, line %u: service %s %.*s replaces the one of line %u; remove "
             "one of them",
             kept->file, kept->line, kept->name,
             STR(kept->columns[COLUMN_TYPE]), dropped->line);
}

enum rc
config_read(struct arena *life, const char *dir, struct config *out,
            struct why *why)
{
    const char *main = arena_fmt(life, "%s/main.cf", dir);
    const char *master = arena_fmt(life, "%s/master.cf", dir);
    struct str text = {0};

    *out = (struct config){.life = life, .dir = arena_fmt(life, "%s", dir)};
    out->main = settings_new(life);
    enum rc rc = config_read_file(life, main, &text, why);

    if (rc == OK)
        rc = settings_parse(out->main, text, main, why);
    if (rc == OK)
        rc = config_read_file(life, master, &text, why);
    if (rc == OK)
        rc = services_parse(life, text, master, &out->services, why);
    if (rc != OK) {
        config_free(out);
        return rc;
    }
    settings_put(out->main, S("config_directory"), str_from(dir), dir, 0);
    services_unique(&out->services, report_replaced, NULL);
    out->names = names_new(life, &out->services);
    return OK;
}

void
config_free(struct config *c)
{
    settings_free(c->main);
    names_free(c->names);
    c->main = NULL;
    c->names = NULL;
}

static void
override(struct settings *s, const struct service *service)
{
    for (size_t i = 0; service && i < service->override_count; i++) {
        const struct setting *o = &service->overrides[i];

        settings_put(s, o->name, o->value, o->file, o->line);
    }
}

enum rc
config_value(const struct config *c, const struct service *service,
             const char *name, struct str *value, struct why *why)
{
    struct settings *s = settings_copy(c->life, c->main);
    struct expand_names names = defaults_names(c->life, s, c->names);
    struct str raw;
    enum rc rc = OK;

    override(s, service);
    *value = S("");
    if (names.get(names.self, str_from(name), &raw))
        rc = expand(c->life, raw, &names, value, why);
    if (rc != OK) {
        const struct setting *set = settings_get(s, str_from(name));

        rc = fail(why, "5.3.5", "%s, line %u: %s: %s", set ? set->file : c->dir,
                  set ? set->line : 0, name, why->text);
    }
    settings_free(s);
    return rc;
}

/* "myorigin = /etc/mailname": the first line of that file. */
static enum rc
read_myorigin(struct settings *s, struct arena *a, struct why *why)
{
    const struct setting *set = settings_get(s, S("myorigin"));
    struct str text, line;

    if (set == NULL || !str_starts(set->value, S("/")))
        return OK;
    enum rc rc = config_read_file(a, set->value.p, &text, why);

    if (rc != OK)
        return fail(why, "4.3.5", "%s, line %u: myorigin: %s", set->file,
                    set->line, why->text);
    str_cut(&text, '\n', &line);
    settings_put(s, S("myorigin"), str_trim(line), set->file, set->line);
    return OK;
}

int
config_snapshot(const struct config *c, const struct service *service,
                struct why *why)
{
    struct arena *a = arena_new("settings", 4 * FILE_MAX);
    struct settings *s = settings_copy(a, c->main);

    if (service) {
        settings_put(s, S("service_name"), str_from(service->name), c->dir, 0);
        settings_put(s, S("process_name"), str_from(service->command), c->dir,
                     0);
    }
    override(s, service);
    int fd =
        read_myorigin(s, a, why) == OK ? conf_snapshot(s, c->names, why) : -1;

    settings_free(s);
    arena_free(a);
    return fd;
}
