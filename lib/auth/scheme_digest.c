/* Passwords in the clear, and those hashed by what OpenSSL has. */
#include "auth/scheme_kind.h"
#include "auth/scram.h"

/* Bytes of salt in new hashes. */
#define SALT 12

static struct str
bytes(const uint8_t *p, size_t len)
{
    return (struct str){(const char *)p, len};
}

enum rc
scheme_plain_verify(struct arena *a, const struct scheme *s, struct str hash,
                    struct str password, struct why *why)
{
    (void)a, (void)s;
    return scheme_right(digest_equal(hash, password), why);
}

enum rc
scheme_plain_make(struct buf *b, const struct scheme *s, struct str password,
                  unsigned rounds, struct why *why)
{
    (void)s, (void)rounds, (void)why;
    buf_add(b, password);
    return OK;
}

/* A digest of password and salt, the salt behind it; without salt where
 * nothing is behind it. */
enum rc
scheme_digest_verify(struct arena *a, const struct scheme *s, struct str hash,
                     struct str password, struct why *why)
{
    size_t size = digest_size(s->digest);
    const struct str pieces[] = {password, str_sub(hash, size, hash.len)};
    uint8_t out[DIGEST_MAX];

    (void)a;
    if (hash.len < size)
        return scheme_damaged(why);
    digest_of(s->digest, pieces, COUNT(pieces), out);
    return scheme_right(digest_equal(bytes(out, size), str_sub(hash, 0, size)),
                        why);
}

static void
add_digest(struct buf *b, enum digest d, struct str password, struct str salt)
{
    const struct str pieces[] = {password, salt};
    uint8_t out[DIGEST_MAX];

    digest_of(d, pieces, COUNT(pieces), out);
    buf_add(b, bytes(out, digest_size(d)));
    buf_add(b, salt);
}

enum rc
scheme_digest_make(struct buf *b, const struct scheme *s, struct str password,
                   unsigned rounds, struct why *why)
{
    (void)rounds, (void)why;
    add_digest(b, s->digest, password, S(""));
    return OK;
}

enum rc
scheme_salted_make(struct buf *b, const struct scheme *s, struct str password,
                   unsigned rounds, struct why *why)
{
    uint8_t salt[SALT];

    (void)rounds, (void)why;
    digest_random(salt, sizeof salt);
    add_digest(b, s->digest, password, bytes(salt, sizeof salt));
    return OK;
}

enum rc
scheme_cram_verify(struct arena *a, const struct scheme *s, struct str hash,
                   struct str password, struct why *why)
{
    uint8_t half[32];

    (void)a, (void)s;
    digest_hmac_md5_state(password, half);
    bool right = digest_equal(bytes(half, sizeof half), hash);

    explicit_bzero(half, sizeof half);
    return scheme_right(right, why);
}

enum rc
scheme_cram_make(struct buf *b, const struct scheme *s, struct str password,
                 unsigned rounds, struct why *why)
{
    uint8_t half[32];

    (void)s, (void)rounds, (void)why;
    digest_hmac_md5_state(password, half);
    buf_add(b, bytes(half, sizeof half));
    explicit_bzero(half, sizeof half);
    return OK;
}

enum rc
scheme_scram_verify(struct arena *a, const struct scheme *s, struct str hash,
                    struct str password, struct why *why)
{
    size_t size = digest_size(s->digest);
    struct scram_keys kept, made;

    if (!scram_keys_parse(a, s->digest, hash, &kept))
        return scheme_damaged(why);
    made = kept;
    scram_keys_make(s->digest, password, &made);
    bool stored =
        digest_equal(bytes(kept.stored, size), bytes(made.stored, size));
    bool server =
        digest_equal(bytes(kept.server, size), bytes(made.server, size));

    explicit_bzero(&kept, sizeof kept);
    explicit_bzero(&made, sizeof made);
    return scheme_right(stored && server, why);
}

enum rc
scheme_scram_make(struct buf *b, const struct scheme *s, struct str password,
                  unsigned rounds, struct why *why)
{
    struct scram_keys keys = {.rounds = rounds, .salt_len = 16};

    if (rounds < 4096 || rounds > SCHEME_ROUNDS_MAX)
        return fail(why, "5.7.0", "%s needs 4096 to %u rounds", s->name,
                    SCHEME_ROUNDS_MAX);
    digest_random(keys.salt, keys.salt_len);
    scram_keys_make(s->digest, password, &keys);
    scram_keys_print(b, s->digest, &keys);
    explicit_bzero(&keys, sizeof keys);
    return OK;
}

void
scheme_add_hex(struct buf *b, struct str raw)
{
    for (size_t i = 0; i < raw.len; i++)
        buf_fmt(b, "%02x", (unsigned char)raw.p[i]);
}

/* "$1$salt$rounds$hex": SHA-1, 20 bytes. */
static void
add_pbkdf2(struct buf *b, struct str salt, unsigned rounds, struct str password)
{
    uint8_t out[20];

    digest_pbkdf2(DIGEST_SHA1, password, salt, rounds, out, sizeof out);
    buf_fmt(b, "$1$%.*s$%u$", STR(salt), rounds);
    scheme_add_hex(b, bytes(out, sizeof out));
    explicit_bzero(out, sizeof out);
}

enum rc
scheme_pbkdf2_verify(struct arena *a, const struct scheme *s, struct str hash,
                     struct str password, struct why *why)
{
    struct str rest = hash, salt, number;
    struct buf b = buf_in(a);
    uint64_t rounds;

    (void)s;
    if (!str_skip(&rest, S("$1$")) || !str_cut(&rest, '$', &salt) ||
        !str_cut(&rest, '$', &number) || !str_num(number, &rounds) ||
        rounds == 0 || salt.len == 0 || rest.len != 40)
        return scheme_damaged(why);
    if (rounds > SCHEME_ROUNDS_MAX)
        return scheme_too_dear(why);
    add_pbkdf2(&b, salt, (unsigned)rounds, password);
    return scheme_right(digest_equal(buf_str(&b), hash), why);
}

enum rc
scheme_pbkdf2_make(struct buf *b, const struct scheme *s, struct str password,
                   unsigned rounds, struct why *why)
{
    struct buf salt = buf_in(b->arena);
    uint8_t raw[8];

    if (rounds < 1000 || rounds > SCHEME_ROUNDS_MAX)
        return fail(why, "5.7.0", "%s needs 1000 to %u rounds", s->name,
                    SCHEME_ROUNDS_MAX);
    digest_random(raw, sizeof raw);
    scheme_add_hex(&salt, bytes(raw, sizeof raw));
    add_pbkdf2(b, buf_str(&salt), rounds, password);
    return OK;
}
