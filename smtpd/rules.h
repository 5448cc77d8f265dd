/*
 * rules.h - restriction lists: who may do what (access(5) and the
 * smtpd_..._restrictions of main.cf).
 *
 * A list is parsed once, in the template; its tables are opened then. What an
 * access table answers is parsed when it is answered. Each restriction is one
 * row of the table in restrictions.c: a name, what follows it, a function.
 */
#ifndef SMTPD_RULES_H
#define SMTPD_RULES_H

#include "map/map.h"

struct session;
struct server;
struct rules;
struct policy;

enum stage {
    STAGE_CLIENT,
    STAGE_HELO,
    STAGE_SENDER,
    STAGE_RELAY,
    STAGE_RCPT,
    STAGE_DATA,
    STAGE_END,
    STAGE_ETRN,
    STAGES
};

enum verdict {
    DUNNO,  /* ask the next one */
    PERMIT, /* this list is done */
    REFUSE, /* and ask.reply says how */
};

/* A refusal that takes effect only if the rest comes to a certain end. */
struct deferral {
    bool active;
    int code;
    char dsn[10];
    const char *text;
};

/* One evaluation of a list. */
struct ask {
    struct session *s;
    enum stage stage;
    struct str name;   /* <NAME>: what general refusals are about */
    const char *class; /* "Recipient address" */
    bool warn;         /* behind warn_if_reject */
    unsigned depth;
    const char *reply; /* of REFUSE: "554 5.7.1 <...>: ..." */
};

/* One restriction of a list, with its argument. */
struct rule {
    const struct restriction *what;
    struct str text;              /* the argument as written */
    struct maps *maps;            /* of type:name */
    struct policy *policy;        /* of check_policy_service */
    const struct rule_list *list; /* of a restriction class */
};

struct rule_list {
    struct rule *at;
    size_t count;
};

/* What may follow a restriction's name. */
enum rule_argument {
    ARG_NONE,
    ARG_TABLE,   /* type:name */
    ARG_DOMAIN,  /* list.example, list.example=127.0.0.[2..9] */
    ARG_SERVICE, /* unix:private/policy, { inet:host:port, timeout=... } */
    ARG_SECONDS,
    ARG_CLASS, /* none, but it is a list of its own */
};

/* The object a look-up is about, for rows that differ in nothing else. */
enum subject {
    OF_NONE,
    OF_CLIENT,
    OF_REVERSE,
    OF_HELO,
    OF_SENDER,
    OF_RCPT,
    OF_ETRN,
    OF_LOGIN,
};

/* How it is looked up. */
enum flavour { BY_NAME, BY_A, BY_MX, BY_NS };

struct restriction {
    const char *name;
    enum rule_argument argument;
    enum verdict (*run)(struct ask *q, const struct rule *r);
    enum subject subject;
    enum flavour flavour;
};

/* restrictions.c: the row of that name, or NULL. */
const struct restriction *restriction_find(struct str name);
/* Does Postfix know it, and Posta not? */
bool restriction_is_postfix(struct str name);
/* Rows that are not in main.cf under a name: a class, a bare type:name. */
extern const struct restriction restriction_class;
const struct restriction *restriction_of_table(enum stage stage);

/*
 * Parse all lists of the configuration. Ends the process with one line that
 * names parameter, word and remedy where a restriction is unknown, lacks its
 * argument, or where the lists would make an open relay.
 */
void rules_load(struct server *server);

/* A list of its own (local_header_rewrite_clients). */
struct rule_list *rules_parse(struct server *server, const char *param,
                              const char *text);

/* The next word of a list: between blanks and commas, or in braces. */
bool rules_word(struct str *rest, struct str *word);

/* Run the list of a stage; REFUSE fills *reply. Logs what is refused. */
enum verdict rules_run(struct session *s, enum stage stage, const char **reply);
/* After the last list of a command: what defer_if_permit comes to. */
enum verdict rules_settle(struct session *s, const char **reply);
enum verdict rules_run_list(struct ask *q, const struct rule_list *l);

/* Parse a list that a table gave (no tables in it) and run it. */
enum verdict rules_run_text(struct ask *q, const char *table, struct str text);

const struct rule_list *rules_list(const struct rules *rules, enum stage stage);

/*
 * For restrictions: refuse with code, enhanced code and text, log it, and
 * return REFUSE; or DUNNO behind warn_if_reject.
 */
enum verdict rules_refuse(struct ask *q, int code, const char *dsn,
                          const char *fmt, ...) PRINTF(4, 5);
/* Refuse if the rest permits, or defer if the rest refuses. DUNNO. */
enum verdict rules_defer_if_permit(struct ask *q, int code, const char *dsn,
                                   const char *fmt, ...) PRINTF(4, 5);
enum verdict rules_defer_if_reject(struct ask *q, int code, const char *dsn,
                                   const char *fmt, ...) PRINTF(4, 5);
/* What `action` ("defer" or "defer_if_permit") says for a look-up that failed
 * for now. */
enum verdict rules_tempfail(struct ask *q, const char *action, int code,
                            const char *dsn, const char *fmt, ...) PRINTF(5, 6);
/* A table that does not answer: 451 4.3.0. */
enum verdict rules_lookup_failed(struct ask *q, const struct why *why);

/* access.c: what an access table or policy server said about name. */
enum verdict access_act(struct ask *q, const char *table, struct str value,
                        struct str name, const char *class);
enum verdict access_run(struct ask *q, const struct rule *r);
enum verdict access_address_map(struct ask *q, const struct rule *r);

/* The functions of restrictions, by what they look at: checks_client.c,
 * checks_address.c, owner.c, dnsbl.c, policy.c. */
typedef enum verdict restriction_run(struct ask *q, const struct rule *r);
restriction_run check_mynetworks, check_inet_interfaces, check_pipelining,
    check_client_hostname, check_reverse_hostname, check_forward_hostname,
    check_helo_syntax, check_helo_fqdn, check_helo_host, check_bounce_rcpts,
    check_plaintext;
restriction_run check_auth_destination, check_unauth_reject, check_unauth_defer,
    check_mx_backup, check_fqdn, check_domain_exists, check_unlisted;
restriction_run check_login_mismatch, check_known_login_mismatch,
    check_stranger_mismatch, check_authenticated_mismatch, check_login;
restriction_run dnsbl_client, dnsbl_name, dnswl_client, dnswl_name;
restriction_run check_client_cert, check_client_cert_access;
restriction_run policy_run;

/* policy.c: a server as the argument names it; trouble is in why. */
struct policy *policy_open(struct arena *life, const struct server *server,
                           struct str spec, struct why *why);

#define CLASS_OF_CLIENT    "Client host"
#define CLASS_OF_REVERSE   "Unverified Client host"
#define CLASS_OF_HELO      "Helo command"
#define CLASS_OF_SENDER    "Sender address"
#define CLASS_OF_RECIPIENT "Recipient address"
#define CLASS_OF_ETRN      "Etrn command"
#define CLASS_OF_LOGIN     "SASL login name"
#define CLASS_OF_DATA      "Data command"
#define CLASS_OF_END       "End-of-data"

/* The value of a subject: the client's name, HELO, address or domain; and
 * the class for replies. Empty: there is none. */
struct str subject_name(const struct session *s, enum subject subject);
struct str subject_domain(const struct session *s, enum subject subject);
/* As it stands in <> of a reply: addresses with their quotes. */
struct str subject_shown(const struct session *s, enum subject subject);
const char *subject_class(enum subject subject);

#endif
