/*
 * The role auth-pam: PAM and shadow, which only root can ask, and nothing else.
 * PAM's modules are not ours: they may take long and leak; each question has a
 * handle of its own.
 */
#include <errno.h>
#include <security/pam_appl.h>
#include <shadow.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "auth/scheme.h"
#include "authd.h"
#include "base/log.h"
#include "checker.h"
#include "source.h"
#include "sys/priv.h"

#define SERVICE "posta" /* where the source names none */

static struct {
    struct sources passwords;
    uid_t asks;
} self;

/* ---- PAM */

/* What is asked without echo is the password; nobody reads the rest. */
static int
reply_to(const struct pam_message *m, const char *password, char **reply)
{
    switch (m->msg_style) {
    case PAM_PROMPT_ECHO_OFF:
        *reply = strdup(password);
        return *reply ? PAM_SUCCESS : PAM_BUF_ERR;
    case PAM_PROMPT_ECHO_ON:
        return PAM_CONV_ERR;
    default:
        return PAM_SUCCESS;
    }
}

static void
forget(struct pam_response *replies, int count)
{
    for (int i = 0; i < count; i++)
        if (replies[i].resp) {
            explicit_bzero(replies[i].resp, strlen(replies[i].resp));
            free(replies[i].resp);
        }
    free(replies);
}

static int
converse(int count, const struct pam_message **messages,
         struct pam_response **out, void *password)
{
    struct pam_response *replies;
    int rc = PAM_SUCCESS;

    if (count <= 0 || count > PAM_MAX_NUM_MSG)
        return PAM_CONV_ERR;
    replies = calloc((size_t)count, sizeof *replies);
    if (replies == NULL)
        return PAM_BUF_ERR;
    for (int i = 0; i < count && rc == PAM_SUCCESS; i++)
        rc = reply_to(messages[i], password, &replies[i].resp);
    if (rc != PAM_SUCCESS)
        forget(replies, count);
    else
        *out = replies;
    return rc;
}

/* authd delays failures itself, without holding a process. */
static void
no_delay(int rc, unsigned usec, void *own)
{
    (void)rc;
    (void)usec;
    (void)own;
}

static enum check_verdict
verdict_of(int rc)
{
    switch (rc) {
    case PAM_SUCCESS:
        return CHECK_YES;
    case PAM_USER_UNKNOWN:
        return CHECK_UNKNOWN;
    case PAM_AUTH_ERR:
    case PAM_MAXTRIES:
    case PAM_PERM_DENIED:
        return CHECK_NO;
    case PAM_ACCT_EXPIRED:
        return CHECK_DISABLED;
    case PAM_NEW_AUTHTOK_REQD:
    case PAM_AUTHTOK_EXPIRED:
        return CHECK_EXPIRED;
    default:
        return CHECK_TEMP;
    }
}

static int
authenticate(pam_handle_t *pam, const char *user, const char *address)
{
    int rc;

    (void)!pam_set_item(pam, PAM_TTY, "posta");
    (void)!pam_set_item(pam, PAM_RUSER, user);
    (void)!pam_set_item(pam, PAM_FAIL_DELAY, (const void *)no_delay);
    if (address[0])
        (void)!pam_set_item(pam, PAM_RHOST, address);
    rc = pam_authenticate(pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
    return rc == PAM_SUCCESS
               ? pam_acct_mgmt(pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK)
               : rc;
}

static void
check_pam(struct arena *a, const struct source *s, const struct question *q,
          struct answer *answer)
{
    const char *service = s->argument[0] ? s->argument : SERVICE;
    const char *user = arena_cstr(a, q->user);
    struct pam_conv conv = {converse, arena_cstr(a, q->secret)};
    pam_handle_t *pam = NULL;
    const void *name = NULL;
    int rc = pam_start(service, user, &conv, &pam);

    if (rc != PAM_SUCCESS) {
        answer->text = S("PAM cannot be started");
        return;
    }
    rc = authenticate(pam, user, arena_cstr(a, q->address));
    answer->verdict = verdict_of(rc);
    if (answer->verdict == CHECK_TEMP)
        answer->text = str_from(arena_fmt(a, "%s", pam_strerror(pam, rc)));
    if (rc == PAM_SUCCESS &&
        pam_get_item(pam, PAM_USER, &name) == PAM_SUCCESS && name)
        answer->user = str_from(arena_fmt(a, "%s", (const char *)name));
    pam_end(pam, rc);
}

/* ---- shadow */

static enum check_verdict
state_of(const struct spwd *sp)
{
    long today = (long)(time(NULL) / 86400);

    if (sp->sp_expire > 0 && today >= sp->sp_expire)
        return CHECK_DISABLED;
    if (sp->sp_lstchg == 0 || (sp->sp_lstchg > 0 && sp->sp_max >= 0 &&
                               today > sp->sp_lstchg + sp->sp_max))
        return CHECK_EXPIRED;
    return CHECK_YES;
}

static void
check_shadow(struct arena *a, const struct question *q, struct answer *answer)
{
    struct spwd *sp;
    struct why why;
    enum rc rc;

    errno = 0;
    sp = getspnam(arena_cstr(a, q->user));
    if (sp == NULL) {
        answer->verdict =
            errno == 0 || errno == ENOENT ? CHECK_UNKNOWN : CHECK_TEMP;
        answer->text = S("shadow cannot be read");
        scheme_waste(a, q->secret);
        return;
    }

    /* "!" and "*" are locked, and nothing is no password. */
    if (!is_alnum(sp->sp_pwdp[0]) && strchr("$./_", sp->sp_pwdp[0]) == NULL) {
        scheme_waste(a, q->secret);
        answer->verdict = CHECK_NO;
        return;
    }
    if (sp->sp_pwdp[0] == '\0') {
        answer->verdict = CHECK_NO;
        return;
    }
    rc = scheme_verify(a, str_from(arena_fmt(a, "{CRYPT}%s", sp->sp_pwdp)),
                       "CRYPT", q->secret, &why);
    answer->verdict = rc == OK     ? state_of(sp)
                      : rc == TEMP ? CHECK_TEMP
                                   : CHECK_NO;
    if (rc == TEMP)
        answer->text = str_from(arena_fmt(a, "%s", why.text));
}

static void
check(struct arena *a, const struct question *q, struct answer *answer)
{
    const struct source *s = sources_find(&self.passwords, q->source);

    if (q->what != CHECK_PASSWORD || s == NULL)
        answer->text = S("there is no such source");
    else if (q->user.len == 0 || memchr(q->user.p, '\0', q->user.len) ||
             memchr(q->secret.p, '\0', q->secret.len))
        answer->verdict = CHECK_NO;
    else if (s->kind->type == SOURCE_PAM)
        check_pam(a, s, q, answer);
    else if (s->kind->type == SOURCE_SHADOW)
        check_shadow(a, q, answer);
}

static void
prepare(struct daemon *d)
{
    struct priv_user owner = {.uid = geteuid()};
    struct why why;

    if (sources_parse(d->life, d->conf->auth_password_sources, false,
                      &self.passwords, &why) != OK)
        log_fatal("auth_password_sources = %s", why.text);
    if (!d->unprivileged &&
        priv_find_user(d->conf->auth_owner, &owner, &why) != OK)
        log_fatal("auth_owner = %s: %s", d->conf->auth_owner, why.text);
    self.asks = owner.uid;
}

static void
work(struct daemon *d)
{
    checker_serve(d, self.asks, check);
}

const struct role_work pam_role = {
    .name = "auth-pam",
    .prepare = prepare,
    .work = work,
};
