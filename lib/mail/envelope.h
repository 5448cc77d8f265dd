/*
 * envelope.h - a message's envelope in memory (RFC 5321 2.3.1, RFC 3461).
 *
 * Producers fill one, queue/file.h stores and loads it, qmgr schedules by it.
 * All views belong to the arena of whoever made it. Addresses are without
 * angle brackets; the null sender is the empty view.
 */
#ifndef MAIL_ENVELOPE_H
#define MAIL_ENVELOPE_H

#include "base/str.h"

enum {
    ENVELOPE_8BIT = 1,      /* BODY=8BITMIME */
    ENVELOPE_UTF8 = 2,      /* SMTPUTF8 */
    ENVELOPE_RET_HDRS = 4,  /* RET=HDRS */
    ENVELOPE_RET_FULL = 8,  /* RET=FULL */
    ENVELOPE_LOCAL = 16,    /* written on this machine (sendmail, bounce) */
    ENVELOPE_HOLD = 32,     /* starts on hold */
    ENVELOPE_PROBE = 64,    /* an address verification probe */
    ENVELOPE_BV = 128,      /* sendmail -bv: report, deliver nothing */
    ENVELOPE_VERBOSE = 256, /* sendmail -v: report what was done */
};

/* NOTIFY of RFC 3461; 0 is "not given", which means failure and delay. */
enum {
    NOTIFY_NEVER = 1,
    NOTIFY_SUCCESS = 2,
    NOTIFY_FAILURE = 4,
    NOTIFY_DELAY = 8,
};

struct rcpt {
    struct str addr;      /* final address, after virtual aliases */
    struct str orig;      /* as it was given; empty if the same */
    struct str orcpt;     /* ORCPT, decoded: "rfc822;user@example.org" */
    unsigned notify;      /* NOTIFY_ bits */
    struct str transport; /* service of master.cf: "smtp", "local" ... */
    struct str nexthop;   /* "example.org", "[10.0.0.1]:25" */
};

/* Where a message came from, for the log, Received and XFORWARD. */
struct origin {
    struct str name, addr; /* "mail.example.org" or "unknown", "192.0.2.1" */
    struct str helo, proto;
    struct str login; /* SASL user, else empty */
    int64_t port;
};

struct envelope {
    int64_t arrived; /* microseconds since 1970 */
    int64_t release; /* do not deliver before (same unit); 0: at once */
    struct str sender, envid;
    struct str verp;   /* two VERP delimiters or empty */
    struct str filter; /* transport:nexthop of a content filter, or empty */
    struct str message_id;
    unsigned flags; /* ENVELOPE_ bits */
    struct origin origin;
    struct rcpt *rcpts;
    size_t nrcpts;
};

#endif
