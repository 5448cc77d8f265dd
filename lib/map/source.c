#include "map/source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "map/type.h"
#include "map/words.h"

struct source
source_of(const char *name, struct str text)
{
    return (struct source){name, text, 1};
}

/* "{ {a} {b} }" as lines. */
static enum rc
read_braces(struct source *s, struct arena *a, const char *name,
            struct why *why)
{
    struct str list = str_from(name), rule;
    struct buf text = buf_in(a);

    if (!words_unbrace(&list))
        return fail(why, "5.3.5", "bad syntax: \"%s\"; need \"{ {rule}... }\"",
                    name);
    while (words_next(&list, &rule)) {
        if (!words_unbrace(&rule))
            return fail(why, "5.3.5", "bad syntax: \"%.*s\"; need \"{rule}\"",
                        STR(rule));
        buf_add(&text, rule);
        buf_addc(&text, '\n');
    }
    *s = source_of("inline", arena_str(a, buf_str(&text)));
    return OK;
}

enum rc
source_read(struct source *s, struct arena *a, const char *name,
            struct why *why)
{
    struct stat st;

    if (name[0] == '{')
        return read_braces(s, a, name, why);

    auto_close int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0 || fstat(fd, &st) < 0)
        return fail(why, "4.3.0", "open %s: %m", name);
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > MAP_TEXT_MAX) {
        errno = EINVAL;
        return fail(why, "4.3.0", "%s is no file or too large", name);
    }

    size_t size = (size_t)st.st_size, len = 0;
    char *text = arena_alloc(a, size + 1);
    ssize_t n = 0;

    while (len < size && (n = read(fd, text + len, size - len)) > 0)
        len += (size_t)n;
    if (n < 0)
        return fail(why, "4.3.0", "read %s: %m", name);
    *s = source_of(arena_cstr(a, str_from(name)), (struct str){text, len});
    return OK;
}

enum kind { TEXT, CONTINUED, IGNORED };

static enum kind
kind_of(struct str line)
{
    struct str text = str_trim(line);

    if (text.len == 0 || text.p[0] == '#')
        return IGNORED;
    return is_space(line.p[0]) ? CONTINUED : TEXT;
}

static struct str
cut_line(struct source *s)
{
    struct str line;

    str_cut(&s->rest, '\n', &line);
    s->line++;
    return line;
}

/* Tables that were edited elsewhere have CR before LF. */
static struct str
without_cr(struct str line)
{
    if (line.len > 0 && line.p[line.len - 1] == '\r')
        line.len--;
    return line;
}

bool
source_line(struct source *s, struct arena *a, struct str *line,
            unsigned *number)
{
    struct buf joined = buf_in(a);

    *line = (struct str){NULL, 0};
    while (s->rest.len > 0) {
        struct source before = *s;
        struct str next = without_cr(cut_line(s));
        enum kind kind = kind_of(next);

        if (kind == IGNORED)
            continue;
        if (line->p == NULL && kind == CONTINUED) {
            log_warn("%s, line %u: a logical line must not start with "
                     "whitespace: \"%.*s\"",
                     s->name, before.line, STR(next));
        } else if (line->p == NULL) {
            *line = next;
            *number = before.line;
        } else if (kind == TEXT) {
            *s = before;
            return true;
        } else {
            if (joined.len == 0)
                buf_add(&joined, *line);
            buf_add(&joined, next);
            *line = buf_str(&joined);
        }
    }
    return line->p != NULL;
}

const char *
source_pair(struct str line, struct str *key, struct str *value)
{
    bool quoted = false;
    size_t i;

    line = str_trim(line);
    for (i = 0; i < line.len && (quoted || !is_space(line.p[i])); i++) {
        if (line.p[i] == '"')
            quoted = !quoted;
        else if (quoted && line.p[i] == '\\' && i + 1 < line.len)
            i++;
    }
    *key = str_sub(line, 0, i);
    *value = str_trim(str_sub(line, i, line.len));
    if (quoted)
        return "unbalanced '\"' in the key";
    return key->len && value->len ? NULL
                                  : "expected format: key whitespace "
                                    "value";
}
