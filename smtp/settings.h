/*
 * settings.h - what main.cf says, for the role this process has: smtp_... or
 * lmtp_... under one name.
 */
#ifndef SMTP_SETTINGS_H
#define SMTP_SETTINGS_H

#include "conf/conf.h"
#include "generic.h"
#include "mail/smtp.h"
#include "map/map.h"
#include "tls_settings.h"

struct settings {
    bool lmtp;
    const char *myhostname;
    const char *relayhost;
    const char *queue_directory;

    /* milliseconds; 0 is for ever */
    int64_t connect_timeout, helo_timeout, xforward_timeout, mail_timeout,
        rcpt_timeout, data_init_timeout, data_xfer_timeout, data_done_timeout,
        rset_timeout, quit_timeout, starttls_timeout;

    unsigned port; /* of next hops without one */
    const char *fallback_relay;
    bool randomize_addresses, balance_inet_protocols,
        defer_if_no_mx_address_found, ignore_mx_lookup_error;
    int64_t mx_address_limit, mx_session_limit;
    unsigned families; /* DNS_V4, DNS_V6 */
    unsigned lookups;  /* DNS_FROM_DNS, DNS_FROM_HOSTS */
    bool mx;           /* look for mail exchangers */
    unsigned first;    /* DNS_V4 or DNS_V6: that family first; 0: any */
    const char *bind_address, *bind_address6;
    bool bind_address_enforce;

    const char *helo_name;
    bool always_send_ehlo, never_send_ehlo;
    const char *discard; /* EHLO keywords not to use */
    bool skip_5xx_greeting, skip_quit_response, quote_rfc821_envelope,
        send_xforward_command, assume_final, convert_8bit, soft_bounce;
    int64_t line_length_limit;

    bool connection_cache_on_demand;
    const char *connection_cache_destinations;
    int64_t connection_cache_time_limit, connection_reuse_count_limit,
        connection_reuse_time_limit;

    bool add_return_path, add_original_to, add_delivered_to; /* flags=ROD */
    bool single;                   /* each recipient has a transaction */
    const char *best_mx_transport; /* delivers what would come back to us */

    struct logins *logins;           /* NULL: nowhere */
    bool send_dummy_mail_auth;       /* "MAIL FROM:<...> AUTH=<>" */
    struct generic *generic;         /* NULL: none */
    struct maps *discard_by_address; /* the same by server */
    struct maps *reply_filter;       /* lines of servers */
    struct maps *dns_reply_filter;   /* records */
    struct maps *status_filter;      /* "5.1.1 text" */
    struct maps *header_checks;

    const struct tls_settings *tls;
};

/* NULL where a value is none; why says which. args are those of master.cf
 * (flags=...), and may be NULL. */
struct settings *settings_read(struct arena *life, const struct conf *conf,
                               bool lmtp, char **args, struct why *why);

/* "25", or the name of a service; 0 where it is neither. */
unsigned settings_port(struct str text);

#endif
