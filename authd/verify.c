/* Is it the password? The sources are asked in their order. */
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "auth/scheme.h"
#include "base/log.h"
#include "ipc/message.h"
#include "login_own.h"

/* A question must fit into a packet. */
#define STORED_MAX 32768

static void next(struct login *l);

static void
decide(struct login *l, enum sasl_verdict v)
{
    login_step(l, sasl_verdict(l->sasl, v, l->name));
}

bool
login_is_authorized(struct login *l)
{
    struct str name;

    return l->sasl->authzid.len == 0 ||
           (name_normalise(l->arena, l->auth->conf, l->sasl->authzid, &name) &&
            str_eq(name, l->name));
}

/* The password is right. */
static void
take(struct login *l)
{
    if (l->wrong_net)
        decide(l, SASL_NO);
    else if (l->disabled)
        decide(l, SASL_DISABLED);
    else
        decide(l, login_is_authorized(l) ? SASL_YES : SASL_UNAUTHORIZED);
}

/* The source writes the name in its own way. */
static bool
take_user(struct login *l, struct str user)
{
    struct str name;

    if (user.len == 0)
        return !l->token;
    if (!name_normalise(l->arena, l->auth->conf, arena_str(l->arena, user),
                        &name))
        return false;

    /* A token may be for somebody else than the client says. */
    if (l->token && l->name.len && !str_eq(name, l->name))
        return false;
    return login_set_name(l, name);
}

static void
take_yes(struct login *l, const struct answer *a)
{
    if (!take_user(l, a->user)) {
        l->knows = l->at;
        decide(l, SASL_NO);
        return;
    }
    if (l->question.what == CHECK_HASH && a->which < l->stored_count)
        l->app = l->apps[a->which];
    else
        buf_add(&l->fields, str_sub(a->fields, 0, ANSWER_FIELDS_MAX));
    take(l);
}

static void
conclude(struct login *l, const struct answer *a)
{
    switch (a->verdict) {
    case CHECK_YES:
        take_yes(l, a);
        return;
    case CHECK_DISABLED:
        decide(l, SASL_DISABLED);
        return;
    case CHECK_EXPIRED:
        decide(l, SASL_EXPIRED);
        return;
    case CHECK_NO:
        if (l->question.what != CHECK_WASTE)
            l->knows = l->at;
        break;
    case CHECK_TEMP:
        l->temporary = true;
        if (a->text.len)
            log_warn("user %s: %.*s%s%.*s", l->shown, STR(l->question.source),
                     l->question.source.len ? ": " : "", STR(a->text));
        break;
    case CHECK_UNKNOWN:
        break;
    }
    next(l);
}

static void
answered(void *own, const struct answer *a)
{
    struct login *l = own;

    l->ask = NULL;
    if (l->has_key)
        cache_put(l->auth->cache, l->key, l->question.what, a,
                  loop_now(l->auth->loop));
    conclude(l, a);
}

/* What an answer of PAM or shadow also depends on. */
static struct str
stamp_of(struct login *l)
{
    struct stat st;

    if (l->at == NULL || l->at->kind->asks != SOURCE_ROOT ||
        stat("/etc/shadow", &st) < 0)
        return S("");
    return str_from(arena_fmt(l->arena, "%lld.%09ld %llu",
                              (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
                              (unsigned long long)st.st_ino));
}

static void
ask(struct login *l, struct asker *asker)
{
    struct answer known;

    l->checked = true;
    l->has_key = cache_key(l->auth->cache, &l->question, stamp_of(l), l->key);
    if (l->has_key &&
        cache_get(l->auth->cache, l->key, loop_now(l->auth->loop), &known)) {
        l->has_key = false;
        conclude(l, &known);
        return;
    }
    l->ask =
        ask_start(asker, &l->question, l->has_key ? l->key : NULL, answered, l);
    l->news = l->news || !ask_has_joined(l->ask);
}

/* ---- hashes in files */

static void
add_stored(struct login *l, struct str hash, unsigned app)
{
    if (hash.len == 0 || hash.len > SCHEME_STORED_MAX ||
        l->stored.len + hash.len > STORED_MAX ||
        l->stored_count == COUNT(l->apps))
        return;
    put_stored(&l->stored, &(struct rec_stored){.hash = hash});
    l->apps[l->stored_count++] = app;
}

/* Application passwords are for some services only. */
static void
add_apps(struct login *l, struct str extra)
{
    unsigned scope = passwd_scope_of(l->request.service);
    struct passwd_field f;
    struct passwd_app app;

    while (passwd_field_next(&extra, &f))
        if (passwd_app_parse(l->arena, &f, &app) && app.scope & scope)
            add_stored(l, app.stored, app.number);
}

/* What the line says of him, whatever his password. */
static void
take_line(struct login *l, const struct passwd_user *u)
{
    struct str nets;

    l->disabled = source_is_disabled(u);
    l->wrong_net = passwd_field_find(u->extra, S("allow_nets"), &nets) &&
                   !passwd_nets_allow(nets, l->client.address);
    l->fields = buf_in(l->arena);
    source_put_fields(&l->fields, u, l->name, true);
}

static bool
ask_hash(struct login *l, const struct passwd_user *u)
{
    l->knows = l->at;
    take_line(l, u);
    l->stored = buf_in(l->arena);
    l->stored_count = 0;
    add_stored(l, u->password, 0);
    add_apps(l, u->extra);
    if (l->stored_count == 0)
        return false;
    l->question = (struct question){
        .what = CHECK_HASH,
        .user = l->name,
        .secret = l->sasl->password,
        .stored = buf_str(&l->stored),
    };
    ask(l, l->auth->hasher);
    return true;
}

static bool
ask_file(struct login *l)
{
    struct passwd_file *file = auth_file(l->auth, l->at);
    struct passwd_user u;

    if (file == NULL) {
        l->temporary = true;
        return false;
    }
    return passwd_file_find(file, l->name, &u) && ask_hash(l, &u);
}

/* ---- the sources */

static bool
ask_static(struct login *l)
{
    if (!l->at->nopassword)
        return ask_hash(l, &l->at->user);
    take_line(l, &l->at->user);
    take(l);
    return true;
}

static bool
ask_other(struct login *l)
{
    l->disabled = l->wrong_net = false;
    l->fields = buf_in(l->arena);
    l->question = (struct question){
        .what = l->token ? CHECK_TOKEN : CHECK_PASSWORD,
        .source = l->at->spec,
        .user = l->name,
        .secret = l->token ? l->sasl->token : l->sasl->password,
        .service = l->request.service,
        .address = l->client.address,
    };
    ask(l, auth_asker(l->auth, l->at));
    return true;
}

/* True: it is over, or answered later. */
static bool
try(struct login *l)
{
    const struct source_kind *kind = l->at->kind;

    if (l->token ? !kind->tokens : !kind->passwords)
        return false;
    if (kind->type == SOURCE_PASSWD_FILE)
        return ask_file(l);
    return kind->type == SOURCE_STATIC ? ask_static(l) : ask_other(l);
}

/* Whoever is not known to any source has something computed too. */
static bool
waste(struct login *l)
{
    if (l->checked || l->token)
        return false;
    l->at = NULL;
    l->question = (struct question){
        .what = CHECK_WASTE, .user = l->name, .secret = l->sasl->password};
    ask(l, l->auth->hasher);
    return true;
}

static void
next(struct login *l)
{
    while (l->next < l->auth->passwords.count) {
        l->at = &l->auth->passwords.at[l->next++];
        if (try(l))
            return;
    }
    if (!waste(l))
        decide(l, l->temporary ? SASL_TEMPORARY : SASL_NO);
}

static bool
must_wait(struct login *l)
{
    l->throttled = l->auth->throttle && !l->request.no_penalty &&
                   throttle_wait(l->auth->throttle, &l->client, time(NULL));
    return l->throttled;
}

void
verify_secret(struct login *l, bool token)
{
    bool named = login_set_name(l, l->sasl->user);

    l->token = token;
    l->next = 0;
    l->checked = l->news = l->temporary = false;
    l->fields = buf_in(l->arena);
    if (!token && !named)
        l->next = l->auth->passwords.count; /* nobody has such a name */
    if (must_wait(l))
        decide(l, SASL_NO);
    else
        next(l);
}

/* ---- SCRAM and CRAM-MD5 */

static void
prove(struct login *l, struct str data)
{
    struct sasl_found found = {.data = data, .login = l->name};

    found.verdict = l->temporary             ? SASL_TEMPORARY
                    : l->wrong_net           ? SASL_NO
                    : l->disabled            ? SASL_DISABLED
                    : login_is_authorized(l) ? SASL_YES
                                             : SASL_UNAUTHORIZED;
    login_step(l, sasl_credentials(l->sasl, &found));
}

static void
made(void *own, const struct answer *a)
{
    struct login *l = own;

    l->ask = NULL;
    l->temporary = a->verdict == CHECK_TEMP;
    prove(l, a->verdict == CHECK_YES ? a->text : S(""));
}

/* What is stored in another scheme than the mechanism's takes long to
 * convert, where it can be. */
static void
get_credentials(struct login *l, const struct passwd_user *u)
{
    struct str scheme, hash, data;
    struct why why;

    take_line(l, u);
    l->knows = l->at;
    if (scheme_cut(u->password, "CRYPT", &scheme, &hash) &&
        str_istarts(scheme, str_from(l->sasl->scheme))) {
        bool good =
            scheme_credentials(l->arena, u->password, "CRYPT", l->sasl->scheme,
                               l->name, l->peer.secret, &data, &why) == OK;

        prove(l, good ? data : S(""));
        return;
    }
    l->stored = buf_in(l->arena);
    l->stored_count = 0;
    add_stored(l, u->password, 0);
    l->question = (struct question){
        .what = CHECK_CREDENTIALS,
        .user = l->name,
        .secret = l->peer.secret,
        .stored = buf_str(&l->stored),
        .service = str_from(l->sasl->scheme),
    };
    l->ask = ask_start(l->auth->hasher, &l->question, NULL, made, l);
}

/* The first line that has this user, in a file or static. */
static bool
find_line(struct login *l, struct passwd_user *u)
{
    for (size_t i = 0; i < l->auth->passwords.count; i++) {
        struct source *s = &l->auth->passwords.at[i];
        struct passwd_file *file;

        l->at = s;
        if (s->kind->type == SOURCE_STATIC && s->user.password.len) {
            *u = s->user;
            return true;
        }
        if (s->kind->type != SOURCE_PASSWD_FILE)
            continue;
        file = auth_file(l->auth, s);
        if (file && passwd_file_find(file, l->name, u)) {
            l->temporary = false;
            return true;
        }
        l->temporary = l->temporary || file == NULL;
    }
    return false;
}

void
verify_credentials(struct login *l)
{
    struct passwd_user u;

    l->fields = buf_in(l->arena);
    l->news = true;
    if (login_set_name(l, l->sasl->user) && !must_wait(l) && find_line(l, &u))
        get_credentials(l, &u);
    else
        prove(l, S(""));
}

/* ---- EXTERNAL */

static void
identified(struct login *l, enum check_verdict v)
{
    l->fields = buf_in(l->arena); /* they are looked up again, if wanted */
    if (v == CHECK_YES)
        take(l);
    else
        decide(l, v == CHECK_TEMP ? SASL_TEMPORARY : SASL_NO);
}

void
verify_identity(struct login *l)
{
    struct passwd_user u;

    l->fields = buf_in(l->arena);
    l->news = true;
    if (!login_set_name(l, l->sasl->user) || must_wait(l)) {
        decide(l, SASL_NO);
    } else if (find_line(l, &u)) {
        take_line(l, &u);
        take(l);
    } else {
        lookup_user(l, identified);
    }
}
