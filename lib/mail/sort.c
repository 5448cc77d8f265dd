#include "mail/sort.h"

#include <stdlib.h>

struct criteria {
    const struct sort_criterion *at;
    size_t count;
};

int64_t
sort_date(const struct sort_message *m)
{
    return m->facts->dated ? m->facts->date : m->arrival;
}

static int
by_number(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int
by_key(enum sort_key key, const struct sort_message *a,
       const struct sort_message *b)
{
    switch (key) {
    case SORT_ARRIVAL:
        return by_number(a->arrival, b->arrival);
    case SORT_DATE:
        return by_number(sort_date(a), sort_date(b));
    case SORT_SIZE:
        return (a->size > b->size) - (a->size < b->size);
    case SORT_CC:
        return str_cmp(a->facts->cc, b->facts->cc);
    case SORT_FROM:
        return str_cmp(a->facts->from, b->facts->from);
    case SORT_SUBJECT:
        return str_cmp(a->facts->subject, b->facts->subject);
    case SORT_TO:
        return str_cmp(a->facts->to, b->facts->to);
    case SORT_DISPLAYFROM:
        return str_cmp(a->facts->display_from, b->facts->display_from);
    case SORT_DISPLAYTO:
        return str_cmp(a->facts->display_to, b->facts->display_to);
    }
    return 0;
}

static int
compare(const void *pa, const void *pb, void *self)
{
    const struct sort_message *a = pa, *b = pb;
    const struct criteria *c = self;

    for (size_t i = 0; i < c->count; i++) {
        int order = by_key(c->at[i].key, a, b);

        if (order != 0)
            return c->at[i].reverse ? -order : order;
    }
    return by_number(a->number, b->number);
}

void
sort_messages(struct sort_message *messages, size_t count,
              const struct sort_criterion *criteria, size_t criteria_count)
{
    struct criteria c = {criteria, criteria_count};

    if (count > 1)
        qsort_r(messages, count, sizeof *messages, compare, &c);
}
