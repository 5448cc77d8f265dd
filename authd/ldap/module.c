/* authd-ldap.so: binds and searches, one at a time, each with a time limit. */
#include <lber.h>
#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#include "../ldap_module.h"

extern const struct ldap_module authd_ldap_module;

/* A handle that searches, bound as bind_dn, and one that tries passwords: a
 * bind changes whose rights a handle has. */
struct connection {
    const struct ldap_server *server;
    LDAP *search, *bind;
    char detail[160]; /* what the library had to say of the last trouble */
};

static enum ldap_found
trouble(const struct connection *c, struct ldap_entry *e, const char *what,
        int rc)
{
    snprintf(e->text, sizeof e->text, "%s: %s%s%s%s", what, ldap_err2string(rc),
             c->detail[0] ? " (" : "", c->detail, c->detail[0] ? ")" : "");
    return LDAP_TROUBLE;
}

static void
drop(struct connection *c, LDAP **handle)
{
    char *text = NULL;

    if (*handle == NULL)
        return;
    ldap_get_option(*handle, LDAP_OPT_DIAGNOSTIC_MESSAGE, &text);
    snprintf(c->detail, sizeof c->detail, "%s", text ? text : "");
    ldap_memfree(text);
    ldap_unbind_ext_s(*handle, NULL, NULL);
    *handle = NULL;
}

static bool
set_options(LDAP *l, const struct ldap_server *s)
{
    const struct timeval limit = {s->timeout_ms / 1000,
                                  s->timeout_ms % 1000 * 1000};
    int version = LDAP_VERSION3, again = 0;
    int demand = s->insecure_tls ? LDAP_OPT_X_TLS_NEVER : LDAP_OPT_X_TLS_DEMAND;

    return ldap_set_option(l, LDAP_OPT_PROTOCOL_VERSION, &version) == 0 &&
           ldap_set_option(l, LDAP_OPT_NETWORK_TIMEOUT, &limit) == 0 &&
           ldap_set_option(l, LDAP_OPT_TIMEOUT, &limit) == 0 &&
           ldap_set_option(l, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) == 0 &&
           (s->ca_file[0] == '\0' ||
            ldap_set_option(l, LDAP_OPT_X_TLS_CACERTFILE, s->ca_file) == 0) &&
           ldap_set_option(l, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand) == 0 &&
           ldap_set_option(l, LDAP_OPT_X_TLS_NEWCTX, &again) == 0;
}

static int
simple_bind(LDAP *l, const char *dn, const char *password)
{
    struct berval secret = {strlen(password), (char *)(void *)password};

    return ldap_sasl_bind_s(l, dn, LDAP_SASL_SIMPLE, &secret, NULL, NULL, NULL);
}

/* A fresh handle, with TLS where that is asked for; not bound. */
static int
dial(struct connection *c, LDAP **handle)
{
    const struct ldap_server *s = c->server;
    int rc = ldap_initialize(handle, s->uris);

    c->detail[0] = '\0';

    if (rc != LDAP_SUCCESS)
        return rc;
    if (!set_options(*handle, s))
        rc = LDAP_PARAM_ERROR;
    else if (s->start_tls)
        rc = ldap_start_tls_s(*handle, NULL, NULL);
    if (rc != LDAP_SUCCESS)
        drop(c, handle);
    return rc;
}

static bool
is_gone(int rc)
{
    return rc == LDAP_SERVER_DOWN || rc == LDAP_TIMEOUT ||
           rc == LDAP_CONNECT_ERROR || rc == LDAP_UNAVAILABLE ||
           rc == LDAP_BUSY || rc == LDAP_LOCAL_ERROR;
}

static void *
open_connection(const struct ldap_server *server)
{
    struct connection *c = calloc(1, sizeof *c);

    if (c)
        c->server = server;
    return c;
}

/* ---- search */

static int
search_once(struct connection *c, const struct ldap_search *s,
            LDAPMessage **out)
{
    int scope = s->subtree ? LDAP_SCOPE_SUBTREE : LDAP_SCOPE_BASE;
    int rc = LDAP_SUCCESS;

    if (c->search == NULL) {
        rc = dial(c, &c->search);
        if (rc == LDAP_SUCCESS)
            rc = simple_bind(c->search, c->server->bind_dn,
                             c->server->bind_password);
        if (rc != LDAP_SUCCESS) {
            drop(c, &c->search);
            return rc;
        }
    }
    rc = ldap_search_ext_s(c->search, s->base, scope, s->filter, s->attributes,
                           0, NULL, NULL, NULL, 2, out);
    if (is_gone(rc))
        drop(c, &c->search);
    return rc;
}

static void
take_values(LDAP *l, LDAPMessage *entry, const struct ldap_search *s,
            struct ldap_entry *e)
{
    for (char **a = s->attributes; *a; a++) {
        struct berval **values = ldap_get_values_len(l, entry, *a);

        if (values && values[0])
            e->value(e->own, *a, values[0]->bv_val, values[0]->bv_len);
        ldap_value_free_len(values);
    }
}

static enum ldap_found
take_entry(LDAP *l, LDAPMessage *result, const struct ldap_search *s,
           struct ldap_entry *e)
{
    LDAPMessage *entry = ldap_first_entry(l, result);
    char *dn;
    int len;

    if (entry == NULL)
        return LDAP_NOBODY;
    if (ldap_next_entry(l, entry)) {
        snprintf(e->text, sizeof e->text, "more than one entry matches");
        return LDAP_TROUBLE;
    }
    dn = ldap_get_dn(l, entry);
    len = dn ? snprintf(e->dn, sizeof e->dn, "%s", dn) : -1;
    ldap_memfree(dn);
    if (len < 0 || (size_t)len >= sizeof e->dn) {
        snprintf(e->text, sizeof e->text, "the entry's name is too long");
        return LDAP_TROUBLE;
    }
    take_values(l, entry, s, e);
    return LDAP_FOUND;
}

static enum ldap_found
find(void *connection, const struct ldap_search *s, struct ldap_entry *e)
{
    struct connection *c = connection;
    LDAPMessage *result = NULL;
    int rc = search_once(c, s, &result);
    enum ldap_found found;

    /* A server closes what was idle for long. */
    if (rc == LDAP_SERVER_DOWN) {
        ldap_msgfree(result);
        result = NULL;
        rc = search_once(c, s, &result);
    }
    if (rc == LDAP_NO_SUCH_OBJECT)
        found = LDAP_NOBODY;
    else if (rc == LDAP_SIZELIMIT_EXCEEDED)
        found = trouble(c, e, "more than one entry matches", rc);
    else if (rc != LDAP_SUCCESS)
        found = trouble(c, e, "search", rc);
    else
        found = take_entry(c->search, result, s, e);
    ldap_msgfree(result);
    return found;
}

/* ---- bind */

static int
bind_once(struct connection *c, const char *dn, const char *password)
{
    int rc = c->bind ? LDAP_SUCCESS : dial(c, &c->bind);

    if (rc != LDAP_SUCCESS)
        return rc;
    rc = simple_bind(c->bind, dn, password);
    if (is_gone(rc))
        drop(c, &c->bind);
    return rc;
}

static enum ldap_found
try_bind(void *connection, const char *dn, const char *password,
         struct ldap_entry *e)
{
    struct connection *c = connection;
    int rc;

    if (dn[0] == '\0' || password[0] == '\0')
        return LDAP_WRONG;
    rc = bind_once(c, dn, password);
    if (rc == LDAP_SERVER_DOWN)
        rc = bind_once(c, dn, password);
    switch (rc) {
    case LDAP_SUCCESS:
        return LDAP_FOUND;
    case LDAP_INVALID_CREDENTIALS:
    case LDAP_INAPPROPRIATE_AUTH:
    case LDAP_INSUFFICIENT_ACCESS:
    case LDAP_UNWILLING_TO_PERFORM:
        return LDAP_WRONG;
    case LDAP_NO_SUCH_OBJECT:
    case LDAP_INVALID_DN_SYNTAX:
        return LDAP_NOBODY;
    default:
        return trouble(c, e, "bind", rc);
    }
}

const struct ldap_module authd_ldap_module = {
    .version = LDAP_MODULE_VERSION,
    .open = open_connection,
    .find = find,
    .bind = try_bind,
};
