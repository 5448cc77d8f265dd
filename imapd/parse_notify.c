/* NOTIFY (RFC 5465). */
#include "parser.h"

bool
parse_filter(struct parser *p, struct filter_mailboxes *f)
{
    static const struct {
        const char *name;
        enum filter filter;
        bool mailboxes;
    } known[] = {
        {"selected",         FILTER_SELECTED,         false},
        {"selected-delayed", FILTER_SELECTED_DELAYED, false},
        {"inboxes",          FILTER_INBOXES,          false},
        {"personal",         FILTER_PERSONAL,         false},
        {"subscribed",       FILTER_SUBSCRIBED,       false},
        {"subtree",          FILTER_SUBTREE,          true },
        {"subtree-one",      FILTER_SUBTREE_ONE,      true },
        {"mailboxes",        FILTER_MAILBOXES,        true },
    };

    *f = (struct filter_mailboxes){0};
    for (size_t i = 0; i < COUNT(known); i++)
        if (parse_word(p, known[i].name)) {
            f->filter = known[i].filter;
            return !known[i].mailboxes ||
                   (parse_space(p) && parse_names(p, &f->mailboxes));
        }
    return parse_fail(p, "Unknown filter for mailboxes");
}

/* MessageNew has what is to be fetched behind it. */
static bool
parse_new(struct parser *p, struct notify_group *g)
{
    struct parser before = *p;

    if (!parse_skip(p, ' ') || !parse_skip(p, '(')) {
        *p = before;
        return true;
    }
    return parse_fetch_items(p, &g->items, &g->count) && parse_close(p);
}

static bool
parse_event(struct parser *p, struct notify_group *g)
{
    static const struct {
        const char *name;
        unsigned bit;
    } known[] = {
        {"MessageNew",            EVENT_MESSAGE_NEW            },
        {"MessageExpunge",        EVENT_MESSAGE_EXPUNGE        },
        {"FlagChange",            EVENT_FLAG_CHANGE            },
        {"AnnotationChange",      EVENT_ANNOTATION_CHANGE      },
        {"MailboxName",           EVENT_MAILBOX_NAME           },
        {"SubscriptionChange",    EVENT_SUBSCRIPTION_CHANGE    },
        {"MailboxMetadataChange", EVENT_MAILBOX_METADATA_CHANGE},
        {"ServerMetadataChange",  EVENT_SERVER_METADATA_CHANGE },
    };
    struct str name;

    for (size_t i = 0; i < COUNT(known); i++)
        if (parse_word(p, known[i].name)) {
            g->events |= known[i].bit;
            return known[i].bit != EVENT_MESSAGE_NEW || parse_new(p, g);
        }
    g->events |= EVENT_UNKNOWN;
    if (g->unknown.count == PARSE_ITEMS_MAX)
        return parse_fail(p, "Too many events");
    if (!parse_atom(p, &name))
        return false;
    *PARSE_ADD(p, g->unknown.at, g->unknown.count) = name;
    return true;
}

static bool
is_of_selected(const struct notify_group *g)
{
    return g->where.filter == FILTER_SELECTED ||
           g->where.filter == FILTER_SELECTED_DELAYED;
}

/* RFC 5465 5: MessageNew and MessageExpunge go together, and FlagChange needs
 * them; a selected mailbox has no other events. */
static bool
check_events(struct parser *p, const struct notify_group *g)
{
    unsigned both = EVENT_MESSAGE_NEW | EVENT_MESSAGE_EXPUNGE;
    unsigned message = both | EVENT_FLAG_CHANGE | EVENT_ANNOTATION_CHANGE;
    bool selected = is_of_selected(g);

    if (g->events & both && (g->events & both) != both)
        return parse_fail(p, "MessageNew and MessageExpunge go together");
    if (g->events & (EVENT_FLAG_CHANGE | EVENT_ANNOTATION_CHANGE) &&
        (g->events & both) != both)
        return parse_fail(p, "FlagChange needs MessageNew and MessageExpunge");
    if (selected && g->events & ~(message | EVENT_UNKNOWN))
        return parse_fail(p, "A selected mailbox has only message events");
    if (!selected && g->count > 0)
        return parse_fail(p, "Only the selected mailbox can fetch");
    return true;
}

static bool
parse_notify_group(struct parser *p, struct notify_group *g)
{
    *g = (struct notify_group){0};
    if (!parse_open(p) || !parse_filter(p, &g->where) || !parse_space(p))
        return false;
    if (parse_word(p, "NONE"))
        return parse_close(p);
    if (!parse_open(p))
        return false;
    do
        if (!parse_event(p, g))
            return false;
    while (parse_skip(p, ' '));
    return parse_close(p) && check_events(p, g) && parse_close(p);
}

bool
parse_notify(struct parser *p, struct command *c)
{
    struct notify_command *n = &c->notify;
    unsigned selected = 0;

    if (!parse_space(p))
        return false;
    if (parse_word(p, "NONE")) {
        n->none = true;
        return true;
    }
    if (!parse_word(p, "SET"))
        return parse_fail(p, "Expected SET or NONE");
    if (!parse_space(p))
        return false;
    if (parse_word(p, "STATUS")) {
        n->status = true;
        if (!parse_space(p))
            return false;
    }
    do {
        struct notify_group group;

        if (n->count == 256)
            return parse_fail(p, "Too many event groups");
        if (!parse_notify_group(p, &group))
            return false;
        if (is_of_selected(&group) && selected++)
            return parse_fail(p, "The selected mailbox may come once");
        *PARSE_ADD(p, n->groups, n->count) = group;
    } while (parse_skip(p, ' '));
    return true;
}
