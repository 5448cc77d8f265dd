#include "auth/dovecot_words.h"

/* What stands for which byte behind \001. */
static const struct {
    char byte, letter;
} escapes[] = {
    {'\0',   '0'},
    {'\001', '1'},
    {'\t',   't'},
    {'\r',   'r'},
    {'\n',   'n'},
};

static void
escape_byte(struct buf *b, char c)
{
    for (size_t i = 0; i < COUNT(escapes); i++)
        if (c == escapes[i].byte) {
            buf_addc(b, '\001');
            c = escapes[i].letter;
            break;
        }
    buf_addc(b, c);
}

void
dovecot_escape(struct buf *b, struct str word)
{
    for (size_t i = 0; i < word.len; i++)
        escape_byte(b, word.p[i]);
}

static char
unescape_letter(char c)
{
    for (size_t i = 0; i < COUNT(escapes); i++)
        if (c == escapes[i].letter)
            return escapes[i].byte;
    return c;
}

struct str
dovecot_unescape(struct arena *a, struct str word)
{
    struct buf b = buf_in(a);

    if (str_find(word, '\001') < 0)
        return word;
    for (size_t i = 0; i < word.len; i++)
        if (word.p[i] != '\001')
            buf_addc(&b, word.p[i]);
        else if (++i < word.len)
            buf_addc(&b, unescape_letter(word.p[i]));
    return buf_str(&b);
}

const struct dovecot_property dovecot_properties[] = {
    {"plaintext",       SASL_PLAINTEXT },
    {"dictionary",      SASL_DICTIONARY},
    {"active",          SASL_ACTIVE    },
    {"forward-secrecy", SASL_FORWARD   },
    {"mutual-auth",     SASL_MUTUAL    },
    {"channel-binding", SASL_BINDING   },
    {NULL,              0              },
};

#define AT(name) offsetof(struct dovecot_request, name)
#define TEXT(name)                                                             \
    {                                                                          \
#name, AT(name), IS_TEXT                                               \
    }
#define FLAG(word, name)                                                       \
    {                                                                          \
        word, AT(name), IS_FLAG                                                \
    }
#define ALIAS(word, name)                                                      \
    {                                                                          \
        word, AT(name), IS_ALIAS                                               \
    }

const struct dovecot_parameter dovecot_parameters[] = {
    TEXT(service),
    TEXT(lip),
    TEXT(rip),
    TEXT(lport),
    TEXT(rport),
    TEXT(local_name),
    TEXT(session),
    TEXT(ssl_cipher),
    TEXT(ssl_cipher_bits),
    TEXT(ssl_pfs),
    TEXT(ssl_protocol),
    TEXT(cert_username),
    ALIAS("tls_cipher", ssl_cipher),
    ALIAS("tls_cipher_bits", ssl_cipher_bits),
    ALIAS("tls_pfs", ssl_pfs),
    ALIAS("tls_protocol", ssl_protocol),
    FLAG("valid-client-cert", valid_client_cert),
    FLAG("no-penalty", no_penalty),
    FLAG("nologin", nologin),
    FLAG("final-resp-ok", final_resp_ok),
    FLAG("debug", debug),
    FLAG("secured", secured),
    {NULL, 0, 0},
};

const struct dovecot_failure dovecot_failures[] = {
    {"temp",          "temp_fail",     DOVECOT_TEMP    },
    {"authz",         "authz_fail",    DOVECOT_AUTHZ   },
    {"user_disabled", "user_disabled", DOVECOT_DISABLED},
    {"pass_expired",  "pass_expired",  DOVECOT_EXPIRED },
    {NULL,            NULL,            0               },
};
