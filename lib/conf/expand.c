#include "conf/expand.h"

#include "base/buf.h"

enum {
    DEPTH_MAX = 100, /* as Postfix's */
    STEPS_MAX = 20000,
    TEXT_MAX = 1 << 20,
};

struct run {
    struct arena *arena;
    const struct expand_names *names;
    struct why *why;
    unsigned depth, steps;
    size_t bytes; /* written so far, operands and all */
    void (*found)(void *own, struct str name); /* expand_scan */
    void *own;
};

static bool scan(struct run *r, struct str text, struct buf *out);

static bool
bad(struct run *r, const char *what, struct str at)
{
    return fail(r->why, "5.3.5", "%s at \"%.*s\"", what,
                (int)(at.len < 40 ? at.len : 40), at.p) == OK;
}

static struct str
skip_space(struct str s)
{
    while (s.len > 0 && is_space(*s.p))
        s = str_sub(s, 1, s.len);
    return s;
}

/* Take "open ... close" off the front; what is between goes to *inner. */
static bool
take_enclosed(struct str *s, char open, char close, struct str *inner)
{
    unsigned level = 0;

    for (size_t i = 0; i < s->len; i++) {
        if (s->p[i] == open)
            level++;
        if (s->p[i] == close && --level == 0) {
            *inner = str_sub(*s, 1, i - 1);
            *s = str_sub(*s, i + 1, s->len);
            return true;
        }
    }
    return false;
}

/* "{...}" and the blanks on both sides. */
static bool
take_operand(struct run *r, struct str *s, struct str *inner)
{
    struct str at = skip_space(*s);

    *s = at;
    if (at.len == 0 || at.p[0] != '{')
        return bad(r, "{ expected", at);
    if (!take_enclosed(s, '{', '}', inner))
        return bad(r, "no closing }", at);
    *s = skip_space(*s);
    return true;
}

static bool
level_numbers(struct str s, uint64_t numbers[3])
{
    struct str part;

    for (size_t i = 0; i < 3; i++) {
        bool more = str_cut(&s, '.', &part);

        numbers[i] = 0;
        if (!str_num(part, &numbers[i]) || numbers[i] > 1000)
            return false;
        if (!more) {
            while (++i < 3)
                numbers[i] = 0;
            return true;
        }
    }
    return false;
}

bool
expand_compare_levels(struct str a, struct str b, int *order)
{
    uint64_t na[3], nb[3];

    if (!level_numbers(a, na) || !level_numbers(b, nb))
        return false;
    *order = 0;
    for (size_t i = 0; i < 3 && *order == 0; i++)
        *order = (na[i] > nb[i]) - (na[i] < nb[i]);
    return true;
}

static bool
is_number(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_digit(s.p[i]))
            return false;
    return s.len > 0;
}

static int
compare(struct str a, struct str b)
{
    uint64_t na, nb;

    if (is_number(a) && is_number(b) && str_num(a, &na) && str_num(b, &nb))
        return (na > nb) - (na < nb);
    int order = str_cmp(a, b);

    return (order > 0) - (order < 0);
}

static const struct operator
{
    const char *sign;
    bool less, equal, greater; /* for which order it holds */
}
operators[] = {
    {"==", false, true,  false},
    {"!=", true,  false, true },
    {"<=", true,  true,  false},
    {">=", false, true,  true },
    {"<",  true,  false, false},
    {">",  false, false, true },
};

static const struct operator* take_operator(struct str *s)
{
    for (size_t i = 0; i < COUNT(operators); i++)
        if (str_skip(s, str_from(operators[i].sign)))
            return &operators[i];
    return NULL;
}

/* "{a} == {b}", with *holds what it comes to. */
static bool
relation(struct run *r, struct str *s, bool *holds)
{
    struct str side[2] = {0};
    struct buf text[2] = {buf_in(r->arena), buf_in(r->arena)};
    int order;

    if (!take_operand(r, s, &side[0]))
        return false;
    const struct operator* op = take_operator(s);

    if (op == NULL)
        return bad(r, "comparison expected", *s);
    bool levels = str_skip(s, S("level"));

    if (!take_operand(r, s, &side[1]))
        return false;
    if (!scan(r, side[0], &text[0]) || !scan(r, side[1], &text[1]))
        return false;
    struct str a = buf_str(&text[0]), b = buf_str(&text[1]);

    if (!levels || r->found)
        order = compare(a, b);
    else if (!expand_compare_levels(a, b, &order))
        return bad(r, "not a compatibility level", side[0]);
    *holds = order < 0 ? op->less : order > 0 ? op->greater : op->equal;
    return true;
}

/* What follows ? or : is text to the end, or {text}. */
static bool
take_branch(struct run *r, struct str *s, struct str *branch)
{
    struct str at = skip_space(*s);

    if (at.len > 0 && at.p[0] == '{')
        return take_operand(r, s, branch);
    *branch = *s;
    *s = S("");
    return true;
}

/* "?yes", ":no" or "?{yes}:{no}". */
static bool
conditional(struct run *r, struct str s, bool holds, struct buf *out)
{
    struct str yes = S(""), no = S("");

    if (str_skip(&s, S("?")) && !take_branch(r, &s, &yes))
        return false;
    if (s.len > 0) {
        if (!str_skip(&s, S(":")))
            return bad(r, ": expected", s);
        if (!take_branch(r, &s, &no))
            return false;
    }
    if (s.len > 0)
        return bad(r, "unexpected text", s);
    if (r->found)
        return scan(r, yes, out) && scan(r, no, out);
    return scan(r, holds ? yes : no, out);
}

static size_t
name_length(struct str s)
{
    size_t n = 0;

    while (n < s.len && (is_alnum(s.p[n]) || s.p[n] == '_'))
        n++;
    return n;
}

/* A name, perhaps with blanks around, perhaps with a condition behind. */
static bool
reference(struct run *r, struct str s, struct buf *out)
{
    struct str raw = {0};
    struct str at = skip_space(s);
    size_t len = name_length(at);
    struct str rest = skip_space(str_sub(at, len, at.len));

    if (len == 0 || (rest.len > 0 && rest.p[0] != '?' && rest.p[0] != ':'))
        return bad(r, "no valid parameter name", s);
    if (r->found)
        r->found(r->own, str_sub(at, 0, len));
    else if (!r->names->get(r->names->self, str_sub(at, 0, len), &raw))
        raw = S("");
    if (rest.len > 0)
        return conditional(r, rest, raw.len > 0, out);
    return scan(r, raw, out);
}

/* What stands between ${ and }. */
static bool
expression(struct run *r, struct str s, struct buf *out)
{
    struct str at = skip_space(s);
    bool holds = false;

    if (at.len == 0 || at.p[0] != '{')
        return reference(r, s, out);
    if (!relation(r, &at, &holds))
        return false;
    if (at.len > 0 && at.p[0] != '?' && at.p[0] != ':')
        return bad(r, "? or : expected", at);
    if (at.len > 0)
        return conditional(r, at, holds, out);
    buf_add(out, holds ? S("true") : S(""));
    return true;
}

/* s stands behind the dollar sign. */
static bool
dollar(struct run *r, struct str *s, struct buf *out)
{
    struct str all = *s, inner;
    size_t len = name_length(*s);

    if (str_skip(s, S("$"))) {
        buf_addc(out, '$');
        return true;
    }
    if (len > 0) {
        inner = str_sub(*s, 0, len);
        *s = str_sub(*s, len, s->len);
    } else if (s->len == 0 || (s->p[0] != '{' && s->p[0] != '(')) {
        return bad(r, "no parameter name behind $", all);
    } else if (!take_enclosed(s, s->p[0], s->p[0] == '{' ? '}' : ')', &inner)) {
        return bad(r, "no closing bracket", all);
    }
    return expression(r, inner, out);
}

static bool
scan_parts(struct run *r, struct str text, struct buf *out)
{
    while (text.len > 0) {
        ssize_t at = str_find(text, '$');
        size_t plain = at < 0 ? text.len : (size_t)at;

        r->bytes += plain;
        if (++r->steps > STEPS_MAX || r->bytes > TEXT_MAX)
            return bad(r, "too much to expand", text);
        buf_add(out, str_sub(text, 0, plain));
        text = str_sub(text, plain, text.len);
        if (str_skip(&text, S("$")) && !dollar(r, &text, out))
            return false;
    }
    return true;
}

static bool
scan(struct run *r, struct str text, struct buf *out)
{
    if (r->depth >= DEPTH_MAX)
        return bad(r, "refers to itself", text);
    r->depth++;
    bool ok = scan_parts(r, text, out);

    r->depth--;
    return ok;
}

enum rc
expand(struct arena *a, struct str raw, const struct expand_names *names,
       struct str *out, struct why *why)
{
    struct run r = {.arena = a, .names = names, .why = why};
    struct buf buf = buf_in(a);

    *out = raw;
    if (str_find(raw, '$') < 0)
        return OK;
    if (!scan(&r, raw, &buf))
        return rc_of(why->dsn);
    *out = buf_str(&buf);
    return OK;
}

bool
expand_scan(struct arena *a, struct str raw,
            void (*found)(void *own, struct str name), void *own,
            struct why *why)
{
    struct run r = {.arena = a, .why = why, .found = found, .own = own};
    struct buf nothing = buf_in(a);

    return str_find(raw, '$') < 0 || scan(&r, raw, &nothing);
}
