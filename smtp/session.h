/*
 * session.h - a conversation with one server: connect, greet, ask and be
 * answered, part. It may outlive a message and carry the next one.
 *
 * Every step (phase) has its time limit and its words for what went wrong:
 * "lost connection with H[A] while sending RCPT TO", "host H[A] said: 550 ...
 * (in reply to RCPT TO command)".
 */
#ifndef SMTP_SESSION_H
#define SMTP_SESSION_H

#include "own.h"
#include "settings.h"
#include "sys/io.h"
#include "target.h"

enum phase {
    PHASE_GREETING,
    PHASE_EHLO,
    PHASE_HELO,
    PHASE_LHLO,
    PHASE_STARTTLS,
    PHASE_XFORWARD_NAME,
    PHASE_XFORWARD_PROTO,
    PHASE_MAIL,
    PHASE_RCPT,
    PHASE_DATA,
    PHASE_BODY,
    PHASE_BDAT,
    PHASE_DOT,
    PHASE_RSET,
    PHASE_QUIT,
};

/* Why something failed: our words, and the server's if it were its words. */
struct trouble {
    struct why why;
    struct str remote; /* name of the server; empty: it did not say that */
    struct str reply;  /* what it said, codes and all */
    bool hard_at_last; /* 4.x.x as long as another server may do better, 5.x.x
                          when there is none */
};

struct session {
    const struct settings *settings;
    struct arena *arena; /* the caller's; lives as long as the session */
    struct stream *io;
    int fd;
    int64_t limit;     /* of the wait under way, ms */
    struct str host;   /* "mail.example.org" */
    const char *name;  /* "mail.example.org[192.0.2.1]" */
    const char *relay; /* the same with ":25", for the log */
    struct sockaddr_storage sa;
    const struct target *target; /* NULL: a UNIX socket */
    unsigned port;               /* 0: none */
    bool may_loop;               /* we could be talking to ourselves */
    bool best;                   /* it is a best exchanger */
    bool dead;                   /* nothing more can be said */
    struct smtp_server server;
    int64_t opened;  /* io_now */
    unsigned uses;   /* messages that were sent before this one */
    bool needs_rset; /* a transaction may be open at the server */
    bool waited;     /* since the last message; it may have ended */
    bool quitting;   /* QUIT has been sent */
    const struct tls_demand *demand; /* of TLS; never NULL */
    struct tls_session *tls;         /* NULL: in the clear */
    struct tls_facts facts;          /* where there is TLS */
    bool handshake_failed;
    bool logged_in;
    struct str sender;       /* whom it was opened for, if there are logins */
    struct smtp_reply reply; /* the newest; its text is in the reply arena */
};

/* Over a connected socket; host, name, relay and demand (none: no TLS) are to
 * be filled in. */
struct session *session_over(const struct settings *s, int fd, struct arena *a);

/* Connect. NULL with trouble: "connect to H[A]:25: Connection refused". */
struct session *session_connect(const struct settings *s, const struct own *own,
                                const struct target *t, unsigned port,
                                struct arena *a, struct why *why);
struct session *session_connect_unix(const struct settings *s, struct str path,
                                     struct arena *a, struct why *why);

/* The greeting, EHLO or LHLO (or HELO), the server's extensions, and TLS as far
 * as s->demand wants it. nexthop is for "mail for NEXTHOP loops back to
 * myself". */
enum rc session_hello(struct session *s, struct arena *a, struct str nexthop,
                      struct trouble *t) MUST_USE;

/*
 * The reply to a command of that phase, in s->reply. OK is any reply; TEMP is
 * the end: silence, a closed connection, garbage (s->dead).
 */
enum rc session_reply(struct session *s, enum phase phase, struct arena *a,
                      struct trouble *t) MUST_USE;

/* Make trouble of the reply just read, which is none of 2xx. */
enum rc session_refused(const struct session *s, enum phase phase,
                        struct arena *a, struct trouble *t) MUST_USE;

/* Make trouble of a stream that failed. */
enum rc session_lost(struct session *s, enum io io, enum phase phase,
                     struct trouble *t) MUST_USE;

/* "RCPT TO command", for "in reply to". */
const char *phase_asked(enum phase phase);

bool session_offers(const struct session *s, unsigned extension);
/* Recipients that one transaction may have (LIMITS, RFC 9422). */
size_t session_rcpt_limit(const struct session *s);

/* Say QUIT where that is possible, and close. */
void session_quit(struct session *s, struct arena *a);
/* Close at once. Memory stays with the arena. */
void session_close(struct session *s);

#endif
