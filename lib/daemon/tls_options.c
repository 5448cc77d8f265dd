#include "daemon/tls_options.h"

static enum rc
find_curves(const struct conf *c, struct tls_server_options *o, struct why *why)
{
    struct str grade = str_from(c->smtpd_tls_eecdh_grade);

    o->groups = str_eq(grade, S("auto"))     ? c->tls_eecdh_auto_curves
                : str_eq(grade, S("strong")) ? c->tls_eecdh_strong_curve
                : str_eq(grade, S("ultra"))  ? c->tls_eecdh_ultra_curve
                : str_eq(grade, S("none"))   ? ""
                                             : NULL;
    if (o->groups)
        return OK;
    return fail(why, "4.3.5",
                "smtpd_tls_eecdh_grade = %.*s: write auto, strong, ultra or "
                "none",
                STR(grade));
}

static enum rc
find_strength(struct arena *life, const struct conf *c, bool mandatory,
              struct tls_server_options *o, struct why *why)
{
    const struct tls_grades grades = {
        c->tls_high_cipherlist, c->tls_medium_cipherlist, c->tls_low_cipherlist,
        c->tls_export_cipherlist, c->tls_null_cipherlist};
    const char *protocols =
        mandatory ? c->smtpd_tls_mandatory_protocols : c->smtpd_tls_protocols;
    const char *grade =
        mandatory ? c->smtpd_tls_mandatory_ciphers : c->smtpd_tls_ciphers;
    const char *exclude =
        arena_fmt(life, "%s %s", c->smtpd_tls_exclude_ciphers,
                  mandatory ? c->smtpd_tls_mandatory_exclude_ciphers : "");
    enum rc rc = tls_protocols_parse(str_from(protocols), &o->protocols, why);

    if (rc == OK)
        rc = tls_ciphers_make(life, &grades, str_from(grade), str_from(exclude),
                              &o->ciphers, why);
    if (rc == OK)
        rc = tls_bits_parse("tls_ssl_options", str_from(c->tls_ssl_options),
                            &o->options, why);
    if (rc == OK)
        rc = tls_bits_parse("tls_disable_workarounds",
                            str_from(c->tls_disable_workarounds),
                            &o->not_options, why);
    return rc;
}

enum rc
tls_options_make(struct daemon *d, bool mandatory, struct tls_server_options *o,
                 struct why *why)
{
    const struct conf *c = d->conf;
    enum rc rc;

    *o = (struct tls_server_options){
        .own_order = c->tls_preempt_cipherlist,
        .dh_file = c->smtpd_tls_dh1024_param_file,
        .ca_file = c->smtpd_tls_CAfile,
        .ca_path = c->smtpd_tls_CApath,
        .system_cas = c->tls_append_default_CA,
        .depth = (int)c->smtpd_tls_ccert_verifydepth,
        .board = d->board,
        .ticket_life = c->smtpd_tls_session_cache_timeout,
    };
    rc = find_curves(c, o, why);
    return rc == OK ? find_strength(d->life, c, mandatory, o, why) : rc;
}
