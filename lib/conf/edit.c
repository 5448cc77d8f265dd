#include "conf/edit.h"

#include <stdlib.h>

#include "base/buf.h"

/* Take one physical line with its line end; the last may lack it. */
static bool
take_line(struct str *rest, struct str *line)
{
    ssize_t end = str_find(*rest, '\n');

    if (rest->len == 0)
        return false;
    *line = str_sub(*rest, 0, end < 0 ? rest->len : (size_t)end + 1);
    *rest = str_sub(*rest, line->len, rest->len);
    return true;
}

static void
put_line(struct buf *out, const char *before, struct str line)
{
    buf_add(out, str_from(before));
    buf_add(out, line);
    if (!str_ends(line, S("\n")))
        buf_addc(out, '\n');
}

static bool
is_nothing(struct str line)
{
    struct str text = str_trim(line);

    return text.len == 0 || text.p[0] == '#';
}

static struct str
name_of(struct str line)
{
    size_t len = 0;

    while (len < line.len && !is_space(line.p[len]) && line.p[len] != '=')
        len++;
    return str_sub(line, 0, len);
}

static struct edit_main *
find(struct edit_main *edits, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(edits[i].name, name))
            return &edits[i];
    return NULL;
}

static void
put_setting(struct buf *out, const struct edit_main *e)
{
    buf_fmt(out, "%.*s = %.*s\n", STR(e->name), STR(e->value));
}

static int
edit_order(const void *a, const void *b)
{
    return str_cmp((*(const struct edit_main *const *)a)->name,
                   (*(const struct edit_main *const *)b)->name);
}

static void
append_missing(struct arena *a, struct buf *out, const struct edit_main *edits,
               size_t count)
{
    const struct edit_main **missing = arena_alloc(a, count * sizeof *missing);
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        if (edits[i].found == 0)
            missing[n++] = &edits[i];
    if (n > 1)
        qsort(missing, n, sizeof *missing, edit_order);
    for (size_t i = 0; i < n; i++)
        put_setting(out, missing[i]);
}

struct str
edit_main(struct arena *a, struct str text, enum edit what,
          struct edit_main *edits, size_t count)
{
    struct buf out = buf_in(a);
    struct edit_main *now = NULL; /* whose lines we are in */
    struct str line;

    while (take_line(&text, &line)) {
        bool goes_on = is_space(line.p[0]);

        if (is_nothing(line)) {
            put_line(&out, "", line);
            continue;
        }
        if (!goes_on)
            now = find(edits, count, name_of(line));
        if (now && !goes_on)
            now->found++;
        if (now == NULL)
            put_line(&out, "", line);
        else if (what == EDIT_COMMENT)
            put_line(&out, "#", line);
        else if (what == EDIT_SET && !goes_on)
            put_setting(&out, now);
    }
    if (what == EDIT_SET)
        append_missing(a, &out, edits, count);
    return buf_str(&out);
}
