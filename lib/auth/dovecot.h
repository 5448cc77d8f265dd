/*
 * dovecot.h - the lines of Dovecot's auth-client protocol, version 1.2, for
 * both sides, without I/O.
 *
 * A line is words with tabs in between and LF at its end. In a word \001 and
 * one of 0 1 t r n stand for NUL, \001, tab, CR and LF. Parsers take a line
 * without its LF, builders append one with it. Words are views of the line,
 * or of the arena where something was escaped.
 */
#ifndef AUTH_DOVECOT_H
#define AUTH_DOVECOT_H

#include "auth/binding.h"
#include "auth/mech.h"
#include "base/buf.h"
#include "base/why.h"

#define DOVECOT_MAJOR 1
#define DOVECOT_MINOR 2

/* Longest line that is read: a response of SASL_INPUT_MAX in base64, and the
 * parameters. */
#define DOVECOT_LINE_MAX 32768

/* Mechanisms that others must not announce: without a channel binding or a
 * certificate they cannot work. They are marked so, as "private". */
#define DOVECOT_PRIVATE (SASL_BINDING | SASL_NEEDS_CERT)

/* Longest line that Dovecot's own server reads; with a longer one it closes
 * the connection. */
#define DOVECOT_LINE_SEND 16383

void dovecot_escape(struct buf *b, struct str word);
struct str dovecot_unescape(struct arena *a, struct str word);

/* The words of a line, one after the other; "name=value" and "name". */
struct dovecot_word {
    struct str name, value; /* value.p NULL: only a name */
};
bool dovecot_next(struct arena *a, struct str *rest, struct dovecot_word *w);

/*
 * What a client asks for: AUTH. Texts are empty where they were not said.
 * Beyond Dovecot's own, which ignores what it does not know, Posta's smtpd
 * gives its own authd channel bindings: binding=tls-exporter:BASE64, one
 * parameter each.
 */
struct dovecot_request {
    uint32_t id;
    struct str mech, service;
    struct str lip, rip, lport, rport;
    struct str local_name, session;
    struct str ssl_cipher, ssl_cipher_bits, ssl_pfs, ssl_protocol;
    struct str cert_username;
    bool secured, tls; /* "secured", "secured=tls" */
    bool valid_client_cert, no_penalty, nologin, final_resp_ok, debug;
    struct sasl_binding bindings[SASL_BINDINGS];
    bool has_resp;
    struct str resp; /* raw, not base64; secret, as CONT's data is */
};

/* What a server says to it: OK, FAIL or CONT. */
enum dovecot_verb {
    DOVECOT_VERSION, /* number, minor */
    DOVECOT_CPID,    /* number */
    DOVECOT_SPID,    /* number */
    DOVECOT_CUID,    /* number */
    DOVECOT_COOKIE,  /* text */
    DOVECOT_MECH,    /* text, properties, private */
    DOVECOT_DONE,
    DOVECOT_AUTH,     /* request */
    DOVECOT_CONT,     /* id, data */
    DOVECOT_CANCEL,   /* id */
    DOVECOT_OK,       /* id, fields */
    DOVECOT_FAIL,     /* id, fields */
    DOVECOT_USER,     /* id, text: the user; fields. Of the master protocol */
    DOVECOT_PASS,     /* id, text: the user; fields */
    DOVECOT_NOTFOUND, /* id */
    DOVECOT_OTHER,    /* another verb: ignore it */
};

struct dovecot_line {
    enum dovecot_verb verb;
    uint32_t id;
    uint64_t number;
    uint32_t minor;
    struct str text;
    struct str data;     /* CONT: raw */
    bool bad_data;       /* AUTH, CONT: what came from the far client is not
                            base64 or too long: FAIL that one, go on */
    unsigned properties; /* MECH: SASL_ bits */
    bool is_private;     /* MECH: not to be announced */
    struct str fields;   /* what follows, still escaped: dovecot_next */
    struct dovecot_request request;
};

/*
 * Take a line apart. False, with a text for the log that shows nothing of the
 * client's data, where it breaks the protocol: then the connection is closed.
 */
bool dovecot_parse(struct arena *a, struct str line, struct dovecot_line *out,
                   const char **wrong) MUST_USE;

/* What OK and FAIL say. */
enum dovecot_code {
    DOVECOT_REFUSED, /* wrong password, unknown user */
    DOVECOT_TEMP,
    DOVECOT_AUTHZ,
    DOVECOT_DISABLED,
    DOVECOT_EXPIRED,
};

struct dovecot_reply {
    struct str user;        /* empty: not said */
    struct str reason;      /* of FAIL, for the client; empty: none */
    enum dovecot_code code; /* of FAIL */
    bool nologin;           /* of OK: proved, but may not log in */
    bool nodelay;
    struct str resp; /* of OK: raw final data; empty: none */
};

/* Read the fields of an OK or FAIL line. */
bool dovecot_reply_parse(struct arena *a, const struct dovecot_line *line,
                         struct dovecot_reply *reply) MUST_USE;

/* The server's lines. */
void dovecot_put_version(struct buf *b);
void dovecot_put_number(struct buf *b, const char *verb, uint64_t number);
void dovecot_put_cookie(struct buf *b, const uint8_t cookie[16]);
void dovecot_put_mech(struct buf *b, const struct sasl_mech *mech);
void dovecot_put_done(struct buf *b);
/* Also the client's. */
void dovecot_put_cont(struct buf *b, uint32_t id, struct str data);
/* OK and FAIL without the LF: fields may follow, then dovecot_put_end. */
void dovecot_put_ok(struct buf *b, uint32_t id,
                    const struct dovecot_reply *reply);
void dovecot_put_fail(struct buf *b, uint32_t id,
                      const struct dovecot_reply *reply);
/* USER, PASS of the master protocol, likewise open at the end. */
void dovecot_put_found(struct buf *b, const char *verb, uint32_t id,
                       struct str user);
void dovecot_put_notfound(struct buf *b, uint32_t id);
/* One more word: name=value, or the name alone where value.p is NULL. */
void dovecot_put_field(struct buf *b, struct str name, struct str value);
void dovecot_put_end(struct buf *b);

/* The client's lines. `service` is what it is asked for. */
void dovecot_put_user(struct buf *b, uint32_t id, struct str user,
                      struct str service);
void dovecot_put_auth(struct buf *b, const struct dovecot_request *request);
void dovecot_put_cancel(struct buf *b, uint32_t id);

#endif
