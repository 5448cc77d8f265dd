#include "auth/passwd_text.h"

bool
passwd_text_next(struct str *rest, struct str *line, struct passwd_user *u)
{
    if (rest->len == 0)
        return false;
    str_cut(rest, '\n', line);
    if (!passwd_line_parse(*line, u))
        u->name = S("");
    return true;
}

bool
passwd_text_find(struct str text, struct str name, struct passwd_user *u)
{
    struct str line;

    while (passwd_text_next(&text, &line, u))
        if (u->name.len > 0 && str_eq(u->name, name))
            return true;
    return false;
}

/* Add a line as it stood, with the end that it may have lacked. */
static void
keep(struct buf *b, struct str line)
{
    buf_add(b, line);
    buf_addc(b, '\n');
}

enum rc
passwd_text_set(struct arena *a, struct str text, const struct passwd_user *u,
                struct str *out, struct why *why)
{
    struct buf b = buf_in(a), new = buf_in(a);
    struct passwd_user old;
    struct str line;
    bool done = false;

    if (!passwd_line_print(&new, u))
        return fail(why, "5.7.0",
                    "%.*s cannot be written to a passwd-file: a field holds a "
                    "colon, a blank or a control character",
                    STR(u->name));
    while (passwd_text_next(&text, &line, &old)) {
        bool this = !done && old.name.len > 0 && str_eq(old.name, u->name);

        keep(&b, this ? buf_str(&new) : line);
        done |= this;
    }
    if (!done)
        keep(&b, buf_str(&new));
    *out = buf_str(&b);
    return OK;
}

bool
passwd_text_remove(struct arena *a, struct str text, struct str name,
                   struct str *out)
{
    struct buf b = buf_in(a);
    struct passwd_user u;
    struct str line;
    bool found = false;

    /* All lines of that name: the second would come to count. */
    while (passwd_text_next(&text, &line, &u))
        if (u.name.len > 0 && str_eq(u.name, name))
            found = true;
        else
            keep(&b, line);
    *out = buf_str(&b);
    return found;
}

static void
add_field(struct buf *b, struct str name, struct str value)
{
    if (b->len > 0)
        buf_addc(b, ' ');
    buf_add(b, name);
    if (value.p) {
        buf_addc(b, '=');
        buf_add(b, value);
    }
}

struct str
passwd_extra_set(struct arena *a, struct str extra, struct str name,
                 struct str value)
{
    struct buf b = buf_in(a);
    struct passwd_field f;
    bool done = false;

    while (passwd_field_next(&extra, &f)) {
        bool this = str_eq(f.name, name);

        if (!this || !done)
            add_field(&b, f.name, this ? value : f.value);
        done |= this;
    }
    if (!done)
        add_field(&b, name, value);
    return buf_str(&b);
}

struct str
passwd_extra_remove(struct arena *a, struct str extra, struct str name)
{
    struct buf b = buf_in(a);
    struct passwd_field f;

    while (passwd_field_next(&extra, &f))
        if (!str_eq(f.name, name))
            add_field(&b, f.name, f.value);
    return buf_str(&b);
}
