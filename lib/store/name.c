#include "store/name.h"

#include "base/buf.h"

static const struct {
    char letter; /* in the order of the alphabet */
    unsigned flag;
} letters[] = {
    {'D', FLAG_DRAFT   },
    {'F', FLAG_FLAGGED },
    {'R', FLAG_ANSWERED},
    {'S', FLAG_SEEN    },
    {'T', FLAG_DELETED },
};

static unsigned
flag_of(char letter)
{
    for (size_t i = 0; i < COUNT(letters); i++)
        if (letters[i].letter == letter)
            return letters[i].flag;
    return 0;
}

/* ",S=123" up to another field or the end. */
static uint64_t
field(struct str base, struct str key)
{
    ssize_t at = str_search(base, key);
    struct str value;
    uint64_t n;

    if (at < 0)
        return 0;
    base = str_sub(base, (size_t)at + key.len, base.len);
    str_cut(&base, ',', &value);
    return str_num(value, &n) && n < INT64_MAX ? n : 0;
}

static int64_t
time_of(struct str base)
{
    struct str seconds;
    uint64_t n;

    if (!str_cut(&base, '.', &seconds) || !str_num(seconds, &n) ||
        n > UINT64_C(0xffffffffff))
        return 0;
    return (int64_t)n;
}

static bool
is_message(struct str file)
{
    if (file.len == 0 || file.len > 255 || file.p[0] == '.' || file.p[0] == ':')
        return false;
    for (size_t i = 0; i < file.len; i++)
        if ((unsigned char)file.p[i] < ' ' || file.p[i] == '/')
            return false;
    return true;
}

bool
name_base(struct str file, struct str *base)
{
    struct str rest = file;

    str_cut(&rest, ':', base);
    return is_message(file);
}

bool
name_parse(struct str file, struct name *n)
{
    struct str info;

    *n = (struct name){0};
    if (!name_base(file, &n->base))
        return false;
    info = str_sub(file, n->base.len + 1, file.len);
    if (str_skip(&info, S("2,")))
        n->info = info;
    for (size_t i = 0; i < n->info.len; i++) {
        char c = n->info.p[i];

        n->flags |= flag_of(c);
        if (c >= 'a' && c <= 'z')
            n->keywords |= UINT64_C(1) << (c - 'a');
    }
    n->size = field(n->base, S(",S="));
    n->vsize = field(n->base, S(",W="));
    n->made = time_of(n->base);
    return true;
}

/* Capital letters in their order, ours and those of others. */
static void
add_capitals(struct buf *b, struct str old, unsigned flags)
{
    for (int i = 0; i < 26; i++) {
        char c = (char)('A' + i);
        unsigned flag = flag_of(c);

        if (flag ? flags & flag : str_find(old, c) >= 0)
            buf_addc(b, c);
    }
}

const char *
name_with(struct arena *a, const struct name *n, unsigned flags,
          uint64_t keywords)
{
    struct buf b = buf_in(a);

    buf_add(&b, n->base);
    buf_add(&b, S(":2,"));
    add_capitals(&b, n->info, flags);
    for (int i = 0; i < KEYWORD_LETTERS; i++)
        if (keywords >> i & 1)
            buf_addc(&b, (char)('a' + i));
    return buf_str(&b).p;
}

/* Digits at the front as a number; what does not fit is the largest. */
static uint64_t
leading(struct str *s)
{
    uint64_t n = 0;
    size_t i = 0;

    for (; i < s->len && is_digit(s->p[i]); i++)
        if (n < UINT64_MAX / 16)
            n = n * 10 + (uint64_t)(s->p[i] - '0');
    *s = str_sub(*s, i, s->len);
    return n;
}

/* The microseconds behind the "M" of ".M123P4.host". */
static uint64_t
micros(struct str rest)
{
    struct str unique;

    if (!str_skip(&rest, S(".")))
        return 0;
    str_cut(&rest, '.', &unique);

    ssize_t at = str_find(unique, 'M');

    if (at < 0)
        return 0;
    unique = str_sub(unique, (size_t)at + 1, unique.len);
    return leading(&unique);
}

static int
cmp(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

struct name_rank
name_rank(struct str base)
{
    struct name_rank r = {.base = base};
    struct str rest = base;

    r.seconds = leading(&rest);
    r.micros = micros(rest);
    return r;
}

int
name_rank_cmp(const struct name_rank *a, const struct name_rank *b)
{
    int order = cmp(a->seconds, b->seconds);

    if (order == 0)
        order = cmp(a->micros, b->micros);
    return order ? order : str_cmp(a->base, b->base);
}

int
name_cmp(struct str a, struct str b)
{
    struct name_rank x = name_rank(a), y = name_rank(b);

    return name_rank_cmp(&x, &y);
}
