/*
 * The role auth-worker: what takes time and needs no rights.
 */
#include <errno.h>
#include <pwd.h>
#include <unistd.h>

#include "auth/scheme.h"
#include "authd.h"
#include "base/log.h"
#include "checker.h"
#include "ipc/message.h"
#include "ldap.h"
#include "oauth.h"
#include "source.h"

static struct {
    struct sources passwords, users;
} worker;

static void
check_hash(struct arena *a, const struct question *q, struct answer *answer)
{
    struct str rest = q->stored;
    struct rec_stored one;
    struct why why;

    answer->verdict = CHECK_NO;
    for (unsigned i = 0; rest.len > 0; i++) {
        if (!get_stored(&rest, &one))
            return;
        enum rc rc = scheme_verify(a, one.hash, "CRYPT", q->secret, &why);

        if (rc == OK) {
            answer->verdict = CHECK_YES;
            answer->which = i;
            return;
        }
        if (rc == TEMP) {
            answer->verdict = CHECK_TEMP;
            answer->text = str_from(arena_fmt(a, "%s", why.text));
        }
    }
}

static void
check_credentials(struct arena *a, const struct question *q,
                  struct answer *answer)
{
    const char *scheme = arena_cstr(a, q->service);
    struct str rest = q->stored;
    struct rec_stored one;
    struct why why;
    enum rc rc;

    if (!get_stored(&rest, &one)) {
        answer->verdict = CHECK_NO;
        return;
    }
    rc = scheme_credentials(a, one.hash, "CRYPT", scheme, q->user, q->secret,
                            &answer->text, &why);
    answer->verdict = rc == OK ? CHECK_YES : rc == TEMP ? CHECK_TEMP : CHECK_NO;
}

/* ---- passwd: the system's accounts */

static void
put(struct buf *b, const char *name, const char *value)
{
    put_field(b, &(struct rec_field){.name = str_from(name),
                                     .value = str_from(value)});
}

static void
look_up_account(struct arena *a, const struct question *q,
                struct answer *answer)
{
    struct buf b = buf_in(a);
    struct passwd *pw;

    errno = 0;
    pw = getpwnam(arena_cstr(a, q->user));
    if (pw == NULL) {
        bool absent = errno == 0 || errno == ENOENT;

        answer->verdict = absent ? CHECK_UNKNOWN : CHECK_TEMP;
        answer->text = S("the user database does not answer");
        return;
    }
    put(&b, "uid", arena_fmt(a, "%u", pw->pw_uid));
    put(&b, "gid", arena_fmt(a, "%u", pw->pw_gid));
    put(&b, "home", pw->pw_dir);
    answer->verdict = CHECK_YES;
    answer->fields = buf_str(&b);
}

/* ---- which source? */

static void
ask_source(struct arena *a, const struct question *q, struct answer *answer)
{
    const struct sources *list =
        q->what == CHECK_USER ? &worker.users : &worker.passwords;
    struct source *s = sources_find(list, q->source);

    if (s == NULL)
        answer->text = S("there is no such source");
    else if (s->kind->type == SOURCE_PASSWD && q->what == CHECK_USER)
        look_up_account(a, q, answer);
    else if (s->kind->type == SOURCE_LDAP && q->what != CHECK_TOKEN)
        ldap_check(s, a, q, answer);
    else if (s->kind->type == SOURCE_OAUTH && q->what == CHECK_TOKEN)
        oauth_check(s, a, q, answer);
    else
        answer->text = S("the source does not know such things");
}

static void
check(struct arena *a, const struct question *q, struct answer *answer)
{
    switch (q->what) {
    case CHECK_HASH:
        check_hash(a, q, answer);
        return;
    case CHECK_WASTE:
        scheme_waste(a, q->secret);
        answer->verdict = CHECK_NO;
        return;
    case CHECK_CREDENTIALS:
        check_credentials(a, q, answer);
        return;
    case CHECK_PASSWORD:
    case CHECK_TOKEN:
    case CHECK_USER:
        ask_source(a, q, answer);
        return;
    }
}

static void
prepare_all(struct arena *life, struct sources *list)
{
    struct why why;

    for (size_t i = 0; i < list->count; i++) {
        struct source *s = &list->at[i];
        enum rc rc = s->kind->type == SOURCE_LDAP ? ldap_prepare(life, s, &why)
                     : s->kind->type == SOURCE_OAUTH
                         ? oauth_prepare(life, s, &why)
                         : OK;

        if (rc != OK)
            log_warn("%.*s: %s", STR(s->spec), why.text);
    }
}

static void
prepare(struct daemon *d)
{
    struct why why;

    if (sources_parse(d->life, d->conf->auth_password_sources, false,
                      &worker.passwords, &why) != OK ||
        sources_parse(d->life, d->conf->auth_user_sources, true, &worker.users,
                      &why) != OK)
        log_fatal("%s", why.text);
    prepare_all(d->life, &worker.passwords);
    prepare_all(d->life, &worker.users);
}

static void
work(struct daemon *d)
{
    checker_serve(d, getuid(), check);
}

const struct role_work worker_role = {
    .name = "auth-worker",
    .prepare = prepare,
    .work = work,
};
