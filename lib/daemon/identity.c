#include "daemon/identity.h"

#include <openssl/crypto.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "conf/identity.h"
#include "sys/priv.h"

#define SOON_DAYS 30

/* ---- reading */

static void
wipe(struct str *text)
{
    OPENSSL_secure_clear_free((char *)(uintptr_t)text->p, text->len);
    *text = (struct str){0};
}

/* One file more behind what is there. */
static enum rc
load_one(const char *path, struct str *all, struct why *why)
{
    struct str one;
    enum rc rc = chain_load(path, &one, why);

    if (rc != OK)
        return rc;
    size_t len = all->len + one.len + 1;
    char *more = len <= CHAIN_TEXT_MAX ? OPENSSL_secure_malloc(len) : NULL;

    if (more == NULL) {
        rc = fail(why, "5.3.0", "%s: too large", path);
    } else {
        if (all->len > 0)
            memcpy(more, all->p, all->len);
        memcpy(more + all->len, one.p, one.len);
        more[len - 1] = '\n';
        wipe(all);
        *all = (struct str){more, len};
    }
    chain_wipe(&one);
    return rc;
}

static enum rc
load(struct arena *a, struct str files, struct str *text, struct why *why)
{
    struct str word;
    enum rc rc = OK;

    *text = (struct str){0};
    while (rc == OK && str_word(&files, " ", &word))
        rc = load_one(arena_cstr(a, word), text, why);
    if (rc != OK)
        wipe(text);
    return rc;
}

static enum rc
read_pair(struct arena *a, struct str files, struct chains *out,
          struct why *why)
{
    struct str key_file, cert_file, key, certs;

    if (!str_word(&files, " ", &key_file) || !str_word(&files, " ", &cert_file))
        return fail(why, "5.3.0", "a key and a certificate are needed");
    enum rc rc = load(a, key_file, &key, why);

    if (rc != OK)
        return rc;
    rc = load(a, cert_file, &certs, why);
    if (rc == OK)
        rc = chain_read_pair(key, certs, out, why);
    wipe(&certs);
    wipe(&key);
    return rc;
}

static enum rc
read_chain(struct arena *a, struct str files, struct chains *out,
           struct why *why)
{
    struct str text;
    enum rc rc = load(a, files, &text, why);

    if (rc == OK)
        rc = chain_read(text, out, why);
    wipe(&text);
    return rc;
}

enum rc
identity_read(struct arena *a, struct str line, struct chains *out,
              struct why *why)
{
    if (str_skip(&line, S("pair ")))
        return read_pair(a, line, out, why);
    if (str_skip(&line, S("chain ")))
        return read_chain(a, line, out, why);
    return fail(why, "5.3.0", "no line of an identity");
}

/* ---- looking over */

struct look {
    struct arena *a;
    const struct conf *conf;
    identity_remark *remark;
    void *own;
    const char *files;
};

static void say(const struct look *l, const char *fmt, ...) PRINTF(2, 3);

static void
say(const struct look *l, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    const char *text = arena_vfmt(l->a, fmt, args);

    va_end(args);
    l->remark(l->own, arena_fmt(l->a, "%s: %s", l->files, text));
}

static const char *
name_of(const struct look *l, const X509_NAME *name)
{
    char text[256] = "";

    X509_NAME_get_text_by_NID(name, NID_commonName, text, sizeof text);
    return arena_fmt(l->a, "%s", *text ? text : "without a name");
}

static const char *
subject_of(const struct look *l, const X509 *cert)
{
    return name_of(l, X509_get_subject_name(cert));
}

static const char *
day(const struct look *l, const ASN1_TIME *t)
{
    struct tm tm = {0};
    char text[32] = "?";

    if (ASN1_TIME_to_tm(t, &tm))
        strftime(text, sizeof text, "%Y-%m-%d", &tm);
    return arena_fmt(l->a, "%s", text);
}

static void
look_at_dates(const struct look *l, const X509 *cert)
{
    const ASN1_TIME *from = X509_get0_notBefore(cert);
    const ASN1_TIME *to = X509_get0_notAfter(cert);
    time_t now = time(NULL), soon = now + SOON_DAYS * 24 * 3600;

    if (X509_cmp_time(to, &now) < 0)
        say(l, "the certificate of %s has expired on %s", subject_of(l, cert),
            day(l, to));
    else if (X509_cmp_time(to, &soon) < 0)
        say(l, "the certificate of %s expires on %s", subject_of(l, cert),
            day(l, to));
    if (X509_cmp_time(from, &now) > 0)
        say(l, "the certificate of %s is not valid before %s",
            subject_of(l, cert), day(l, from));
}

/* What the system trusts need not be sent along. */
static bool
is_known(X509 *cert)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509 *issuer = NULL;
    bool known = store && ctx && X509_STORE_set_default_paths(store) &&
                 X509_STORE_CTX_init(ctx, store, cert, NULL) &&
                 X509_STORE_CTX_get1_issuer(&issuer, ctx, cert) > 0;

    X509_free(issuer);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    return known;
}

/* By its names: one for a server alone may not sign, not even itself. */
static bool
is_self_signed(X509 *cert)
{
    return X509_NAME_cmp(X509_get_subject_name(cert),
                         X509_get_issuer_name(cert)) == 0;
}

static void
look_at_order(const struct look *l, const struct chain *c)
{
    X509 *last = c->certs.at[c->certs.len - 1];
    size_t at;

    if (!chain_in_order(c, &at))
        say(l,
            "certificates are out of order: behind that of %s must stand "
            "that of %s",
            subject_of(l, c->certs.at[at]),
            name_of(l, X509_get_issuer_name(c->certs.at[at])));
    else if (!is_self_signed(last) && !is_known(last))
        say(l,
            "a certificate seems to be missing: that of %s, which has "
            "signed that of %s, is neither here nor known to the system",
            name_of(l, X509_get_issuer_name(last)), subject_of(l, last));
}

static void
look_at_name(const struct look *l, X509 *cert)
{
    const char *host = l->conf->myhostname;

    if (X509_check_host(cert, host, strlen(host), 0, NULL) != 1)
        say(l, "the certificate of %s is not for myhostname = %s",
            subject_of(l, cert), host);
}

static bool
is_in(const struct priv_user *user, gid_t gid)
{
    for (size_t i = 0; i < user->ngroups; i++)
        if (user->groups[i] == gid)
            return true;
    return user->gid == gid;
}

/* Who talks to strangers is not to have keys, whoever takes him over. */
static void
look_at_rights(const struct look *l, const char *path)
{
    struct priv_user user;
    struct stat st;
    struct why why;

    if (stat(path, &st) < 0)
        return;
    if (st.st_mode & S_IROTH)
        l->remark(l->own, arena_fmt(l->a,
                                    "%s: everybody can read this private key; "
                                    "chmod 600 and chown root",
                                    path));
    else if (getuid() == 0 &&
             priv_find_user(l->conf->network_owner, &user, &why) == OK &&
             ((st.st_uid == user.uid && user.uid != 0) ||
              (st.st_mode & S_IRGRP && is_in(&user, st.st_gid))))
        l->remark(l->own, arena_fmt(l->a,
                                    "%s: network_owner = %s can read this "
                                    "private key; chmod 600 and chown root",
                                    path, l->conf->network_owner));
}

/* In a pair the key's file is the first; in a chain any may have one. */
static void
look_at_files(const struct look *l, struct str line)
{
    bool pair = str_skip(&line, S("pair "));
    struct str word, text;
    struct why why;

    if (!pair)
        str_skip(&line, S("chain "));
    while (str_word(&line, " ", &word)) {
        const char *path = arena_cstr(l->a, word);

        if (chain_load(path, &text, &why) == OK) {
            if (str_search(text, S("PRIVATE KEY-----")) >= 0)
                look_at_rights(l, path);
            chain_wipe(&text);
        }
        if (pair)
            break;
    }
}

void
identity_look_over(struct arena *a, const struct conf *conf, struct str line,
                   const struct chains *chains, identity_remark *remark,
                   void *own)
{
    struct str files = line, word;
    struct look l = {.a = a, .conf = conf, .remark = remark, .own = own};

    l.files = "";
    while (identity_next_file(&files, &word))
        l.files = arena_fmt(a, "%.*s", STR(word));
    for (size_t i = 0; i < chains->list.len; i++) {
        const struct chain *c = &chains->list.at[i];

        for (size_t k = 0; k < c->certs.len; k++)
            look_at_dates(&l, c->certs.at[k]);
        look_at_order(&l, c);
        look_at_name(&l, c->certs.at[0]);
    }
    look_at_files(&l, line);
}

void
identity_check(struct arena *a, const struct conf *conf, struct str identity,
               identity_remark *remark, void *own)
{
    struct str line;

    while (str_cut(&identity, '\n', &line) || line.len > 0) {
        struct chains chains = {0};
        struct why why;

        if (line.len == 0)
            continue;
        if (identity_read(a, line, &chains, &why) == OK)
            identity_look_over(a, conf, line, &chains, remark, own);
        else
            remark(own, arena_fmt(a, "%.*s: %s", STR(line), why.text));
        chains_free(&chains);
    }
}
