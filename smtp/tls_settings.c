#include "tls_settings.h"

#include "base/log.h"

#define OF(name) (lmtp ? c->lmtp_##name : c->smtp_##name)

static bool
bad(struct why *why, const char *prefix, const char *name, const char *value)
{
    (void)!fail(why, "4.3.5", "%s_%s: unknown value \"%s\"", prefix, name,
                value);
    return false;
}

static bool
read_levels(struct tls_settings *s, const struct conf *c, bool lmtp,
            struct why *why)
{
    const char *level = OF(tls_security_level);
    const char *weak = c->smtp_tls_dane_insecure_mx_policy;

    if (*level == '\0')
        s->level = OF(enforce_tls)
                       ? (OF(tls_enforce_peername) ? TLS_VERIFY : TLS_ENCRYPT)
                   : OF(use_tls) ? TLS_MAY
                                 : TLS_NONE;
    else if (!tls_level_parse(str_from(level), &s->level))
        return bad(why, s->prefix, "tls_security_level", level);
    if (!tls_level_parse(str_from(weak), &s->weak_mx) ||
        (s->weak_mx != TLS_MAY && s->weak_mx != TLS_ENCRYPT &&
         s->weak_mx != TLS_DANE))
        return bad(why, "smtp", "tls_dane_insecure_mx_policy", weak);
    if (!tls_log_parse(str_from(OF(tls_loglevel)), &s->log))
        return bad(why, s->prefix, "tls_loglevel", OF(tls_loglevel));
    return true;
}

static void
read_values(struct tls_settings *s, const struct conf *c, bool lmtp)
{
    s->force_tlsa = OF(tls_force_insecure_host_tlsa_lookup);
    s->wrapper = OF(tls_wrappermode);
    s->note_offer = OF(tls_note_starttls_offer);
    s->block_early_reply = OF(tls_block_early_mail_reply);
    s->protocols = OF(tls_protocols);
    s->mandatory_protocols = OF(tls_mandatory_protocols);
    s->ciphers = OF(tls_ciphers);
    s->mandatory_ciphers = OF(tls_mandatory_ciphers);
    s->exclude = OF(tls_exclude_ciphers);
    s->mandatory_exclude = OF(tls_mandatory_exclude_ciphers);
    s->verify_match = OF(tls_verify_cert_match);
    s->secure_match = OF(tls_secure_cert_match);
    s->print_match = OF(tls_fingerprint_cert_match);
    s->anchor_file = OF(tls_trust_anchor_file);
    s->servername = OF(tls_servername);
    s->fallback_age = c->minimal_backoff_time;
    s->grades = (struct tls_grades){
        c->tls_high_cipherlist, c->tls_medium_cipherlist, c->tls_low_cipherlist,
        c->tls_export_cipherlist, c->tls_null_cipherlist};
}

/* Where it cannot be had, mail that may go without TLS still goes. */
static void
make_client(struct tls_settings *s, struct arena *life, const struct conf *c,
            bool lmtp)
{
    struct tls_client_options o = {
        .ca_file = OF(tls_CAfile),
        .ca_path = OF(tls_CApath),
        .system_cas = c->tls_append_default_CA,
        .depth = (int)OF(tls_scert_verifydepth),
        .print_digest = OF(tls_fingerprint_digest),
        .dane_digests = c->tls_dane_digests,
        .deep_wildcards = c->tls_wildcard_matches_multiple_labels,
        .remember =
            *OF(tls_session_cache_database) ? OF(tls_session_cache_timeout) : 0,
    };
    struct why why;

    if (s->level == TLS_NONE && s->policy == NULL)
        return;
    s->own_cert = own_cert_open(life, c, s->prefix);
    if (s->own_cert) {
        o.certify = own_cert_use;
        o.own = s->own_cert;
    }
    s->client = tls_client_new(life, &o, &why);
    if (s->client == NULL)
        log_warn("TLS is disabled: %s", why.text);
}

struct tls_settings *
tls_settings_read(struct arena *life, const struct conf *c, bool lmtp,
                  struct why *why)
{
    struct tls_settings *s = arena_make(life, struct tls_settings);

    s->prefix = lmtp ? "lmtp" : "smtp";
    if (!read_levels(s, c, lmtp, why))
        return NULL;
    read_values(s, c, lmtp);
    if (*OF(tls_policy_maps))
        s->policy = maps_open(OF(tls_policy_maps), NULL);
    make_client(s, life, c, lmtp);
    return s;
}
