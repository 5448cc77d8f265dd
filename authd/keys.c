/*
 * The role keys: gives certificates, and signatures made with their keys. A
 * process that holds keys is one that does nothing else; a few of them, as an
 * RSA signature takes a millisecond in which nobody else is served.
 */
#include "keys.h"

#include <errno.h>
#include <openssl/x509.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "authd.h"
#include "base/log.h"
#include "daemon/keys.h"
#include "sys/priv.h"
#include "tls/sign.h"

#define BUSY_AT   16  /* connections that make master start another */
#define FULL_AT   500 /* connections a worker takes */
#define LINGER_MS 10000

/* Handshakes that began with the old certificates go on with their keys for
 * so long; then whoever holds a connection makes another. */

static struct {
    struct daemon *daemon;
    struct loop *loop;
    struct packet packet;
    struct arena *scratch;
    uid_t askers[4];
    size_t asker_count;
    size_t open;
    bool ending;
} keys;

struct asker {
    struct link link;
    struct watch *watch;
};

/* ---- who may ask */

static void
add_asker(const char *name)
{
    struct priv_user user;
    struct why why;

    if (priv_find_user(name, &user, &why) != OK)
        log_fatal("%s", why.text);
    keys.askers[keys.asker_count++] = user.uid;
}

static bool
may_ask(int fd)
{
    uid_t uid;
    pid_t pid;

    if (!sock_peer_uid(fd, &uid, &pid))
        return false;
    for (size_t i = 0; i < keys.asker_count; i++)
        if (keys.askers[i] == uid)
            return true;
    if (uid == 0 || uid == getuid())
        return true;
    log_warn("user id %ld may not ask for keys", (long)uid);
    return false;
}

/* ---- answers */

static struct str
as_list(const struct chains *chains)
{
    struct buf list = buf_in(keys.scratch);

    for (size_t i = 0; chains && i < chains->list.len; i++) {
        const struct chain *c = &chains->list.at[i];
        struct buf certs = buf_in(keys.scratch);
        unsigned char name[SIGN_KEY_NAME];

        for (size_t k = 0; k < c->certs.len; k++) {
            unsigned char *der = NULL;
            int len = i2d_X509(c->certs.at[k], &der);
            struct rec_cert cert = {
                {(char *)der, len > 0 ? (size_t)len : 0}
            };

            put_cert(&certs, &cert);
            OPENSSL_free(der);
        }
        must(sign_key_name(c->key, name));
        struct rec_chain chain = {
            .key = {(char *)name, sizeof name},
              .certs = buf_str(&certs)
        };

        put_chain(&list, &chain);
    }
    return buf_str(&list);
}

static bool
answer_identity(const struct link *link)
{
    const struct chains *chains;
    struct msg_ask_identity ask;
    struct msg_identity answer = {0};
    struct why why;

    if (!read_ask_identity(&keys.packet, &ask))
        return false;
    answer.rc = keys_store_find(ask.identity, ask.name, &chains, &why);
    if (answer.rc == OK)
        answer.chains = as_list(chains);
    else
        answer.text = str_from(why.text);
    if (answer.chains.len > KEYS_CHAINS_MAX) {
        answer.rc = PERM;
        answer.text = S("the certificates are too large for a packet");
        answer.chains = S("");
    }
    if (answer.rc != OK)
        log_warn("certificate for %.*s: %.*s",
                 STR(ask.name.len > 0 ? ask.name : ask.identity),
                 STR(answer.text));
    return send_identity(link, &answer);
}

static bool
answer_signature(const struct link *link)
{
    unsigned char bytes[SIGN_BYTES_MAX];
    struct msg_ask_signature ask;
    struct msg_signature answer = {0};
    size_t len = sizeof bytes;
    struct why why;

    if (!read_ask_signature(&keys.packet, &ask))
        return false;
    EVP_PKEY *key = keys_store_key(ask.key);

    if (key == NULL || ask.scheme < 0 || ask.scheme > 0xffff)
        answer.rc = fail(&why, "5.7.0", "there is no such key");
    else
        answer.rc = sign_digest(key, (unsigned)ask.scheme, ask.digest, bytes,
                                &len, &why);
    if (answer.rc == OK)
        answer.bytes = (struct str){(char *)bytes, len};
    else
        answer.text = str_from(why.text);
    return send_signature(link, &answer);
}

static bool
answer(const struct link *link)
{
    switch (keys.packet.type) {
    case MSG_ask_identity:
        return answer_identity(link);
    case MSG_ask_signature:
        return answer_signature(link);
    default:
        return false;
    }
}

/* ---- connections */

static void
end_if_done(void)
{
    if (keys.ending && keys.open == 0)
        loop_stop(keys.loop);
}

static void
hang_up(struct asker *a)
{
    loop_unwatch(a->watch);
    close(a->link.fd);
    free(a);
    keys.open--;
    daemon_many_gone(keys.daemon);
    end_if_done();
}

static void
on_packet(void *self, unsigned events)
{
    struct asker *a = self;
    enum link_state state = link_receive(&a->link, &keys.packet);

    (void)events;
    if (state == LINK_AGAIN)
        return;
    if (state != LINK_OK || !answer(&a->link))
        hang_up(a);
    arena_reset(keys.scratch);
}

static void
on_connect(void *own, int fd, const struct sockaddr_storage *peer)
{
    (void)own;
    (void)peer;
    if (!may_ask(fd)) {
        close(fd);
        daemon_many_gone(keys.daemon);
        return;
    }
    struct asker *a = calloc(1, sizeof *a);

    must(a);
    a->link = (struct link){.fd = fd, .self = SIDE(KEYS), .peer = SIDE(TLS)};
    a->watch = loop_watch(keys.loop, fd, LOOP_READ, on_packet, a);
    keys.open++;
}

static void
linger_over(void *unused)
{
    (void)unused;
    loop_stop(keys.loop);
}

static void
on_end(void *own, bool now)
{
    (void)own;
    if (now)
        loop_stop(keys.loop);
    else if (!keys.ending)
        loop_after(keys.loop, LINGER_MS, linger_over, NULL);
    keys.ending = true;
    end_if_done();
}

/* ---- the template before us */

#define BEFORE_MS 1000

/* How many chains the keys that run now have for an identity. */
static size_t
chains_before(const struct daemon *d, const char *identity)
{
    const char *path =
        arena_fmt(keys.scratch, "%s/private/keys", d->conf->queue_directory);
    auto_close int fd = sock_connect_unix(path, SOCK_SEQPACKET);
    struct link link = {.fd = fd, .self = SIDE(TLS), .peer = SIDE(KEYS)};
    struct msg_ask_identity ask = {.identity = str_from(identity)};
    struct msg_identity answer;
    struct rec_chain chain;
    size_t n = 0;

    if (fd < 0 || !sock_timeout(fd, BEFORE_MS) ||
        !send_ask_identity(&link, &ask) ||
        link_expect(&link, &keys.packet, MSG_identity) != LINK_OK ||
        !read_identity(&keys.packet, &answer) || answer.rc != OK)
        return 0;
    while (answer.chains.len > 0 && get_chain(&answer.chains, &chain))
        n++;
    return n;
}

/* A renewal that went wrong must not take away what works: master keeps the
 * old template, if this one does not become ready. */
static void
compare_with_before(const struct daemon *d)
{
    size_t now;
    const char *identity;

    for (size_t i = 0; (identity = keys_store_bad(i, &now)) != NULL; i++)
        if (chains_before(d, identity) > now)
            log_fatal("new certificates are no good (see above): the ones "
                      "from before stay in use");
    arena_reset(keys.scratch);
}

/* ---- the role */

/* What is in this memory stays in it. */
static void
close_memory(void)
{
    struct rlimit none = {0, 0};

    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    setrlimit(RLIMIT_CORE, &none);
    /* Workers share these pages, so they stay where they are for them too.
     * Where that much may not be locked, the keys themselves are all the same
     * (CRYPTO_secure_malloc_init). */
    (void)!mlockall(MCL_CURRENT);
}

static void
prepare(struct daemon *d)
{
    keys.daemon = d;
    keys.scratch = arena_new("answer", (size_t)1 << 20);
    if (!d->unprivileged) {
        add_asker(d->conf->network_owner);
        add_asker(d->conf->mail_owner);
        add_asker(d->conf->auth_owner);
    }
    keys_store_open(d);
    compare_with_before(d);
    close_memory();
}

static void
work(struct daemon *d)
{
    static const struct daemon_many many = {
        .busy_at = BUSY_AT,
        .full_at = FULL_AT,
        .connected = on_connect,
        .end = on_end,
    };

    keys.loop = loop_new();
    daemon_many(d, keys.loop, &many);
    loop_run(keys.loop);
}

const struct role_work keys_role = {
    .name = "keys", .prepare = prepare, .work = work};
