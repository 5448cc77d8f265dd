/*
 * lines.h - log lines that other programs parse (pflogsumm, fail2ban,
 * logwatch), in Postfix's shapes.
 *
 * Each function returns the text of a line, in the arena; the caller logs it.
 * Addresses are given in internal form and shown quoted. Ids are queue ids.
 */
#ifndef MAIL_LINES_H
#define MAIL_LINES_H

#include "base/arena.h"
#include "mail/envelope.h"

/*
 * Seconds as Postfix shows delays: two significant digits, at most two after
 * the point, no zeros at the end: "0.05", "1.2", "15", "0". Negative is "0".
 */
struct str lines_delay(struct arena *a, int64_t microseconds);

/*
 * QID: to=<A>, orig_to=<B>, relay=R, conn_use=N, delay=D, delays=a/b/c/d,
 * dsn=2.0.0, status=sent (TEXT)
 *
 * The moments are microseconds since 1970, of the same clock: the message
 * came, qmgr took it up, an agent got it, the connection stood (0: there was
 * none), it was done.
 */
struct lines_result {
    struct str id, to, orig_to; /* orig_to is shown where it differs */
    struct str relay;           /* "host[192.0.2.1]:25", "local", "none" */
    int conn_use;               /* shown where over 1 */
    int64_t arrived, active, handed, connected, done;
    const char *dsn;    /* "2.0.0" */
    const char *status; /* sent, deferred, bounced, undeliverable ... */
    struct str text;
};
struct str lines_result(struct arena *a, const struct lines_result *r);

/* NAME[ADDR], with ":PORT" where port is not 0. */
struct str lines_peer(struct arena *a, const struct origin *o, int64_t port);

/*
 * QID|NOQUEUE: VERB: RCPT from NAME[ADDR]: REPLY; from=<F> to=<T> proto=ESMTP
 * helo=<H> sasl_username=<U>
 *
 * What has not been said yet is left out: to and from with a NULL pointer,
 * empty proto, helo and login.
 */
struct lines_reject {
    struct str id;     /* empty: NOQUEUE */
    const char *verb;  /* reject, reject_warning, hold, discard ... */
    const char *stage; /* CONNECT EHLO MAIL RCPT DATA END-OF-MESSAGE ... */
    struct str peer;   /* lines_peer */
    struct str reply;  /* "550 5.1.1 <A>: Recipient address rejected: ..." */
    struct str from, to, proto, helo, login;
};
struct str lines_reject(struct arena *a, const struct lines_reject *r);

/*
 * SOURCE(USER,ADDRESS,<SESSION>): WHAT, as Dovecot's auth process says that a
 * login has failed; what cannot be said is left out. Where it must not be
 * counted, since somebody else says so too: login failed: WHAT, user=<USER>,
 * source=SOURCE, rip=ADDRESS. The user's name must not hold blanks, commas or
 * brackets.
 */
struct lines_login_failed {
    const char *source; /* "passwd-file" */
    struct str user, address, session;
    const char *what; /* "unknown user", "Password mismatch" */
    bool counted;
};
struct str lines_login_failed(struct arena *a,
                              const struct lines_login_failed *f);

/* "disconnect from NAME[ADDR] ehlo=1 mail=1 rcpt=1/3 commands=3/5": rows in
 * that order, where total is not 0; and their sums. */
struct lines_count {
    const char *name; /* lower case */
    unsigned ok, total;
};
struct str lines_disconnect(struct arena *a, struct str peer,
                            const struct lines_count *counts, size_t n);

/* QID: client=NAME[ADDR], sasl_method=M, sasl_username=U; method and login
 * may be empty. orig_client (XFORWARD) too. */
struct str lines_client(struct arena *a, struct str id, struct str peer,
                        struct str method, struct str login,
                        struct str orig_client);

/* QID: uid=N from=<A> */
struct str lines_pickup(struct arena *a, struct str id, int64_t uid,
                        struct str sender);

/* QID: message-id=<ID>; the id as it stood in the header. */
struct str lines_message_id(struct arena *a, struct str id,
                            struct str message_id);

/* QID: from=<A>, size=N, nrcpt=N (queue active) */
struct str lines_active(struct arena *a, struct str id, struct str sender,
                        int64_t size, size_t nrcpt);

/* QID: from=<A>, status=expired, returned to sender (or force-expired) */
struct str lines_expired(struct arena *a, struct str id, struct str sender,
                         const char *status);

/* QID: sender non-delivery notification: QID2 (what: "sender non-delivery",
 * "sender delivery status", "sender delay", "postmaster ..." ) */
struct str lines_notification(struct arena *a, struct str id, const char *what,
                              struct str report);

#endif
