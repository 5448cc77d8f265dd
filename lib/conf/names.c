#include "conf/names.h"

#include <stdlib.h>

#include "base/hash.h"
#include "conf/known.h"

struct names {
    struct arena *life;
    struct hash *index; /* text to its place in the list, plus one */
    struct name *list;
    size_t count, room;
};

/* Suffixes of transports, and the parameter that holds their default. */
static const struct suffix {
    const char *text, *fallback;
} suffixes[] = {
    {"_recipient_limit",                             "$default_recipient_limit"            },
    {"_extra_recipient_limit",                       "$default_extra_recipient_limit"      },
    {"_recipient_refill_limit",                      "$default_recipient_refill_limit"     },
    {"_recipient_refill_delay",                      "$default_recipient_refill_delay"     },
    {"_delivery_slot_cost",                          "$default_delivery_slot_cost"         },
    {"_delivery_slot_loan",                          "$default_delivery_slot_loan"         },
    {"_delivery_slot_discount",                      "$default_delivery_slot_discount"     },
    {"_minimum_delivery_slots",                      "$default_minimum_delivery_slots"     },
    {"_initial_destination_concurrency",             "$initial_destination_concurrency"    },
    {"_destination_concurrency_limit",
     "$default_destination_concurrency_limit"                                              },
    {"_destination_recipient_limit",                 "$default_destination_recipient_limit"},
    {"_destination_concurrency_positive_feedback",
     "$default_destination_concurrency_positive_feedback"                                  },
    {"_destination_concurrency_negative_feedback",
     "$default_destination_concurrency_negative_feedback"                                  },
    {"_destination_concurrency_failed_cohort_limit",
     "$default_destination_concurrency_failed_cohort_limit"                                },
    {"_destination_rate_delay",                      "$default_destination_rate_delay"     },
    {"_transport_rate_delay",                        "$default_transport_rate_delay"       },
};
static const struct suffix time_limit = {"_time_limit", "$command_time_limit"};

/* Which services have which. */
static const struct {
    struct str command;
    bool delivers, has_time_limit;
} commands[] = {
    {S("local"),   true,  false},
    {S("error"),   true,  false},
    {S("virtual"), true,  false},
    {S("smtp"),    true,  false},
    {S("lmtp"),    true,  false},
    {S("pipe"),    true,  true },
    {S("spawn"),   false, true },
};

/* The place of that name, new or not. */
static struct name *
place(struct names *n, struct str text)
{
    void **at = hash_put(n->index, text);

    if (*at)
        return &n->list[(uintptr_t)*at - 1];
    if (n->count == n->room) {
        size_t room = n->room ? 2 * n->room : 2048;

        n->list = arena_grow(n->life, n->list, n->room * sizeof *n->list,
                             room * sizeof *n->list);
        n->room = room;
    }
    *at = (void *)(uintptr_t)(n->count + 1);
    return &n->list[n->count++];
}

static void
add_builtin(struct names *n)
{
    for (size_t i = 0; i < conf_row_count; i++) {
        const struct conf_row *row = &conf_rows[i];
        struct str text = str_from(row->name);

        *place(n, text) = (struct name){
            .text = text,
            .class = NAME_BUILTIN,
            .type = row->type,
            .acts = true,
            .fallback = row->fallback,
        };
    }
    for (size_t i = 0; i < known_count; i++) {
        const struct known *k = &known_names[i];
        struct str text = str_from(k->name);
        struct name *name = place(n, text);

        if (name->text.p == NULL)
            *name = (struct name){
                .text = text,
                .class = NAME_BUILTIN,
                .type = k->type,
                .fallback = k->fallback,
            };
        name->since = k->since;
    }
}

static void
add_service_name(struct names *n, const char *service,
                 const struct suffix *suffix)
{
    char *text = arena_fmt(n->life, "%s%s", service, suffix->text);
    struct name *name = place(n, str_from(text));
    const struct name *model =
        names_get(n, str_from(suffix->fallback + 1)); /* without its $ */

    /* local_destination_concurrency_limit has a default of its own. */
    if (name->text.p == NULL)
        *name = (struct name){
            .text = str_from(text),
            .type = model ? model->type : CONF_TEXT,
            .acts = model && model->acts,
            .since = 307,
            .fallback = suffix->fallback,
        };
    name->class = NAME_SERVICE;
}

static void
add_service(struct names *n, const struct service *s)
{
    for (size_t i = 0; i < COUNT(commands); i++) {
        if (!str_eq(commands[i].command, s->columns[COLUMN_COMMAND]))
            continue;
        for (size_t k = 0; commands[i].delivers && k < COUNT(suffixes); k++)
            add_service_name(n, s->name, &suffixes[k]);
        if (commands[i].has_time_limit)
            add_service_name(n, s->name, &time_limit);
    }
}

struct names *
names_new(struct arena *life, const struct services *services)
{
    struct names *n = arena_make(life, struct names);

    n->life = life;
    n->index = hash_new();
    add_builtin(n);
    for (size_t i = 0; services && i < services->count; i++)
        add_service(n, &services->at[i]);
    return n;
}

void
names_free(struct names *n)
{
    if (n)
        hash_free(n->index);
}

void
names_add_user(struct names *n, struct str text)
{
    struct str copy = arena_str(n->life, text);
    struct name *name = place(n, copy);

    if (name->text.p == NULL)
        *name = (struct name){.text = copy, .class = NAME_USER};
}

const struct name *
names_get(const struct names *n, struct str text)
{
    void *at = hash_get(n->index, text);

    return at ? &n->list[(uintptr_t)at - 1] : NULL;
}

static int
name_order(const void *a, const void *b)
{
    return str_cmp((*(const struct name *const *)a)->text,
                   (*(const struct name *const *)b)->text);
}

const struct name **
names_list(const struct names *n, struct arena *a, size_t *count)
{
    const struct name **list = arena_alloc(a, n->count * sizeof *list);

    for (size_t i = 0; i < n->count; i++)
        list[i] = &n->list[i];
    qsort(list, n->count, sizeof *list, name_order);
    *count = n->count;
    return list;
}

/*
 * How many single-byte changes make b of a, counted up to `most`. Names are
 * short, so one row of the table is enough room.
 */
static size_t
distance(struct str a, struct str b, size_t most)
{
    size_t row[128];

    if (a.len >= COUNT(row) || b.len >= COUNT(row))
        return most + 1;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t corner = row[0], least;

        least = row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t change = corner + (a.p[i - 1] != b.p[j - 1]);

            corner = row[j];
            if (row[j] + 1 < change)
                change = row[j] + 1;
            if (row[j - 1] + 1 < change)
                change = row[j - 1] + 1;
            row[j] = change;
            if (change < least)
                least = change;
        }
        if (least > most)
            return least;
    }
    return row[b.len];
}

const struct name *
names_nearest(const struct names *n, struct str text)
{
    size_t best = 1 + text.len / 5;
    const struct name *nearest = NULL;

    for (size_t i = 0; i < n->count; i++) {
        size_t d = distance(text, n->list[i].text, best);

        if (d < best || (d == best && nearest == NULL)) {
            best = d;
            nearest = &n->list[i];
        }
    }
    return nearest;
}
