#include "own_domains.h"

#include "mail/address.h"

struct own_domains {
    struct match_list *list;
    struct str myorigin;
    const char *delimiters;
};

struct own_domains *
own_domains_open(struct arena *life, const struct conf *conf)
{
    struct own_domains *d = arena_make(life, struct own_domains);

    d->list = match_open("mydestination", conf->mydestination, false, NULL);
    d->myorigin = str_from(conf->myorigin);
    d->delimiters = conf->recipient_delimiter;
    return d;
}

enum rc
own_domains_order(struct own_domains *d, struct str addr,
                  struct map_order *order, struct why *why)
{
    struct str domain = address_domain(addr);

    *order = (struct map_order){.delimiters = d->delimiters,
                                .own_domain = str_ieq(domain, d->myorigin),
                                .at_domain = true};
    return order->own_domain
               ? OK
               : match_word(d->list, domain, &order->own_domain, why);
}
