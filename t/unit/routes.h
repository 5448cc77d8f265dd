/*
 * routes.h - a router for tests: a site called ours.org, with tables in
 * main.cf's inline form.
 */
#ifndef UNIT_ROUTES_H
#define UNIT_ROUTES_H

#include <fcntl.h>

#include "base/log.h"
#include "route/route.h"
#include "route/settings.h"
#include "unit/test.h"

static struct {
    struct arena *arena;
    struct why why;
} site UNUSED;

/* Postfix's defaults where they are not about this machine. */
static UNUSED struct route_settings
ours(void)
{
    struct route_settings s = {0};

#define TEXT                ""
#define BOOL                false
#define NUM                 0
#define SETTING(type, name) s.name = type;
#include "route/settings.def"
#undef TEXT
#undef BOOL
#undef NUM
    s.own_addresses = "127.0.0.1 10.9.8.7";
    s.myhostname = "mx.ours.org";
    s.mydomain = s.myorigin = "ours.org";
    s.mydestination = "ours.org, mx.ours.org, localhost";
    s.recipient_delimiter = "+";
    s.append_at_myorigin = s.append_dot_mydomain = true;
    s.swap_bangpath = s.allow_percent_hack = true;
    s.canonical_classes = "envelope_sender, envelope_recipient, "
                          "header_sender, header_recipient";
    s.sender_canonical_classes = "envelope_sender, header_sender";
    s.recipient_canonical_classes = "envelope_recipient, header_recipient";
    s.masquerade_classes = "envelope_sender, header_sender, header_recipient";
    s.propagate_unmatched_extensions = "canonical, virtual";
    s.parent_domain_matches_subdomains = "mynetworks, relay_domains";
    s.virtual_alias_recursion_limit = 1000;
    s.virtual_alias_expansion_limit = 1000;
    s.virtual_alias_address_length_limit = 1000;
    s.relocated_prefix_enable = s.show_user_unknown_table_name = true;
    s.unknown_local_recipient_reject_code = 550;
    s.unknown_relay_recipient_reject_code = 550;
    s.unknown_virtual_alias_reject_code = 550;
    s.unknown_virtual_mailbox_reject_code = 550;
    s.default_transport = "smtp";
    s.local_transport = "local:mx.ours.org";
    s.relay_transport = "relay";
    s.virtual_transport = "virtual";
    s.empty_address_recipient = "MAILER-DAEMON";
    s.empty_address_relayhost_maps_lookup_key = "<>";
    s.empty_address_default_transport_maps_lookup_key = "<>";
    s.resolve_dequoted_address = true;
    return s;
}

static UNUSED struct router *
router_of(const struct route_settings *s)
{
    struct route_settings *kept = arena_make(site.arena, struct route_settings);

    *kept = *s;
    return router_new(site.arena, kept, &site.why);
}

static UNUSED const char *
text(struct str s)
{
    return arena_cstr(site.arena, s);
}

static UNUSED int
set_up(void **state)
{
    (void)state;
    site.arena = arena_new("test", (size_t)256 << 20);
    log_open("test", open("/dev/null", O_WRONLY | O_CLOEXEC), "mail");
    return 0;
}

#endif
