#include "auth/scheme.h"

#include "auth/saslprep.h"
#include "auth/scheme_kind.h"
#include "auth/scram.h"
#include "mail/base64.h"

enum rc
scheme_right(bool right, struct why *why)
{
    return right ? OK : fail(why, "5.7.8", "the password does not match");
}

enum rc
scheme_damaged(struct why *why)
{
    return fail(why, "4.3.0", "the stored password is damaged");
}

enum rc
scheme_too_dear(struct why *why)
{
    return fail(why, "4.3.0",
                "the stored password asks for more work or memory than is "
                "allowed");
}

#define PLAIN_ROW(name)                                                        \
    {                                                                          \
        name, AS_IS, 0, 0, NULL, 0, scheme_plain_verify, scheme_plain_make     \
    }
#define DIGEST_ROW(name, encoding, size, digest, make)                         \
    {                                                                          \
        name, encoding, size, digest, NULL, 0, scheme_digest_verify, make      \
    }
#define CRYPT_ROW(name, prefix, rounds)                                        \
    {                                                                          \
        name, AS_IS, 0, 0, prefix, rounds, scheme_crypt_verify,                \
            scheme_crypt_make                                                  \
    }

static const struct scheme schemes[] = {
    {"ARGON2ID",      AS_IS, 0,  0,             NULL, 2,                   scheme_argon_verify,  scheme_argon_make},
    {"ARGON2I",       AS_IS, 0,  0,             NULL, 4,                   scheme_argon_verify,  scheme_argon_make},
    {"ARGON2",        AS_IS, 0,  0,             NULL, 0,                   scheme_argon_verify,  NULL             },
    {"SCRAM-SHA-256", AS_IS, 0,  DIGEST_SHA256, NULL, SCHEME_SCRAM_ROUNDS,
     scheme_scram_verify,                                                                        scheme_scram_make},
    {"SCRAM-SHA-1",   AS_IS, 0,  DIGEST_SHA1,   NULL, SCHEME_SCRAM_ROUNDS,
     scheme_scram_verify,                                                                        scheme_scram_make},
    CRYPT_ROW("CRYPT", "$y$", 0),
    CRYPT_ROW("BLF-CRYPT", "$2y$", 10),
    CRYPT_ROW("SHA512-CRYPT", "$6$", 50000),
    CRYPT_ROW("SHA256-CRYPT", "$5$", 50000),
    CRYPT_ROW("MD5-CRYPT", "$1$", 0),
    CRYPT_ROW("MD5", "$1$", 0),
 /* Looks at eight bytes only: not for new ones. */
    {"DES-CRYPT",     AS_IS, 0,  0,             "",   0,                   scheme_crypt_verify,  NULL             },
    {"PBKDF2",        AS_IS, 0,  DIGEST_SHA1,   NULL, 100000,              scheme_pbkdf2_verify,
     scheme_pbkdf2_make                                                                                           },
    DIGEST_ROW("SSHA512", BASE64, 0, DIGEST_SHA512, scheme_salted_make),
    DIGEST_ROW("SSHA256", BASE64, 0, DIGEST_SHA256, scheme_salted_make),
    DIGEST_ROW("SSHA", BASE64, 0, DIGEST_SHA1, scheme_salted_make),
    DIGEST_ROW("SMD5", BASE64, 0, DIGEST_MD5, scheme_salted_make),
    DIGEST_ROW("SHA512", BASE64, 64, DIGEST_SHA512, scheme_digest_make),
    DIGEST_ROW("SHA256", BASE64, 32, DIGEST_SHA256, scheme_digest_make),
    DIGEST_ROW("SHA1", BASE64, 20, DIGEST_SHA1, scheme_digest_make),
    DIGEST_ROW("SHA", BASE64, 20, DIGEST_SHA1, scheme_digest_make),
    DIGEST_ROW("PLAIN-MD5", HEX, 16, DIGEST_MD5, scheme_digest_make),
    DIGEST_ROW("LDAP-MD5", BASE64, 16, DIGEST_MD5, scheme_digest_make),
    {"CRAM-MD5",      HEX,   32, 0,             NULL, 0,                   scheme_cram_verify,   scheme_cram_make },
    {"HMAC-MD5",      HEX,   32, 0,             NULL, 0,                   scheme_cram_verify,   scheme_cram_make },
    PLAIN_ROW("PLAIN"),
    PLAIN_ROW("CLEAR"),
    PLAIN_ROW("CLEARTEXT"),
};

static const struct {
    const char *suffix;
    enum encoding encoding;
} suffixes[] = {
    {".HEX",    HEX   },
    {".B64",    BASE64},
    {".BASE64", BASE64},
};

/* The scheme of that name, and the encoding it asks for: its own, or that
 * behind the name, which is told apart by *forced. */
static const struct scheme *
find(struct str name, enum encoding *encoding, bool *forced)
{
    *forced = false;
    for (size_t i = 0; i < COUNT(suffixes); i++)
        if (str_iends(name, str_from(suffixes[i].suffix))) {
            *encoding = suffixes[i].encoding;
            *forced = true;
            name.len -= strlen(suffixes[i].suffix);
            break;
        }
    for (size_t i = 0; i < COUNT(schemes); i++)
        if (str_ieq(name, str_from(schemes[i].name))) {
            if (!*forced)
                *encoding = schemes[i].encoding;
            return &schemes[i];
        }
    return NULL;
}

bool
scheme_cut(struct str stored, const char *none, struct str *scheme,
           struct str *hash)
{
    *scheme = str_from(none);
    *hash = stored;
    if (!str_skip(&stored, S("{")))
        return true;
    if (!str_cut(&stored, '}', scheme))
        return false;
    *hash = stored;
    /* In LDAP "{MD5}" is not what crypt(3) makes. */
    if (str_ieq(*scheme, S("MD5")) && !str_starts(stored, S("$1$")))
        *scheme = S("LDAP-MD5");
    return true;
}

bool
scheme_known(struct str scheme)
{
    enum encoding encoding;
    bool forced;

    return find(scheme, &encoding, &forced) != NULL;
}

const char *
scheme_name(size_t i)
{
    for (size_t n = 0; n < COUNT(schemes); n++)
        if (schemes[n].make && i-- == 0)
            return schemes[n].name;
    return NULL;
}

static bool
unhex(struct buf *b, struct str hex)
{
    uint64_t byte;

    if (hex.len % 2)
        return false;
    for (size_t i = 0; i < hex.len; i += 2) {
        if (!str_hex(str_sub(hex, i, 2), &byte))
            return false;
        buf_addc(b, (char)byte);
    }
    return true;
}

/* Base64 with or without its padding. */
static bool
unbase64(struct buf *b, struct str text)
{
    struct buf padded = buf_in(b->arena);

    buf_add(&padded, text);
    while (padded.len % 4)
        buf_addc(&padded, '=');
    return base64_decode(b, buf_str(&padded));
}

/* Hashes of a known length tell by their own how they are written down. */
static enum encoding
guess(const struct scheme *s, enum encoding encoding, struct str hash)
{
    if (s->raw_len == 0)
        return encoding;
    return hash.len == 2 * s->raw_len ? HEX : BASE64;
}

struct stored {
    const struct scheme *scheme;
    struct str hash; /* decoded */
};

static enum rc
stored_parse(struct arena *a, struct str text, const char *none,
             struct stored *st, struct why *why)
{
    enum encoding encoding;
    struct buf b = buf_in(a);
    struct str name;
    bool forced;

    if (text.len > SCHEME_STORED_MAX ||
        !scheme_cut(text, none, &name, &st->hash))
        return scheme_damaged(why);
    st->scheme = find(name, &encoding, &forced);
    if (st->scheme == NULL)
        return fail(why, "4.3.0", "the password scheme %.*s is unknown",
                    STR(name));
    if (!forced)
        encoding = guess(st->scheme, encoding, st->hash);
    if (encoding == AS_IS)
        return OK;
    if (!(encoding == HEX ? unhex(&b, st->hash) : unbase64(&b, st->hash)))
        return scheme_damaged(why);
    st->hash = buf_str(&b);
    if (st->scheme->raw_len && st->hash.len != st->scheme->raw_len)
        return scheme_damaged(why);
    return OK;
}

enum rc
scheme_verify(struct arena *a, struct str stored, const char *none,
              struct str password, struct why *why)
{
    struct stored st = {0};
    enum rc rc = stored_parse(a, stored, none, &st, why);

    if (rc != OK)
        return rc;
    must(st.scheme != NULL);
    /* Whatever is stored: nobody gets in with no password. */
    if (password.len == 0)
        return scheme_right(false, why);
    return st.scheme->verify(a, st.scheme, st.hash, password, why);
}

void
scheme_waste(struct arena *a, struct str password)
{
    struct buf b = buf_in(a);
    struct why why;

    if (schemes[0].make(&b, &schemes[0], password, schemes[0].rounds, &why) ==
        OK)
        explicit_bzero(b.p, b.len);
}

enum rc
scheme_make(struct arena *a, struct str scheme, struct str password,
            unsigned rounds, struct str *stored, struct why *why)
{
    enum encoding encoding;
    bool forced;
    const struct scheme *s = find(scheme, &encoding, &forced);
    struct buf raw = buf_in(a), out = buf_in(a);

    if (s == NULL || s->make == NULL)
        return fail(why, "5.7.0", "there is no password scheme %.*s",
                    STR(scheme));
    enum rc rc = s->make(&raw, s, password, rounds ? rounds : s->rounds, why);

    if (rc != OK)
        return rc;
    buf_fmt(&out, "{%.*s}", STR(scheme));
    if (encoding == HEX)
        scheme_add_hex(&out, buf_str(&raw));
    else if (encoding == BASE64)
        base64_encode(&out, buf_str(&raw));
    else
        buf_add(&out, buf_str(&raw));
    *stored = buf_str(&out);
    return OK;
}

static bool
is_plain(const struct scheme *s)
{
    return s->verify == scheme_plain_verify;
}

static void
scram_from_plain(struct arena *a, enum digest d, struct str password,
                 struct str user, struct str secret, struct buf *out)
{
    struct scram_keys keys = {.rounds = SCHEME_SCRAM_ROUNDS};
    struct str prepared = password;

    if (!saslprep(a, password, true, &prepared))
        prepared = password;
    scram_salt(secret, user, &keys);
    scram_keys_make(d, prepared, &keys);
    scram_keys_print(out, d, &keys);
    explicit_bzero(&keys, sizeof keys);
}

enum rc
scheme_credentials(struct arena *a, struct str stored, const char *none,
                   const char *wanted, struct str user, struct str secret,
                   struct str *data, struct why *why)
{
    enum encoding encoding;
    bool forced;
    const struct scheme *want = find(str_from(wanted), &encoding, &forced);
    struct buf out = buf_in(a);
    struct stored st = {0};
    enum rc rc = stored_parse(a, stored, none, &st, why);

    if (rc != OK)
        return rc;
    must(want != NULL && st.scheme != NULL);
    bool plain = is_plain(st.scheme);

    /* CRAM-MD5 and HMAC-MD5 are two names of one scheme. */
    if (!plain && (st.scheme->verify != want->verify ||
                   st.scheme->digest != want->digest))
        return fail(why, "5.7.8", "no %s from a password kept as %s", wanted,
                    st.scheme->name);
    if (want->verify == scheme_cram_verify) {
        struct buf half = buf_in(a);

        if (plain)
            (void)scheme_cram_make(&half, want, st.hash, 0, why);
        scheme_add_hex(&out, plain ? buf_str(&half) : st.hash);
    } else if (plain) {
        scram_from_plain(a, want->digest, st.hash, user, secret, &out);
    } else {
        buf_add(&out, st.hash);
    }
    *data = buf_str(&out);
    return OK;
}
