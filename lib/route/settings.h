/*
 * settings.h - what a router is made of.
 *
 * The fields are main.cf parameters of the same names; daemon/routing.c fills
 * them in. Texts are never NULL; lists and tables are as in main.cf.
 */
#ifndef ROUTE_SETTINGS_H
#define ROUTE_SETTINGS_H

#include "base/base.h"

struct route_settings {
    const char *myhostname, *mydomain, *myorigin, *recipient_delimiter;

    /* rewriting */
    bool append_at_myorigin, append_dot_mydomain;
    bool swap_bangpath, allow_percent_hack;
    const char *remote_header_rewrite_domain;
    const char *canonical_maps, *canonical_classes;
    const char *sender_canonical_maps, *sender_canonical_classes;
    const char *recipient_canonical_maps, *recipient_canonical_classes;
    const char *masquerade_domains, *masquerade_classes;
    const char *masquerade_exceptions;
    const char *propagate_unmatched_extensions;
    const char *always_bcc, *sender_bcc_maps, *recipient_bcc_maps;

    /* classes */
    const char *mydestination;
    const char *own_addresses; /* of inet_interfaces and proxy_interfaces */
    const char *virtual_alias_domains, *virtual_mailbox_domains;
    const char *relay_domains, *parent_domain_matches_subdomains;

    /* aliases */
    const char *virtual_alias_maps;
    int64_t virtual_alias_recursion_limit, virtual_alias_expansion_limit;
    int64_t virtual_alias_address_length_limit;

    /* who is known */
    const char *local_recipient_maps, *virtual_mailbox_maps;
    const char *relay_recipient_maps, *relocated_maps;
    bool relocated_prefix_enable, show_user_unknown_table_name;
    int64_t unknown_local_recipient_reject_code;
    int64_t unknown_relay_recipient_reject_code;
    int64_t unknown_virtual_alias_reject_code;
    int64_t unknown_virtual_mailbox_reject_code;

    /* next hops */
    const char *transport_maps, *relayhost;
    const char *sender_dependent_relayhost_maps;
    const char *sender_dependent_default_transport_maps;
    const char *default_transport, *local_transport;
    const char *relay_transport, *virtual_transport;
    const char *empty_address_recipient;
    const char *empty_address_relayhost_maps_lookup_key;
    const char *empty_address_default_transport_maps_lookup_key;
    bool allow_min_user, resolve_dequoted_address;
    bool resolve_null_domain, resolve_numeric_domain;
};

#endif
