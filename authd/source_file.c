#include "source_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "conf/settings.h"

#define FILE_MAX 65536

static enum rc
read_all(struct arena *life, const char *path, struct str *text,
         struct why *why)
{
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *p = arena_alloc(life, FILE_MAX);
    ssize_t n = fd < 0 ? -1 : read(fd, p, FILE_MAX);

    if (n < 0)
        return fail(why, "4.3.0", "cannot read %s: %m", path);
    if (n == FILE_MAX)
        return fail(why, "5.3.5", "%s is too long", path);
    *text = (struct str){p, (size_t)n};
    return OK;
}

static enum rc
put(const struct source_setting *rows, size_t count, const struct setting *s,
    struct why *why)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(s->name, str_from(rows[i].name))) {
            *rows[i].value = s->value.p;
            return OK;
        }
    return fail(why, "5.3.5", "%s, line %u: %.*s: unknown name", s->file,
                s->line, STR(s->name));
}

enum rc
source_file_read(struct arena *life, const char *path,
                 const struct source_setting *rows, size_t count,
                 struct why *why)
{
    struct settings *settings = settings_new(life);
    struct str text = S("");
    enum rc rc = read_all(life, path, &text, why);

    for (size_t i = 0; i < count; i++)
        *rows[i].value = rows[i].fallback;
    if (rc == OK)
        rc = settings_parse(settings, text, path, why);
    for (size_t i = 0; rc == OK && i < settings_count(settings); i++)
        rc = put(rows, count, settings_at(settings, i), why);
    settings_free(settings);
    return rc;
}
