/*
 * ldap_module.h - what the worker and authd-ldap.so say to each other.
 *
 * The module alone links libldap; it is loaded where a source is of type
 * ldap. It gets names and filters ready, and knows nothing else of Posta.
 */
#ifndef AUTHD_LDAP_MODULE_H
#define AUTHD_LDAP_MODULE_H

#include <stdbool.h>

#define LDAP_MODULE_VERSION 1
#define LDAP_MODULE_FILE    "authd-ldap.so"
#define LDAP_MODULE_SYMBOL  "authd_ldap_module"

/* A directory, and how to speak to it. */
struct ldap_server {
    const char *uris; /* "ldap://a ldaps://b:636", tried in order */
    bool start_tls;
    bool insecure_tls;   /* no certificate is asked for */
    const char *ca_file; /* "": the system's */
    const char *bind_dn; /* to search with; "": anonymous */
    const char *bind_password;
    int timeout_ms;
};

struct ldap_search {
    const char *base, *filter;
    bool subtree;      /* else only the base itself */
    char **attributes; /* NULL at the end */
};

enum ldap_found { LDAP_FOUND, LDAP_NOBODY, LDAP_WRONG, LDAP_TROUBLE };

struct ldap_entry {
    char dn[1024];
    char text[256]; /* of LDAP_TROUBLE: why */
    /* Called for the first value of each attribute that is there. */
    void (*value)(void *own, const char *attribute, const char *bytes,
                  unsigned long len);
    void *own;
};

struct ldap_module {
    unsigned version;
    /* A connection, made when it is needed and made again when it breaks. */
    void *(*open)(const struct ldap_server *server);
    /* The one entry that matches; more than one is LDAP_TROUBLE. */
    enum ldap_found (*find)(void *connection, const struct ldap_search *search,
                            struct ldap_entry *entry);
    /* Does the server take this password? It must not be empty, as that would
     * be a bind as nobody, which succeeds (RFC 4513, 5.1.2). */
    enum ldap_found (*bind)(void *connection, const char *dn,
                            const char *password, struct ldap_entry *entry);
};

#endif
