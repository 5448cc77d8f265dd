#include "store/subs.h"

#define HEAD "V\t2\n\n"

int
subs_head(struct str *text)
{
    return str_skip(text, S(HEAD)) ? 2 : 1;
}

static const char escapes[] = "0\0001\001t\tr\rn\n";

/* The byte that \001 and this one stand for, -1 for none. */
static int
unescaped(char c)
{
    for (size_t i = 0; i + 1 < sizeof escapes; i += 2)
        if (escapes[i] == c)
            return escapes[i + 1];
    return -1;
}

static bool
add_part(struct buf *b, struct str part)
{
    for (size_t i = 0; i < part.len; i++) {
        int c = (unsigned char)part.p[i];

        if (c == 1)
            c = ++i < part.len ? unescaped(part.p[i]) : -1;
        if (c < ' ')
            return false;
        buf_addc(b, (char)c);
    }
    return true;
}

static bool
name_of(struct buf *b, struct str line, char divider)
{
    struct str part;
    bool more = true;

    if (line.len == 0 || line.len > 4096)
        return false;
    while (more) {
        more = str_cut(&line, divider, &part);
        if (part.len == 0 && !more && b->len)
            return true; /* old versions wrote a divider at the end */
        if (b->len)
            buf_addc(b, '\t');
        if (part.len == 0 || !add_part(b, part))
            return false;
    }
    return true;
}

bool
subs_next(struct arena *a, struct str *text, int version, char divider,
          struct str *name)
{
    struct str line;

    while (text->len) {
        struct buf b = buf_in(a);

        str_cut(text, '\n', &line);
        if (name_of(&b, line, version == 2 ? '\t' : divider)) {
            *name = buf_str(&b);
            return true;
        }
    }
    return false;
}

void
subs_put_head(struct buf *b, int version)
{
    if (version == 2)
        buf_add(b, S(HEAD));
}

void
subs_put(struct buf *b, int version, char divider, struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        buf_addc(b, name.p[i] == '\t' && version == 1 ? divider : name.p[i]);
    buf_addc(b, '\n');
}

bool
uses_valid(struct str use)
{
    struct str word;
    bool more = true;

    while (more) {
        more = str_cut(&use, ' ', &word);
        if (word.len < 2 || word.len > 64 || word.p[0] != '\\')
            return false;
        for (size_t i = 1; i < word.len; i++)
            if (!is_alnum(word.p[i]))
                return false;
    }
    return true;
}

bool
uses_next(struct str *text, struct str *use, struct str *path)
{
    while (text->len) {
        str_cut(text, '\n', path);
        if (str_cut(path, '\t', use) && uses_valid(*use) && path->len)
            return true;
    }
    return false;
}

void
uses_put(struct buf *b, struct str use, struct str path)
{
    buf_fmt(b, "%.*s\t%.*s\n", STR(use), STR(path));
}
