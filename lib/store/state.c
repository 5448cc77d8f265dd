#include "store/state.h"

#include "store/keywords.h"

uint32_t
state_head(struct str *text)
{
    struct str line;
    uint64_t n;

    if (!str_cut(text, '\n', &line) || !str_skip(&line, S("1 V")) ||
        !str_num(line, &n) || n > UINT32_MAX)
        return 0;
    return (uint32_t)n;
}

static bool
line_of(struct str line, struct state_line *l)
{
    struct str first;
    uint64_t n;

    *l = (struct state_line){.kind = line.len ? line.p[0] : '\0'};
    line = str_sub(line, 1, line.len);
    if (!str_skip(&line, S(" ")))
        return false;
    str_cut(&line, ' ', &first);
    if (!str_num(first, &n))
        return false;
    switch (l->kind) {
    case 'M':
        l->value = n;
        return line.len == 0 && n <= INT64_MAX;
    case 'K':
        l->bit = (int)n;
        l->name = line;
        return n >= KEYWORD_LETTERS && n < KEYWORDS_MAX && keyword_valid(line);
    case 'U':
        l->uid = (uint32_t)n;
        return n > 0 && n < UINT32_MAX && line.len == 16 &&
               str_hex(line, &l->value) && !(l->value & LETTERS_MASK);
    default:
        return false;
    }
}

bool
state_next(struct str *text, struct state_line *l)
{
    struct str line;

    while (str_cut(text, '\n', &line))
        if (line_of(line, l))
            return true;
    return false;
}

void
state_put_head(struct buf *b, uint32_t validity)
{
    buf_fmt(b, "1 V%u\n", validity);
}

void
state_put(struct buf *b, const struct state_line *l)
{
    if (l->kind == 'M')
        buf_fmt(b, "M %llu\n", (unsigned long long)l->value);
    else if (l->kind == 'K')
        buf_fmt(b, "K %d %.*s\n", l->bit, STR(l->name));
    else
        buf_fmt(b, "U %u %016llx\n", l->uid, (unsigned long long)l->value);
}

enum rc
state_append(int dir, struct str lines, bool sync, struct text_stamp *known,
             struct why *why)
{
    struct text_stamp was, is;
    bool all = text_stat(dir, STATE_FILE, &was) && text_stamp_eq(&was, known);
    enum rc rc = text_append(dir, STATE_FILE, lines, sync, &is, why);

    if (rc == OK && all)
        *known = is;
    return rc;
}
