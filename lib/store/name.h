/*
 * name.h - the file name of a message in a Maildir.
 *
 * BASE:2,LETTERS - the base never changes, the letters are the flags: capital
 * ones the system's (D F R S T), small ones keywords by their place in
 * dovecot-keywords. Letters we do not know stay as they are. Fields of the
 * base: ",S=" is the file's size, ",W=" that with CRLF line ends, and what
 * stands before the first dot the time it was made.
 */
#ifndef STORE_NAME_H
#define STORE_NAME_H

#include "base/arena.h"

/* System flags of a message. */
enum {
    FLAG_ANSWERED = 1,
    FLAG_FLAGGED = 2,
    FLAG_DELETED = 4,
    FLAG_SEEN = 8,
    FLAG_DRAFT = 16,
    FLAG_ALL = 31,
};

/* Keywords that have a letter, and all there may be in one folder. */
#define KEYWORD_LETTERS 26
#define KEYWORDS_MAX    64
#define LETTERS_MASK    ((UINT64_C(1) << KEYWORD_LETTERS) - 1)

struct name {
    struct str base;
    struct str info;      /* behind ":2,"; empty where there is none */
    unsigned flags;       /* FLAG_ bits */
    uint64_t keywords;    /* bit 0 is "a" */
    uint64_t size, vsize; /* 0: not said */
    int64_t made;         /* seconds, 0: not said */
};

/* False for what is no message: empty, hidden, with control bytes. The views
 * are of `file`. */
bool name_parse(struct str file, struct name *n);

/* Only the base: in a listing all else is known of most files. */
bool name_base(struct str file, struct str *base);

/* The same file with these flags and keywords: a C string. */
const char *name_with(struct arena *a, const struct name *n, unsigned flags,
                      uint64_t keywords);

/* As arrival sorts: by time in the name, then the microseconds, then bytes. */
struct name_rank {
    uint64_t seconds, micros;
    struct str base;
};

struct name_rank name_rank(struct str base);
int name_rank_cmp(const struct name_rank *a, const struct name_rank *b);
int name_cmp(struct str a, struct str b);

#endif
