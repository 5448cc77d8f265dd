#include <errno.h>
#include <unistd.h>

#include "conf/examine.h"
#include "conf/rows.h"
#include "conf/value.h"

static bool
is_yes(const struct scope *s, const char *name)
{
    bool yes;

    return value_bool(scope_value(s, name), &yes) && yes;
}

static bool
has_any(struct str list, const struct str *words, size_t count)
{
    struct str word;

    while (str_word(&list, ", \t\r\n", &word))
        for (size_t i = 0; i < count; i++)
            if (str_ieq(word, words[i]))
                return true;
    return false;
}

/* Where to point: the setting, if the site made it. */
static const struct setting *
at(const struct scope *s, const char *name)
{
    return settings_get(s->settings, str_from(name));
}

/* The setting, if it was made in this very scope; NULL if not. */
static const struct setting *
made_here(const struct scope *s, const char *name)
{
    struct str text = str_from(name);
    const struct setting *set = settings_get(s->settings, text);

    if (s->service == NULL)
        return set && set->line > 0 ? set : NULL;
    for (size_t i = 0; i < s->service->override_count; i++)
        if (str_eq(s->service->overrides[i].name, text))
            return set;
    return NULL;
}

/* Does Posta act on that name? If not, what it says is no risk. */
static bool
acts(const struct scope *s, const char *name)
{
    const struct name *n = names_get(s->config->names, str_from(name));

    return n && n->acts;
}

/*
 * Without one of these words in one of the two lists the server would relay
 * for everybody. Postfix refuses to run so, and we do.
 */
static void
check_relay(struct exam *e, const struct scope *s)
{
    static const struct str stops[] = {
        S("reject_unauth_destination"),
        S("defer_unauth_destination"),
        S("check_relay_domains"),
        S("reject"),
        S("defer"),
        S("defer_if_permit"),
    };
    struct str relay = scope_value(s, "smtpd_relay_restrictions");
    struct str rcpt = scope_value(s, "smtpd_recipient_restrictions");

    if (has_any(relay, stops, COUNT(stops)) ||
        has_any(rcpt, stops, COUNT(stops)))
        return;
    exam_fatal(e, at(s, "smtpd_relay_restrictions"),
               "%s, line %u: service %s would relay mail of strangers to "
               "strangers; put reject_unauth_destination into "
               "smtpd_relay_restrictions or smtpd_recipient_restrictions",
               s->service->file, s->service->line, s->service->name);
}

static void
check_passwords(struct exam *e, const struct scope *s)
{
    if (!acts(s, "smtpd_sasl_auth_enable") ||
        !is_yes(s, "smtpd_sasl_auth_enable") ||
        is_yes(s, "smtpd_tls_auth_only"))
        return;
    struct str level = scope_value(s, "smtpd_tls_security_level");
    struct str options = scope_value(s, "smtpd_sasl_security_options");
    static const struct str no_plain[] = {S("noplaintext")};

    if (str_ieq(level, S("encrypt")) || is_yes(s, "smtpd_enforce_tls") ||
        is_yes(s, "smtpd_tls_wrappermode") ||
        has_any(options, no_plain, COUNT(no_plain)))
        return;
    exam_warn(e, at(s, "smtpd_sasl_auth_enable"),
              "service %s takes passwords without encryption; set "
              "smtpd_tls_auth_only = yes",
              s->service->name);
}

/* Only Dovecot's socket stands there; Posta's own has its place. */
static void
check_login_path(struct exam *e, const struct scope *s)
{
    const struct setting *set = made_here(s, "smtpd_sasl_path");

    if (set && str_eq(scope_value(s, "smtpd_sasl_type"), S("cyrus")) &&
        !str_eq(set->value, S("smtpd")))
        exam_warn(e, set, "has no effect without smtpd_sasl_type = dovecot");
}

/* Is there a row of that command (and, if not NULL, of that name)? */
static bool
has_row(const struct scope *s, const char *command, const char *name)
{
    const struct services *all = &s->config->services;

    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->at[i].command, command) == 0 &&
            (name == NULL || strcmp(all->at[i].name, name) == 0))
            return true;
    return false;
}

/* Does smtpd ask a socket that is not Posta's? */
static bool
asks_others(const struct scope *s)
{
    struct str path = scope_value(s, "smtpd_sasl_path");

    if (!is_yes(s, "smtpd_sasl_auth_enable") ||
        !str_eq(scope_value(s, "smtpd_sasl_type"), S("dovecot")))
        return false;
    return !str_skip(&path, S("private/")) ||
           !(str_eq(path, S("authd")) ||
             has_row(s, "authd", arena_cstr(s->arena, path)));
}

/* What a site that comes from Dovecot forgets: it works until Dovecot is
 * stopped. */
static void
check_dovecot(struct exam *e, const struct scope *s)
{
    static const char *const ways[] = {"mailbox_transport", "virtual_transport",
                                       "mailbox_command"};

    if (!has_row(s, "imapd", NULL) && !has_row(s, "pop3d", NULL))
        return;
    for (size_t i = 0; i < COUNT(ways); i++) {
        struct str way = scope_value(s, ways[i]);

        if (memmem(way.p, way.len, "dovecot", strlen("dovecot")))
            exam_warn(e, at(s, ways[i]),
                      "mail still goes to Dovecot, and imapd or pop3d serves "
                      "it; see posta-dovecot(7)");
    }
    if (asks_others(s))
        exam_warn(e, at(s, "smtpd_sasl_type"),
                  "logins are still asked of Dovecot's socket; without it "
                  "Posta's own authd is asked, as imapd and pop3d do");
}

static void
check_certificate(struct exam *e, const struct scope *s)
{
    struct str level = scope_value(s, "smtpd_tls_security_level");
    const char *asks =
        level.len > 0 && !str_ieq(level, S("none")) ? "smtpd_tls_security_level"
        : is_yes(s, "smtpd_tls_wrappermode")        ? "smtpd_tls_wrappermode"
        : level.len == 0 && is_yes(s, "smtpd_enforce_tls") ? "smtpd_enforce_tls"
        : level.len == 0 && is_yes(s, "smtpd_use_tls")     ? "smtpd_use_tls"
                                                           : NULL;

    if (asks && scope_value(s, "smtpd_tls_cert_file").len == 0 &&
        scope_value(s, "smtpd_tls_eccert_file").len == 0 &&
        scope_value(s, "smtpd_tls_chain_files").len == 0)
        exam_warn(e, at(s, asks),
                  "service %s has no certificate; set smtpd_tls_chain_files",
                  s->service->name);
}

/* What the level of TLS for outgoing mail needs beside it. */
static void
check_client_tls(struct exam *e, const struct scope *s, const char *prefix)
{
    static const struct str all[] = {
        S("none"), S("may"),    S("encrypt"), S("fingerprint"),
        S("dane"), S("verify"), S("secure"),  S("dane-only"),
    };
    static const struct str dane[] = {S("dane"), S("dane-only")};
    static const struct str named[] = {S("verify"), S("secure")};
    static const struct str weak[] = {S("may"), S("none")};
#define NAME(end) arena_fmt(s->arena, "%s_%s", prefix, end)
    const struct setting *set = made_here(s, NAME("tls_security_level"));
    struct str level = scope_value(s, NAME("tls_security_level"));

    if (set == NULL)
        return;
    if (level.len > 0 && !has_any(level, all, COUNT(all)))
        exam_fatal(e, set,
                   "write none, may, encrypt, fingerprint, verify, secure, "
                   "dane or dane-only");
    if (has_any(level, dane, COUNT(dane)) &&
        !str_ieq(scope_value(s, NAME("dns_support_level")), S("dnssec")))
        exam_warn(e, set,
                  "without %s_dns_support_level = dnssec nothing is "
                  "known of TLSA records",
                  prefix);
    if (has_any(level, named, COUNT(named)) &&
        !is_yes(s, "tls_append_default_CA") &&
        scope_value(s, NAME("tls_CAfile")).len == 0 &&
        scope_value(s, NAME("tls_CApath")).len == 0 &&
        scope_value(s, NAME("tls_trust_anchor_file")).len == 0)
        exam_warn(e, set, "no authority is trusted; set %s_tls_CAfile", prefix);
    if (has_any(level, weak, COUNT(weak)) && is_yes(s, NAME("tls_wrappermode")))
        exam_warn(e, set, "%s_tls_wrappermode needs level encrypt or above",
                  prefix);
#undef NAME
}

/* A mailbox smaller than a message would refuse mail that was accepted. */
static void
check_limit(struct exam *e, const struct scope *s, const char *name)
{
    int64_t box, message;

    if (value_int(scope_value(s, name), &box) && box > 0 &&
        value_int(scope_value(s, "message_size_limit"), &message) &&
        (message == 0 || message > box))
        exam_fatal(e, at(s, name),
                   "%s = %lld is smaller than message_size_limit = %lld; "
                   "make it 0 (no limit) or larger",
                   name, (long long)box, (long long)message);
}

static void
check_networks(struct exam *e, const struct scope *s)
{
    static const struct str all[] = {S("0.0.0.0/0"), S("[::]/0"), S("::/0"),
                                     S("0/0")};

    if (has_any(scope_value(s, "mynetworks"), all, COUNT(all)))
        exam_warn(e, at(s, "mynetworks"),
                  "every client may relay; name only your own networks");
}

/* A domain belongs to one class only; the first that has it would win. */
static void
check_classes(struct exam *e, const struct scope *s)
{
    static const char *const lists[] = {
        "mydestination", "virtual_alias_domains", "virtual_mailbox_domains"};
    static const struct str separators = S(":/!");
    struct str word;

    for (size_t i = 1; i < COUNT(lists); i++) {
        struct str list = scope_value(s, lists[i]);

        while (str_word(&list, ", \t\r\n", &word)) {
            bool plain = true;

            for (size_t k = 0; k < separators.len; k++)
                plain = plain && str_find(word, separators.p[k]) < 0;
            for (size_t k = 0; plain && k < i; k++)
                if (has_any(scope_value(s, lists[k]), &word, 1))
                    exam_warn(e, at(s, lists[i]),
                              "%.*s stands in %s too; leave it in one",
                              STR(word), lists[k]);
        }
    }
}

static void
check_host(struct exam *e, const struct scope *s)
{
    struct str host = scope_value(s, "myhostname");

    if (str_find(host, '.') < 0)
        exam_warn(e, at(s, "myhostname"),
                  "myhostname = %.*s is no full name; other servers will not "
                  "trust it",
                  STR(host));
}

/* Parameters that name one file, by the end of their names. */
static void
check_files(struct exam *e, const struct scope *s)
{
    static const struct str ends[] = {S("_cert_file"), S("_key_file"),
                                      S("_CAfile"), S("_CApath")};

    for (size_t i = 0; i < settings_count(s->settings); i++) {
        const struct setting *set = settings_at(s->settings, i);
        bool names_file = false;

        for (size_t k = 0; k < COUNT(ends); k++)
            names_file = names_file || str_ends(set->name, ends[k]);
        if (!names_file || conf_row_find(set->name) == NULL)
            continue;
        struct str path = scope_value(s, set->name.p);

        if (str_starts(path, S("/")) &&
            access(arena_cstr(s->arena, path), R_OK) != 0)
            exam_warn(e, set, "cannot read it: %s", strerror(errno));
    }
}

/* Tables whose file is read as it stands must be there. */
static void
check_tables(struct exam *e, const struct scope *s)
{
    static const struct str kinds[] = {S("regexp:/"), S("pcre:/"), S("cidr:/"),
                                       S("texthash:/")};
    struct str word;

    for (size_t i = 0; i < settings_count(s->settings); i++) {
        const struct setting *set = settings_at(s->settings, i);
        struct str list = scope_value(s, set->name.p);

        if (conf_row_find(set->name) == NULL)
            continue;
        while (str_word(&list, ", \t\r\n", &word))
            for (size_t k = 0; k < COUNT(kinds); k++) {
                struct str path = word;

                if (!str_starts(word, kinds[k]))
                    continue;
                str_cut(&path, ':', NULL);
                /* The last one of a unionmap. */
                while (str_ends(path, S("}")))
                    path.len--;
                if (access(arena_cstr(s->arena, path), R_OK) != 0)
                    exam_warn(e, set, "cannot read %.*s: %s", STR(path),
                              strerror(errno));
            }
    }
}

/* RFC 9738 3; one APPEND may bring no more. */
static void
check_message_limit(struct exam *e, const struct scope *s)
{
    const struct setting *set = made_here(s, "imap_message_limit");
    int64_t n;

    if (set && value_int(scope_value(s, "imap_message_limit"), &n) && n != 0 &&
        (n < 1000 || n > 10000))
        exam_fatal(e, set,
                   "%lld is not from 1000 to 10000; write 0 for no limit",
                   (long long)n);
}

void
exam_risks(struct exam *e, const struct scope *s)
{
    if (s->service && (strcmp(s->service->command, "smtpd") == 0 ||
                       strcmp(s->service->command, "lmtpd") == 0)) {
        check_relay(e, s);
        check_passwords(e, s);
        check_certificate(e, s);
    }
    check_login_path(e, s);
    check_client_tls(e, s, "smtp");
    check_client_tls(e, s, "lmtp");
    check_message_limit(e, s);
    if (s->service)
        return;
    check_limit(e, s, "mailbox_size_limit");
    check_limit(e, s, "virtual_mailbox_limit");
    check_networks(e, s);
    check_classes(e, s);
    check_host(e, s);
    check_dovecot(e, s);
    check_files(e, s);
    check_tables(e, s);
    exam_logins(e, s);
    exam_quotas(e, s);
    exam_mail_spaces(e, s);
}
