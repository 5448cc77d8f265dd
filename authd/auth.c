/*
 * The role authd: an event loop that speaks Dovecot's auth-client protocol.
 */
#include "auth.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include "authd.h"
#include "base/log.h"
#include "session.h"
#include "sys/priv.h"
#include "tls/digest.h"

/* Connections to auth-worker and auth-pam. Hashes take a processor each. */
#define SERVER_LINKS 20
#define ROOT_LINKS   10
#define HASH_LINKS   16

/* Descriptors that are no client's. */
#define SPARE_FILES 100

static struct auth auth;

static void
parse(const char *parameter, const char *list, bool users, struct sources *s)
{
    struct why why;

    if (sources_parse(auth.daemon->life, list, users, s, &why) != OK)
        log_fatal("%s = %s", parameter, why.text);
    sources_open(s);
}

static void
parse_mechs(const char *list)
{
    struct str rest = str_from(list), word;

    while (str_word(&rest, ", \t\r\n", &word)) {
        const struct sasl_mech *m = sasl_mech_find(word);

        if (m == NULL)
            log_warn("auth_mechanisms: %.*s is not known", STR(word));
        else if (auth.mech_count < SASL_COUNT)
            auth.mechs[auth.mech_count++] = m;
    }
}

static void
raise_files(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_cur == r.rlim_max)
        return;
    r.rlim_cur = r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
}

static uid_t
find_mail_owner(const struct daemon *d)
{
    struct priv_user owner;
    struct why why;

    if (d->unprivileged)
        return geteuid();
    if (priv_find_user(d->conf->mail_owner, &owner, &why) != OK)
        log_fatal("mail_owner = %s: %s", d->conf->mail_owner, why.text);
    return owner.uid;
}

/* Files that only root can read are read now. */
static void
prepare(struct daemon *d)
{
    struct why why;

    if (secret_load(d->queue_dir, "secret", auth.secret, &why) != OK ||
        secret_load(d->queue_dir, "ticket.key", auth.ticket_key, &why) != OK)
        log_fatal("%s/auth: %s", d->conf->queue_directory, why.text);
    auth.daemon = d;
    auth.conf = d->conf;
    auth.mail_owner = find_mail_owner(d);
    auth.last_use.fd = -1;
    parse("auth_password_sources", d->conf->auth_password_sources, false,
          &auth.passwords);
    parse("auth_user_sources", d->conf->auth_user_sources, true, &auth.users);
    parse_mechs(d->conf->auth_mechanisms);
    raise_files();
}

static void
ready(struct daemon *d)
{
    const struct throttle_limits limits = {
        .ipv4_bits = (unsigned)d->conf->auth_throttle_ipv4_prefix_length,
        .ipv6_bits = (unsigned)d->conf->auth_throttle_ipv6_prefix_length,
    };
    struct why why;

    if (throttle_open(d->life, d->queue_dir, "throttle", &limits,
                      &auth.throttle, &why) != OK)
        log_warn("guessing is not throttled: %s", why.text);
    if (last_use_open(d->queue_dir, "last-use", true, &auth.last_use, &why) !=
        OK)
        log_warn("the last use of passwords is not noted: %s", why.text);
    auth.exceptions = match_open("auth_throttle_exceptions",
                                 d->conf->auth_throttle_exceptions, true, &why);
}

/* ---- what others ask */

struct passwd_file *
auth_file(struct auth *a, struct source *s)
{
    bool locked, there = source_refresh(s, loop_now(a->loop), &locked);

    if (locked)
        daemon_ask_renewal(a->daemon);
    return there ? s->file : NULL;
}

struct asker *
auth_asker(const struct auth *a, const struct source *s)
{
    return s->kind->asks == SOURCE_WORKER ? a->server
           : s->kind->asks == SOURCE_ROOT ? a->root
                                          : NULL;
}

bool
auth_offers(struct auth *a, const struct sasl_mech *mech)
{
    bool wanted = false, served = mech->properties & SASL_NEEDS_CERT;

    for (size_t i = 0; i < a->mech_count; i++)
        wanted = wanted || a->mechs[i] == mech;
    for (size_t i = 0; wanted && !served && i < a->passwords.count; i++) {
        struct source *s = &a->passwords.at[i];

        if (s->kind->type == SOURCE_PASSWD_FILE)
            (void)!auth_file(a, s); /* as it is now */
        served = source_serves(s, mech);
    }
    return wanted && served;
}

/* ---- a worker */

static void
connected(void *own, int fd, const struct sockaddr_storage *peer)
{
    (void)peer;
    session_start(own, fd);
}

static void
end(void *own, bool now)
{
    sessions_end(own, now);
}

static struct asker *
asker(const char *service, size_t links)
{
    const char *path = arena_fmt(auth.daemon->life, "%s/private/%s",
                                 auth.conf->queue_directory, service);

    return asker_new(auth.daemon->life, auth.loop, path, links,
                     auth.conf->auth_check_timeout);
}

static size_t
processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 2 ? 2 : n > HASH_LINKS ? HASH_LINKS : (size_t)n;
}

static size_t
clients_max(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_cur == RLIM_INFINITY ||
        r.rlim_cur > LOGINS_MAX + SPARE_FILES)
        return LOGINS_MAX;
    return r.rlim_cur > 2 * SPARE_FILES ? r.rlim_cur - SPARE_FILES
                                        : SPARE_FILES;
}

static void
work(struct daemon *d)
{
    const struct cache_limits limits = {
        .bytes = (size_t)d->conf->auth_cache_size,
        .ttl = d->conf->auth_cache_ttl,
        .negative_ttl = d->conf->auth_cache_negative_ttl,
    };
    const struct daemon_many many = {
        .full_at = clients_max(),
        .connected = connected,
        .end = end,
        .own = &auth,
    };

    auth.loop = loop_new();
    auth.cache = cache_new(d->life, &limits);
    auth.hasher = asker("auth-worker", processors());
    auth.server = asker("auth-worker", SERVER_LINKS);
    auth.root = asker("auth-pam", ROOT_LINKS);
    daemon_many(d, auth.loop, &many);
    loop_run(auth.loop);
}

const struct role_work auth_role = {
    .name = "authd",
    .prepare = prepare,
    .ready = ready,
    .work = work,
};
