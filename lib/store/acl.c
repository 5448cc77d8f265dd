#include "store/acl.h"

#include <stdlib.h>

#include "base/vec.h"

#define LINE_MAX_LEN 4096

static const struct {
    char letter;
    const char *name; /* Dovecot's */
} rights_known[] = {
    {'l', "lookup"       },
    {'r', "read"         },
    {'s', "write-seen"   },
    {'w', "write"        },
    {'i', "insert"       },
    {'p', "post"         },
    {'k', "create"       },
    {'x', "delete"       },
    {'t', "write-deleted"},
    {'e', "expunge"      },
    {'a', "admin"        },
};

static const struct {
    const char *text;
    enum acl_kind kind;
    bool named;
} kinds[] = {
    {"user=",           ACL_USER,           true },
    {"owner",           ACL_OWNER,          false},
    {"group=",          ACL_GROUP,          true },
    {"group-override=", ACL_GROUP_OVERRIDE, true },
    {"authenticated",   ACL_AUTHENTICATED,  false},
    {"anyone",          ACL_ANYONE,         false},
    {"anonymous",       ACL_ANYONE,         false},
};

/* ---- rights */

static unsigned
right_of(char letter)
{
    for (size_t i = 0; i < COUNT(rights_known); i++)
        if (rights_known[i].letter == letter)
            return 1u << i;
    return 0;
}

bool
rights_parse(struct str text, unsigned *rights, char *wrong)
{
    *rights = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned bits = right_of(text.p[i]);

        if (text.p[i] == 'c')
            bits = RIGHT_CREATE | RIGHT_REMOVE;
        else if (text.p[i] == 'd')
            bits = RIGHT_EXPUNGE | RIGHT_DELETED;
        if (bits == 0) {
            *wrong = text.p[i];
            return false;
        }
        *rights |= bits;
    }
    return true;
}

void
rights_put(struct buf *b, unsigned rights, bool old)
{
    for (size_t i = 0; i < COUNT(rights_known); i++)
        if (rights & 1u << i)
            buf_addc(b, rights_known[i].letter);
    if (!old)
        return;
    if (rights & (RIGHT_CREATE | RIGHT_REMOVE))
        buf_addc(b, 'c');
    if (rights & (RIGHT_EXPUNGE | RIGHT_DELETED))
        buf_addc(b, 'd');
    if (rights == 0)
        buf_add(b, S("\"\""));
}

/* ---- a line */

static bool
read_id(struct str text, struct acl_id *id)
{
    *id = (struct acl_id){.negative = str_skip(&text, S("-"))};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct str rest = text;

        if (!str_skip(&rest, str_from(kinds[i].text)) ||
            kinds[i].named != (rest.len > 0))
            continue;
        id->kind = kinds[i].kind;
        id->name = rest;
        return true;
    }
    return false;
}

/* "\"group=big team\" ": the quotes go off. */
static bool
take_quoted(struct arena *a, struct str *line, struct str *id)
{
    struct buf b = buf_in(a);

    for (size_t i = 0; i < line->len; i++) {
        char c = line->p[i];

        if (c == '"') {
            *line = str_sub(*line, i + 1, line->len);
            *id = buf_str(&b);
            return line->len == 0 || str_skip(line, S(" "));
        }
        if (c == '\\' && ++i == line->len)
            return false;
        buf_addc(&b, line->p[i]);
    }
    return false;
}

static void
read_name(struct str word, struct acl_entry *e, struct buf *more)
{
    for (size_t i = 0; i < COUNT(rights_known); i++)
        if (str_eq(word, str_from(rights_known[i].name))) {
            e->rights |= 1u << i;
            return;
        }
    buf_addc(more, ' ');
    buf_add(more, word);
}

static bool
read_rights(struct arena *a, struct str text, struct acl_entry *e)
{
    struct buf more = buf_in(a);
    struct str word;

    text = str_trim(text);
    while (text.len > 0 && right_of(text.p[0])) {
        e->rights |= right_of(text.p[0]);
        text = str_sub(text, 1, text.len);
    }
    if (text.len > 0 && !is_blank(text.p[0]) && text.p[0] != ':')
        return false;
    text = str_trim(text);
    if (text.len > 0 && !str_skip(&text, S(":")))
        return false;
    while (str_word(&text, ", \t", &word))
        read_name(word, e, &more);
    e->more = buf_str(&more);
    return true;
}

static bool
read_line(struct arena *a, struct str line, struct acl_entry *e)
{
    struct str id;

    /* What is written back of it could say more than it did. */
    if (str_find(line, '\0') >= 0)
        return false;
    *e = (struct acl_entry){0};
    if (str_skip(&line, S("\""))) {
        if (!take_quoted(a, &line, &id))
            return false;
    } else {
        (void)str_cut(&line, ' ', &id);
    }
    return read_id(id, &e->id) && read_rights(a, line, e);
}

/* ---- the list */

static int
cmp_id(const struct acl_id *x, const struct acl_id *y)
{
    int order = (int)x->kind - (int)y->kind;

    if (order == 0)
        order = str_cmp(x->name, y->name);
    return order ? order : (int)x->negative - (int)y->negative;
}

struct acl_entry *
acl_find(const struct acl *acl, const struct acl_id *id)
{
    for (size_t i = 0; i < acl->count; i++)
        if (cmp_id(&acl->at[i].id, id) == 0)
            return &acl->at[i];
    return NULL;
}

static int
cmp_entry(const void *x, const void *y)
{
    const struct acl_entry *a = x, *b = y;

    return cmp_id(&a->id, &b->id);
}

/* The one line of what lines of the same id say, quoted. */
static bool
is_too_long(const struct acl_entry *e)
{
    return 2 * e->id.name.len + e->more.len + 64 > LINE_MAX_LEN;
}

/* Lines of the same id count together. What is too long grows no further, as
 * a thousand lines would fill the memory. */
static void
merge(struct arena *a, struct acl *acl)
{
    size_t n = 0;

    if (acl->count == 0)
        return;
    qsort(acl->at, acl->count, sizeof *acl->at, cmp_entry);
    for (size_t i = 1; i < acl->count; i++) {
        struct acl_entry *last = &acl->at[n], *e = &acl->at[i];

        if (cmp_entry(last, e) == 0) {
            last->rights |= e->rights;
            if (e->more.len > 0 && !is_too_long(last))
                last->more = str_from(
                    arena_fmt(a, "%.*s%.*s", STR(last->more), STR(e->more)));
        } else {
            acl->at[++n] = *e;
        }
    }
    acl->count = n + 1;
}

enum rc
acl_parse(struct arena *a, struct str text, struct acl *acl, struct why *why)
{
    struct str line;
    size_t lines = 1;
    int number = 0;

    for (size_t i = 0; i < text.len; i++)
        lines += text.p[i] == '\n';
    if (lines > ACL_ENTRIES)
        lines = ACL_ENTRIES;
    *acl = (struct acl){arena_alloc(a, lines * sizeof *acl->at), 0};
    while (text.len > 0) {
        number++;
        (void)str_cut(&text, '\n', &line);
        if (line.len == 0 || line.p[0] == '#')
            continue;
        if (line.len > LINE_MAX_LEN || acl->count == ACL_ENTRIES ||
            !read_line(a, line, &acl->at[acl->count])) {
            acl->count = 0;
            return fail(why, "5.3.5", "line %d of the ACL cannot be read",
                        number);
        }
        acl->count++;
    }
    merge(a, acl);
    for (size_t i = 0; i < acl->count; i++)
        if (is_too_long(&acl->at[i])) {
            acl->count = 0;
            return fail(why, "5.3.5", "the ACL has too many names of rights");
        }
    return OK;
}

static void
put_id(struct buf *b, const struct acl_id *id)
{
    size_t i = 0;
    bool quoted = false;

    while (kinds[i].kind != id->kind)
        i++;
    for (size_t k = 0; k < id->name.len; k++)
        quoted |= id->name.p[k] == ' ' || id->name.p[k] == '"';
    buf_add(b, quoted ? S("\"") : S(""));
    buf_add(b, id->negative ? S("-") : S(""));
    buf_add(b, str_from(kinds[i].text));
    for (size_t k = 0; k < id->name.len; k++) {
        if (quoted && strchr("\"\\'", id->name.p[k]))
            buf_addc(b, '\\');
        buf_addc(b, id->name.p[k]);
    }
    buf_add(b, quoted ? S("\"") : S(""));
}

void
acl_put(struct buf *b, const struct acl *acl)
{
    for (size_t i = 0; i < acl->count; i++) {
        const struct acl_entry *e = &acl->at[i];

        put_id(b, &e->id);
        buf_addc(b, ' ');
        rights_put(b, e->rights, false);
        if (e->more.len > 0)
            buf_fmt(b, " :%.*s", STR(e->more));
        buf_addc(b, '\n');
    }
}

enum rc
acl_with(struct arena *a, struct acl *acl, const struct acl_entry *entry,
         struct why *why)
{
    struct acl_entry *there = acl_find(acl, &entry->id);
    struct acl_entry *at;

    if (there) {
        *there = *entry;
        return OK;
    }
    if (acl->count >= ACL_ENTRIES)
        return fail(why, "5.3.4", "the mailbox has too many entries");
    if (is_too_long(entry))
        return fail(why, "5.3.4", "the name is too long for an ACL");
    at = arena_alloc(a, (acl->count + 1) * sizeof *at);
    if (acl->count > 0)
        memcpy(at, acl->at, acl->count * sizeof *at);
    at[acl->count] = *entry;
    *acl = (struct acl){at, acl->count + 1};
    qsort(at, acl->count, sizeof *at, cmp_entry);
    return OK;
}

void
acl_without(struct acl *acl, const struct acl_id *id)
{
    struct acl_entry *there = acl_find(acl, id);

    if (there == NULL)
        return;
    size_t behind = acl->count - (size_t)(there - acl->at) - 1;

    memmove(there, there + 1, behind * sizeof *there);
    acl->count--;
}

/* ---- what comes of it */

static bool
is_in_group(const struct acl_who *who, struct str group)
{
    for (size_t i = 0; i < who->ngroups; i++)
        if (str_eq(who->groups[i], group))
            return true;
    return false;
}

static bool
is_about(const struct acl_id *id, const struct acl_who *who)
{
    switch (id->kind) {
    case ACL_ANYONE:
    case ACL_AUTHENTICATED:
        return true;
    case ACL_GROUP:
    case ACL_GROUP_OVERRIDE:
        return is_in_group(who, id->name);
    case ACL_OWNER:
        return who->owner;
    case ACL_USER:
        return str_eq(id->name, who->user);
    }
    return false;
}

unsigned
acl_rights(const struct acl *acl, const struct acl_who *who, unsigned fallback)
{
    unsigned given = who->owner ? RIGHTS_ALL : fallback, taken = 0;
    const struct acl_id *last = NULL;
    bool add = false;

    for (size_t i = 0; i < acl->count; i++) {
        const struct acl_entry *e = &acl->at[i];
        unsigned *sum = e->id.negative ? &taken : &given;

        if ((who->owner && e->id.kind < ACL_OWNER) || !is_about(&e->id, who))
            continue;
        /* Who is named at all has only what is said of him. */
        if (!who->owner && last == NULL)
            given = 0;
        /* What is given to an id and what is taken from it go together. */
        if (last == NULL || last->kind != e->id.kind ||
            !str_eq(last->name, e->id.name))
            add = last && last->kind == e->id.kind;
        *sum = add ? *sum | e->rights : e->rights;
        last = &e->id;
    }
    given &= ~taken;
    return who->owner ? given | RIGHTS_KEPT : given;
}
