/*
 * tls_settings.h - what main.cf says of TLS, for the role this process has.
 */
#ifndef SMTP_TLS_SETTINGS_H
#define SMTP_TLS_SETTINGS_H

#include "conf/conf.h"
#include "map/map.h"
#include "own_cert.h"
#include "tls/client.h"

struct tls_settings {
    const char *prefix;     /* "smtp", "lmtp" */
    enum tls_level level;   /* where no row of the policy says otherwise */
    struct maps *policy;    /* NULL: none */
    enum tls_level weak_mx; /* level dane, but the MX records are not signed */
    bool force_tlsa;        /* look for TLSA of hosts without signatures too */
    bool dnssec;            /* the resolver says what is signed */
    bool wrapper;           /* TLS at once, no STARTTLS */
    bool note_offer, block_early_reply;
    unsigned log;
    const char *protocols, *mandatory_protocols;
    const char *ciphers, *mandatory_ciphers;
    const char *exclude, *mandatory_exclude;
    const char *verify_match, *secure_match, *print_match;
    const char *anchor_file, *servername;
    int64_t fallback_age; /* ms; younger mail never goes in the clear because
                             a handshake failed */
    struct tls_grades grades;
    struct own_cert *own_cert; /* NULL: there is none */
    struct tls_client *client; /* NULL: there is none that works */
};

/* NULL with why where main.cf is wrong. dnssec is filled in by the caller. */
struct tls_settings *tls_settings_read(struct arena *life,
                                       const struct conf *conf, bool lmtp,
                                       struct why *why);

#endif
