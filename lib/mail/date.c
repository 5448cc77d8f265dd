#include "mail/date.h"

#include <time.h>

static const char *const weekdays[] = {"Sun", "Mon", "Tue", "Wed",
                                       "Thu", "Fri", "Sat"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct str
date_format(struct arena *a, int64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;

    localtime_r(&t, &tm);

    long zone = tm.tm_gmtoff / 60;
    char sign = zone < 0 ? '-' : '+';

    zone = zone < 0 ? -zone : zone;
    return str_from(
        arena_fmt(a, "%s, %d %s %04d %02d:%02d:%02d %c%02ld%02ld (%s)",
                  weekdays[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
                  tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec, sign,
                  zone / 60, zone % 60, tm.tm_zone));
}

/* What the words of a date have said so far; -1 is nothing. */
struct parts {
    int year, month, day; /* month from 0 */
    int hour, minute, second;
    int zone; /* minutes */
    bool timed;
    bool dated; /* before the time came */
};

#define NOTHING                                                                \
    {                                                                          \
        .year = -1, .month = -1, .day = -1                                     \
    }

/* The length of the word that s begins with, if it is all of one class. */
static size_t
span(struct str s, bool (*is)(char))
{
    size_t n = 0;

    while (n < s.len && is(s.p[n]))
        n++;
    return n;
}

/* Up to 4 digits off the front; -1 where there are none or more. */
static int
take_number(struct str *s, size_t *digits)
{
    int value = 0;
    size_t n = span(*s, is_digit);

    *digits = n;
    if (n == 0 || n > 4)
        return -1;
    for (size_t i = 0; i < n; i++)
        value = value * 10 + (s->p[i] - '0');
    *s = str_sub(*s, n, s->len);
    return value;
}

static int
find_name(struct str word, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (word.len >= 3 && str_ieq(str_sub(word, 0, 3), str_from(names[i])))
            return (int)i;
    return -1;
}

static const struct {
    const char *name;
    int hours;
} zones[] = {
    {"EST",  -5},
    {"EDT",  -4},
    {"CST",  -6},
    {"CDT",  -5},
    {"MST",  -7},
    {"MDT",  -6},
    {"PST",  -8},
    {"PDT",  -7},
    {"CET",  1 },
    {"CEST", 2 },
    {"MET",  1 },
    {"MEST", 2 },
    {"EET",  2 },
    {"EEST", 3 },
    {"BST",  1 },
    {"WEST", 1 },
    {"MSK",  3 },
    {"JST",  9 },
};

/* A word of letters: weekday, month, AM, PM, or a zone's name. */
static void
take_name(struct parts *p, struct str word)
{
    int month = find_name(word, months, COUNT(months));

    if (str_ieq(word, S("AM")) || str_ieq(word, S("PM"))) {
        p->hour = p->hour % 12 + (to_lower(word.p[0]) == 'p' ? 12 : 0);
        return;
    }
    /* MST is a zone; "Mars" may be a month in somebody's language. */
    for (size_t i = 0; i < COUNT(zones); i++)
        if (str_ieq(word, str_from(zones[i].name))) {
            p->zone = zones[i].hours * 60;
            return;
        }
    if (month >= 0 && p->month < 0)
        p->month = month;
}

/* Behind a sign: 0100, 01:00, 1. What is no zone counts as none. */
static void
take_zone(struct parts *p, struct str *s, bool minus)
{
    size_t digits;
    int hours = take_number(s, &digits), minutes = 0;

    if (hours < 0)
        return;
    if (digits > 2) {
        minutes = hours % 100;
        hours /= 100;
    } else if (str_skip(s, S(":"))) {
        minutes = take_number(s, &digits);
    }
    if (hours < 24 && minutes >= 0 && minutes < 60)
        p->zone = (hours * 60 + minutes) * (minus ? -1 : 1);
}

static bool
is_time(const struct parts *p)
{
    return p->hour < 24 && p->minute >= 0 && p->minute < 60 && p->second >= 0 &&
           p->second <= 60;
}

/* Behind "10:": minutes, perhaps seconds and a fraction. */
static bool
take_time(struct parts *p, struct str *s, int hour)
{
    size_t digits;

    p->timed = true;
    p->dated = p->year >= 0;
    p->hour = hour;
    p->minute = take_number(s, &digits);
    p->second = 0;
    if (str_skip(s, S(":")))
        p->second = take_number(s, &digits);
    if (s->len > 1 && (s->p[0] == '.' || s->p[0] == ',') && is_digit(s->p[1])) {
        *s = str_sub(*s, 1, s->len);
        *s = str_sub(*s, span(*s, is_digit), s->len);
    }
    return is_time(p);
}

/* A number that is no time: the day, then the year; a longer one is always
 * the year. */
static bool
take_day_or_year(struct parts *p, int value, size_t digits)
{
    bool is_day = p->day < 0 && digits <= 2;

    if (is_day)
        p->day = value;
    else if (p->year >= 0)
        return false;
    else if (digits == 2)
        p->year = value + (value < 50 ? 2000 : 1900);
    else
        p->year = value + (digits == 3 ? 1900 : 0);
    return true;
}

/* 2026-02-06, the year taken. */
static bool
take_iso_date(struct parts *p, struct str *s)
{
    size_t digits;
    int month = take_number(s, &digits);

    if (month < 1 || month > 12 || !str_skip(s, S("-")))
        return false;
    p->month = month - 1;
    p->day = take_number(s, &digits);
    str_iskip(s, S("T"));
    return p->day > 0;
}

static bool
take_digits(struct parts *p, struct str *s)
{
    size_t digits;
    int value = take_number(s, &digits);

    if (value < 0)
        return false;
    if (digits <= 2 && str_skip(s, S(":")))
        return !p->timed && take_time(p, s, value);
    if (!take_day_or_year(p, value, digits))
        return false;
    if (digits == 4 && p->day < 0 && s->len > 1 && s->p[0] == '-' &&
        is_digit(s->p[1])) {
        *s = str_sub(*s, 1, s->len);
        return take_iso_date(p, s);
    }
    return true;
}

/* The length of a comment that s begins with. */
static size_t
comment_len(struct str s)
{
    size_t depth = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == '(')
            depth++;
        else if (s.p[i] == ')' && --depth == 0)
            return i + 1;
    }
    return s.len;
}

/* A sign begins a zone only behind the time; before it, it is the hyphen of
 * 6-Feb-2026. */
static bool
take_part(struct parts *p, struct str *s)
{
    char c = s->p[0];
    size_t n = 1;

    if (is_digit(c))
        return take_digits(p, s);
    if (is_alpha(c)) {
        n = span(*s, is_alpha);
        take_name(p, str_sub(*s, 0, n));
    } else if (c == '(') {
        n = comment_len(*s);
    } else if ((c == '+' || c == '-') && p->timed) {
        *s = str_sub(*s, 1, s->len);
        take_zone(p, s, c == '-');
        return true;
    }
    *s = str_sub(*s, n, s->len);
    return true;
}

static bool
is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month] + (month == 1 && is_leap(year));
}

static int64_t
days_since_1970(const struct parts *p)
{
    int64_t before = p->year - 1;
    int64_t days = before * 365 + before / 4 - before / 100 + before / 400 -
                   719162 + p->day - 1;

    for (int month = 0; month < p->month; month++)
        days += month_days(p->year, month);
    return days;
}

/* False at the first part that is none. */
static bool
take_all(struct parts *p, struct str text)
{
    while (text.len > 0)
        if (!take_part(p, &text))
            return false;
    return true;
}

static bool
count_seconds(const struct parts *p, int64_t *seconds, int *zone)
{
    if (p->year < 1 || p->month < 0 || p->day < 1 ||
        p->day > month_days(p->year, p->month))
        return false;
    *seconds = days_since_1970(p) * 86400 + p->hour * 3600 + p->minute * 60 +
               p->second - p->zone * 60;
    if (zone)
        *zone = p->zone;
    return true;
}

bool
date_parse(struct str text, int64_t *seconds, int *zone)
{
    struct parts p = NOTHING;

    return take_all(&p, text) && count_seconds(&p, seconds, zone);
}

bool
date_parse_sent(struct str text, int64_t *seconds, int *zone)
{
    struct parts p = NOTHING;

    if (!take_all(&p, text)) {
        if (!p.dated)
            return false;
        if (!is_time(&p))
            p.hour = p.minute = p.second = 0;
    }
    return count_seconds(&p, seconds, zone);
}

/* Digits where the shape has 0, else its own byte, letters in any case. */
static bool
take_shape(struct str *s, struct str shape)
{
    if (s->len < shape.len)
        return false;
    for (size_t i = 0; i < shape.len; i++)
        if (shape.p[i] == '0' ? !is_digit(s->p[i])
                              : to_lower(s->p[i]) != shape.p[i])
            return false;
    *s = str_sub(*s, shape.len, s->len);
    return true;
}

/* "Z", "+01:00" */
static bool
take_offset(struct str *s)
{
    uint64_t hours, minutes;

    if (str_iskip(s, S("Z")))
        return true;
    if (!str_skip(s, S("+")) && !str_skip(s, S("-")))
        return false;
    return str_num(str_sub(*s, 0, 2), &hours) && hours < 24 &&
           str_num(str_sub(*s, 3, 2), &minutes) && minutes < 60 &&
           take_shape(s, S("00:00"));
}

bool
date_parse_internet(struct str text, int64_t *seconds)
{
    struct str rest = text;

    if (!take_shape(&rest, S("0000-00-00t00:00:00")))
        return false;
    if (str_skip(&rest, S("."))) {
        size_t digits = span(rest, is_digit);

        if (digits == 0)
            return false;
        rest = str_sub(rest, digits, rest.len);
    }
    return take_offset(&rest) && rest.len == 0 &&
           date_parse(text, seconds, NULL);
}

struct str
date_format_internet(struct arena *a, int64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;
    char text[64];

    gmtime_r(&t, &tm);
    return arena_str(a,
                     (struct str){text, strftime(text, sizeof text,
                                                 "%Y-%m-%dT%H:%M:%SZ", &tm)});
}
