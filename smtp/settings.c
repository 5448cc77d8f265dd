#include "settings.h"

#include <netdb.h>
#include <netinet/in.h>

#include "base/log.h"
#include "dns/dns.h"
#include "login.h"

unsigned
settings_port(struct str text)
{
    uint64_t number;
    char name[32];

    if (str_num(text, &number))
        return number < 65536 ? (unsigned)number : 0;
    if (text.len >= sizeof name)
        return 0;
    memcpy(name, text.p, text.len);
    name[text.len] = '\0';
    if (strcmp(name, "smtp") == 0)
        return 25;
    const struct servent *service = getservbyname(name, "tcp");

    return service ? ntohs((uint16_t)service->s_port) : 0;
}

/* Bits for the words of a list; false at a word that is none of them. */
struct word {
    const char *name;
    unsigned bits;
};

static bool
words(const char *list, const struct word *known, unsigned *bits)
{
    struct str rest = str_from(list), one;

    *bits = 0;
    while (str_word(&rest, ", \t\r\n", &one)) {
        const struct word *w = known;

        while (w->name && !str_ieq(one, str_from(w->name)))
            w++;
        if (w->name == NULL)
            return false;
        *bits |= w->bits;
    }
    return true;
}

static bool
read_words(struct settings *s, const char *preference, const char *lookup,
           const char *dns, const struct conf *c, struct why *why)
{
    static const struct word first[] = {
        {"any",  0     },
        {"ipv4", DNS_V4},
        {"ipv6", DNS_V6},
        {NULL,   0     }
    };
    static const struct word sources[] = {
        {"dns",    DNS_FROM_DNS  },
        {"native", DNS_FROM_HOSTS},
        {NULL,     0             }
    };
    static const struct word levels[] = {
        {"disabled", 1},
        {"enabled",  2},
        {"dnssec",   2},
        {NULL,       0}
    };
    static const struct word families[] = {
        {"all",  DNS_V4 | DNS_V6},
        {"ipv4", DNS_V4         },
        {"ipv6", DNS_V6         },
        {NULL,   0              }
    };
    unsigned level;
    const char *prefix = s->lmtp ? "lmtp" : "smtp";

    if (!words(preference, first, &s->first)) {
        (void)!fail(why, "4.3.5", "%s_address_preference: not any, ipv4, ipv6",
                    prefix);
        return false;
    }
    if (!words(lookup, sources, &s->lookups) || s->lookups == 0) {
        (void)!fail(why, "4.3.5", "%s_host_lookup: not dns, native", prefix);
        return false;
    }
    if (!words(dns, levels, &level)) {
        (void)!fail(why, "4.3.5",
                    "%s_dns_support_level: not disabled, enabled, dnssec",
                    prefix);
        return false;
    }
    if (!words(c->inet_protocols, families, &s->families) || s->families == 0) {
        (void)!fail(why, "4.3.5", "inet_protocols: not all, ipv4, ipv6");
        return false;
    }
    s->mx = level != 1 && !(level == 0 && c->disable_dns_lookups);
    if (!s->mx)
        s->lookups = DNS_FROM_HOSTS;
    return true;
}

/* TAKE(x) reads the setting of the role. */
#define TAKE(name) s->name = lmtp ? c->lmtp_##name : c->smtp_##name
#define OF(name)   (lmtp ? c->lmtp_##name : c->smtp_##name)

static void
read_times(struct settings *s, const struct conf *c, bool lmtp)
{
    TAKE(connect_timeout);
    s->helo_timeout = lmtp ? c->lmtp_lhlo_timeout : c->smtp_helo_timeout;
    TAKE(xforward_timeout);
    TAKE(mail_timeout);
    TAKE(rcpt_timeout);
    TAKE(data_init_timeout);
    TAKE(data_xfer_timeout);
    TAKE(data_done_timeout);
    TAKE(rset_timeout);
    TAKE(quit_timeout);
    TAKE(starttls_timeout);
    TAKE(connection_cache_time_limit);
    TAKE(connection_reuse_time_limit);
}

static void
read_values(struct settings *s, const struct conf *c, bool lmtp)
{
    TAKE(fallback_relay);
    TAKE(randomize_addresses);
    TAKE(balance_inet_protocols);
    TAKE(defer_if_no_mx_address_found);
    TAKE(mx_address_limit);
    TAKE(mx_session_limit);
    TAKE(bind_address);
    TAKE(bind_address6);
    TAKE(bind_address_enforce);
    TAKE(skip_5xx_greeting);
    TAKE(skip_quit_response);
    TAKE(quote_rfc821_envelope);
    TAKE(send_xforward_command);
    TAKE(line_length_limit);
    TAKE(connection_cache_on_demand);
    TAKE(connection_cache_destinations);
    TAKE(connection_reuse_count_limit);
    TAKE(send_dummy_mail_auth);
    s->discard =
        lmtp ? c->lmtp_discard_lhlo_keywords : c->smtp_discard_ehlo_keywords;
    s->myhostname = c->myhostname;
    s->relayhost = c->relayhost;
    s->queue_directory = c->queue_directory;
    s->ignore_mx_lookup_error = c->ignore_mx_lookup_error;
    s->helo_name = lmtp ? c->lmtp_lhlo_name : c->smtp_helo_name;
    s->always_send_ehlo = c->smtp_always_send_ehlo;
    s->never_send_ehlo = c->smtp_never_send_ehlo;
    s->assume_final = lmtp && c->lmtp_assume_final;
    s->convert_8bit = !c->disable_mime_output_conversion;
    s->soft_bounce = c->soft_bounce;
    s->best_mx_transport = lmtp ? "" : c->best_mx_transport;
}

static struct maps *
open_maps(const char *specs)
{
    return *specs == '\0' ? NULL : maps_open(specs, NULL);
}

static void
read_tables(struct settings *s, struct arena *life, const struct conf *c,
            bool lmtp)
{
    s->generic = generic_open(life, c, OF(generic_maps));
    s->discard_by_address =
        open_maps(lmtp ? c->lmtp_discard_lhlo_keyword_address_maps
                       : c->smtp_discard_ehlo_keyword_address_maps);
    s->reply_filter = open_maps(OF(reply_filter));
    s->dns_reply_filter = open_maps(OF(dns_reply_filter));
    s->status_filter = open_maps(OF(delivery_status_filter));
    s->header_checks = open_maps(OF(header_checks));
}

/* "flags=DORX" of master.cf, as lmtp(8) has them. */
static bool
read_flags(struct settings *s, struct str flags)
{
    for (size_t i = 0; i < flags.len; i++)
        switch (flags.p[i]) {
        case 'D':
            s->add_delivered_to = s->single = true;
            break;
        case 'O':
            s->add_original_to = s->single = true;
            break;
        case 'R':
            s->add_return_path = true;
            break;
        case 'X':
            s->assume_final = true;
            break;
        default:
            return false;
        }
    return true;
}

static bool
read_args(struct settings *s, char **args, struct why *why)
{
    for (; args && *args; args++) {
        struct str arg = str_from(*args);

        if (str_skip(&arg, S("flags=")) && read_flags(s, arg))
            continue;
        (void)!fail(why, "4.3.5", "master.cf: unknown argument \"%s\"", *args);
        return false;
    }
    return true;
}

static bool
read_tls(struct settings *s, struct arena *life, const struct conf *c,
         struct why *why)
{
    const char *support =
        s->lmtp ? c->lmtp_dns_support_level : c->smtp_dns_support_level;
    struct tls_settings *tls = tls_settings_read(life, c, s->lmtp, why);

    if (tls == NULL)
        return false;
    tls->dnssec =
        (s->lookups & DNS_FROM_DNS) && str_ieq(str_from(support), S("dnssec"));
    s->tls = tls;
    return true;
}

struct settings *
settings_read(struct arena *life, const struct conf *c, bool lmtp, char **args,
              struct why *why)
{
    struct settings *s = arena_make(life, struct settings);

    s->lmtp = lmtp;
    read_times(s, c, lmtp);
    read_values(s, c, lmtp);
    if (!read_words(s, OF(address_preference), OF(host_lookup),
                    OF(dns_support_level), c, why))
        return NULL;
    if (!read_args(s, args, why))
        return NULL;
    s->port = settings_port(str_from(OF(tcp_port)));
    if (s->port == 0) {
        (void)!fail(why, "4.3.5", "%s_tcp_port: unknown port \"%s\"",
                    lmtp ? "lmtp" : "smtp", OF(tcp_port));
        return NULL;
    }
    read_tables(s, life, c, lmtp);
    if (!read_tls(s, life, c, why))
        return NULL;
    if (OF(sasl_auth_enable)) {
        s->logins = logins_open(life, c, lmtp, why);
        if (s->logins == NULL)
            return NULL;
    }
    return s;
}
