#include "inside.h"

#include "mail/dsn.h"
#include "qmgr.h"
#include "say.h"

static size_t
count_rcpts(struct str rcpts)
{
    struct rec_rcpt r;
    size_t n = 0;

    while (rcpts.len && get_rcpt(&rcpts, &r))
        n++;
    return n;
}

void
inside_all(struct message *m, struct str rcpts, enum rc rc, struct str dsn,
           struct str text)
{
    size_t n = count_rcpts(rcpts);
    struct outcome *list = arena_alloc(qmgr.scratch, (n + 1) * sizeof *list);

    for (size_t i = 0; i < n; i++) {
        must(get_rcpt(&rcpts, &list[i].rcpt));
        list[i].result = (struct rec_result){.index = list[i].rcpt.index,
                                             .rc = rc,
                                             .dsn = dsn,
                                             .text = text,
                                             .relay = S("none"),
                                             .done = list[i].rcpt.done};
        say_outcome(m, &list[i]);
    }
    message_results(m, list, n);
}

static const struct {
    enum rc rc;
    const char *dsn, *text;
} ways[] = {
    [WAY_ERROR] = {PERM, "5.0.0", "delivery error"   },
    [WAY_RETRY] = {TEMP, "4.0.0", "deferred delivery"},
    [WAY_DISCARD] = {OK,   "2.0.0", "discarded"        },
};

void
inside_deliver(struct message *m, enum transport_way way, struct str rcpts,
               struct str nexthop)
{
    char code[10];

    if (!dsn_cut_code(&nexthop, code))
        memcpy(code, ways[way].dsn, 6);
    code[0] = ways[way].dsn[0]; /* the service decides, not the text */
    if (nexthop.len == 0)
        nexthop = str_from(ways[way].text);
    inside_all(m, rcpts, ways[way].rc, str_from(code), nexthop);
}

void
inside_suspended(struct message *m, const struct dest *d, struct str rcpts)
{
    char *text = arena_fmt(qmgr.scratch, "delivery temporarily suspended: %s",
                           d->why.text);

    inside_all(m, rcpts, TEMP, str_from(d->why.dsn), str_from(text));
}
