/*
 * options.h - protocol versions and ciphers as main.cf says them, for both
 * sides.
 */
#ifndef TLS_OPTIONS_H
#define TLS_OPTIONS_H

#include <openssl/types.h>

#include "base/arena.h"
#include "base/why.h"

/* 0: no limit. */
struct tls_protocols {
    int least, most; /* TLS1_2_VERSION and the like */
    uint64_t off;    /* SSL_OP_NO_ bits of versions between */
};

/*
 * ">=TLSv1.2", "<=TLSv1.3", "!SSLv3", "TLSv1.2 TLSv1.3" (only these), a
 * version also as its number on the wire, "0303". TEMP 4.3.5 for what is none
 * of them.
 */
enum rc tls_protocols_parse(struct str text, struct tls_protocols *out,
                            struct why *why) MUST_USE;
/* To a context or, where ssl is not NULL, to a session. */
void tls_protocols_apply(const struct tls_protocols *p, SSL_CTX *ctx, SSL *ssl);

/* tls_high_cipherlist and so on. */
struct tls_grades {
    const char *high, *medium, *low, *export, *null;
};

/*
 * The library's cipher list (TLS 1.2 and below) of a grade without those of a
 * list: "medium", "aNULL, RC4". TEMP 4.3.5 where the grade is unknown or an
 * exclusion is no plain cipher name.
 */
enum rc tls_ciphers_make(struct arena *a, const struct tls_grades *grades,
                         struct str grade, struct str exclude,
                         const char **list, struct why *why) MUST_USE;

/* What is logged. */
enum {
    TLS_LOG_SUMMARY = 1,   /* one line a session */
    TLS_LOG_UNTRUSTED = 2, /* why a certificate is not trusted, also where
                              that does not matter */
    TLS_LOG_PEER = 4,      /* whose it is */
    TLS_LOG_STEPS = 8,     /* what is being done */
};

/* smtpd_tls_loglevel and its kin: a number, or words. False where one of them
 * means nothing. */
bool tls_log_parse(struct str text, unsigned *bits) MUST_USE;

#endif
