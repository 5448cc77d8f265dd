/*
 * dovecot_words.h - the words of Dovecot's protocol as tables, behind
 * dovecot.h; each ends with a row whose word is NULL.
 */
#ifndef AUTH_DOVECOT_WORDS_H
#define AUTH_DOVECOT_WORDS_H

#include "auth/dovecot.h"

/* What a MECH line says of a mechanism. */
struct dovecot_property {
    const char *word;
    unsigned bit;
};

/*
 * Parameters of AUTH: texts and flags by their place in struct
 * dovecot_request. An alias is how newer versions call one: understood, not
 * said.
 */
enum dovecot_kind { IS_TEXT, IS_FLAG, IS_ALIAS };

struct dovecot_parameter {
    const char *word;
    size_t at;
    enum dovecot_kind kind;
};

/* What FAIL says as a word, and as code=. */
struct dovecot_failure {
    const char *word, *code;
    enum dovecot_code means;
};

extern const struct dovecot_property dovecot_properties[];
extern const struct dovecot_parameter dovecot_parameters[];
extern const struct dovecot_failure dovecot_failures[];

#endif
