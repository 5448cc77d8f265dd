/*
 * import_conn.h - a connection to an IMAP server, as its client.
 *
 * TEMP is trouble of the connection: it may be made anew. PERM is what the
 * server refuses (5.3.0; 5.3.2 for now; 5.7.8: the login), or a server that
 * breaks the protocol (5.5.0). Lines, literals and whole responses are bounded;
 * the body of a message is streamed.
 */
#ifndef CMD_IMPORT_CONN_H
#define CMD_IMPORT_CONN_H

#include "base/str.h"
#include "base/why.h"
#include "dns/dns.h"
#include "mail/imap_reply.h"
#include "tls/client.h"

struct conn_server {
    struct str host;
    unsigned port;
    bool wrapped;  /* TLS from the first byte */
    bool insecure; /* no certificate is checked, and none is needed */
    struct dns *dns;
    struct tls_client *tls;
};

struct conn;

/* Connected, greeted and encrypted. */
enum rc conn_open(const struct conn_server *server, struct conn **c,
                  struct why *why) MUST_USE;
void conn_close(struct conn *c);

/* PLAIN, or LOGIN where the server has no PLAIN. */
enum rc conn_login(struct conn *c, struct str user, struct str password,
                   struct why *why) MUST_USE;

/* Has the server that word in CAPABILITY? */
bool conn_has(const struct conn *c, const char *word);

/* Send a command; lines end with CRLF, its tag is made here. */
void conn_send(struct conn *c, const char *fmt, ...) PRINTF(2, 3);

/* Each untagged response before the tagged one of the oldest command that is
 * under way. What it returns but OK is the result, once the rest was read. */
typedef enum rc conn_take(void *own, const struct imap_reply *r,
                          struct why *why);
/* OK or PERM with the server's text. `take` may be NULL. */
enum rc conn_wait(struct conn *c, conn_take *take, void *own,
                  struct why *why) MUST_USE;

/* Who gets bodies of messages as they come. uid is 0 where the server has not
 * said it yet. False: what follows of this one is dropped. */
typedef bool conn_sink(void *own, uint32_t uid, struct str bytes);
void conn_stream(struct conn *c, conn_sink *sink, void *own);

#endif
