/*
 * smtp.h - the words of SMTP for both sides: extensions, the parameters of
 * MAIL and RCPT, replies.
 */
#ifndef MAIL_SMTP_H
#define MAIL_SMTP_H

#include "base/buf.h"
#include "base/why.h"
#include "mail/envelope.h"

/* Extensions, as bits: for what a server announced, what we announce, and
 * what the site wants ignored. */
#define SMTP_EXTENSIONS(X)                                                     \
    X(PIPELINING, "PIPELINING")                                                \
    X(SIZE, "SIZE")                                                            \
    X(VRFY, "VRFY")                                                            \
    X(ETRN, "ETRN")                                                            \
    X(STARTTLS, "STARTTLS")                                                    \
    X(AUTH, "AUTH")                                                            \
    X(ENHANCED, "ENHANCEDSTATUSCODES")                                         \
    X(EIGHT_BIT, "8BITMIME")                                                   \
    X(DSN, "DSN")                                                              \
    X(UTF8, "SMTPUTF8")                                                        \
    X(CHUNKING, "CHUNKING")                                                    \
    X(BINARYMIME, "BINARYMIME")                                                \
    X(LIMITS, "LIMITS")                                                        \
    X(REQUIRETLS, "REQUIRETLS")                                                \
    X(FUTURERELEASE, "FUTURERELEASE")                                          \
    X(XVERP, "XVERP")                                                          \
    X(XCLIENT, "XCLIENT")                                                      \
    X(XFORWARD, "XFORWARD")                                                    \
    X(HELP, "HELP")

enum smtp_extension {
#define SMTP_NUMBER(id, name) SMTP_NUMBER_##id,
    SMTP_EXTENSIONS(SMTP_NUMBER)
#undef SMTP_NUMBER
        SMTP_EXTENSION_COUNT
};

enum {
#define SMTP_BIT(id, name) SMTP_##id = 1 << SMTP_NUMBER_##id,
    SMTP_EXTENSIONS(SMTP_BIT)
#undef SMTP_BIT
};

/* "SIZE" of SMTP_SIZE. */
const char *smtp_extension_name(enum smtp_extension number);
/* The bit of a keyword, whatever its case; 0 if it is none of ours. */
unsigned smtp_extension_bit(struct str keyword);
/* The bits of a list "pipelining, silent-discard, x" (…_discard_ehlo_keywords,
 * separated by blanks and commas); unknown words are skipped. */
unsigned smtp_extension_list(struct str list);

/* What a server said to EHLO (the client's side). */
struct smtp_server {
    unsigned offers;                      /* SMTP_ bits */
    uint64_t size;                        /* largest message; 0: not said */
    struct str auth;                      /* mechanisms, "PLAIN LOGIN" */
    struct str xclient, xforward;         /* attribute names */
    uint64_t mailmax, rcptmax, domainmax; /* LIMITS (RFC 9422); 0: not said */
};

/* One line of the reply but its first, without code: "SIZE 1000". Also takes
 * "AUTH=PLAIN" of old servers. Texts are copied to the arena. */
void smtp_server_line(struct arena *a, struct smtp_server *s, struct str line);

/* Parameters of MAIL (the server's side). */
struct smtp_mail {
    uint64_t size;              /* SIZE, 0 if not given */
    unsigned flags;             /* ENVELOPE_8BIT, _UTF8, _RET_ */
    bool binary;                /* BODY=BINARYMIME */
    bool requiretls;            /* REQUIRETLS */
    struct str envid;           /* decoded */
    struct str auth;            /* AUTH=, decoded; p NULL if not given */
    int64_t hold_for;           /* HOLDFOR, in seconds; 0 if not given */
    int64_t hold_until;         /* HOLDUNTIL, seconds since 1970; 0: no */
    bool verp;                  /* XVERP was given */
    struct str verp_delimiters; /* empty: the site's default */
};

/*
 * Parse what follows the path of MAIL. `offered` are the extensions that were
 * announced; a parameter of any other is refused. *code is the reply code for
 * a failure: 501 or 555 (unknown parameter).
 */
enum rc smtp_mail_parse(struct arena *a, struct str text, unsigned offered,
                        struct smtp_mail *m, int *code,
                        struct why *why) MUST_USE;

/* Parameters of RCPT. */
struct smtp_rcpt {
    unsigned notify;  /* NOTIFY_ bits, 0 if not given */
    struct str orcpt; /* decoded (envelope.h), empty if not given */
};

enum rc smtp_rcpt_parse(struct arena *a, struct str text, unsigned offered,
                        struct smtp_rcpt *r, int *code,
                        struct why *why) MUST_USE;

/* The next "KEY=value" or "KEY" of a parameter list; false at the end. value.p
 * is NULL without "=". */
bool smtp_parameter(struct str *rest, struct str *key, struct str *value);

/*
 * A reply as it comes in. The text has the lines as they came, codes and all,
 * joined with a blank ("550-5.1.1 no 550 5.1.1 such user"), without control
 * bytes, up to SMTP_REPLY_MAX; lines that do not fit are left out. The code
 * is the last line's; the enhanced code too, or "5.0.0" where the server gave
 * none of the reply's class.
 */
#define SMTP_REPLY_MAX   4096
#define SMTP_REPLY_LINES 1000

struct smtp_reply {
    int code;
    char dsn[10];
    struct buf text;
    unsigned lines;
};

enum smtp_part {
    SMTP_MORE, /* another line follows */
    SMTP_LAST,
    SMTP_BAD, /* no reply line, or too many of them */
};

void smtp_reply_begin(struct smtp_reply *r, struct arena *a);
enum smtp_part smtp_reply_add(struct smtp_reply *r, struct str line);

/* A single line "250-text": its code, text and place. */
enum smtp_part smtp_reply_line(struct str line, int *code, struct str *text);

#endif
