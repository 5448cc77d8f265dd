#include "mail/sort.h"

#define STEP 2048

static struct str
text_of(enum sort_key key, const struct facts *f)
{
    switch (key) {
    case SORT_CC:
        return f->cc;
    case SORT_FROM:
        return f->from;
    case SORT_SUBJECT:
        return f->subject;
    case SORT_TO:
        return f->to;
    case SORT_DISPLAYFROM:
        return f->display_from;
    case SORT_DISPLAYTO:
        return f->display_to;
    default:
        return (struct str){0};
    }
}

/* Equal texts have equal numbers, others may. */
static uint64_t
number_of(const struct sort_criterion *c, const struct sort_message *m)
{
    uint64_t n;

    switch (c->key) {
    case SORT_ARRIVAL:
        n = order_number(m->arrival);
        break;
    case SORT_DATE:
        n = order_number(m->date);
        break;
    case SORT_SIZE:
        n = m->size;
        break;
    default:
        n = order_text(text_of(c->key, m->facts));
    }
    return c->reverse ? ~n : n;
}

static int
by_criterion(const struct sort_criterion *c, const struct sort_message *a,
             const struct sort_message *b)
{
    uint64_t x = number_of(c, a), y = number_of(c, b);
    int order = (x > y) - (x < y);

    if (order != 0 || a->facts == NULL)
        return order;
    order = str_cmp(text_of(c->key, a->facts), text_of(c->key, b->facts));
    return c->reverse ? -order : order;
}

static int
by_criteria(const void *self, uint32_t a, uint32_t b)
{
    const struct sort *s = self;

    for (size_t i = 0; i < s->criteria_count; i++) {
        int order =
            by_criterion(&s->criteria[i], &s->messages[a], &s->messages[b]);

        if (order != 0)
            return order;
    }
    return 0;
}

void
sort_begin(struct sort *s, struct arena *a, const struct sort_message *messages,
           size_t count, const struct sort_criterion *criteria,
           size_t criteria_count)
{
    *s = (struct sort){
        .messages = messages,
        .criteria = criteria,
        .criteria_count = criteria_count,
    };
    order_begin(&s->order, a, count);
    s->order.tie = by_criteria;
    s->order.self = s;
}

bool
sort_step(struct sort *s)
{
    for (size_t i = 0; i < STEP && s->filled < s->order.count; i++) {
        s->order.at[s->filled] = (struct order_item){
            .key = number_of(s->criteria, &s->messages[s->filled]),
            .place = (uint32_t)s->filled};
        s->filled++;
    }
    return s->filled == s->order.count && order_step(&s->order);
}
