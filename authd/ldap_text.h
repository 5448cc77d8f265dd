/*
 * ldap_text.h - names of users in LDAP filters and names.
 */
#ifndef AUTHD_LDAP_TEXT_H
#define AUTHD_LDAP_TEXT_H

#include "base/buf.h"

enum ldap_escape {
    LDAP_ESCAPE_FILTER, /* RFC 4515, 3 */
    LDAP_ESCAPE_DN,     /* RFC 4514, 2.4 */
};

/* The value as it stands there, whatever bytes it holds. */
void ldap_escape(struct buf *b, enum ldap_escape how, struct str value);

/* A template with %u %n %d (user, before the @, behind it) and %% filled in. */
char *ldap_fill(struct arena *a, const char *template, enum ldap_escape how,
                struct str user);

#endif
