/*
 * ARGON2, in the form "$argon2id$v=19$m=65536,t=3,p=1$salt$hash". libargon2
 * would start a thread per lane, which a sandboxed process cannot; lanes one
 * after the other give the same hash.
 */
#include <argon2.h>

#include "auth/scheme_kind.h"
#include "mail/base64.h"

/* Sizes of new ones, and the longest read. */
#define SALT     16
#define HASH     32
#define PART_MAX 128
#define MEMORY   19456 /* KiB: as OWASP has it with two passes */

struct argon {
    argon2_type type;
    unsigned version, memory, passes, lanes;
    struct str salt, hash;
};

/* "m=65536" and a separator behind it. */
static bool
take(struct str *rest, struct str name, char end, unsigned *value)
{
    struct str number;
    uint64_t n;

    if (!str_skip(rest, name) || !str_cut(rest, end, &number) ||
        !str_num(number, &n) || n > UINT32_MAX)
        return false;
    *value = (unsigned)n;
    return true;
}

/* Base64 as argon2 has it: without padding. */
static bool
decode(struct arena *a, struct str text, struct str *out)
{
    static const char *const padding[] = {"", NULL, "==", "="};
    const char *pad = padding[text.len % 4];
    struct buf b = buf_in(a);

    if (pad == NULL || text.len > PART_MAX)
        return false;
    text = str_from(arena_fmt(a, "%.*s%s", STR(text), pad));
    if (!base64_decode(&b, text))
        return false;
    *out = buf_str(&b);
    return true;
}

static bool
parse(struct arena *a, struct str in, struct argon *g)
{
    struct str salt;

    g->version = ARGON2_VERSION_10;
    if (str_skip(&in, S("$argon2id$")))
        g->type = Argon2_id;
    else if (str_skip(&in, S("$argon2i$")))
        g->type = Argon2_i;
    else
        return false;
    if (str_starts(in, S("v=")) &&
        (!take(&in, S("v="), '$', &g->version) ||
         (g->version != ARGON2_VERSION_10 && g->version != ARGON2_VERSION_13)))
        return false;
    return take(&in, S("m="), ',', &g->memory) &&
           take(&in, S("t="), ',', &g->passes) &&
           take(&in, S("p="), '$', &g->lanes) && str_cut(&in, '$', &salt) &&
           decode(a, salt, &g->salt) && decode(a, in, &g->hash);
}

static bool
is_cheap(const struct argon *g)
{
    return g->memory <= SCHEME_MEMORY_MAX && g->lanes <= SCHEME_LANES_MAX &&
           (uint64_t)g->memory * g->passes <= SCHEME_WORK_MAX;
}

/* The hash, as long as `out` has room. */
static bool
compute(struct arena *a, const struct argon *g, struct str password,
        uint8_t *out, size_t len)
{
    argon2_context ctx = {
        .out = out,
        .outlen = (uint32_t)len,
        .pwd = (uint8_t *)arena_str(a, password).p,
        .pwdlen = (uint32_t)password.len,
        .salt = (uint8_t *)arena_str(a, g->salt).p,
        .saltlen = (uint32_t)g->salt.len,
        .t_cost = g->passes,
        .m_cost = g->memory,
        .lanes = g->lanes,
        .threads = 1,
        .version = g->version,
    };
    bool done = argon2_ctx(&ctx, g->type) == ARGON2_OK;

    explicit_bzero(ctx.pwd, password.len);
    return done;
}

enum rc
scheme_argon_verify(struct arena *a, const struct scheme *s, struct str hash,
                    struct str password, struct why *why)
{
    uint8_t got[PART_MAX];
    struct argon g;

    (void)s;
    if (!parse(a, hash, &g) || g.hash.len > sizeof got)
        return scheme_damaged(why);
    if (!is_cheap(&g))
        return scheme_too_dear(why);
    if (!compute(a, &g, password, got, g.hash.len))
        return scheme_damaged(why);
    return scheme_right(
        digest_equal((struct str){(char *)got, g.hash.len}, g.hash), why);
}

static void
add_part(struct buf *b, struct str raw)
{
    base64_encode(b, raw);
    while (b->len > 0 && b->p[b->len - 1] == '=')
        b->len--;
}

enum rc
scheme_argon_make(struct buf *b, const struct scheme *s, struct str password,
                  unsigned rounds, struct why *why)
{
    uint8_t salt[SALT], hash[HASH];
    struct argon g = {
        .type = str_eq(str_from(s->name), S("ARGON2I")) ? Argon2_i : Argon2_id,
        .version = ARGON2_VERSION_13,
        .memory = MEMORY,
        .passes = rounds,
        .lanes = 1,
        .salt = {(char *)salt, sizeof salt},
    };

    digest_random(salt, sizeof salt);
    if (!is_cheap(&g) || !compute(b->arena, &g, password, hash, sizeof hash))
        return fail(why, "5.7.0", "%s cannot be made with %u passes", s->name,
                    rounds);
    buf_fmt(b, "$%s$v=%u$m=%u,t=%u,p=1$", argon2_type2string(g.type, 0),
            g.version, g.memory, g.passes);
    add_part(b, g.salt);
    buf_addc(b, '$');
    add_part(b, (struct str){(char *)hash, sizeof hash});
    explicit_bzero(hash, sizeof hash);
    return OK;
}
