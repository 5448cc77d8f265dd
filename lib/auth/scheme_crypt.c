/*
 * What crypt(3) knows. The cost stands in the hash, and is looked at before it
 * is paid.
 */
#include <crypt.h>
#include <errno.h>

#include "auth/scheme_kind.h"

/* A digit of crypt's own base 64. */
static unsigned
digit(char c)
{
    static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (unsigned)(at - digits) : UINT32_MAX;
}

/* Number in that base, little endian. */
static unsigned
digits(struct str s, size_t from, size_t count)
{
    unsigned value = 0;

    for (size_t i = 0; i < count; i++) {
        unsigned d = from + i < s.len ? digit(s.p[from + i]) : UINT32_MAX;

        if (d == UINT32_MAX)
            return UINT32_MAX;
        value |= d << 6 * i;
    }
    return value;
}

/* KiB of scrypt's and yescrypt's N (log2) and r. */
static bool
memory_is_fine(unsigned log2n, uint64_t r)
{
    return log2n < 32 && r > 0 && r < 1 << 16 &&
           (r << log2n) / 8 <= SCHEME_MEMORY_MAX;
}

/* "$y$": a flavour, log2 N and r, of one digit each; more would follow where
 * it asks for parallel work or more passes. */
static bool
yescrypt_is_cheap(struct str rest)
{
    return rest.len > 3 && rest.p[3] == '$' && digit(rest.p[1]) < 48 &&
           digit(rest.p[2]) < 48 &&
           memory_is_fine(digit(rest.p[1]) + 1, digit(rest.p[2]) + 1);
}

/* "$7$": log2 N, r and p of 1, 5 and 5 digits. */
static bool
scrypt_is_cheap(struct str rest)
{
    unsigned n = digits(rest, 0, 1);

    return n < 64 && memory_is_fine(n, digits(rest, 1, 5)) &&
           digits(rest, 6, 5) <= 4;
}

/* "$2y$": two decimal digits. */
static bool
blowfish_is_cheap(struct str rest)
{
    uint64_t cost;

    return str_num(str_sub(rest, 0, 2), &cost) && cost <= SCHEME_BLOWFISH_MAX;
}

/* "rounds=N$", or as many as usual. */
static bool
rounds_are_cheap(struct str rest)
{
    struct str number;
    uint64_t rounds;

    if (!str_skip(&rest, S("rounds=")))
        return true;
    return str_cut(&rest, '$', &number) && str_num(number, &rounds) &&
           rounds <= SCHEME_ROUNDS_MAX;
}

/* "$sha1$N$". */
static bool
number_is_cheap(struct str rest)
{
    struct str number;
    uint64_t rounds;

    return str_cut(&rest, '$', &number) && str_num(number, &rounds) &&
           rounds <= SCHEME_ROUNDS_MAX;
}

/* "_": four digits. */
static bool
bsdi_is_cheap(struct str rest)
{
    return digits(rest, 0, 4) <= SCHEME_ROUNDS_MAX / 20;
}

static bool
always(struct str rest)
{
    return rest.len > 0;
}

static const struct {
    const char *prefix;
    bool (*is_cheap)(struct str rest);
} forms[] = {
    {"$y$",    yescrypt_is_cheap},
    {"$gy$",   yescrypt_is_cheap},
    {"$7$",    scrypt_is_cheap  },
    {"$2a$",   blowfish_is_cheap},
    {"$2b$",   blowfish_is_cheap},
    {"$2x$",   blowfish_is_cheap},
    {"$2y$",   blowfish_is_cheap},
    {"$5$",    rounds_are_cheap },
    {"$6$",    rounds_are_cheap },
    {"$sha1$", number_is_cheap  },
    {"$md5$",  always           },
    {"$md5,",  rounds_are_cheap },
    {"$1$",    always           },
    {"$3$",    always           },
    {"_",      bsdi_is_cheap    },
};

static enum rc
check_cost(struct str hash, struct why *why)
{
    for (size_t i = 0; i < COUNT(forms); i++)
        if (str_starts(hash, str_from(forms[i].prefix))) {
            struct str rest = str_sub(hash, strlen(forms[i].prefix), hash.len);

            return forms[i].is_cheap(rest) ? OK : scheme_too_dear(why);
        }
    /* DES: 13 digits. */
    for (size_t i = 0; i < hash.len; i++)
        if (digit(hash.p[i]) == UINT32_MAX)
            return scheme_damaged(why);
    return hash.len == 13 ? OK : scheme_damaged(why);
}

/* Locked accounts have "!" or "*" before the hash, or nothing else. */
static bool
is_locked(struct str hash)
{
    return hash.len == 0 || hash.p[0] == '!' || hash.p[0] == '*';
}

enum rc
scheme_crypt_verify(struct arena *a, const struct scheme *s, struct str hash,
                    struct str password, struct why *why)
{
    struct crypt_data *data = arena_make(a, struct crypt_data);
    const char *setting = arena_cstr(a, hash);

    (void)s;
    if (is_locked(hash))
        return scheme_right(false, why);
    enum rc rc = check_cost(hash, why);

    if (rc != OK)
        return rc;
    if (password.len > SCHEME_CRYPT_MAX)
        return scheme_right(false, why);
    char *secret = arena_cstr(a, password);
    const char *made = crypt_r(secret, setting, data);
    bool works = made && made[0] != '*';
    bool right = works && digest_equal(str_from(made), hash);

    explicit_bzero(secret, password.len);
    explicit_bzero(data, sizeof *data);
    return works ? scheme_right(right, why) : scheme_damaged(why);
}

enum rc
scheme_crypt_make(struct buf *b, const struct scheme *s, struct str password,
                  unsigned rounds, struct why *why)
{
    struct crypt_data *data = arena_make(b->arena, struct crypt_data);
    char salt[CRYPT_GENSALT_OUTPUT_SIZE];
    bool blowfish = str_starts(str_from(s->prefix), S("$2"));

    /* Blowfish looks at no more, so that two passwords would be one. */
    if (password.len > (blowfish ? 72 : SCHEME_CRYPT_MAX))
        return fail(why, "5.7.0", "the password is too long for %s", s->name);
    if (!crypt_gensalt_rn(s->prefix, rounds, NULL, 0, salt, sizeof salt))
        return fail(why, "5.7.0", "%s cannot be made with %u rounds", s->name,
                    rounds);
    char *secret = arena_cstr(b->arena, password);
    const char *made = crypt_r(secret, salt, data);

    if (made == NULL || made[0] == '*')
        return fail(why, "5.7.0", "crypt(3) does not know %s", s->name);
    buf_add(b, str_from(made));
    explicit_bzero(secret, password.len);
    explicit_bzero(data, sizeof *data);
    return check_cost(buf_str(b), why);
}
