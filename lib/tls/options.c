#include "tls/options.h"

#include <openssl/ssl.h>

#include "base/buf.h"

#define SEPARATORS ", \t\r\n:"

/* The unit in which versions can be switched off; SSLv2 is nowhere any more,
 * and named in old files. */
static const struct version {
    const char *name;
    int number;
    uint64_t off;
} versions[] = {
    {"SSLv2",   0x0002,         0                },
    {"SSLv3",   SSL3_VERSION,   SSL_OP_NO_SSLv3  },
    {"TLSv1",   TLS1_VERSION,   SSL_OP_NO_TLSv1  },
    {"TLSv1.1", TLS1_1_VERSION, SSL_OP_NO_TLSv1_1},
    {"TLSv1.2", TLS1_2_VERSION, SSL_OP_NO_TLSv1_2},
    {"TLSv1.3", TLS1_3_VERSION, SSL_OP_NO_TLSv1_3},
};

static const struct version *
find_version(struct str word)
{
    for (size_t i = 0; i < COUNT(versions); i++)
        if (str_ieq(word, str_from(versions[i].name)))
            return &versions[i];
    return NULL;
}

/* A limit may be a version that this library has no name for. */
static bool
limit_of(struct str word, int *limit)
{
    const struct version *v = find_version(word);
    uint64_t number;

    if (v) {
        *limit = v->number;
        return true;
    }
    str_skip(&word, S("0x"));
    if (!str_hex(word, &number) || number < 0x100 || number > 0xffff)
        return false;
    *limit = (int)number;
    return true;
}

struct lists {
    uint64_t excluded, included;
};

static bool
take_word(struct str word, struct lists *lists, struct tls_protocols *out)
{
    if (str_skip(&word, S(">=")))
        return limit_of(word, &out->least);
    if (str_skip(&word, S("<=")))
        return limit_of(word, &out->most);
    bool not = str_skip(&word, S("!"));
    const struct version *v = find_version(word);

    if (v == NULL)
        return false;
    *(not ? &lists->excluded : &lists->included) |= v->off;
    return true;
}

enum rc
tls_protocols_parse(struct str text, struct tls_protocols *out, struct why *why)
{
    struct lists lists = {0};
    struct str rest = text, word;
    uint64_t all = 0;

    *out = (struct tls_protocols){0};
    for (size_t i = 0; i < COUNT(versions); i++)
        all |= versions[i].off;
    while (str_word(&rest, SEPARATORS, &word))
        if (!take_word(word, &lists, out))
            return fail(why, "4.3.5", "bad TLS protocol \"%.*s\" in \"%.*s\"",
                        STR(word), STR(text));
    out->off = lists.excluded;
    if (lists.included)
        out->off |= all & ~lists.included;
    return OK;
}

/* The system's own limits (openssl.cnf) do not count: main.cf decides. */
void
tls_protocols_apply(const struct tls_protocols *p, SSL_CTX *ctx, SSL *ssl)
{
    int least = p->least < SSL3_VERSION ? 0 : p->least;

    if (ssl) {
        SSL_set_min_proto_version(ssl, least);
        SSL_set_max_proto_version(ssl, p->most);
        SSL_set_options(ssl, p->off);
    } else {
        SSL_CTX_set_min_proto_version(ctx, least);
        SSL_CTX_set_max_proto_version(ctx, p->most);
        SSL_CTX_set_options(ctx, p->off);
    }
}

static const char *
list_of(const struct tls_grades *grades, struct str name)
{
    const struct {
        const char *name, *list;
    } known[] = {
        {"high",   grades->high  },
        {"medium", grades->medium},
        {"low",    grades->low   },
        {"export", grades->export},
        {"null",   grades->null  },
    };

    for (size_t i = 0; i < COUNT(known); i++)
        if (str_ieq(name, str_from(known[i].name)))
            return known[i].list;
    return NULL;
}

enum rc
tls_ciphers_make(struct arena *a, const struct tls_grades *grades,
                 struct str grade, struct str exclude, const char **list,
                 struct why *why)
{
    struct buf out = buf_in(a);
    const char *base = list_of(grades, grade);
    struct str word;

    if (base == NULL)
        return fail(why, "4.3.5", "unknown TLS cipher grade \"%.*s\"",
                    STR(grade));
    buf_add(&out, str_from(base));
    while (str_word(&exclude, SEPARATORS, &word)) {
        if (memchr("!+-@", word.p[0], 4))
            return fail(why, "4.3.5",
                        "bad name of TLS ciphers to exclude: \"%.*s\"",
                        STR(word));
        buf_fmt(&out, ":!%.*s", STR(word));
    }
    *list = buf_str(&out).p;
    return OK;
}

/* A list of levels and names, of which only the first level counts. */
bool
tls_log_parse(struct str text, unsigned *bits)
{
    static const struct {
        const char *name;
        unsigned bits;
    } words[] = {
        {"0",                         0                },
        {"none",                      0                },
        {"1",                         TLS_LOG_SUMMARY  },
        {"routine",                   TLS_LOG_SUMMARY  },
        {"summary",                   TLS_LOG_SUMMARY  },
        {"untrusted",                 TLS_LOG_UNTRUSTED},
        {"peercert",                  TLS_LOG_PEER     },
        {"certmatch",                 TLS_LOG_PEER     },
        {"verbose",                   TLS_LOG_STEPS    },
        {"cache",                     TLS_LOG_STEPS    },
        {"2",                         ~0U              },
        {"debug",                     ~0U              },
        {"3",                         ~0U              },
        {"ssl-expert",                ~0U              },
        {"4",                         ~0U              },
        {"ssl-developer",             ~0U              },
        {"ssl-debug",                 TLS_LOG_STEPS    },
        {"ssl-handshake-packet-dump", TLS_LOG_STEPS    },
        {"ssl-session-packet-dump",   TLS_LOG_STEPS    },
    };
    struct str word;

    *bits = 0;
    while (str_word(&text, ", \t\r\n", &word)) {
        size_t i = 0;

        while (i < COUNT(words) && !str_ieq(word, str_from(words[i].name)))
            i++;
        if (i == COUNT(words))
            return false;
        *bits |= words[i].bits;
    }
    return true;
}
