/*
 * The restrictions, one row each. Old names of Postfix stand beside the new.
 */
#include "rules.h"

#include "smtpd.h"

static enum verdict
run_permit(struct ask *q, const struct rule *r)
{
    (void)q;
    (void)r;
    return PERMIT;
}

static enum verdict
run_reject(struct ask *q, const struct rule *r)
{
    (void)r;
    return rules_refuse(q, (int)q->s->conf->reject_code, "5.7.1",
                        "<%.*s>: %s rejected: Access denied", STR(q->name),
                        q->class);
}

static enum verdict
run_defer(struct ask *q, const struct rule *r)
{
    (void)r;
    return rules_refuse(q, (int)q->s->conf->defer_code, "4.3.2",
                        "<%.*s>: %s rejected: Try again later", STR(q->name),
                        q->class);
}

static enum verdict
run_defer_if_permit(struct ask *q, const struct rule *r)
{
    (void)r;
    return rules_defer_if_permit(
        q, 450, "4.7.0", "<%.*s>: %s rejected: defer_if_permit requested",
        STR(q->name), q->class);
}

static enum verdict
run_defer_if_reject(struct ask *q, const struct rule *r)
{
    (void)r;
    return rules_defer_if_reject(
        q, 450, "4.7.0", "<%.*s>: %s rejected: defer_if_reject requested",
        STR(q->name), q->class);
}

/* Without client certificates there is nobody to permit, and no name to look
 * up. warn_if_reject acts on the restriction behind it. */
static enum verdict
run_nothing(struct ask *q, const struct rule *r)
{
    (void)q;
    (void)r;
    return DUNNO;
}

static enum verdict
run_sleep(struct ask *q, const struct rule *r)
{
    uint64_t seconds = 0;

    (void)q;
    (void)str_num(r->text, &seconds);
    sleep(seconds > 600 ? 600 : (unsigned)seconds);
    return DUNNO;
}

static enum verdict
run_class(struct ask *q, const struct rule *r)
{
    return rules_run_list(q, r->list);
}

const struct restriction restriction_class = {
    .name = "restriction class",
    .run = run_class,
};

/* clang-format off */
static const struct restriction restrictions[] = {
    {"permit",                          ARG_NONE,   run_permit, 0, 0},
    {"reject",                          ARG_NONE,   run_reject, 0, 0},
    {"defer",                           ARG_NONE,   run_defer, 0, 0},
    {"defer_if_permit",                 ARG_NONE,   run_defer_if_permit, 0, 0},
    {"defer_if_reject",                 ARG_NONE,   run_defer_if_reject, 0, 0},
    {"warn_if_reject",                  ARG_NONE,   run_nothing, 0, 0},
    {"sleep",                           ARG_SECONDS, run_sleep, 0, 0},
    {"check_policy_service",            ARG_SERVICE, policy_run, 0, 0},

    {"permit_mynetworks",               ARG_NONE,   check_mynetworks, 0, 0},
    {"permit_inet_interfaces",          ARG_NONE,   check_inet_interfaces, 0, 0},
    {"permit_sasl_authenticated",       ARG_NONE,   check_login, 0, 0},
    {"permit_tls_clientcerts",          ARG_NONE,   check_client_cert, 0, 0},
    {"permit_tls_all_clientcerts",      ARG_NONE,   check_client_cert, 0, 0},
    {"check_sasl_access",               ARG_TABLE,  access_run, OF_LOGIN, BY_NAME},
    {"check_ccert_access",              ARG_TABLE,  check_client_cert_access, 0, 0},
    {"reject_plaintext_session",        ARG_NONE,   check_plaintext, 0, 0},
    {"reject_unauth_pipelining",        ARG_NONE,   check_pipelining, 0, 0},
    {"reject_multi_recipient_bounce",   ARG_NONE,   check_bounce_rcpts, 0, 0},

    {"reject_unknown_client_hostname",  ARG_NONE,   check_client_hostname, 0, 0},
    {"reject_unknown_client",           ARG_NONE,   check_client_hostname, 0, 0},
    {"reject_unknown_reverse_client_hostname", ARG_NONE, check_reverse_hostname, 0, 0},
    {"reject_unknown_forward_client_hostname", ARG_NONE, check_forward_hostname, 0, 0},
    {"reject_invalid_helo_hostname",    ARG_NONE,   check_helo_syntax, 0, 0},
    {"reject_invalid_hostname",         ARG_NONE,   check_helo_syntax, 0, 0},
    {"reject_non_fqdn_helo_hostname",   ARG_NONE,   check_helo_fqdn, 0, 0},
    {"reject_non_fqdn_hostname",        ARG_NONE,   check_helo_fqdn, 0, 0},
    {"reject_unknown_helo_hostname",    ARG_NONE,   check_helo_host, 0, 0},
    {"reject_unknown_hostname",         ARG_NONE,   check_helo_host, 0, 0},

    {"reject_non_fqdn_sender",          ARG_NONE,   check_fqdn, OF_SENDER, 0},
    {"reject_non_fqdn_recipient",       ARG_NONE,   check_fqdn, OF_RCPT, 0},
    {"reject_unknown_sender_domain",    ARG_NONE,   check_domain_exists, OF_SENDER, 0},
    {"reject_unknown_recipient_domain", ARG_NONE,   check_domain_exists, OF_RCPT, 0},
    {"reject_unknown_address",          ARG_NONE,   check_domain_exists, OF_SENDER, 0},
    {"reject_unlisted_sender",          ARG_NONE,   check_unlisted, OF_SENDER, 0},
    {"reject_unlisted_recipient",       ARG_NONE,   check_unlisted, OF_RCPT, 0},
    {"check_recipient_maps",            ARG_NONE,   check_unlisted, OF_RCPT, 0},
    {"reject_sender_login_mismatch",    ARG_NONE,   check_login_mismatch, 0, 0},
    {"reject_known_sender_login_mismatch", ARG_NONE, check_known_login_mismatch, 0, 0},
    {"reject_unauthenticated_sender_login_mismatch", ARG_NONE, check_stranger_mismatch, 0, 0},
    {"reject_authenticated_sender_login_mismatch", ARG_NONE, check_authenticated_mismatch, 0, 0},

    {"permit_auth_destination",         ARG_NONE,   check_auth_destination, 0, 0},
    {"reject_unauth_destination",       ARG_NONE,   check_unauth_reject, 0, 0},
    {"defer_unauth_destination",        ARG_NONE,   check_unauth_defer, 0, 0},
    {"permit_mx_backup",                ARG_NONE,   check_mx_backup, 0, 0},

    {"check_client_access",             ARG_TABLE,  access_run, OF_CLIENT, BY_NAME},
    {"check_client_a_access",           ARG_TABLE,  access_run, OF_CLIENT, BY_A},
    {"check_client_mx_access",          ARG_TABLE,  access_run, OF_CLIENT, BY_MX},
    {"check_client_ns_access",          ARG_TABLE,  access_run, OF_CLIENT, BY_NS},
    {"check_reverse_client_hostname_access", ARG_TABLE, access_run, OF_REVERSE, BY_NAME},
    {"check_reverse_client_hostname_a_access", ARG_TABLE, access_run, OF_REVERSE, BY_A},
    {"check_reverse_client_hostname_mx_access", ARG_TABLE, access_run, OF_REVERSE, BY_MX},
    {"check_reverse_client_hostname_ns_access", ARG_TABLE, access_run, OF_REVERSE, BY_NS},
    {"check_helo_access",               ARG_TABLE,  access_run, OF_HELO, BY_NAME},
    {"check_helo_a_access",             ARG_TABLE,  access_run, OF_HELO, BY_A},
    {"check_helo_mx_access",            ARG_TABLE,  access_run, OF_HELO, BY_MX},
    {"check_helo_ns_access",            ARG_TABLE,  access_run, OF_HELO, BY_NS},
    {"check_sender_access",             ARG_TABLE,  access_run, OF_SENDER, BY_NAME},
    {"check_sender_a_access",           ARG_TABLE,  access_run, OF_SENDER, BY_A},
    {"check_sender_mx_access",          ARG_TABLE,  access_run, OF_SENDER, BY_MX},
    {"check_sender_ns_access",          ARG_TABLE,  access_run, OF_SENDER, BY_NS},
    {"check_recipient_access",          ARG_TABLE,  access_run, OF_RCPT, BY_NAME},
    {"check_recipient_a_access",        ARG_TABLE,  access_run, OF_RCPT, BY_A},
    {"check_recipient_mx_access",       ARG_TABLE,  access_run, OF_RCPT, BY_MX},
    {"check_recipient_ns_access",       ARG_TABLE,  access_run, OF_RCPT, BY_NS},
    {"check_etrn_access",               ARG_TABLE,  access_run, OF_ETRN, BY_NAME},
    {"check_address_map",               ARG_TABLE,  access_address_map, OF_CLIENT, BY_NAME},

    {"reject_rbl_client",               ARG_DOMAIN, dnsbl_client, OF_CLIENT, 0},
    {"reject_rhsbl_client",             ARG_DOMAIN, dnsbl_name, OF_CLIENT, 0},
    {"reject_rhsbl_reverse_client",     ARG_DOMAIN, dnsbl_name, OF_REVERSE, 0},
    {"reject_rhsbl_helo",               ARG_DOMAIN, dnsbl_name, OF_HELO, 0},
    {"reject_rhsbl_sender",             ARG_DOMAIN, dnsbl_name, OF_SENDER, 0},
    {"reject_rhsbl_recipient",          ARG_DOMAIN, dnsbl_name, OF_RCPT, 0},
    {"permit_dnswl_client",             ARG_DOMAIN, dnswl_client, OF_CLIENT, 0},
    {"permit_rhswl_client",             ARG_DOMAIN, dnswl_name, OF_CLIENT, 0},
};
/* clang-format on */

const struct restriction *
restriction_find(struct str name)
{
    for (size_t i = 0; i < COUNT(restrictions); i++)
        if (str_ieq(name, str_from(restrictions[i].name)))
            return &restrictions[i];
    return NULL;
}

bool
restriction_is_postfix(struct str name)
{
    static const char *const names[] = {
        "reject_unverified_sender", "reject_unverified_recipient",
        "check_relay_domains",      "permit_naked_ip_address",
        "reject_maps_rbl",
    };

    for (size_t i = 0; i < COUNT(names); i++)
        if (str_ieq(name, str_from(names[i])))
            return true;
    return false;
}

const struct restriction *
restriction_of_table(enum stage stage)
{
    static const char *const names[STAGES] = {
        [STAGE_CLIENT] = "check_client_access",
        [STAGE_HELO] = "check_helo_access",
        [STAGE_SENDER] = "check_sender_access",
        [STAGE_RELAY] = "check_recipient_access",
        [STAGE_RCPT] = "check_recipient_access",
        [STAGE_DATA] = "check_recipient_access",
        [STAGE_END] = "check_recipient_access",
        [STAGE_ETRN] = "check_etrn_access",
    };

    return restriction_find(str_from(names[stage]));
}
