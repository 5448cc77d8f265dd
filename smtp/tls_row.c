#include "tls_row.h"

#include "dns/dns.h"

/* What an attribute's function may look at and fill in. */
struct row_parse {
    struct arena *arena;
    struct tls_row *row;
    struct str name; /* of the attribute */
    struct why *why;
};

void
tls_words_add(struct arena *a, struct tls_words *w, struct str text,
              const char *separators)
{
    struct str word;

    while (str_word(&text, separators, &word)) {
        w->at = arena_grow(a, w->at, sizeof word * w->count,
                           sizeof word * (w->count + 1));
        w->at[w->count++] = word;
    }
}

static enum rc
once(struct row_parse *p, struct str *place, struct str value)
{
    if (place->p)
        return fail(p->why, "5.3.5",
                    "attribute \"%.*s\" is specified multiple times",
                    STR(p->name));
    *place = value;
    return OK;
}

static enum rc
empty(struct row_parse *p)
{
    return fail(p->why, "5.3.5", "attribute \"%.*s\" has empty value",
                STR(p->name));
}

static enum rc
not_here(struct row_parse *p)
{
    return fail(p->why, "5.3.5",
                "attribute \"%.*s\" invalid at security level \"%s\"",
                STR(p->name), tls_level_name(p->row->level));
}

static enum rc
take_ciphers(struct row_parse *p, struct str value)
{
    return value.len == 0 ? empty(p) : once(p, &p->row->ciphers, value);
}

static enum rc
take_protocols(struct row_parse *p, struct str value)
{
    return once(p, &p->row->protocols, value);
}

static enum rc
take_exclude(struct row_parse *p, struct str value)
{
    return once(p, &p->row->exclude, value);
}

static enum rc
take_servername(struct row_parse *p, struct str value)
{
    if (!dns_valid_host(value))
        return fail(p->why, "5.3.5",
                    "\"servername=%.*s\" specifies an invalid hostname",
                    STR(value));
    return once(p, &p->row->servername, value);
}

static enum rc
take_match(struct row_parse *p, struct str value)
{
    enum tls_level level = p->row->level;

    if (value.len == 0)
        return empty(p);
    if (level != TLS_FINGERPRINT && level != TLS_VERIFY && level != TLS_SECURE)
        return not_here(p);
    tls_words_add(p->arena, &p->row->match, value,
                  level == TLS_FINGERPRINT ? "|" : ":");
    return OK;
}

static enum rc
take_tafile(struct row_parse *p, struct str value)
{
    if (p->row->level != TLS_VERIFY && p->row->level != TLS_SECURE)
        return not_here(p);
    if (value.len == 0)
        return empty(p);
    tls_words_add(p->arena, &p->row->anchors, value, "");
    return OK;
}

/* Sessions are kept open by every process whatever this says. */
static enum rc
take_reuse(struct row_parse *p, struct str value)
{
    if (!str_ieq(value, S("yes")) && !str_ieq(value, S("no")))
        return fail(p->why, "5.3.5",
                    "attribute \"%.*s\" has bad value: "
                    "\"%.*s\"",
                    STR(p->name), STR(value));
    return OK;
}

static enum rc
take_attribute(struct row_parse *p, struct str word)
{
    static const struct {
        const char *name;
        enum rc (*take)(struct row_parse *p, struct str value);
    } known[] = {
        {"ciphers",          take_ciphers   },
        {"protocols",        take_protocols },
        {"exclude",          take_exclude   },
        {"servername",       take_servername},
        {"match",            take_match     },
        {"tafile",           take_tafile    },
        {"connection_reuse", take_reuse     },
    };
    struct str value = word;

    if (!str_cut(&value, '=', &p->name) || p->name.len == 0)
        return fail(p->why, "5.3.5", "malformed attribute/value pair \"%.*s\"",
                    STR(word));
    for (size_t i = 0; i < COUNT(known); i++)
        if (str_ieq(p->name, str_from(known[i].name)))
            return known[i].take(p, value);
    return fail(p->why, "5.3.5", "invalid attribute name: \"%.*s\"",
                STR(p->name));
}

enum rc
tls_row_parse(struct arena *a, struct str text, struct tls_row *row,
              void (*ignored)(struct str attribute), struct why *why)
{
    struct row_parse p = {.arena = a, .row = row, .why = why};
    struct str word;

    *row = (struct tls_row){0};
    if (!str_word(&text, ", \t\r\n", &word))
        return fail(why, "5.3.5", "invalid empty policy");
    if (!tls_level_parse(word, &row->level))
        return fail(why, "5.3.5", "invalid security level \"%.*s\"", STR(word));
    while (str_word(&text, ", \t\r\n", &word)) {
        if (row->level == TLS_NONE) {
            if (ignored)
                ignored(word);
        } else if (take_attribute(&p, word) != OK) {
            return PERM;
        }
    }
    return OK;
}
