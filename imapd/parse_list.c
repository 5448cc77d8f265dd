/* LIST, LSUB, STATUS. */
#include "parser.h"

struct option {
    const char *name;
    unsigned bit;
};

/* One of the words; 0 if it is none. */
static unsigned
take_option(struct parser *p, const struct option *options, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (parse_word(p, options[i].name))
            return options[i].bit;
    return 0;
}

bool
parse_status_items(struct parser *p, unsigned *items)
{
    static const struct option known[] = {
        {"MESSAGES",        STATUS_MESSAGES       },
        {"RECENT",          STATUS_RECENT         },
        {"UIDNEXT",         STATUS_UIDNEXT        },
        {"UIDVALIDITY",     STATUS_UIDVALIDITY    },
        {"UNSEEN",          STATUS_UNSEEN         },
        {"DELETED",         STATUS_DELETED        },
        {"SIZE",            STATUS_SIZE           },
        {"HIGHESTMODSEQ",   STATUS_HIGHESTMODSEQ  },
        {"APPENDLIMIT",     STATUS_APPENDLIMIT    },
        {"MAILBOXID",       STATUS_MAILBOXID      },
        {"DELETED-STORAGE", STATUS_DELETED_STORAGE},
    };

    *items = 0;
    if (!parse_open(p))
        return false;
    do {
        unsigned bit = take_option(p, known, COUNT(known));

        if (bit == 0)
            return parse_fail(p, "Unknown item of STATUS");
        *items |= bit;
    } while (parse_skip(p, ' '));
    return parse_close(p);
}

bool
parse_status(struct parser *p, struct command *c)
{
    return parse_space(p) && parse_astring(p, &c->status.mailbox) &&
           parse_space(p) && parse_status_items(p, &c->status.items);
}

bool
parse_lsub(struct parser *p, struct command *c)
{
    struct list *l = &c->list;
    struct str pattern;

    if (!parse_space(p) || !parse_astring(p, &l->reference) ||
        !parse_space(p) || !parse_pattern(p, &pattern))
        return false;
    *PARSE_ADD(p, l->patterns.at, l->patterns.count) = pattern;
    return true;
}

/* "(SUBSCRIBED RECURSIVEMATCH) " */
static bool
parse_select_options(struct parser *p, struct list *l)
{
    static const struct option known[] = {
        {"SUBSCRIBED",     LIST_SUBSCRIBED    },
        {"REMOTE",         LIST_REMOTE        },
        {"RECURSIVEMATCH", LIST_RECURSIVEMATCH},
        {"SPECIAL-USE",    LIST_SPECIAL_USE   },
    };

    if (!parse_skip(p, '('))
        return true;
    l->extended = true;
    if (parse_skip(p, ')'))
        return parse_space(p);
    do {
        unsigned bit = take_option(p, known, COUNT(known));

        if (bit == 0)
            return parse_fail(p, "Unknown selection option of LIST");
        l->select |= bit;
    } while (parse_skip(p, ' '));
    if (l->select & LIST_RECURSIVEMATCH &&
        !(l->select & (LIST_SUBSCRIBED | LIST_SPECIAL_USE)))
        return parse_fail(p, "RECURSIVEMATCH needs an option to match");
    return parse_close(p) && parse_space(p);
}

static bool
parse_patterns(struct parser *p, struct list *l)
{
    struct str pattern;
    bool many = parse_skip(p, '(');

    l->extended |= many;
    do {
        if (l->patterns.count == PARSE_ITEMS_MAX)
            return parse_fail(p, "Too many patterns");
        if (!parse_pattern(p, &pattern))
            return false;
        *PARSE_ADD(p, l->patterns.at, l->patterns.count) = pattern;
    } while (many && parse_skip(p, ' '));
    return !many || parse_close(p);
}

static bool
parse_return_option(struct parser *p, struct list *l)
{
    static const struct option known[] = {
        {"SUBSCRIBED",  LIST_SUBSCRIBED },
        {"CHILDREN",    LIST_CHILDREN   },
        {"SPECIAL-USE", LIST_SPECIAL_USE},
        {"MYRIGHTS",    LIST_MYRIGHTS   },
        {"STATUS",      LIST_STATUS     },
        {"METADATA",    LIST_METADATA   },
    };
    unsigned bit = take_option(p, known, COUNT(known));

    l->returned |= bit;
    if (bit == LIST_STATUS)
        return parse_space(p) && parse_status_items(p, &l->status);
    if (bit == LIST_METADATA)
        return parse_space(p) && parse_names(p, &l->metadata);
    return bit > 0 || parse_fail(p, "Unknown return option of LIST");
}

static bool
parse_return_options(struct parser *p, struct list *l)
{
    l->extended = true;
    if (!parse_word(p, "RETURN"))
        return parse_fail(p, "Expected RETURN");
    if (!parse_space(p) || !parse_open(p))
        return false;
    if (parse_skip(p, ')'))
        return true;
    do
        if (!parse_return_option(p, l))
            return false;
    while (parse_skip(p, ' '));
    return parse_close(p);
}

bool
parse_list(struct parser *p, struct command *c)
{
    struct list *l = &c->list;

    if (!parse_space(p) || !parse_select_options(p, l) ||
        !parse_astring(p, &l->reference) || !parse_space(p) ||
        !parse_patterns(p, l))
        return false;
    return !parse_skip(p, ' ') || parse_return_options(p, l);
}
