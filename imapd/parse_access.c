/* Logins, mailboxes, rights, quota, metadata: short arguments. */
#include "parser.h"

bool
parse_login(struct parser *p, struct command *c)
{
    return parse_space(p) && parse_astring(p, &c->login.user) &&
           parse_space(p) && parse_astring(p, &c->login.password);
}

bool
parse_authenticate(struct parser *p, struct command *c)
{
    struct authenticate *a = &c->authenticate;

    if (!parse_space(p) || !parse_atom(p, &a->mechanism))
        return false;
    if (!parse_skip(p, ' '))
        return true;
    a->initial = p->rest;
    p->rest = str_sub(p->rest, p->rest.len, 0);
    for (size_t i = 0; i < a->initial.len; i++)
        if (!is_alnum(a->initial.p[i]) && !memchr("+/=", a->initial.p[i], 3))
            return parse_fail(p, "Initial response is no base64");
    return a->initial.len > 0 || parse_fail(p, "Missing initial response");
}

/* RFC 2971 3.3: 30 pairs, names of 30 bytes, values of 1024. */
bool
parse_id(struct parser *p, struct command *c)
{
    struct id_pair pair;

    if (!parse_space(p))
        return false;
    if (parse_word(p, "NIL"))
        return true;
    if (!parse_open(p))
        return false;
    if (parse_skip(p, ')'))
        return true;
    do {
        if (!parse_string(p, &pair.field) || !parse_space(p) ||
            !parse_nstring(p, &pair.value))
            return false;
        if (c->ids.count == 30 || pair.field.len > 30 || pair.value.len > 1024)
            return parse_fail(p, "Too much in ID");
        *PARSE_ADD(p, c->ids.at, c->ids.count) = pair;
    } while (parse_skip(p, ' '));
    return parse_close(p);
}

bool
parse_words(struct parser *p, struct command *c)
{
    struct str word;

    do {
        if (c->words.count == PARSE_ITEMS_MAX)
            return parse_fail(p, "Too many words");
        if (!parse_space(p) || !parse_atom(p, &word))
            return false;
        *PARSE_ADD(p, c->words.at, c->words.count) = word;
    } while (str_trim(p->rest).len > 0);
    return true;
}

bool
parse_mailbox(struct parser *p, struct command *c)
{
    return parse_space(p) && parse_astring(p, &c->one.name);
}

bool
parse_rename(struct parser *p, struct command *c)
{
    return parse_space(p) && parse_astring(p, &c->rename.from) &&
           parse_space(p) && parse_astring(p, &c->rename.to);
}

/* "QRESYNC (uidvalidity modseq [known-uids] [(seqs uids)])" */
static bool
parse_qresync(struct parser *p, struct select *s)
{
    s->qresync = s->condstore = true;
    if (!parse_space(p) || !parse_open(p) ||
        !parse_nonzero(p, &s->uidvalidity) || !parse_space(p) ||
        !parse_number(p, INT64_MAX, &s->modseq))
        return false;
    if (s->modseq == 0)
        return parse_fail(p, "Mod-sequence must not be 0");
    if (parse_skip(p, ' ') && !parse_at(p, '(')) {
        if (!parse_known_set(p, &s->known))
            return false;
        parse_skip(p, ' ');
    }
    if (parse_skip(p, '(') &&
        (!parse_known_set(p, &s->match_seqs) || !parse_space(p) ||
         !parse_known_set(p, &s->match_uids) || !parse_close(p)))
        return false;
    return parse_close(p);
}

bool
parse_select(struct parser *p, struct command *c)
{
    struct select *s = &c->select;

    if (!parse_space(p) || !parse_astring(p, &s->mailbox))
        return false;
    if (!parse_skip(p, ' '))
        return true;
    if (!parse_open(p))
        return false;
    do {
        if (parse_word(p, "CONDSTORE"))
            s->condstore = true;
        else if (!parse_word(p, "QRESYNC"))
            return parse_fail(p, "Unknown parameter");
        else if (s->qresync || !parse_qresync(p, s))
            return parse_fail(p, "QRESYNC may come once");
    } while (parse_skip(p, ' '));
    return parse_close(p);
}

/* "\Sent", with its backslash. */
static bool
parse_use(struct parser *p, struct str *use)
{
    const char *start = p->rest.p;
    struct str word;

    if (!parse_skip(p, '\\'))
        return parse_fail(p, "A use begins with a backslash");
    if (!parse_atom(p, &word))
        return false;
    *use = (struct str){start, word.len + 1};
    return true;
}

/* "(\Sent \Archive)" */
static bool
parse_uses(struct parser *p, struct strings *uses)
{
    struct str use;

    if (!parse_open(p))
        return false;
    if (parse_skip(p, ')'))
        return true;
    do {
        if (uses->count == PARSE_ITEMS_MAX)
            return parse_fail(p, "Too many uses");
        if (!parse_use(p, &use))
            return false;
        *PARSE_ADD(p, uses->at, uses->count) = use;
    } while (parse_skip(p, ' '));
    return parse_close(p);
}

bool
parse_create(struct parser *p, struct command *c)
{
    struct create *create = &c->create;

    if (!parse_space(p) || !parse_astring(p, &create->mailbox))
        return false;
    if (!parse_skip(p, ' '))
        return true;
    if (!parse_open(p))
        return false;
    if (!parse_word(p, "USE"))
        return parse_fail(p, "Unknown parameter of CREATE");
    return parse_space(p) && parse_uses(p, &create->uses) && parse_close(p);
}

/* ---- rights ---- */

bool
parse_identifier(struct parser *p, struct command *c)
{
    return parse_space(p) && parse_astring(p, &c->acl.mailbox) &&
           parse_space(p) && parse_astring(p, &c->acl.identifier);
}

bool
parse_setacl(struct parser *p, struct command *c)
{
    struct acl_words *a = &c->acl;

    if (!parse_identifier(p, c) || !parse_space(p) ||
        !parse_astring(p, &a->rights))
        return false;
    if (str_starts(a->rights, S("+")) || str_starts(a->rights, S("-"))) {
        a->change = a->rights.p[0];
        a->rights = str_sub(a->rights, 1, a->rights.len);
    }
    for (size_t i = 0; i < a->rights.len; i++)
        if ((a->rights.p[i] < 'a' || a->rights.p[i] > 'z') &&
            !is_digit(a->rights.p[i]))
            return parse_fail(p, "Rights are lower case letters and digits");
    return true;
}

bool
parse_setquota(struct parser *p, struct command *c)
{
    struct quota *q = &c->quota;
    struct quota_limit limit;

    if (!parse_space(p) || !parse_astring(p, &q->root) || !parse_space(p) ||
        !parse_open(p))
        return false;
    if (parse_skip(p, ')'))
        return true;
    do {
        if (q->count == PARSE_ITEMS_MAX)
            return parse_fail(p, "Too many resources");
        if (!parse_atom(p, &limit.resource) || !parse_space(p) ||
            !parse_number(p, INT64_MAX, &limit.limit))
            return false;
        *PARSE_ADD(p, q->limits, q->count) = limit;
    } while (parse_skip(p, ' '));
    return parse_close(p);
}

/* ---- metadata ---- */

static bool
parse_depth(struct parser *p, struct metadata *m)
{
    if (!parse_space(p))
        return false;
    if (parse_word(p, "infinity"))
        m->depth = METADATA_INFINITY;
    else if (parse_word(p, "1"))
        m->depth = 1;
    else if (!parse_word(p, "0"))
        return parse_fail(p, "DEPTH is 0, 1 or infinity");
    return true;
}

/* "(MAXSIZE 1024 DEPTH 1) ": only these options begin a list. */
static bool
parse_metadata_options(struct parser *p, struct metadata *m)
{
    struct parser before = *p;
    uint64_t size;

    if (!parse_skip(p, '('))
        return true;
    do {
        if (parse_word(p, "MAXSIZE")) {
            if (!parse_space(p) || !parse_number(p, UINT32_MAX, &size))
                return false;
            m->sized = true;
            m->max_size = (uint32_t)size;
        } else if (parse_word(p, "DEPTH")) {
            if (!parse_depth(p, m))
                return false;
        } else {
            *p = before;
            return true;
        }
    } while (parse_skip(p, ' '));
    return parse_close(p) && parse_space(p);
}

static bool
is_entry(struct parser *p, struct str name)
{
    if (!str_starts(name, S("/")) || str_ends(name, S("/")) ||
        str_search(name, S("//")) >= 0)
        return parse_fail(p, "Broken entry name");
    for (size_t i = 0; i < name.len; i++)
        if (name.p[i] == '*' || name.p[i] == '%' || name.p[i] < ' ')
            return parse_fail(p, "Broken entry name");
    return true;
}

static bool
parse_entries(struct parser *p, struct metadata *m)
{
    struct strings names;

    if (!parse_names(p, &names))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        if (!is_entry(p, names.at[i]))
            return false;
        *PARSE_ADD(p, m->entries, m->count) =
            (struct metadata_value){.entry = names.at[i]};
    }
    return true;
}

/* The options stand before the mailbox by the grammar of RFC 5464, and behind
 * it in its examples, which also have entries without parentheses. */
bool
parse_getmetadata(struct parser *p, struct command *c)
{
    struct metadata *m = &c->metadata;

    if (!parse_space(p) || !parse_metadata_options(p, m) ||
        !parse_astring(p, &m->mailbox) || !parse_space(p) ||
        !parse_metadata_options(p, m))
        return false;
    do
        if (m->count >= PARSE_ITEMS_MAX || !parse_entries(p, m))
            return parse_fail(p, "Too many entries");
    while (parse_skip(p, ' '));
    return true;
}

bool
parse_setmetadata(struct parser *p, struct command *c)
{
    struct metadata *m = &c->metadata;
    struct metadata_value v;

    if (!parse_space(p) || !parse_astring(p, &m->mailbox) || !parse_space(p) ||
        !parse_open(p))
        return false;
    do {
        if (m->count == PARSE_ITEMS_MAX)
            return parse_fail(p, "Too many entries");
        if (!parse_astring(p, &v.entry) || !is_entry(p, v.entry) ||
            !parse_space(p) || !parse_nstring(p, &v.value))
            return false;
        *PARSE_ADD(p, m->entries, m->count) = v;
    } while (parse_skip(p, ' '));
    return parse_close(p);
}
