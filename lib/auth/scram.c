#include "auth/scram.h"

#include "auth/scheme.h"
#include "mail/base64.h"

void
scram_xor(uint8_t *to, const uint8_t *with, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] ^= with[i];
}

static struct str
bytes(const uint8_t *p, size_t len)
{
    return (struct str){(const char *)p, len};
}

void
scram_keys_client(enum digest d, struct str password,
                  const struct scram_keys *k, uint8_t *client, uint8_t *stored,
                  uint8_t *server)
{
    size_t size = digest_size(d);
    uint8_t salted[DIGEST_MAX];
    struct str key = bytes(client, size);

    digest_pbkdf2(d, password, bytes(k->salt, k->salt_len), k->rounds, salted,
                  size);
    digest_hmac(d, bytes(salted, size), S("Client Key"), client);
    digest_of(d, &key, 1, stored);
    digest_hmac(d, bytes(salted, size), S("Server Key"), server);
    explicit_bzero(salted, sizeof salted);
}

void
scram_keys_make(enum digest d, struct str password, struct scram_keys *k)
{
    uint8_t client[DIGEST_MAX];

    scram_keys_client(d, password, k, client, k->stored, k->server);
    explicit_bzero(client, sizeof client);
}

void
scram_keys_print(struct buf *b, enum digest d, const struct scram_keys *k)
{
    buf_fmt(b, "%u,", k->rounds);
    base64_encode(b, bytes(k->salt, k->salt_len));
    buf_addc(b, ',');
    base64_encode(b, bytes(k->stored, digest_size(d)));
    buf_addc(b, ',');
    base64_encode(b, bytes(k->server, digest_size(d)));
}

static bool
decode(struct arena *a, struct str text, uint8_t *out, size_t max, size_t *len)
{
    struct buf raw = buf_in(a);

    if (text.len > (max + 2) / 3 * 4 || !base64_decode(&raw, text) ||
        raw.len > max)
        return false;
    memcpy(out, buf_str(&raw).p, raw.len);
    explicit_bzero(raw.p, raw.len);
    *len = raw.len;
    return true;
}

bool
scram_keys_parse(struct arena *a, enum digest d, struct str text,
                 struct scram_keys *k)
{
    size_t size = digest_size(d), stored, server;
    struct str part[4];
    uint64_t rounds;

    for (size_t i = 0; i < COUNT(part); i++)
        if (str_cut(&text, ',', &part[i]) != (i < COUNT(part) - 1))
            return false;
    if (!str_num(part[0], &rounds) || rounds < 1 || rounds > SCHEME_ROUNDS_MAX)
        return false;
    k->rounds = (unsigned)rounds;
    return decode(a, part[1], k->salt, sizeof k->salt, &k->salt_len) &&
           decode(a, part[2], k->stored, size, &stored) && stored == size &&
           decode(a, part[3], k->server, size, &server) && server == size;
}

/* A text that differs by use, so that one secret serves several. */
static void
derive(struct str secret, struct str use, struct str user, uint8_t out[32])
{
    const struct str pieces[] = {use, S("\0"), user};
    uint8_t name[32];

    digest_of(DIGEST_SHA256, pieces, COUNT(pieces), name);
    digest_hmac(DIGEST_SHA256, secret, bytes(name, sizeof name), out);
}

void
scram_salt(struct str secret, struct str user, struct scram_keys *k)
{
    uint8_t out[32];

    derive(secret, S("salt"), user, out);
    k->salt_len = 16;
    memcpy(k->salt, out, k->salt_len);
}

void
scram_keys_invent(enum digest d, struct str secret, struct str user,
                  unsigned rounds, struct scram_keys *k)
{
    k->rounds = rounds;
    scram_salt(secret, user, k);
    digest_random(k->stored, digest_size(d));
    digest_random(k->server, digest_size(d));
}

bool
scram_attribute(struct str *rest, char name, struct str *value)
{
    if (rest->len < 2 || rest->p[0] != name || rest->p[1] != '=')
        return false;
    *rest = str_sub(*rest, 2, rest->len);
    str_cut(rest, ',', value);
    return true;
}

void
scram_name_encode(struct buf *b, struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.p[i] == ',')
            buf_add(b, S("=2C"));
        else if (name.p[i] == '=')
            buf_add(b, S("=3D"));
        else
            buf_addc(b, name.p[i]);
}

bool
scram_name_decode(struct arena *a, struct str in, struct str *name)
{
    struct buf b = buf_in(a);

    while (in.len > 0) {
        if (str_skip(&in, S("=2C"))) {
            buf_addc(&b, ',');
        } else if (str_skip(&in, S("=3D"))) {
            buf_addc(&b, '=');
        } else if (in.p[0] == '=') {
            return false;
        } else {
            buf_addc(&b, in.p[0]);
            in = str_sub(in, 1, in.len);
        }
    }
    *name = buf_str(&b);
    return true;
}
