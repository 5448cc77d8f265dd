#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "login_own.h"
#include "mail/lines.h"

/* How long a client may take for all of a login. */
#define PATIENCE_MS (150 * 1000)

/* Longest words of the client's that are passed on. */
#define WORD_MAX 64

static void
wipe(struct login *l)
{
    if (l->sasl)
        sasl_end(l->sasl);
    l->sasl = NULL;
    if (l->arena) {
        arena_wipe(l->arena);
        arena_free(l->arena);
    }
    l->arena = NULL;
}

static void
destroy(struct login *l)
{
    ask_cancel(l->ask);
    loop_cancel(l->expires);
    loop_cancel(l->late);
    wipe(l);
    l->auth->logins--;
    free(l);
}

static void
end(struct login *l, const struct login_end *e)
{
    l->user.ended(l->user.own, l, e);
    destroy(l);
}

void
login_cancel(struct login *l)
{
    destroy(l);
}

uint32_t
login_id(const struct login *l)
{
    return l->id;
}

struct str
login_service(const struct login *l)
{
    return l->request.service;
}

bool
login_set_name(struct login *l, struct str typed)
{
    bool good = name_normalise(l->arena, l->auth->conf, typed, &l->name);

    if (!good)
        l->name = S("");
    struct str shown = name_shown(l->arena, good ? l->name : typed);

    memcpy(l->shown, shown.p, shown.len);
    l->shown[shown.len] = '\0';
    l->client.user = good ? l->name : S("");
    return good;
}

/* ---- failures */

static void
say_fail(struct login *l, enum dovecot_code code, const char *reason)
{
    struct login_end e = {
        .reply = {.code = code,
                  .user = l->name.len ? str_from(l->shown) : S(""),
                  .reason = str_from(reason)}
    };

    end(l, &e);
}

static void
is_late(void *self)
{
    struct login *l = self;

    l->late = NULL;
    say_fail(l, DOVECOT_REFUSED, "");
}

/*
 * The line that watchers count, as Dovecot writes it. Services that are
 * processes of their own say themselves that a login has failed
 * ("imap-login: Disconnected ... (auth failed"): of those it must not be
 * counted twice.
 */
static void
log_failure(struct login *l, const char *what)
{
    const struct source *s = l->knows ? l->knows : l->auth->passwords.at;
    unsigned scope = passwd_scope_of(l->request.service);

    if (s == NULL || what == NULL)
        return;
    struct lines_login_failed f = {
        .source = s->kind->name,
        .user = str_from(l->shown),
        .address = l->client.address,
        .session = name_shown(l->arena, l->request.session),
        .what = what,
        .counted = scope == 0 || scope == PASSWD_SMTP,
    };

    log_as("dovecot", "auth: %.*s", STR(lines_login_failed(l->arena, &f)));
}

/* The answer is late by as much as there were failures, counted from when the
 * client spoke. What is held until then is this struct alone. */
static void
fail_late(struct login *l)
{
    struct auth *auth = l->auth;
    unsigned count = 1;

    if (auth->throttle && !l->request.no_penalty)
        count = throttle_failed(auth->throttle, &l->client,
                                l->throttled || !l->news, time(NULL));
    unsigned doubled = count > 4 ? 2 : (count - 1) / 2;
    int64_t due = l->began + (auth->conf->auth_failure_delay << doubled);

    loop_cancel(l->expires);
    l->expires = NULL;
    l->name.p = l->shown;
    wipe(l);
    l->late = loop_after(auth->loop, due - loop_now(auth->loop), is_late, l);
}

static void
fail_wrong(struct login *l)
{
    log_failure(l, l->throttled
                       ? "Password mismatch (not checked: too many failures)"
                   : l->wrong_net ? "Password mismatch (not from allow_nets)"
                   : l->knows     ? "Password mismatch"
                                  : "unknown user");
    fail_late(l);
}

static void
failed(struct login *l)
{
    switch (l->sasl->failure) {
    case SASL_NOT_FAILED:
    case SASL_WRONG:
        fail_wrong(l);
        return;
    case SASL_BAD_BINDING:
        l->knows = l->knows ? l->knows : l->at;
        log_failure(l, "Password mismatch (bound to another connection)");
        fail_late(l);
        return;
    case SASL_MALFORMED:
        log_info("user %s: %s: %s", l->shown, l->sasl->mech->name,
                 l->sasl->text ? l->sasl->text : "malformed");
        say_fail(l, DOVECOT_REFUSED, "invalid response");
        return;
    case SASL_NEEDS_TLS:
        say_fail(l, DOVECOT_REFUSED,
                 "Plaintext authentication disallowed on non-secure "
                 "(SSL/TLS) connections.");
        return;
    case SASL_TEMP_FAIL:
        say_fail(l, DOVECOT_TEMP, "");
        return;
    case SASL_USER_DISABLED:
        log_failure(l, "user is disabled");
        say_fail(l, DOVECOT_DISABLED, "");
        return;
    case SASL_PASS_EXPIRED:
        log_failure(l, "password has expired");
        say_fail(l, DOVECOT_EXPIRED, "");
        return;
    case SASL_AUTHZ_FAIL:
        log_failure(l, "may not act for the other user");
        say_fail(l, DOVECOT_AUTHZ, "");
        return;
    }
}

/* ---- success */

static void
say_ok(struct login *l, enum check_verdict v)
{
    if (v != CHECK_YES) {
        log_warn("user %s has logged in, but %s", l->shown,
                 v == CHECK_TEMP ? "what is known of him cannot be looked up"
                                 : "no source of auth_user_sources knows him");
        say_fail(l, DOVECOT_TEMP, "");
        return;
    }
    struct login_end e = {
        .ok = true,
        .reply = {.user = l->name, .resp = l->sasl->out},
        .fields = buf_str(&l->fields),
    };

    end(l, &e);
}

static void
note_success(struct login *l)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (l->auth->throttle)
        throttle_succeeded(l->auth->throttle, &l->client, now.tv_sec);
    if (l->auth->last_use.fd >= 0)
        (void)!last_use_set(&l->auth->last_use, l->name, l->app,
                            l->request.service,
                            (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

/* With "nologin" only the proof was wanted: no session of his begins. */
static void
succeeded(struct login *l)
{
    note_success(l);
    if (l->request.nologin)
        say_ok(l, CHECK_YES);
    else
        lookup_user(l, say_ok);
}

/* ---- the exchange */

static void
challenge(struct login *l)
{
    l->wants_client = true;
    l->user.challenge(l->user.own, l, l->sasl->out);
}

void
login_step(struct login *l, enum sasl_step step)
{
    switch (step) {
    case SASL_CHALLENGE:
        challenge(l);
        return;
    case SASL_PASSWORD:
        verify_secret(l, false);
        return;
    case SASL_TOKEN:
        verify_secret(l, true);
        return;
    case SASL_IDENTITY:
        verify_identity(l);
        return;
    case SASL_CREDENTIALS:
        verify_credentials(l);
        return;
    case SASL_DONE:
        succeeded(l);
        return;
    case SASL_FAILED:
        failed(l);
        return;
    }
}

static void
expired(void *self)
{
    struct login *l = self;

    l->expires = NULL;
    say_fail(l, DOVECOT_REFUSED, "Authentication timed out");
}

static void
set_peer(struct login *l)
{
    const struct dovecot_request *r = &l->request;
    const struct conf *conf = l->auth->conf;

    l->peer = (struct sasl_peer){
        .service = r->service,
        .hostname = str_from(conf->myhostname),
        .secured = r->secured || r->tls || conf->auth_allow_cleartext,
        .final_data = r->final_resp_ok,
        .cert_valid = r->valid_client_cert,
        .cert_name = r->cert_username,
        .secret = {(const char *)l->auth->secret, sizeof l->auth->secret},
    };
    memcpy(l->peer.bindings, r->bindings, sizeof r->bindings);
    for (size_t i = 0; i < SASL_COUNT; i++)
        if (sasl_mechs[i].properties & SASL_BINDING &&
            r->bindings[0].data.len && auth_offers(l->auth, &sasl_mechs[i]))
            l->peer.plus_offered = true;
}

struct login *
login_new(struct auth *auth, struct arena *a,
          const struct dovecot_request *request, const struct login_user *user)
{
    struct login *l = calloc(1, sizeof *l);

    if (l == NULL)
        log_fatal("out of memory for a login");
    *l = (struct login){.auth = auth,
                        .arena = a,
                        .user = *user,
                        .request = *request,
                        .id = request->id};
    l->request.service = str_sub(request->service, 0, WORD_MAX);
    l->request.session = str_sub(request->session, 0, WORD_MAX);
    l->client.address = str_sub(request->rip, 0, WORD_MAX);
    auth->logins++;
    return l;
}

/* Clients of networks that are excepted, and those who are here. */
static bool
is_excepted(struct login *l)
{
    struct why why;
    bool found = false;

    return match_host(l->auth->exceptions, S("unknown"), l->client.address,
                      &found, &why) == OK &&
           found;
}

void
login_run(struct login *l)
{
    const struct dovecot_request *r = &l->request;
    const struct sasl_mech *mech = sasl_mech_find(r->mech);

    l->began = loop_now(l->auth->loop);
    l->expires = loop_after(l->auth->loop, PATIENCE_MS, expired, l);
    l->client.excepted = is_excepted(l);
    set_peer(l);
    if (mech == NULL || !auth_offers(l->auth, mech)) {
        say_fail(l, DOVECOT_REFUSED, "Unsupported authentication mechanism.");
        return;
    }
    l->peer.scram_rounds = sources_rounds(&l->auth->passwords, mech);
    login_step(l, sasl_start(l->arena, mech, &l->peer,
                             r->has_resp ? &r->resp : NULL, &l->sasl));
}

static void
looked_up(struct login *l, enum check_verdict v)
{
    struct login_end e = {
        .ok = v == CHECK_YES,
        .reply = {.user = l->name,
                  .code = v == CHECK_TEMP ? DOVECOT_TEMP : DOVECOT_REFUSED},
        .fields = buf_str(&l->fields),
    };

    end(l, &e);
}

void
login_look_up(struct login *l, struct str user)
{
    l->began = loop_now(l->auth->loop);
    l->expires = loop_after(l->auth->loop, PATIENCE_MS, expired, l);
    l->fields = buf_in(l->arena);
    if (login_set_name(l, user))
        lookup_user(l, looked_up);
    else
        looked_up(l, CHECK_UNKNOWN);
}

bool
login_continue(struct login *l, struct str data)
{
    if (!l->wants_client)
        return false;
    l->wants_client = false;
    l->began = loop_now(l->auth->loop);
    login_step(l, sasl_feed(l->sasl, data));
    return true;
}
