/*
 * smtpd.h - what the parts of the SMTP server share: the server, a session,
 * its client.
 *
 * One process serves one session at a time, top to bottom: session.c takes a
 * connection and its lines, verbs.c says what a command is and when it may
 * come, rules.c who may do what, and intake.c stores what is accepted.
 */
#ifndef SMTPD_SMTPD_H
#define SMTPD_SMTPD_H

#include "daemon/child.h"
#include "dns/dns.h"
#include "sys/io.h"

#include "intake.h"
#include "rules.h"

/* Made in the template, shared by its workers; read only but for caches. */
struct server {
    struct daemon *daemon;
    const struct conf *conf;
    bool lmtp;
    struct router *router;
    struct dns *dns;
    struct rules *rules;
    struct intake intake;
    struct match_list *mynetworks, *own; /* own: our interfaces' addresses */
    struct match_list *xclient, *xforward, *verp, *unlimited, *bare_lf;
    struct match_list *flushable; /* domains that ETRN may name */
    struct match_list *mx_backup; /* permit_mx_backup_networks */
    struct maps *command_filter;  /* smtpd_command_filter */
    struct maps *discard_ehlo, *login_senders, *rbl_replies;
    struct maps *forbidden;            /* tables of smtpd_forbidden_commands */
    struct login_service *login;       /* NULL: AUTH is not enabled */
    struct rule_list *rewrite_clients; /* local_header_rewrite_clients */
    unsigned discard; /* SMTP_ bits of smtpd_discard_ehlo_keywords */
    bool tls_offered, tls_demanded; /* STARTTLS; and nothing before it */
    struct server_tls *tls;
    struct maps *ccerts; /* relay_clientcerts */
    bool dot_parents;    /* access tables: ".domain" matches subdomains */
};

/* Open all that; ends the process with one line if it can't. */
void server_open(struct server *server, struct daemon *d);

/* Who is at the other end. */
struct client {
    struct sockaddr_storage sa; /* AF_UNSPEC: not known */
    struct str name;            /* confirmed, or "unknown" */
    struct str reverse;         /* what PTR says, or "unknown" */
    struct str addr;            /* "192.0.2.1", "2001:db8::1", "unknown" */
    struct str port;            /* "unknown" too */
    struct str helo, proto;     /* empty where not known */
    struct str login, method;   /* SASL user and mechanism, else empty */
    struct str shown;           /* "name[addr]", for the log */
    enum rc name_rc, reverse_rc;
};

/* A recipient that was accepted. */
struct taken {
    struct str orig;
    struct str addr;     /* whom he became, where that is one; else empty */
    const char *refusal; /* the reply, where that is no "250" */
    struct taken *next;
};

/* Where a session stands; the verb table says what may come when. */
enum {
    STATE_NEW = 1,   /* no HELO yet */
    STATE_READY = 2, /* between messages */
    STATE_MAIL = 4,  /* a sender, no recipient */
    STATE_RCPT = 8,  /* recipients too */
    STATE_BDAT = 16, /* some of the content */
    STATE_ANY = 31,
};

#define SESSION_VERBS   24
#define SESSION_SCRATCH ((size_t)65536 + 16)

/* Less than this left of a transaction's memory: no more recipients. */
#define MAIL_ROOM_MIN ((size_t)64 << 20)

struct session {
    struct server *server;
    const struct conf *conf;
    struct stream *io;
    struct arena *life; /* the connection's */
    struct arena *mail; /* the transaction's */
    struct arena *line; /* the command's */
    char *scratch;      /* SESSION_SCRATCH bytes */

    const struct tls_facts *tls;     /* NULL: in the clear */
    struct tls_session *tls_session; /* likewise; the stream owns it */
    const char *unwanted; /* what is said to the next command, if anything is:
                             the client's certificate does not do */

    unsigned state;
    bool denied;       /* the client is refused, and so is all it says */
    const char *end;   /* not NULL: close now. "" is QUIT, else why */
    const char *where; /* "CONNECT", "RCPT", for the log */
    bool esmtp;
    unsigned offered; /* SMTP_ bits of the last EHLO */

    struct client connected; /* the peer itself */
    struct client client;    /* the same, or what XCLIENT says */
    struct client origin;    /* the same, or what XFORWARD says */
    bool forwarded;          /* XFORWARD was used, for this transaction */
    bool from_outside;       /* SOURCE=REMOTE */
    struct str orig_id;      /* IDENT */
    struct str server_addr, server_port;
    struct str helo;
    bool trusted;   /* in mynetworks */
    bool unlimited; /* in smtpd_client_event_limit_exceptions */
    bool hushed;    /* AUTH was tried: what the client says is not logged */
    bool pipelined; /* out of turn (reject_unauth_pipelining) */

    int64_t errors, junk, overshoot;
    int64_t refusals; /* replies 4xx and 5xx, errors or not */
    struct {
        unsigned good, all;
    } counts[SESSION_VERBS];

    /* The transaction. */
    struct message *message; /* NULL: none */
    struct str sender;       /* as given, internal form */
    struct str sender_full;  /* complete */
    struct str sender_login; /* AUTH= of MAIL, if the client has logged in */
    uint64_t size;           /* SIZE= */
    bool utf8;
    unsigned tried, accepted;      /* RCPT commands */
    bool sender_known, rcpt_known; /* found to be listed */
    struct str rcpt, rcpt_full;    /* of this command */
    struct str first_rcpt;         /* the first that was accepted */
    struct taken *taken;           /* LMTP: a reply for each */
    struct str etrn;
    struct str instance;    /* of this message, for policy servers */
    struct actions actions; /* of access tables before there is a message */
    struct deferral if_permit, if_reject;
    int64_t received;     /* bytes of content */
    struct enddata *bdat; /* scanner of chunks */
    bool bdat_failed;     /* a chunk was refused, so are the others */
};

/* session.c: a session to use for one connection after the other. */
struct session *session_new(struct arena *life);
/* One connection from greeting to goodbye; closes fd. */
void session_serve(struct session *s, struct server *server, int fd,
                   const struct sockaddr_storage *sa);
/* 220, or a refusal (smtpd_delay_reject = no). */
void session_greet(struct session *s);
/* Forget the transaction; the message, if any, is given up. */
void session_reset(struct session *s);
/* How a read of the stream ended, if not well: says what is to be said, sets
 * s->end. */
void session_lost(struct session *s, enum io how);
/* Our end of the connection: s->server_addr and server_port, looked up where
 * nobody has said them. */
void session_find_server(struct session *s);
/* What a client said, for the log: the beginning; nothing of it where it may
 * be a password. */
struct str session_shown(const struct session *s, struct str said);
/* "ESMTP", "SMTP" (also before HELO), "LMTP". */
const char *session_proto(const struct session *s);

/* reply.c: what we say. Lines are without CRLF; 4xx and 5xx count as errors
 * of the client. A text is cut where it is too long for a reply. */
void reply(struct session *s, const char *text);
void replyf(struct session *s, const char *fmt, ...) PRINTF(2, 3);
/* The same without counting: the fault is not the client's. */
void reply_kindly(struct session *s, const char *text);
/* Say it and close; why is for the log ("too many errors"), "" is nothing. */
void reply_close(struct session *s, const char *why, const char *text);

/*
 * The log line that tells what was decided, in Postfix's shape:
 * "ID: ACTION: WHERE from CLIENT: TEXT; from=<> to=<> proto= helo=<>".
 */
void log_decision(struct session *s, const char *action, const char *text);

/* peer.c: fill s->client from an address; names are looked up. */
void peer_find(struct session *s, const struct sockaddr_storage *sa);
/* Make `shown` of name, addr and port. */
void peer_show(const struct session *s, struct arena *a, struct client *c);
/* Text to c->sa (XCLIENT); false if it is no address. */
bool peer_parse(struct client *c, struct str addr, struct str port);
/* "IPv6:2001:db8::1", as in address literals. */
struct str peer_literal(struct arena *a, struct str addr);
/* What follows from who the client is: trusted, unlimited. */
void peer_judge(struct session *s);

/* verbs.c */
void verbs_run(struct session *s, struct str line);
/* SMTP_ bits that this client is not to see. */
unsigned verbs_discarded(struct session *s);
/* "disconnect from NAME[ADDR] ehlo=1 mail=1 rcpt=1/3 commands=3/5" */
struct str verbs_counted(struct session *s);

/* transaction.c */
void do_mail(struct session *s, struct str args);
void do_rcpt(struct session *s, struct str args);
/* Seconds that mail may be kept at its sender's wish (RFC 4865). */
int64_t transaction_release_limit(const struct session *s);
void do_vrfy(struct session *s, struct str args);
void do_etrn(struct session *s, struct str args);

/* data.c */
void do_data(struct session *s, struct str args);
void do_bdat(struct session *s, struct str args);

/* room.c: is the mailbox of that final recipient too full for so many bytes?
 * *text is the reply then, which lives as long as the transaction; orig is how
 * the client called him. */
bool room_is_full(struct session *s, const struct rcpt *r, int64_t size,
                  struct str orig, const char **text);

/* xclient.c */
void do_xclient(struct session *s, struct str args);
void do_xforward(struct session *s, struct str args);

/* proxy.c: the header of smtpd_upstream_proxy_protocol before the greeting.
 * False: drop the connection; that has been logged. */
bool proxy_read(struct session *s, struct sockaddr_storage *sa);

/* tls.c: open what main.cf says, before and after rights are dropped. */
void tls_open(struct server *server);
void tls_ready(struct server *server);
/* Is STARTTLS announced? Not where it could only fail; but where nothing may
 * be done without it. */
bool tls_offered(const struct server *server);
void do_starttls(struct session *s, struct str args);
/* TLS from the first byte. False: s->end is set. */
bool tls_wrapped(struct session *s);
/* The lines of a Received field, if any are wanted. */
void tls_received(const struct session *s, struct buf *b);

/* auth.c: what logins need, NULL where they are off; ends the process where
 * that is badly configured. */
struct login_service *login_open(struct server *server);
/* " PLAIN LOGIN": what follows AUTH in the answer to EHLO; empty where it is
 * not to be announced. */
struct str login_offer(struct session *s);
void do_auth(struct session *s, struct str args);
/* What a login's name and mechanism may look like in logs and headers. */
struct str login_printable(struct arena *a, struct str text);

/* owner.c: have the header of s->message looked at. */
void owner_watch(struct session *s);

/* limits.c: how much a client may do. False: refused, a reply was given. */
bool limits_connect(struct session *s);
bool limits_mail(struct session *s);
bool limits_rcpt(struct session *s);
/* n new TLS sessions; no reply is given. */
bool limits_tls(struct session *s, unsigned n);
/* One more AUTH command. */
bool limits_login(struct session *s);

#endif
