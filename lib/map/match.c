/*
 * Lists of patterns: mynetworks, mydestination, relay_domains ...
 */
#include "base/log.h"
#include "base/vec.h"
#include "map/fold.h"
#include "map/map.h"
#include "map/network.h"
#include "map/source.h"
#include "map/type.h"
#include "map/words.h"

/* /file in /file in ... */
#define FILE_DEPTH 10

struct pattern {
    bool negated;
    bool broken; /* cannot be understood: whoever gets here gets no answer */
    bool is_network;
    struct map *table; /* or NULL */
    struct str text;   /* in lower case */
    struct network network;
};

struct match_list {
    const char *what;
    bool subdomains;
    struct arena *life, *scratch;
    struct why trouble; /* the first that was met in opening */
    VEC(struct pattern) of;
};

static void add_words(struct match_list *l, struct str list, bool negated,
                      unsigned depth);

static void
add_broken(struct match_list *l, const struct why *why)
{
    log_warn("parameter %s: %s", l->what, why->text);
    if (l->trouble.text[0] == '\0')
        l->trouble = *why;
    vec_add(&l->of)->broken = true;
}

static void
add_file(struct match_list *l, struct str name, bool negated, unsigned depth)
{
    struct source s;
    struct str line;
    struct why why;
    unsigned number;
    enum rc rc = OK;

    if (depth == FILE_DEPTH)
        rc = fail(&why, "4.3.0", "%.*s: too many files in one another",
                  STR(name));
    if (rc == OK)
        rc = source_read(&s, l->life, arena_cstr(l->life, name), &why);
    if (rc != OK) {
        add_broken(l, &why);
        return;
    }
    while (source_line(&s, l->life, &line, &number))
        add_words(l, line, negated, depth + 1);
}

/* "type:name", and no IPv6 address. */
static bool
is_table(struct str word)
{
    struct network n;
    struct str type = word;

    if (word.p[0] == '[' || !str_cut(&word, ':', &type) || type.len == 0)
        return false;
    for (size_t i = 0; i < type.len; i++)
        if (!is_alnum(type.p[i]) && type.p[i] != '_')
            return false;
    return !network_address((struct str){type.p, type.len + 1 + word.len}, &n);
}

/* Made of what addresses are made of, with a sign that it is one. */
static bool
looks_like_network(struct str word)
{
    bool sign = false;

    for (size_t i = 0; i < word.len; i++) {
        char c = to_lower(word.p[i]);

        if (!is_digit(c) && !strchr("abcdef:./[]", c))
            return false;
        sign |= c == '/' || c == ':' || c == '[';
    }
    return sign;
}

static void
add_word(struct match_list *l, struct str word, bool negated)
{
    struct pattern p = {.negated = negated};
    struct why why;

    p.text = map_fold(l->life, word);
    if (looks_like_network(word)) {
        p.is_network = network_parse(word, &p.network, &why) == OK;
        if (!p.is_network) {
            add_broken(l, &why);
            return;
        }
    } else if (is_table(word)) {
        p.table = map_open(arena_cstr(l->life, word), &why);
        if (l->trouble.text[0] == '\0')
            l->trouble = why;
    } else {
        p.is_network = network_address(word, &p.network);
    }
    *vec_add(&l->of) = p;
}

static void
add_words(struct match_list *l, struct str list, bool negated, unsigned depth)
{
    struct str word;

    while (words_next(&list, &word)) {
        bool not_this = negated;

        while (str_skip(&word, S("!")))
            not_this = !not_this;
        if (word.len == 0)
            log_warn("parameter %s: no pattern after '!'", l->what);
        else if (word.p[0] == '/')
            add_file(l, word, not_this, depth);
        else
            add_word(l, word, not_this);
    }
}

struct match_list *
match_open(const char *what, const char *list, bool subdomains, struct why *why)
{
    struct arena *a = arena_new("match list", (size_t)1 << 30);
    struct match_list *l = arena_make(map_life(), struct match_list);

    l->what = arena_cstr(a, str_from(what));
    l->subdomains = subdomains;
    l->life = a;
    l->scratch = arena_new("match", 1 << 20);
    add_words(l, arena_str(a, str_from(list)), false, 0);
    if (why)
        *why = l->trouble;
    return l;
}

static enum rc
in_table(struct match_list *l, struct map *table, struct str key, bool *matched,
         struct why *why)
{
    struct str value;
    enum rc rc = map_get(table, key, l->scratch, &value, why);

    *matched = rc == OK && value.p;
    return rc;
}

static enum rc
judge_word(struct match_list *l, const struct pattern *p, struct str word,
           bool *matched, struct why *why)
{
    if (p->table)
        return in_table(l, p->table, word, matched, why);
    *matched = str_eq(word, p->text);
    return OK;
}

/* In a table the domain, then (unless it is one of patterns) its parents. */
static enum rc
domain_in_table(struct match_list *l, struct map *table, struct str domain,
                bool *matched, struct why *why)
{
    for (;;) {
        enum rc rc = in_table(l, table, domain, matched, why);
        ssize_t dot = str_find(str_sub(domain, 1, domain.len), '.');

        if (rc != OK || *matched || dot < 0 || map_is_pattern(table))
            return rc;
        domain = str_sub(domain, (size_t)dot + 1 + l->subdomains, domain.len);
        if (domain.len == 0)
            return OK;
    }
}

static enum rc
judge_domain(struct match_list *l, const struct pattern *p, struct str domain,
             bool *matched, struct why *why)
{
    if (p->table)
        return domain_in_table(l, p->table, domain, matched, why);

    bool is_parent = domain.len > p->text.len && str_ends(domain, p->text);
    char before = is_parent ? domain.p[domain.len - p->text.len - 1] : '\0';

    *matched =
        str_eq(domain, p->text) ||
        (is_parent && (l->subdomains ? before == '.' : p->text.p[0] == '.'));
    return OK;
}

static enum rc
judge_address(struct match_list *l, const struct pattern *p, struct str addr,
              bool *matched, struct why *why)
{
    struct network n;

    if (p->table)
        return in_table(l, p->table, addr, matched, why);
    *matched = p->is_network
                   ? network_address(addr, &n) && network_holds(&p->network, &n)
                   : str_eq(addr, p->text);
    return OK;
}

enum way { WORD, DOMAIN, HOST };

static enum rc
judge(struct match_list *l, const struct pattern *p, enum way way,
      struct str name, struct str addr, bool *matched, struct why *why)
{
    enum rc rc = OK;

    if (p->broken)
        return fail(why, "4.3.0", "Temporary lookup failure");
    if (way == WORD)
        return judge_word(l, p, name, matched, why);
    if (name.len > 0)
        rc = judge_domain(l, p, name, matched, why);
    if (way == HOST && rc == OK && !*matched && addr.len > 0)
        rc = judge_address(l, p, addr, matched, why);
    return rc;
}

static enum rc
run(struct match_list *l, enum way way, struct str name, struct str addr,
    bool *found, struct why *why)
{
    enum rc rc = OK;

    *found = false;
    name = map_fold(l->scratch, name);
    addr = map_fold(l->scratch, addr);
    for (size_t i = 0; i < l->of.len; i++) {
        const struct pattern *p = &l->of.at[i];
        bool matched = false;

        rc = judge(l, p, way, name, addr, &matched, why);
        *found = matched && !p->negated;
        if (matched || rc != OK)
            break;
    }
    arena_reset(l->scratch);
    return rc;
}

enum rc
match_word(struct match_list *l, struct str word, bool *found, struct why *why)
{
    return run(l, WORD, word, S(""), found, why);
}

enum rc
match_domain(struct match_list *l, struct str domain, bool *found,
             struct why *why)
{
    return run(l, DOMAIN, domain, S(""), found, why);
}

enum rc
match_host(struct match_list *l, struct str name, struct str addr, bool *found,
           struct why *why)
{
    return run(l, HOST, name, addr, found, why);
}
