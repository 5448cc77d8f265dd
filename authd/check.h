/*
 * check.h - what authd asks auth-worker and auth-pam, and their answers: the
 * packets check and checked of messages.def.
 */
#ifndef AUTHD_CHECK_H
#define AUTHD_CHECK_H

#include "base/str.h"

enum check_what {
    CHECK_HASH,        /* does the secret fit one of `stored`? */
    CHECK_WASTE,       /* NO, as late as a hash of the default scheme */
    CHECK_CREDENTIALS, /* of stored's first for the scheme named by `service`;
                          YES: in text. secret: sasl_peer's */
    CHECK_PASSWORD,    /* of `user`, by `source` */
    CHECK_TOKEN,       /* likewise; user may be empty */
    CHECK_USER,        /* what does `source` know of `user`? */
};

enum check_verdict {
    CHECK_YES,
    CHECK_UNKNOWN, /* there is no such user */
    CHECK_NO,
    CHECK_DISABLED, /* right, but may not log in */
    CHECK_EXPIRED,  /* right, but too old */
    CHECK_TEMP,     /* cannot be found out */
};

/* Longest list of fields of one answer that is used. */
#define ANSWER_FIELDS_MAX 8192

struct question {
    enum check_what what;
    struct str source, user, secret;
    struct str stored; /* list of rec_stored */
    struct str service, address;
};

struct answer {
    enum check_verdict verdict;
    unsigned which;    /* of CHECK_HASH: which of `stored`, from 0 */
    struct str user;   /* as the source writes it; empty: as it was asked */
    struct str fields; /* list of rec_field */
    struct str text;   /* why, for the log */
};

#endif
