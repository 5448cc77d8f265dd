#include "fts/tokens.h"

/* ASCII alone is no word when it is longer than this: hardly any language has
 * longer ones, but each mail has hashes and base64. */
#define ASCII_WORD_MAX 20
/* With digits among its letters it is a number of something, in one message or
 * two, and its grams take less room. */
#define MIXED_WORD_MAX 8

static bool
is_word_byte(char c)
{
    static const bool are[256] = {
        ['0' ... '9'] = true,
        ['A' ... 'Z'] = true,
        ['a' ... 'z'] = true,
    };

    return are[(unsigned char)c];
}

/* The bytes of the character that begins here. Text that is no UTF-8 is cut
 * somehow, but within its bounds. */
static size_t
char_len(struct str s)
{
    unsigned char c = (unsigned char)s.p[0];
    size_t len = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

    return len < s.len ? len : s.len;
}

/* By the first two bytes: U+0E00 to 0EFF (Thai, Lao), U+1000 to 109F
 * (Myanmar), U+1780 to 17FF (Khmer), U+2E80 to 9FFF and planes 2 and 3 (Han,
 * Kana). */
static bool
is_unspaced(unsigned char a, unsigned char b)
{
    return (a == 0xe0 && b >= 0xb8 && b <= 0xbb) ||
           (a == 0xe1 && (b <= 0x82 || b == 0x9e || b == 0x9f)) ||
           (a == 0xe2 && b >= 0xba) || (a >= 0xe3 && a <= 0xe9) ||
           (a == 0xf0 && b >= 0xa0);
}

/* Punctuation: U+2000 to 203F, U+3000 to 301F, and U+FFFD. */
static bool
is_between(const unsigned char *p, size_t len)
{
    return len == 3 && ((p[0] == 0xe2 && p[1] == 0x80) ||
                        (p[0] == 0xe3 && p[1] == 0x80 && p[2] < 0xa0) ||
                        (p[0] == 0xef && p[1] == 0xbf && p[2] == 0xbd));
}

static enum run_class
class_of(struct str c)
{
    const unsigned char *p = (const unsigned char *)c.p;

    if (p[0] < 0x80)
        return is_word_byte(c.p[0]) ? RUN_SPACED : RUN_NONE;
    if (is_between(p, c.len))
        return RUN_NONE;
    return c.len > 1 && is_unspaced(p[0], p[1]) ? RUN_UNSPACED : RUN_SPACED;
}

struct str
tokens_char(struct str *run)
{
    const struct str c = {run->p, char_len(*run)};

    *run = (struct str){run->p + c.len, run->len - c.len};
    return c;
}

bool
tokens_run(struct str *text, struct str *run, enum run_class *class)
{
    *run = (struct str){text->p, 0};
    *class = RUN_NONE;
    while (text->len > 0) {
        struct str c = str_sub(*text, 0, char_len(*text));
        enum run_class own = class_of(c);

        if (run->len > 0 && own != *class)
            break;
        (void)tokens_char(text);
        if (own == RUN_NONE)
            continue;
        if (run->len == 0)
            run->p = c.p;
        run->len += c.len;
        *class = own;
    }
    return run->len > 0;
}

bool
tokens_is_word(struct str run)
{
    size_t digits = 0;

    if (run.len <= MIXED_WORD_MAX)
        return true;
    if (run.len > WORD_MAX)
        return false;
    for (size_t i = 0; i < run.len; i++) {
        if (run.p[i] < 0)
            return true;
        digits += is_digit(run.p[i]);
    }
    return run.len <= ASCII_WORD_MAX && (digits == 0 || digits == run.len);
}

uint32_t
tokens_gram(const char *three)
{
    const unsigned char *p = (const unsigned char *)three;
    uint32_t n = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;

    return n * UINT32_C(0x9e3779b1) >> 16;
}

static void
give_grams(struct tokens *t, struct str run)
{
    for (size_t i = 0; i + 3 <= run.len; i++)
        t->taker->gram(t->taker->self, tokens_gram(run.p + i));
}

static void
give_run(struct tokens *t, struct str run)
{
    if (tokens_is_word(run))
        t->taker->word(t->taker->self, run);
    else
        give_grams(t, run);
}

static void
end_run(struct tokens *t)
{
    if (t->class == RUN_SPACED && t->is_long)
        give_grams(t, (struct str){t->held, t->len});
    else if (t->class == RUN_SPACED)
        give_run(t, (struct str){t->held, t->len});
    else if (t->class == RUN_UNSPACED && !t->paired)
        t->taker->word(t->taker->self, (struct str){t->held, t->len});
    t->class = RUN_NONE;
    t->len = t->before = 0;
    t->is_long = t->paired = false;
}

static void
hold(struct tokens *t, struct str c)
{
    memcpy(t->held + t->len, c.p, c.len);
    t->len += c.len;
}

static void
put_spaced(struct tokens *t, struct str c)
{
    if (t->len + c.len > WORD_MAX) {
        give_grams(t, (struct str){t->held, t->len});
        memmove(t->held, t->held + t->len - 2, 2);
        t->len = 2;
        t->is_long = true;
    }
    hold(t, c);
}

static void
put_unspaced(struct tokens *t, struct str c)
{
    if (t->before > 0) {
        memmove(t->held, t->held + t->before, t->len - t->before);
        t->len -= t->before;
    }
    t->before = t->len;
    hold(t, c);
    if (t->before == 0)
        return;
    t->taker->word(t->taker->self, (struct str){t->held, t->len});
    t->paired = true;
}

static void
put_char(struct tokens *t, struct str c)
{
    enum run_class class = class_of(c);

    if (class != t->class)
        end_run(t);
    t->class = class;
    if (class == RUN_SPACED)
        put_spaced(t, c);
    else if (class == RUN_UNSPACED)
        put_unspaced(t, c);
}

/* Words of ASCII that are whole in the piece, nearly all of mail, where no run
 * has begun. What is left begins with another run. */
static struct str
take_ascii(struct tokens *t, struct str piece)
{
    size_t at = 0;

    for (;;) {
        size_t from = at, to;

        while (from < piece.len && piece.p[from] >= 0 &&
               !is_word_byte(piece.p[from]))
            from++;
        for (to = from; to < piece.len && is_word_byte(piece.p[to]); to++)
            ;
        if (to == piece.len || piece.p[to] < 0)
            return str_sub(piece, from, piece.len);
        give_run(t, (struct str){piece.p + from, to - from});
        at = to;
    }
}

void
tokens_put(struct tokens *t, struct str piece)
{
    while (piece.len > 0) {
        if (t->class == RUN_NONE)
            piece = take_ascii(t, piece);
        if (piece.len > 0)
            put_char(t, tokens_char(&piece));
    }
}

void
tokens_end(struct tokens *t)
{
    end_run(t);
}
