#include "map/posix.h"

#include <stdio.h>

#define DEPTH_MAX 200

enum last {
    LAST_START, /* of all, of a group, of an alternative */
    LAST_ANCHOR,
    LAST_ATOM, /* from here on it can be repeated */
    LAST_REPEAT,
};

struct state {
    struct str re; /* what is left */
    struct buf *out;
    bool extended;
    enum last last;
    size_t atom; /* where the last atom begins in out */
    size_t group[DEPTH_MAX], depth;
    struct why *why;
};

static bool
next_is(const struct state *s, size_t at, const char *bytes)
{
    return at < s->re.len && s->re.p[at] && strchr(bytes, s->re.p[at]);
}

static void
take(struct state *s, size_t len)
{
    s->re = str_sub(s->re, len, s->re.len);
}

static void
atom(struct state *s, const char *text)
{
    s->atom = s->out->len;
    s->last = LAST_ATOM;
    buf_add(s->out, str_from(text));
}

static void
literal(struct state *s, char c)
{
    s->atom = s->out->len;
    s->last = LAST_ATOM;
    if (!is_alnum(c) && (unsigned char)c < 128)
        buf_addc(s->out, '\\');
    buf_addc(s->out, c);
}

/* "[:alpha:]" goes as it is; "[.x.]" and "[=x=]" are the one byte. */
static enum rc
class_in_bracket(struct state *s)
{
    char kind = s->re.p[1], end[] = {kind, ']', '\0'};
    ssize_t len = str_search(str_sub(s->re, 2, s->re.len), str_from(end));

    if (len < 0)
        return fail(s->why, "5.3.5", "unmatched [, [^, [:, [., or [=");
    if (kind == ':') {
        buf_add(s->out, str_sub(s->re, 0, (size_t)len + 4));
    } else if (len == 1) {
        if (!is_alnum(s->re.p[2]))
            buf_addc(s->out, '\\');
        buf_addc(s->out, s->re.p[2]);
    } else {
        return fail(s->why, "5.3.5", "invalid collation character");
    }
    take(s, (size_t)len + 4);
    return OK;
}

static enum rc
bracket(struct state *s)
{
    bool first = true;

    atom(s, "[");
    take(s, 1);
    if (next_is(s, 0, "^")) {
        buf_addc(s->out, '^');
        take(s, 1);
    }
    for (; s->re.len > 0; first = false) {
        char c = s->re.p[0];

        if (c == ']' && !first) {
            buf_addc(s->out, c);
            take(s, 1);
            return OK;
        }
        if (c == '[' && next_is(s, 1, ":.=")) {
            if (class_in_bracket(s) != OK)
                return PERM;
            continue;
        }
        if (c == '\\' || c == '[' || c == ']')
            buf_addc(s->out, '\\');
        buf_addc(s->out, c);
        take(s, 1);
    }
    return fail(s->why, "5.3.5", "unmatched [, [^, [:, [., or [=");
}

static enum rc
open_group(struct state *s)
{
    if (s->depth == DEPTH_MAX)
        return fail(s->why, "5.3.5", "too many nested groups");
    s->group[s->depth++] = s->out->len;
    s->last = LAST_START;
    buf_addc(s->out, '(');
    return OK;
}

static enum rc
close_group(struct state *s)
{
    /* The GNU library takes a lone one for itself in extended syntax. */
    if (s->depth == 0 && s->extended) {
        literal(s, ')');
        return OK;
    }
    if (s->depth == 0)
        return fail(s->why, "5.3.5", "unmatched ) or \\)");
    buf_addc(s->out, ')');
    s->atom = s->group[--s->depth];
    s->last = LAST_ATOM;
    return OK;
}

/* Put text in front of the last atom. */
static void
insert(struct state *s, struct str text)
{
    size_t tail = s->out->len - s->atom;
    char *end = buf_space(s->out, text.len);

    memmove(end - tail + text.len, end - tail, tail);
    memcpy(end - tail, text.p, text.len);
    s->out->len += text.len;
}

/* In PCRE a second + or ? would change what the first one means. */
static enum rc
repeat(struct state *s, struct str how)
{
    if (s->last < LAST_ATOM)
        return fail(s->why, "5.3.5", "invalid preceding regular expression");
    if (s->last == LAST_REPEAT) {
        insert(s, S("(?:"));
        buf_addc(s->out, ')');
    }
    buf_add(s->out, how);
    s->last = LAST_REPEAT;
    return OK;
}

/* "{2,3}" or "\\{2,3\\}", behind its brace. */
static enum rc
interval(struct state *s)
{
    struct str close = s->extended ? S("}") : S("\\}"), from, to;
    ssize_t len = str_search(s->re, close);
    uint64_t low = 0, high = 0;

    if (len < 0)
        return fail(s->why, "5.3.5", "unmatched \\{");
    to = str_sub(s->re, 0, (size_t)len);
    take(s, (size_t)len + close.len);

    bool range = str_cut(&to, ',', &from);

    if (from.len == 0 && range)
        from = S("0");
    if (!str_num(from, &low) || (to.len > 0 && !str_num(to, &high)) ||
        low > 255 || high > 255 || (to.len > 0 && high < low))
        return fail(s->why, "5.3.5", "invalid content of \\{\\}");

    char text[16];

    snprintf(text, sizeof text, "{%u%s%.*s}", (unsigned)low, range ? "," : "",
             STR(to));
    return repeat(s, str_from(text));
}

/* A byte that stands for more than itself, without or with its backslash. */
static enum rc
operator_(struct state *s, char c)
{
    switch (c) {
    case '(':
        return open_group(s);
    case ')':
        return close_group(s);
    case '{':
        return interval(s);
    case '+':
        return repeat(s, S("+"));
    case '?':
        return repeat(s, S("?"));
    case '|':
        buf_addc(s->out, '|');
        s->last = LAST_START;
        return OK;
    default:
        literal(s, c);
        return OK;
    }
}

/* GNU's own: \\w \\b \\< and kin; \\1 refers back. */
static void
escape(struct state *s, char c)
{
    static const struct {
        char c;
        const char *pcre;
    } own[] = {
        {'<',  "\\b(?=\\w)" },
        {'>',  "\\b(?<=\\w)"},
        {'`',  "\\A"        },
        {'\'', "\\z"        },
        {'b',  "\\b"        },
        {'B',  "\\B"        },
        {'w',  "\\w"        },
        {'W',  "\\W"        },
        {'s',  "\\s"        },
        {'S',  "\\S"        },
    };

    for (size_t i = 0; i < COUNT(own); i++)
        if (own[i].c == c) {
            atom(s, own[i].pcre);
            return;
        }
    literal(s, c);
    if (c >= '1' && c <= '9') {
        s->out->len--;
        buf_fmt(s->out, "\\g{%c}", c);
    }
}

static void
anchor(struct state *s, char c)
{
    bool ends = s->re.len == 0 || str_starts(s->re, S("\\)")) ||
                str_starts(s->re, S("\\|"));

    if (!s->extended && (c == '^' ? s->last != LAST_START : !ends)) {
        literal(s, c);
        return;
    }
    buf_addc(s->out, c);
    s->last = LAST_ANCHOR;
}

static enum rc
plain(struct state *s, char c)
{
    switch (c) {
    case '*':
        if (s->extended || s->last >= LAST_ATOM)
            return repeat(s, S("*"));
        literal(s, c);
        return OK;
    case '.':
        atom(s, ".");
        return OK;
    case '^':
    case '$':
        anchor(s, c);
        return OK;
    default:
        literal(s, c);
        return OK;
    }
}

static enum rc
step(struct state *s)
{
    char c = s->re.p[0];
    bool escaped = c == '\\';

    if (c == '[')
        return bracket(s);
    if (escaped && s->re.len < 2)
        return fail(s->why, "5.3.5", "trailing backslash");
    if (escaped)
        c = s->re.p[1];
    take(s, escaped ? 2 : 1);
    if (c && strchr("(){}|+?", c) && escaped != s->extended)
        return operator_(s, c);
    if (!escaped)
        return plain(s, c);
    escape(s, c);
    return OK;
}

enum rc
posix_to_pcre(struct str re, bool extended, struct buf *out, struct why *why)
{
    struct state s = {.re = re, .out = out, .extended = extended, .why = why};

    while (s.re.len > 0)
        if (step(&s) != OK)
            return PERM;
    if (s.depth > 0)
        return fail(why, "5.3.5", "unmatched ( or \\(");
    return OK;
}
