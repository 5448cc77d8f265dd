#include "auth/mech.h"

#include "auth/binding.h"

const struct sasl_mech sasl_mechs[] = {
#define SASL_ROW(id, name, properties) {SASL_##id, name, properties},
    SASL_MECHS(SASL_ROW)
#undef SASL_ROW
};

const struct sasl_mech *
sasl_mech_find(struct str name)
{
    for (size_t i = 0; i < SASL_COUNT; i++)
        if (str_ieq(name, str_from(sasl_mechs[i].name)))
            return &sasl_mechs[i];
    return NULL;
}

/* What each word asks for: properties that a mechanism must not have, or must
 * have. */
static const struct {
    const char *word;
    unsigned option, without, with;
} options_table[] = {
    {"noplaintext",     SASL_NO_PLAINTEXT,  SASL_PLAINTEXT,                   0           },
    {"noactive",        SASL_NO_ACTIVE,     SASL_PLAINTEXT | SASL_ACTIVE,     0           },
    {"nodictionary",    SASL_NO_DICTIONARY, SASL_PLAINTEXT | SASL_DICTIONARY, 0           },
    {"noanonymous",     SASL_NO_ANONYMOUS,  0,                                0           },
    {"forward_secrecy", SASL_WANT_FORWARD,  0,                                SASL_FORWARD},
    {"mutual_auth",     SASL_WANT_MUTUAL,   0,                                SASL_MUTUAL },
};

static unsigned
option_of(struct str word)
{
    for (size_t i = 0; i < COUNT(options_table); i++)
        if (str_ieq(word, str_from(options_table[i].word)))
            return options_table[i].option;
    return 0;
}

bool
sasl_options_parse(struct str words, unsigned *options, struct str *bad)
{
    struct str word;

    *options = 0;
    while (str_word(&words, " \t\r\n,", &word)) {
        unsigned option = option_of(word);

        if (option == 0) {
            *bad = word;
            return false;
        }
        *options |= option;
    }
    return true;
}

bool
sasl_options_allow(unsigned options, unsigned properties)
{
    for (size_t i = 0; i < COUNT(options_table); i++) {
        unsigned with = options_table[i].with;

        if (!(options & options_table[i].option))
            continue;
        if (properties & options_table[i].without)
            return false;
        if ((properties & with) != with)
            return false;
    }
    return true;
}

const struct sasl_binding *
sasl_binding_find(const struct sasl_binding *at, struct str type)
{
    for (size_t i = 0; i < SASL_BINDINGS; i++)
        if (at[i].data.len > 0 && str_eq(at[i].type, type))
            return &at[i];
    return NULL;
}
