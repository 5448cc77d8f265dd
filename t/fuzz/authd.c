/*
 * A client of authd that says anything: the input is all of it, byte for byte.
 * Users stand in the configuration; whoever would check hashes is not there,
 * so that what needs one fails for now.
 */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "authd/session.h"
#include "base/log.h"
#include "fuzz/fuzz.h"

static struct auth auth;

static const char main_cf[] =
    "auth_password_sources = { static:password={SCRAM-SHA-256}4096,"
    "AAAAAAAAAAAAAAAAAAAAAA==,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= uid=1 home=/%u }\n"
    "auth_failure_delay = 0s\n"
    "auth_cache_size = 65536\n"
    "auth_throttle_exceptions =\n";

/* What auth.c has for real. */
bool
auth_offers(struct auth *a, const struct sasl_mech *mech)
{
    (void)a;
    return !(mech->properties & SASL_BEARER);
}

struct passwd_file *
auth_file(struct auth *a, struct source *s)
{
    (void)a;
    (void)s;
    return NULL;
}

struct asker *
auth_asker(const struct auth *a, const struct source *s)
{
    (void)s;
    return a->server;
}

/* The only session has ended. */
void
daemon_many_gone(struct daemon *d)
{
    (void)d;
    loop_stop(auth.loop);
}

static void
set_up(void)
{
    struct arena *life = arena_new("settings", (size_t)64 << 20);
    const struct cache_limits limits = {65536, 1000, 1000};
    struct why why;

    log_open("fuzz", open("/dev/null", O_WRONLY | O_CLOEXEC), "mail");
    auth.conf = conf_from_text(life, main_cf, &why);
    must(auth.conf != NULL);
    must(sources_parse(life, auth.conf->auth_password_sources, false,
                       &auth.passwords, &why) == OK);
    must(sources_parse(life, auth.conf->auth_password_sources, true,
                       &auth.users, &why) == OK);
    auth.loop = loop_new();
    auth.last_use.fd = -1;
    auth.cache = cache_new(life, &limits);
    auth.exceptions = match_open("fuzz", "", true, &why);
    auth.hasher = auth.server = auth.root =
        asker_new(life, auth.loop, "/nonexistent/socket", 2, 10);
    auth.mechs[auth.mech_count++] = &sasl_mechs[SASL_PLAIN];
}

static void
fuzz(struct arena *a, struct str in)
{
    int ends[2];

    (void)a;
    if (auth.loop == NULL)
        set_up();
    if (in.len > 100000 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) < 0)
        return;
    (void)!write(ends[0], in.p, in.len);
    shutdown(ends[0], SHUT_WR);
    session_start(&auth, ends[1]);
    loop_run(auth.loop);
    must(auth.sessions == NULL && auth.logins == 0);
    close(ends[0]);
}

FUZZ(1 << 20)
