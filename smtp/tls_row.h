/*
 * tls_row.h - a row of smtp_tls_policy_maps:
 *
 *     example.org  secure match=nexthop:.example.net ciphers=high
 *
 * The level, then attributes, separated by blanks and commas. What is wrong in
 * any of them makes all of it wrong, as it could be what security hangs on.
 */
#ifndef SMTP_TLS_ROW_H
#define SMTP_TLS_ROW_H

#include "tls/client.h"

/* A list of views; p of the texts below is NULL where they are not given. */
struct tls_words {
    struct str *at;
    size_t count;
};

struct tls_row {
    enum tls_level level;
    struct str protocols, ciphers, exclude, servername;
    struct tls_words match;   /* names; at level fingerprint: prints */
    struct tls_words anchors; /* files (tafile=) */
};

/* PERM 5.3.5: what is wrong with it, "invalid security level \"x\"". What
 * has no meaning at level none is told to `ignored`, which may be NULL. */
enum rc tls_row_parse(struct arena *a, struct str text, struct tls_row *row,
                      void (*ignored)(struct str attribute),
                      struct why *why) MUST_USE;

/* The words of a text between these bytes, appended. */
void tls_words_add(struct arena *a, struct tls_words *w, struct str text,
                   const char *separators);

#endif
