/* Sequence sets, ranges of results, dates. */
#include "mail/date.h"
#include "parser.h"

static bool
parse_seq_number(struct parser *p, bool star, uint32_t *n)
{
    *n = 0;
    if (star && parse_skip(p, '*'))
        return true;
    return parse_nonzero(p, n);
}

static bool
parse_ranges(struct parser *p, bool star, struct seq_set *set)
{
    struct seq_range r;

    *set = (struct seq_set){0};
    do {
        if (!parse_seq_number(p, star, &r.from))
            return false;
        r.to = r.from;
        if (parse_skip(p, ':') && !parse_seq_number(p, star, &r.to))
            return false;
        *PARSE_ADD(p, set->at, set->count) = r;
    } while (parse_skip(p, ','));
    return true;
}

bool
parse_set(struct parser *p, struct seq_set *set)
{
    *set = (struct seq_set){0};
    if (parse_skip(p, '$')) {
        set->saved = true;
        return true;
    }
    return parse_ranges(p, true, set);
}

bool
parse_known_set(struct parser *p, struct seq_set *set)
{
    return parse_ranges(p, false, set);
}

/* RFC 9394: 1:500, 500:1, -1:-100. */
bool
parse_partial(struct parser *p, struct partial *r)
{
    uint32_t a, b;

    *r = (struct partial){.asked = true, .from_end = parse_skip(p, '-')};
    if (!parse_nonzero(p, &a))
        return false;
    if (!parse_skip(p, ':') || parse_skip(p, '-') != r->from_end)
        return parse_fail(p, "Broken range for PARTIAL");
    if (!parse_nonzero(p, &b))
        return false;
    r->from = a < b ? a : b;
    r->to = a < b ? b : a;
    return true;
}

static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* "1-Feb-1994" */
static bool
take_day(struct str *s, struct str *day)
{
    struct str whole = *s, part;
    uint64_t n;
    bool known = false;

    if (!str_cut(s, '-', &part) || part.len > 2 || !str_num(part, &n) ||
        !str_cut(s, '-', &part) || s->len < 4)
        return false;
    for (size_t i = 0; i < COUNT(months); i++)
        known |= str_ieq(part, str_from(months[i]));
    if (!known || !str_num(str_sub(*s, 0, 4), &n))
        return false;
    *s = str_sub(*s, 4, s->len);
    *day = str_sub(whole, 0, whole.len - s->len);
    return true;
}

static bool
day_number(struct str text, int32_t *day)
{
    int64_t seconds;

    if (!date_parse(text, &seconds, NULL))
        return false;
    *day = (int32_t)(seconds >= 0 ? seconds / 86400
                                  : -((86399 - seconds) / 86400));
    return true;
}

bool
parse_date(struct parser *p, int32_t *day)
{
    struct str text, part;

    if (!parse_astring(p, &text))
        return false;
    return (take_day(&text, &part) && text.len == 0 && day_number(part, day)) ||
           parse_fail(p, "Expected a date such as 1-Feb-1994");
}

static bool
two_digits(struct str s, size_t at, uint64_t max)
{
    uint64_t n;

    return str_num(str_sub(s, at, 2), &n) && n <= max;
}

/* " 10:00:00 +0100" */
static bool
is_time(struct str s)
{
    return s.len == 15 && s.p[0] == ' ' && s.p[3] == ':' && s.p[6] == ':' &&
           s.p[9] == ' ' && strchr("+-", s.p[10]) && two_digits(s, 1, 23) &&
           two_digits(s, 4, 59) && two_digits(s, 7, 60) &&
           two_digits(s, 11, 23) && two_digits(s, 13, 59);
}

bool
parse_date_time(struct parser *p, int64_t *seconds, int *zone)
{
    struct str text, rest, day;

    if (!parse_at(p, '"') || !parse_string(p, &text))
        return parse_fail(p, "Expected a quoted date and time");
    rest = str_trim(text);
    return (take_day(&rest, &day) && is_time(rest) &&
            date_parse(text, seconds, zone)) ||
           parse_fail(p, "Expected a date such as "
                         "\" 1-Feb-1994 10:00:00 +0100\"");
}
