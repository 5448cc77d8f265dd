#include "source.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "auth/scheme.h"
#include "base/log.h"
#include "conf/value.h"
#include "ipc/message.h"

#define AGAIN_MS 1000 /* what could not be read */

static const struct source_kind kinds[] = {
    {"passwd-file", SOURCE_PASSWD_FILE, SOURCE_HERE,   true,  false, true },
    {"static",      SOURCE_STATIC,      SOURCE_HERE,   true,  false, true },
    {"pam",         SOURCE_PAM,         SOURCE_ROOT,   true,  false, false},
    {"shadow",      SOURCE_SHADOW,      SOURCE_ROOT,   true,  false, false},
    {"passwd",      SOURCE_PASSWD,      SOURCE_WORKER, false, false, true },
    {"ldap",        SOURCE_LDAP,        SOURCE_WORKER, true,  false, true },
    {"oauth",       SOURCE_OAUTH,       SOURCE_WORKER, false, true,  false},
};

static const struct source_kind *
kind_find(struct str name)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (str_eq(name, str_from(kinds[i].name)))
            return &kinds[i];
    return NULL;
}

/* ---- what it holds */

static unsigned
holds(struct str password)
{
    static const struct {
        struct str scheme;
        unsigned bits;
    } rows[] = {
        {S("SCRAM-SHA-1"),   SOURCE_HOLDS_SHA1  },
        {S("SCRAM-SHA-256"), SOURCE_HOLDS_SHA256},
        {S("CRAM-MD5"),      SOURCE_HOLDS_CRAM  },
        {S("PLAIN"),         ~0u                },
        {S("CLEAR"),         ~0u                },
        {S("CLEARTEXT"),     ~0u                },
    };
    struct str scheme, hash;

    if (scheme_cut(password, "CRYPT", &scheme, &hash))
        for (size_t i = 0; i < COUNT(rows); i++)
            if (str_ieq(scheme, rows[i].scheme))
                return rows[i].bits;
    return 0;
}

/* Different numbers of rounds that are told apart; a site has one or two. */
#define TALLY 8

struct tally {
    unsigned rounds[TALLY];
    size_t count[TALLY];
};

static void
count(struct tally *t, unsigned rounds)
{
    for (size_t i = 0; i < TALLY; i++)
        if (t->count[i] == 0 || t->rounds[i] == rounds) {
            t->rounds[i] = rounds;
            t->count[i]++;
            return;
        }
}

static unsigned
most(const struct tally *t)
{
    size_t best = 0;

    for (size_t i = 1; i < TALLY; i++)
        if (t->count[i] > t->count[best])
            best = i;
    return t->rounds[best];
}

/* Of a password in the clear, keys are made with the usual rounds. */
static unsigned
rounds_of(struct str password)
{
    struct str scheme, hash, number;
    uint64_t rounds;

    if (!scheme_cut(password, "CRYPT", &scheme, &hash) ||
        !str_istarts(scheme, S("SCRAM-")))
        return SCHEME_SCRAM_ROUNDS;
    return str_cut(&hash, ',', &number) && str_num(number, &rounds) &&
                   rounds <= SCHEME_ROUNDS_MAX
               ? (unsigned)rounds
               : SCHEME_SCRAM_ROUNDS;
}

static void
look_at(struct source *s, struct tally by_digest[2], struct str password)
{
    static const unsigned bits[] = {SOURCE_HOLDS_SHA1, SOURCE_HOLDS_SHA256};
    unsigned held = holds(password);

    s->holds |= held;
    for (size_t i = 0; i < COUNT(bits); i++)
        if (held & bits[i])
            count(&by_digest[i], rounds_of(password));
}

static void
conclude(struct source *s, const struct tally by_digest[2])
{
    for (size_t i = 0; i < COUNT(s->rounds); i++)
        s->rounds[i] = most(&by_digest[i]);
}

unsigned
sources_rounds(const struct sources *s, const struct sasl_mech *m)
{
    bool sha1 = m->id == SASL_SCRAM_SHA_1 || m->id == SASL_SCRAM_SHA_1_PLUS;

    for (size_t i = 0; i < s->count; i++)
        if (s->at[i].rounds[!sha1])
            return s->at[i].rounds[!sha1];
    return 0;
}

/* ---- static */

static bool
take_static(struct source *s, struct str name, struct str value)
{
    struct passwd_user *u = &s->user;

    if (str_eq(name, S("uid")))
        u->uid = value;
    else if (str_eq(name, S("gid")))
        u->gid = value;
    else if (str_eq(name, S("home")))
        u->home = value;
    else if (str_eq(name, S("password")))
        u->password = value;
    else if (str_eq(name, S("nopassword")))
        s->nopassword = true;
    else
        return false;
    return true;
}

/* "uid=500 gid=500 home=/home/%u name=value ...": what is no field of its own
 * goes along. */
static void
parse_static(struct arena *life, struct source *s)
{
    struct tally tallies[2] = {0};
    struct buf extra = buf_in(life);
    struct str rest = str_from(s->argument), word;

    while (str_word(&rest, " \t\r\n", &word)) {
        struct str value = word, name;

        str_cut(&value, '=', &name);
        if (!take_static(s, name, value))
            buf_fmt(&extra, "%.*s ", STR(word));
    }
    s->user.extra = buf_str(&extra);
    look_at(s, tallies, s->user.password);
    conclude(s, tallies);
}

/* ---- the list */

static enum rc
parse_one(struct arena *life, struct str word, struct source *s,
          struct why *why)
{
    struct str name, argument = word;

    str_cut(&argument, ':', &name);
    s->kind = kind_find(name);
    if (s->kind == NULL)
        return fail(why, "5.3.5", "%.*s: there is no source of that type",
                    STR(word));
    s->spec = arena_str(life, word);
    s->argument = arena_cstr(life, argument);
    if (s->kind->type == SOURCE_STATIC)
        parse_static(life, s);
    bool file = s->kind->type == SOURCE_PASSWD_FILE ||
                s->kind->type == SOURCE_LDAP || s->kind->type == SOURCE_OAUTH;

    if (file && s->argument[0] != '/')
        return fail(why, "5.3.5", "%.*s: write %s:/full/path", STR(word),
                    s->kind->name);
    return OK;
}

enum rc
sources_parse(struct arena *life, const char *list, bool users,
              struct sources *s, struct why *why)
{
    struct str rest = str_from(list), word;

    *s = (struct sources){
        .at = arena_alloc(life, (rest.len / 2 + 1) * sizeof *s->at)};
    while (value_next(&rest, &word)) {
        struct source *next = &s->at[s->count];
        enum rc rc = parse_one(life, word, next, why);

        if (rc != OK)
            return rc;
        if (users ? next->kind->users
                  : next->kind->passwords || next->kind->tokens)
            s->count++;
        else if (!users)
            return fail(why, "5.3.5", "%.*s: %s knows no passwords", STR(word),
                        next->kind->name);
        else
            *next = (struct source){0};
    }
    if (str_trim(rest).len > 0)
        return fail(why, "5.3.5", "%s: a brace is not closed", list);
    return OK;
}

struct source *
sources_find(const struct sources *s, struct str spec)
{
    for (size_t i = 0; i < s->count; i++)
        if (str_eq(s->at[i].spec, spec))
            return &s->at[i];
    return NULL;
}

/* ---- passwd-files */

static void
tell(struct source *s, const struct why *why)
{
    if (!s->told)
        log_warn("%s", why->text);
    s->told = true;
}

static void
look_through(struct source *s)
{
    struct tally tallies[2] = {0};
    struct passwd_user u;
    size_t pos = 0;

    s->holds = 0;
    while (passwd_file_next(s->file, &pos, &u))
        look_at(s, tallies, u.password);
    conclude(s, tallies);
}

bool
source_serves(const struct source *s, const struct sasl_mech *m)
{
    switch (m->id) {
    case SASL_PLAIN:
    case SASL_LOGIN:
        return s->kind->passwords;
    case SASL_OAUTHBEARER:
    case SASL_XOAUTH2:
        return s->kind->tokens;
    case SASL_SCRAM_SHA_1:
    case SASL_SCRAM_SHA_1_PLUS:
        return s->holds & SOURCE_HOLDS_SHA1;
    case SASL_SCRAM_SHA_256:
    case SASL_SCRAM_SHA_256_PLUS:
        return s->holds & SOURCE_HOLDS_SHA256;
    case SASL_CRAM_MD5:
        return s->holds & SOURCE_HOLDS_CRAM;
    default:
        return false;
    }
}

static void
open_file(struct source *s)
{
    struct why why;

    if (passwd_file_open(s->argument, &s->file, &why) != OK)
        tell(s, &why);
    else
        s->told = false;
    if (s->file)
        look_through(s);
}

void
sources_open(struct sources *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->at[i].kind->type == SOURCE_PASSWD_FILE)
            open_file(&s->at[i]);
}

bool
source_refresh(struct source *s, int64_t now_ms, bool *locked)
{
    struct why why;

    *locked = false;
    if (s->file && !passwd_file_changed(s->file))
        return true;
    if (s->failed && now_ms - s->failed < AGAIN_MS)
        return s->file != NULL;
    s->failed = 0;
    *locked = access(s->argument, R_OK) < 0 && errno == EACCES;
    if (s->file == NULL) {
        open_file(s);
    } else if (*locked) {
        s->told = false;
    } else if (passwd_file_reload(s->file, &why) != OK) {
        tell(s, &why);
    } else {
        s->told = false;
        look_through(s);
        return true;
    }
    s->failed = now_ms;
    return s->file != NULL;
}

bool
source_is_disabled(const struct passwd_user *u)
{
    struct str value;

    return passwd_field_find(u->extra, S("nologin"), &value) ||
           passwd_field_find(u->extra, S("user_disabled"), &value);
}

/* ---- fields */

/* What is for us alone: hashes, and what has been acted upon. */
static bool
is_private(struct str name)
{
    static const struct str names[] = {
        S("allow_nets"), S("nologin"),    S("user_disabled"), S("password"),
        S("pass"),       S("nopassword"), S("user"),
    };

    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq(name, names[i]))
            return true;
    return str_starts(name, S("posta_"));
}

static void
put(struct buf *list, struct str name, struct str value)
{
    put_field(list, &(struct rec_field){.name = name, .value = value});
}

void
source_put_fields(struct buf *list, const struct passwd_user *u,
                  struct str name, bool password)
{
    const struct passwd_field fixed[] = {
        {S("uid"),  u->uid },
        {S("gid"),  u->gid },
        {S("home"), u->home}
    };
    struct str extra = u->extra;
    struct passwd_field f;

    for (size_t i = 0; !password && i < COUNT(fixed); i++)
        if (fixed[i].value.len)
            put(list, fixed[i].name,
                passwd_expand(list->arena, fixed[i].value, name));
    while (passwd_field_next(&extra, &f)) {
        bool userdb = str_skip(&f.name, S("userdb_"));

        if (!is_private(f.name) && userdb == !password)
            put(list, f.name, passwd_expand(list->arena, f.value, name));
    }
}
