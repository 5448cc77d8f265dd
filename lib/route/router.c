#include "route/router.h"

#include "base/log.h"
#include "mail/address.h"
#include "mail/domain.h"

struct bit {
    const char *name;
    unsigned bit;
};

static const struct bit classes[] = {
    {"envelope_sender",    IN_ENVELOPE_SENDER},
    {"envelope_recipient", IN_ENVELOPE_RCPT  },
    {"header_sender",      IN_HEADER_SENDER  },
    {"header_recipient",   IN_HEADER_RCPT    },
};

/* alias, forward and include are local's, generic is smtp's. */
static const struct bit propagations[] = {
    {"canonical", PROPAGATE_CANONICAL},
    {"virtual",   PROPAGATE_VIRTUAL  },
    {"alias",     0                  },
    {"forward",   0                  },
    {"include",   0                  },
    {"generic",   0                  },
};

static unsigned
bits_of(const char *what, const char *list, const struct bit *known,
        size_t count)
{
    struct str rest = str_from(list), word;
    unsigned bits = 0;

    while (str_word(&rest, ", \t\r\n", &word)) {
        size_t i = 0;

        while (i < count && !str_ieq(word, str_from(known[i].name)))
            i++;
        if (i < count)
            bits |= known[i].bit;
        else
            log_warn("parameter %s: unknown word \"%.*s\"", what, STR(word));
    }
    return bits;
}

static bool
has_word(const char *list, struct str wanted)
{
    struct str rest = str_from(list), word;

    while (str_word(&rest, ", \t\r\n", &word))
        if (str_ieq(word, wanted))
            return true;
    return false;
}

/* The first trouble is the one to tell. */
static void
keep_first(struct why *first, const struct why *one)
{
    if (first->text[0] == '\0')
        *first = *one;
}

static struct maps *
tables(const char *specs, struct why *first)
{
    struct why one;
    struct maps *m = maps_open(specs, &one);

    keep_first(first, &one);
    return m;
}

static struct match_list *
patterns(const char *what, const char *list, bool subdomains, struct why *first)
{
    struct why one;
    struct match_list *l = match_open(what, list, subdomains, &one);

    keep_first(first, &one);
    return l;
}

static struct mapping
mapping(const char *name, const char *specs, unsigned in, bool propagate,
        struct why *first)
{
    return (struct mapping){name, tables(specs, first), in, propagate};
}

static void
open_rewriting(struct router *r, const struct route_settings *s,
               struct why *why)
{
    unsigned propagate = bits_of("propagate_unmatched_extensions",
                                 s->propagate_unmatched_extensions,
                                 propagations, COUNT(propagations));
    bool canonical = propagate & PROPAGATE_CANONICAL;

#define CLASSES(name) bits_of(#name, s->name, classes, COUNT(classes))
    r->sender_canonical =
        mapping("sender_canonical_maps", s->sender_canonical_maps,
                CLASSES(sender_canonical_classes), canonical, why);
    r->rcpt_canonical =
        mapping("recipient_canonical_maps", s->recipient_canonical_maps,
                CLASSES(recipient_canonical_classes), canonical, why);
    r->canonical = mapping("canonical_maps", s->canonical_maps,
                           CLASSES(canonical_classes), canonical, why);
    r->virtual = mapping("virtual_alias_maps", s->virtual_alias_maps,
                         IN_ENVELOPE_RCPT, propagate & PROPAGATE_VIRTUAL, why);
    r->masquerade_classes = CLASSES(masquerade_classes);
#undef CLASSES
    r->masquerade_exceptions =
        patterns("masquerade_exceptions", s->masquerade_exceptions, false, why);
    r->sender_bcc = tables(s->sender_bcc_maps, why);
    r->rcpt_bcc = tables(s->recipient_bcc_maps, why);
}

static void
open_classes(struct router *r, const struct route_settings *s, struct why *why)
{
    const char *parents = s->parent_domain_matches_subdomains;

#define LIST(name, subdomains) patterns(#name, s->name, subdomains, why)
    r->mydestination = LIST(mydestination, false);
    r->own_addresses = LIST(own_addresses, false);
    r->virtual_alias_domains = LIST(virtual_alias_domains, false);
    r->virtual_mailbox_domains = LIST(virtual_mailbox_domains, false);
    r->relay_domains =
        LIST(relay_domains, has_word(parents, S("relay_domains")));
#undef LIST
    r->transport_parents = has_word(parents, S("transport_maps"));
}

struct router *
router_new(struct arena *life, const struct route_settings *s, struct why *why)
{
    struct router *r = arena_make(life, struct router);

    r->s = s;
    *why = (struct why){0};
    open_rewriting(r, s, why);
    open_classes(r, s, why);
    r->local_rcpt = tables(s->local_recipient_maps, why);
    r->virtual_mailbox = tables(s->virtual_mailbox_maps, why);
    r->relay_rcpt = tables(s->relay_recipient_maps, why);
    r->relocated = tables(s->relocated_maps, why);
    r->transport = tables(s->transport_maps, why);
    r->sender_relayhost = tables(s->sender_dependent_relayhost_maps, why);
    r->sender_transport =
        tables(s->sender_dependent_default_transport_maps, why);
    return r;
}

enum rc
router_is_own(struct router *r, struct str domain, bool *own, struct why *why)
{
    struct str ip;

    *own = false;
    if (domain.len == 0)
        return OK;
    if (match_word(r->mydestination, domain, own, why) != OK)
        return TEMP;
    if (*own || !domain_is_literal(domain, &ip))
        return OK;
    return match_host(r->own_addresses, S(""), ip, own, why);
}

enum rc
router_find(struct router *r, struct arena *a, struct maps *m, struct str addr,
            struct map_found *found, struct why *why)
{
    struct map_order order = {.delimiters = r->s->recipient_delimiter,
                              .at_domain = true};
    struct str domain = address_domain(addr);

    *found = (struct map_found){0};
    if (maps_empty(m))
        return OK;
    order.own_domain = str_ieq(domain, str_from(r->s->myorigin));
    if (!order.own_domain &&
        router_is_own(r, domain, &order.own_domain, why) != OK)
        return TEMP;
    return maps_get_address(m, addr, &order, a, found, why);
}

enum rc
route_class(struct router *r, struct arena *a, struct str domain,
            enum route_class *class, struct why *why)
{
    const struct {
        struct match_list *list;
        bool subdomains;
        enum route_class class;
    } lists[] = {
        {r->virtual_alias_domains,   false, CLASS_VIRTUAL_ALIAS  },
        {r->virtual_mailbox_domains, false, CLASS_VIRTUAL_MAILBOX},
        {r->relay_domains,           true,  CLASS_RELAY          },
    };
    bool found;

    (void)a;
    *class = CLASS_LOCAL;
    if (router_is_own(r, domain, &found, why) != OK)
        return TEMP;
    for (size_t i = 0; i < COUNT(lists) && !found; i++) {
        enum rc rc = lists[i].subdomains
                         ? match_domain(lists[i].list, domain, &found, why)
                         : match_word(lists[i].list, domain, &found, why);

        if (rc != OK)
            return rc;
        *class = lists[i].class;
    }
    if (!found)
        *class = CLASS_DEFAULT;
    return OK;
}
