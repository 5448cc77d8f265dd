/* HMAC-MD5 cut in half needs the state inside MD5, which only OpenSSL's older
 * interface shows. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "tls/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/md5.h>
#include <openssl/rand.h>

#define MD5_BLOCK 64

static const struct {
    const EVP_MD *(*md)(void);
    size_t size;
} digests[DIGEST_COUNT] = {
    [DIGEST_MD5] = {EVP_md5,    16},
    [DIGEST_SHA1] = {EVP_sha1,   20},
    [DIGEST_SHA256] = {EVP_sha256, 32},
    [DIGEST_SHA512] = {EVP_sha512, 64},
};

size_t
digest_size(enum digest d)
{
    return digests[d].size;
}

void
digest_of(enum digest d, const struct str *pieces, size_t count, uint8_t *out)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    must(ctx != NULL && EVP_DigestInit_ex(ctx, digests[d].md(), NULL));
    for (size_t i = 0; i < count; i++)
        must(EVP_DigestUpdate(ctx, pieces[i].p, pieces[i].len));
    must(EVP_DigestFinal_ex(ctx, out, NULL));
    EVP_MD_CTX_free(ctx);
}

void
digest_hmac(enum digest d, struct str key, struct str data, uint8_t *out)
{
    /* With a NULL key HMAC would go on with the one before. */
    must(HMAC(digests[d].md(), key.len ? key.p : "", (int)key.len,
              (const unsigned char *)data.p, data.len, out, NULL) != NULL);
}

void
digest_pbkdf2(enum digest d, struct str password, struct str salt,
              unsigned rounds, uint8_t *out, size_t len)
{
    must(PKCS5_PBKDF2_HMAC(password.len ? password.p : "", (int)password.len,
                           (const unsigned char *)salt.p, (int)salt.len,
                           (int)rounds, digests[d].md(), (int)len, out));
}

/* The four words of MD5's state, little endian. */
static void
md5_state_put(const MD5_CTX *ctx, uint8_t out[16])
{
    const MD5_LONG word[] = {ctx->A, ctx->B, ctx->C, ctx->D};

    for (unsigned i = 0; i < 16; i++)
        out[i] = (uint8_t)(word[i / 4] >> 8 * (i % 4));
}

/* As if one block had been hashed. */
static void
md5_state_get(MD5_CTX *ctx, const uint8_t in[16])
{
    MD5_LONG word[4] = {0};

    for (unsigned i = 0; i < 16; i++)
        word[i / 4] |= (MD5_LONG)in[i] << 8 * (i % 4);
    must(MD5_Init(ctx));
    ctx->A = word[0];
    ctx->B = word[1];
    ctx->C = word[2];
    ctx->D = word[3];
    ctx->Nl = MD5_BLOCK * 8;
}

static void
md5_after_pad(const uint8_t key[MD5_BLOCK], uint8_t with, uint8_t out[16])
{
    uint8_t block[MD5_BLOCK];
    MD5_CTX ctx;

    for (size_t i = 0; i < MD5_BLOCK; i++)
        block[i] = key[i] ^ with;
    must(MD5_Init(&ctx) && MD5_Update(&ctx, block, sizeof block));
    md5_state_put(&ctx, out);
    OPENSSL_cleanse(block, sizeof block);
    OPENSSL_cleanse(&ctx, sizeof ctx);
}

void
digest_hmac_md5_state(struct str key, uint8_t state[32])
{
    uint8_t block[MD5_BLOCK] = {0};

    if (key.len > sizeof block)
        digest_of(DIGEST_MD5, &key, 1, block);
    else if (key.len > 0)
        memcpy(block, key.p, key.len);
    md5_after_pad(block, 0x5c, state);
    md5_after_pad(block, 0x36, state + 16);
    OPENSSL_cleanse(block, sizeof block);
}

void
digest_hmac_md5_resume(const uint8_t state[32], struct str data,
                       uint8_t out[16])
{
    uint8_t inner[16];
    MD5_CTX ctx;

    md5_state_get(&ctx, state + 16);
    must(MD5_Update(&ctx, data.p, data.len) && MD5_Final(inner, &ctx));
    md5_state_get(&ctx, state);
    must(MD5_Update(&ctx, inner, sizeof inner) && MD5_Final(out, &ctx));
    OPENSSL_cleanse(&ctx, sizeof ctx);
}

void
digest_random(void *to, size_t len)
{
    must(RAND_bytes(to, (int)len) == 1);
}

bool
digest_equal(struct str a, struct str b)
{
    return a.len == b.len &&
           (a.len == 0 || CRYPTO_memcmp(a.p, b.p, a.len) == 0);
}
