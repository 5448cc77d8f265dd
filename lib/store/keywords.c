#include "store/keywords.h"

void
keywords_read(struct keywords *k, struct str text)
{
    struct str line, place;
    uint64_t n;

    while (text.len) {
        str_cut(&text, '\n', &line);
        if (str_cut(&line, ' ', &place) && str_num(place, &n) &&
            n < KEYWORD_LETTERS && keyword_valid(line))
            k->name[n] = line;
    }
}

void
keywords_put(struct buf *b, const struct keywords *k)
{
    for (int i = 0; i < KEYWORD_LETTERS; i++)
        if (k->name[i].len)
            buf_fmt(b, "%d %.*s\n", i, STR(k->name[i]));
}

bool
keyword_valid(struct str name)
{
    if (name.len == 0 || name.len > KEYWORD_LEN)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.p[i] <= ' ' || name.p[i] > '~' ||
            strchr("(){%*\"\\]", name.p[i]))
            return false;
    return true;
}

int
keywords_find(const struct keywords *k, struct str name)
{
    for (int i = 0; i < KEYWORDS_MAX; i++)
        if (k->name[i].len && str_ieq(k->name[i], name))
            return i;
    return -1;
}

int
keywords_free(const struct keywords *k)
{
    for (int i = 0; i < KEYWORDS_MAX; i++)
        if (k->name[i].len == 0)
            return i;
    return -1;
}
