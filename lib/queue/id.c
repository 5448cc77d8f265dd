#include "queue/id.h"

#include <stdio.h>

#define SHORT_BITS   40
#define SHORT_DIGITS 10
#define SECOND       1000000u

/* Without vowels, so that no id spells a word. "z" separates: base 51. */
static const char digits[] =
    "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";

enum { BASE = 52, SECONDS_DIGITS = 6, MICRO_DIGITS = 4, TAIL_DIGITS = 3 };
#define TAIL_BASE 51u

struct queue_id
queue_id_make(uint64_t us, uint16_t tail, bool is_long)
{
    if (is_long)
        return (struct queue_id){us, tail, true};
    return (struct queue_id){us & ((1ull << SHORT_BITS) - 1), 0, false};
}

static char *
put_digits(char *at, uint64_t value, unsigned base, int count)
{
    for (int i = count - 1; i >= 0; i--, value /= base)
        at[i] = digits[value % base];
    return at + count;
}

char *
queue_id_text(struct queue_id id, char text[QUEUE_ID_MAX])
{
    if (!id.is_long) {
        snprintf(text, QUEUE_ID_MAX, "%0*llX", SHORT_DIGITS,
                 (unsigned long long)id.time);
        return text;
    }

    char *at = put_digits(text, id.time / SECOND, BASE, SECONDS_DIGITS);

    at = put_digits(at, id.time % SECOND, BASE, MICRO_DIGITS);
    *at++ = 'z';
    *put_digits(at, id.tail, TAIL_BASE, TAIL_DIGITS) = '\0';
    return text;
}

static bool
take_digits(struct str *s, unsigned base, size_t count, uint64_t *value)
{
    if (s->len < count)
        return false;
    *value = 0;
    for (size_t i = 0; i < count; i++) {
        const char *d = s->p[i] ? strchr(digits, s->p[i]) : NULL;

        if (d == NULL || (size_t)(d - digits) >= base)
            return false;
        *value = *value * base + (uint64_t)(d - digits);
    }
    *s = str_sub(*s, count, s->len);
    return true;
}

static bool
parse_short(struct str text, struct queue_id *id)
{
    uint64_t time;

    for (size_t i = 0; i < text.len; i++)
        if (text.p[i] >= 'a' && text.p[i] <= 'f')
            return false;
    if (!str_hex(text, &time) || time >> SHORT_BITS)
        return false;
    *id = queue_id_make(time, 0, false);
    return true;
}

bool
queue_id_parse(struct str text, struct queue_id *id)
{
    uint64_t seconds, micro, tail;

    if (text.len == SHORT_DIGITS)
        return parse_short(text, id);
    if (!take_digits(&text, BASE, SECONDS_DIGITS, &seconds) ||
        !take_digits(&text, BASE, MICRO_DIGITS, &micro) || micro >= SECOND ||
        !str_skip(&text, S("z")) ||
        !take_digits(&text, TAIL_BASE, TAIL_DIGITS, &tail) || text.len ||
        tail > UINT16_MAX)
        return false;
    *id = queue_id_make(seconds * SECOND + micro, (uint16_t)tail, true);
    return true;
}

uint64_t
queue_id_time(struct queue_id id, uint64_t now)
{
    if (id.is_long)
        return id.time;

    uint64_t span = 1ull << SHORT_BITS;
    uint64_t time = (now & ~(span - 1)) | id.time;

    /* An hour ahead is a clock that was put back, more is last time round. */
    return time > now + 3600ull * SECOND && time >= span ? time - span : time;
}

char *
queue_name(struct queue_id id, int64_t seal, char name[QUEUE_NAME_MAX])
{
    char text[QUEUE_ID_MAX];

    snprintf(name, QUEUE_NAME_MAX, "%s-%016llx", queue_id_text(id, text),
             (unsigned long long)seal);
    return name;
}

bool
queue_name_parse(struct str name, struct queue_id *id, int64_t *seal)
{
    struct str text;
    uint64_t value;

    if (!str_cut(&name, '-', &text) || name.len != 16 ||
        !str_hex(name, &value) || !queue_id_parse(text, id))
        return false;
    *seal = (int64_t)value;
    return true;
}
