/*
 * who.h - a recipient's address and its parts, and the $names that
 * forward_path, luser_relay, commands and pipes know it by.
 */
#ifndef LOCAL_WHO_H
#define LOCAL_WHO_H

#include "base/arena.h"
#include "base/why.h"

struct who {
    struct str addr;      /* user+ext@domain, as it is */
    struct str domain;    /* behind the last "@"; may be empty */
    struct str local;     /* before it, in lower case */
    struct str user;      /* without extension */
    struct str extension; /* empty where there is none */
    char delimiter[2];    /* the one that was found, else the first */
};

/* delimiters: recipient_delimiter, or "". An extension with "/" in it is none
 * (it might come into a path). */
struct who who_parse(struct arena *a, struct str addr, const char *delimiters);

struct who_names {
    const struct who *who;
    const char *home, *shell; /* NULL: not known */
    const char *filter;       /* other bytes of values become "_"; NULL: all
                                 may stay */
    bool used_extension;      /* out: $extension was asked for */
};

/*
 * Expand $user $local $domain $extension $recipient $recipient_delimiter
 * $home $shell, with the grammar of conf/expand.h. Values are never expanded
 * themselves. PERM where the text is malformed.
 */
enum rc who_expand(struct arena *a, const char *text, struct who_names *names,
                   struct str *out, struct why *why) MUST_USE;

/* Each byte that is not in `filter` as "_". */
struct str who_filter(struct arena *a, struct str value, const char *filter);

#endif
