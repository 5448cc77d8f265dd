#include "policy.h"

#include "base/buf.h"
#include "base/log.h"
#include "dane.h"
#include "tls_row.h"

#define SEPARATORS ", \t\r\n"

/* One search, and what it has found so far. */
struct search {
    const struct settings *settings;
    const struct tls_settings *tls;
    struct dns *dns;
    const struct nexthop *hop;
    const struct target *target;
    struct arena *arena;
    struct str dest; /* the next hop, as rows have it */
    struct str host; /* the server */
    struct tls_row row;
    struct tls_demand *out;
    struct why *why;
};

/* Somebody here has to mend it; the log says what. */
static enum rc
misconfigured(struct search *f)
{
    return fail(f->why, "4.7.5", "client TLS configuration problem");
}

/* ---- the row of the table */

static void
warn_ignored(struct str attribute)
{
    log_warn("ignoring attribute \"%.*s\" with TLS disabled", STR(attribute));
}

static enum rc
bad_row(struct search *f, const char *what)
{
    log_warn("%s_tls_policy_maps, next-hop destination \"%.*s\": %s",
             f->tls->prefix, STR(f->dest), what);
    return misconfigured(f);
}

/*
 * "[host]:port" and the like are only looked for as they are; parents are for
 * domains that came from addresses.
 */
static enum rc
read_row(struct search *f)
{
    struct maps *maps = f->tls->policy;
    struct why why;
    struct str value = {0};
    enum rc rc;

    f->row.level = f->tls->level;
    if (maps == NULL)
        return OK;
    if (dns_valid_host(f->dest))
        rc = maps_get_domain(maps, f->dest, true, f->arena, &value, &why);
    else
        rc = maps_get(maps, f->dest, f->arena, &value, &why);
    if (rc != OK)
        return bad_row(f, why.text);
    if (value.p == NULL)
        return OK;
    if (tls_row_parse(f->arena, value, &f->row, warn_ignored, &why) != OK)
        return bad_row(f, why.text);
    return OK;
}

/* ---- DANE */

enum obstacle {
    OUR_FAULT,      /* main.cf says so */
    NOT_DANE,       /* nothing is known of the server */
    CANNOT_BE_DANE, /* it asks for TLS, and we cannot tell who it is */
};

/* Level dane makes do with less, dane-only does not. */
static enum rc
without_dane(struct search *f, enum obstacle obstacle, const char *text)
{
    enum tls_level *level = &f->row.level;

    if (obstacle == OUR_FAULT)
        log_warn("%.*s: %s configured with %s", STR(f->dest),
                 tls_level_name(*level), text);
    else if (f->tls->log & TLS_LOG_STEPS)
        log_info("%.*s: %s", STR(f->host), text);
    if (*level == TLS_DANE) {
        *level = obstacle == CANNOT_BE_DANE ? TLS_ENCRYPT : TLS_MAY;
        return OK;
    }
    if (obstacle == OUR_FAULT)
        return misconfigured(f);
    return fail(f->why, "4.7.5", "%s", text);
}

/* As certificates and servers have it; a dot in front stays. */
static struct str
wire_name(struct search *f, struct str name)
{
    struct str ascii = name;
    bool dot = str_skip(&ascii, S("."));

    if (!dns_to_ascii(ascii, f->arena, &ascii))
        return arena_str(f->arena, name);
    return str_from(arena_fmt(f->arena, "%s%.*s", dot ? "." : "", STR(ascii)));
}

static void
add_name(struct search *f, struct str name)
{
    struct tls_demand *d = f->out;

    name = wire_name(f, name);

    for (size_t i = 0; i < d->name_count; i++)
        if (str_ieq(d->names[i], name))
            return;
    d->names = arena_grow(f->arena, d->names, sizeof name * d->name_count,
                          sizeof name * (d->name_count + 1));
    d->names[d->name_count++] = name;
}

/* The names a certificate may have (RFC 7672 3.2.2). */
static enum rc
use_records(struct search *f, const struct dane *dane)
{
    const struct target *t = f->target;
    bool mx = t->domain.len > 0;

    if (mx && !t->domain_secure) {
        if (f->tls->weak_mx == TLS_ENCRYPT)
            return without_dane(
                f, CANNOT_BE_DANE,
                "Verification not possible, MX RRset is insecure");
        f->row.level = TLS_HALF_DANE;
    }
    f->out->records = dane->records;
    f->out->record_count = dane->count;
    f->out->sni = wire_name(f, dane->base).p;
    add_name(f, dane->base);
    if (mx) {
        add_name(f, t->domain);
        add_name(f, f->hop->host);
    }
    return OK;
}

static enum rc
find_records(struct search *f)
{
    struct dane dane;

    switch (
        dane_find(f->tls, f->dns, f->target, f->hop->port, f->arena, &dane)) {
    case DANE_FAILED:
        return fail(f->why, "4.7.5", "TLSA lookup error for %.*s:%u",
                    STR(f->host), f->hop->port);
    case DANE_NONE:
        return without_dane(f, NOT_DANE, "no TLSA records found");
    case DANE_UNUSABLE:
        return without_dane(f, CANNOT_BE_DANE, "TLSA records unusable");
    case DANE_FOUND:
        break;
    }
    return use_records(f, &dane);
}

static enum rc
use_dane(struct search *f)
{
    const struct target *t = f->target;
    const struct settings *s = f->settings;

    if (t == NULL) {
        log_warn("%.*s: the \"dane\" security level is invalid for delivery "
                 "via unix-domain sockets",
                 STR(f->dest));
        return misconfigured(f);
    }
    if (f->tls->client == NULL)
        return OK;
    if (!f->tls->dnssec)
        return without_dane(f, OUR_FAULT, "dnssec lookups disabled");
    if (!s->lmtp && s->ignore_mx_lookup_error)
        return without_dane(f, OUR_FAULT, "MX lookup errors ignored");
    if (t->domain.len > 0 && !t->domain_secure &&
        (f->row.level == TLS_DANE_ONLY || f->tls->weak_mx <= TLS_MAY))
        return without_dane(f, NOT_DANE, "non DNSSEC destination");
    return find_records(f);
}

/* ---- what the level asks for */

/* "hostname" and its kin, or a name. */
static struct str
meant(const struct search *f, struct str word)
{
    if (str_ieq(word, S("hostname")))
        return f->host;
    if (str_ieq(word, S("nexthop")))
        return f->hop->host;
    if (str_ieq(word, S("dot-nexthop")))
        return str_from(arena_fmt(f->arena, ".%.*s", STR(f->hop->host)));
    return word;
}

static enum rc
set_versions(struct search *f)
{
    const struct tls_settings *s = f->tls;
    bool may = f->row.level == TLS_MAY;
    struct str text = f->row.protocols;

    if (text.p == NULL)
        text = str_from(may ? s->protocols : s->mandatory_protocols);
    return tls_protocols_parse(text, &f->out->protocols, f->why);
}

static enum rc
set_ciphers(struct search *f)
{
    const struct tls_settings *s = f->tls;
    enum tls_level level = f->row.level;
    struct str grade = f->row.ciphers, exclude = f->row.exclude;

    if (grade.p == NULL)
        grade = str_from(level == TLS_MAY ? s->ciphers : s->mandatory_ciphers);
    if (exclude.p == NULL)
        exclude =
            str_from(arena_fmt(f->arena, "%s %s", s->exclude,
                               level == TLS_MAY ? "" : s->mandatory_exclude));
    exclude = str_from(arena_fmt(f->arena, "%.*s %s", STR(exclude),
                                 level == TLS_MAY       ? ""
                                 : level == TLS_ENCRYPT ? "eNULL"
                                                        : "aNULL"));
    return tls_ciphers_make(f->arena, &s->grades, grade, exclude,
                            &f->out->ciphers, f->why);
}

/* What to ask for by name; DANE has set it already. */
static enum rc
set_sni(struct search *f)
{
    struct str name = f->row.servername;

    if (f->out->sni)
        return OK;
    if (name.p == NULL)
        name = str_from(f->tls->servername);
    if (name.len > 0 && !dns_valid_host(name))
        return fail(f->why, "4.7.5", "\"%.*s\" specifies an invalid hostname",
                    STR(name));
    name = meant(f, name);
    f->out->sni = dns_valid_host(name) ? wire_name(f, name).p : "";
    return OK;
}

static enum rc
set_prints(struct search *f)
{
    struct tls_words words = f->row.match;
    struct tls_demand *d = f->out;

    if (words.count == 0)
        tls_words_add(f->arena, &words, str_from(f->tls->print_match),
                      SEPARATORS);
    if (words.count == 0)
        return fail(f->why, "4.7.5",
                    "configured at fingerprint security level, but with no "
                    "fingerprints to match");
    d->prints = arena_alloc(f->arena, sizeof *d->prints * words.count);
    for (; d->print_count < words.count; d->print_count++)
        if (!tls_print_parse(f->arena, words.at[d->print_count],
                             &d->prints[d->print_count]))
            return fail(f->why, "4.7.5", "malformed fingerprint \"%.*s\"",
                        STR(words.at[d->print_count]));
    return OK;
}

static enum rc
read_anchors(struct search *f, struct str path)
{
    struct tls_demand *d = f->out;
    struct tls_record *more;
    size_t count;

    if (tls_anchors_read(f->arena, arena_cstr(f->arena, path), &more, &count,
                         f->why) != OK)
        return TEMP;
    d->records =
        arena_grow(f->arena, d->records, sizeof *more * d->record_count,
                   sizeof *more * (d->record_count + count));
    memcpy(d->records + d->record_count, more, sizeof *more * count);
    d->record_count += count;
    return OK;
}

static enum rc
set_names(struct search *f)
{
    struct tls_words words = f->row.match, files = f->row.anchors;
    const struct tls_settings *s = f->tls;

    if (words.count == 0)
        tls_words_add(f->arena, &words,
                      str_from(f->row.level == TLS_VERIFY ? s->verify_match
                                                          : s->secure_match),
                      SEPARATORS ":");
    for (size_t i = 0; i < words.count; i++)
        add_name(f, meant(f, words.at[i]));
    if (files.count == 0 && *s->anchor_file)
        tls_words_add(f->arena, &files, str_from(s->anchor_file), "");
    for (size_t i = 0; i < files.count; i++)
        if (read_anchors(f, files.at[i]) != OK)
            return TEMP;
    return OK;
}

static enum rc
fill_in(struct search *f)
{
    enum tls_level level = f->row.level;

    f->out->level = level;
    if (set_versions(f) != OK || set_ciphers(f) != OK || set_sni(f) != OK)
        return TEMP;
    if (level == TLS_FINGERPRINT)
        return set_prints(f);
    return level >= TLS_VERIFY ? set_names(f) : OK;
}

/* ---- all of it */

static struct str
destination(const struct nexthop *hop)
{
    struct str text = hop->text;

    if (!str_skip(&text, S("unix:")))
        str_skip(&text, S("inet:"));
    return text;
}

static bool
lacks_wrapped_level(struct search *f)
{
    if (!f->tls->wrapper || f->row.level >= TLS_ENCRYPT)
        return false;
    log_warn("%s_tls_wrappermode requires \"%s_tls_security_level = encrypt\" "
             "(or stronger)",
             f->tls->prefix, f->tls->prefix);
    return true;
}

static enum rc
decide(struct search *f)
{
    if (read_row(f) != OK)
        return TEMP;
    if ((f->row.level == TLS_DANE || f->row.level == TLS_DANE_ONLY) &&
        use_dane(f) != OK)
        return TEMP;
    if (lacks_wrapped_level(f))
        return misconfigured(f);
    if (f->tls->client == NULL && f->row.level > TLS_MAY)
        return fail(f->why, "4.7.5",
                    "TLS is required, but our TLS engine is unavailable");
    if (f->tls->client == NULL || f->row.level == TLS_NONE)
        return OK;
    if (fill_in(f) != OK)
        return bad_row(f, f->why->text);
    return OK;
}

enum rc
policy_find(const struct settings *s, struct dns *dns,
            const struct nexthop *hop, const struct target *target,
            struct arena *a, struct tls_demand *out, struct why *why)
{
    struct search f = {.settings = s,
                       .tls = s->tls,
                       .dns = dns,
                       .hop = hop,
                       .target = target,
                       .arena = a,
                       .dest = destination(hop),
                       .host = target ? target->host : str_from(s->myhostname),
                       .out = out,
                       .why = why};

    *out = (struct tls_demand){.level = TLS_NONE};
    if (decide(&f) == OK)
        return OK;
    log_warn("TLS policy lookup for %.*s/%.*s: %s", STR(f.dest), STR(f.host),
             why->text);
    return TEMP;
}
