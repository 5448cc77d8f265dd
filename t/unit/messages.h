/*
 * messages.h - the messages in t/messages, for tests that go over all of them.
 */
#ifndef UNIT_MESSAGES_H
#define UNIT_MESSAGES_H

#include <stdio.h>

#include "base/buf.h"
#include "unit/test.h"

/* A file of t/messages, whole; the tests run in the folder of the Makefile. */
static UNUSED struct str
message_file(struct arena *a, struct str name)
{
    const char *path = arena_fmt(a, "t/messages/%.*s", STR(name));
    FILE *f = fopen(path, "rb");
    struct buf b = buf_in(a);
    size_t n;

    if (f == NULL)
        fail_msg("cannot open %s", path);
    while ((n = fread(buf_space(&b, 65536), 1, 65536, f)) > 0)
        b.len += n;
    fclose(f);
    return buf_str(&b);
}

/* The next line of a list of what is wanted, its words behind `name` as `rest`;
 * comments and empty lines are skipped. */
static UNUSED bool
next_wanted(struct str *list, struct str *name, struct str *rest)
{
    while (list->len > 0) {
        str_cut(list, '\n', rest);
        if (rest->len > 0 && rest->p[0] != '#' && str_cut(rest, ' ', name))
            return true;
    }
    return false;
}

/* Text in one line of ASCII: line ends and other bytes escaped. */
static UNUSED struct str
escaped(struct arena *a, struct str s)
{
    struct buf b = buf_in(a);

    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] == '\r' || s.p[i] == '\n')
            buf_add(&b, s.p[i] == '\r' ? S("\\r") : S("\\n"));
        else if (s.p[i] < ' ' || s.p[i] > '~')
            buf_fmt(&b, "\\x%02x", (unsigned char)s.p[i]);
        else
            buf_addc(&b, s.p[i]);
    return buf_str(&b);
}

#endif
