#include "conf/settings.h"

#include "base/hash.h"
#include "base/vec.h"
#include "conf/lines.h"

struct settings {
    struct arena *life;
    struct hash *index; /* name to its place in the list, plus one */
    struct setting *list;
    size_t count, room;
};

struct settings *
settings_new(struct arena *life)
{
    struct settings *s = arena_make(life, struct settings);

    s->life = life;
    s->index = hash_new();
    return s;
}

void
settings_free(struct settings *s)
{
    if (s)
        hash_free(s->index);
}

static struct setting *
slot(struct settings *s, struct str name)
{
    void **place = hash_put(s->index, name);

    if (*place)
        return &s->list[(uintptr_t)*place - 1];
    if (s->count == s->room) {
        size_t room = s->room ? 2 * s->room : 64;

        s->list = arena_grow(s->life, s->list, s->room * sizeof *s->list,
                             room * sizeof *s->list);
        s->room = room;
    }
    *place = (void *)(uintptr_t)(s->count + 1);
    return &s->list[s->count++];
}

void
settings_put(struct settings *s, struct str name, struct str value,
             const char *file, unsigned line)
{
    struct setting *to = slot(s, name);

    if (to->name.p == NULL) {
        to->name = arena_str(s->life, name);
    } else {
        struct setting *old = arena_make(s->life, struct setting);

        *old = *to;
        to->replaced = old;
    }
    to->value = arena_str(s->life, value);
    to->file = file;
    to->line = line;
}

struct settings *
settings_copy(struct arena *life, const struct settings *s)
{
    struct settings *copy = settings_new(life);

    for (size_t i = 0; i < s->count; i++)
        *slot(copy, s->list[i].name) = s->list[i];
    return copy;
}

const struct setting *
settings_get(const struct settings *s, struct str name)
{
    void *place = hash_get(s->index, name);

    return place ? &s->list[(uintptr_t)place - 1] : NULL;
}

size_t
settings_count(const struct settings *s)
{
    return s->count;
}

const struct setting *
settings_at(const struct settings *s, size_t i)
{
    must(i < s->count);
    return &s->list[i];
}

bool
setting_cut(struct str line, struct str *name, struct str *value,
            const char **problem)
{
    struct str s = str_trim(line);
    size_t len = 0;

    while (len < s.len && !is_space(s.p[len]) && s.p[len] != '=')
        len++;
    *name = str_sub(s, 0, len);
    *value = str_trim(str_sub(s, len, s.len));
    if (len == 0) {
        *problem = "missing attribute name";
        return false;
    }
    if (!str_skip(value, S("="))) {
        *problem = "missing '=' after attribute name";
        return false;
    }
    *value = str_trim(*value);
    return true;
}

enum rc
settings_parse(struct settings *s, struct str text, const char *file,
               struct why *why)
{
    struct lines lines = {.rest = text};
    struct line line;
    const char *problem;

    while (lines_next(&lines, s->life, &line)) {
        struct str name, value;

        if (memchr(line.text.p, '\0', line.text.len))
            return fail(why, "5.3.5", "%s, line %u: a NUL byte", file,
                        line.number);
        if (!setting_cut(line.text, &name, &value, &problem))
            return fail(why, "5.3.5", "%s, line %u: %s: \"%.*s\"", file,
                        line.number, problem,
                        (int)(line.text.len < 80 ? line.text.len : 80),
                        line.text.p);
        settings_put(s, name, value, file, line.number);
    }
    return OK;
}
