/*
 * An auth service that says anything: the input is all it ever says, while a
 * client greets it and goes through an exchange. What comes of it is one of
 * four things, each with what it promises.
 */
#include "auth/client.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "fuzz/fuzz.h"
#include "sys/sock.h"

static struct {
    char folder[40], path[60];
    int listener;
    pthread_mutex_t lock;
    char said[60000];
    size_t len;
} service = {.folder = "/tmp/posta-fuzz-XXXXXX",
             .lock = PTHREAD_MUTEX_INITIALIZER};

/* One connection after the other; all is said at once, and what is said to it
 * waits unread. */
static void *
serve(void *unused)
{
    int before = -1;

    (void)unused;
    for (;;) {
        int fd = accept(service.listener, NULL, NULL);

        if (fd < 0)
            return NULL;
        pthread_mutex_lock(&service.lock);
        (void)!send(fd, service.said, service.len, MSG_NOSIGNAL);
        pthread_mutex_unlock(&service.lock);
        shutdown(fd, SHUT_WR);
        if (before >= 0)
            close(before);
        before = fd;
    }
}

static void
clean(void)
{
    unlink(service.path);
    rmdir(service.folder);
}

static void
open_service(void)
{
    pthread_t thread;

    if (service.path[0])
        return;
    must(mkdtemp(service.folder) != NULL);
    snprintf(service.path, sizeof service.path, "%s/socket", service.folder);
    service.listener = sock_listen_unix(service.path, SOCK_STREAM, 0600);
    must(service.listener >= 0);
    must(pthread_create(&thread, NULL, serve, NULL) == 0);
    atexit(clean);
    signal(SIGPIPE, SIG_IGN);
    log_open("fuzz", open("/dev/null", O_WRONLY | O_CLOEXEC), "mail");
}

/* From now on; a connection that nobody waits for may still be served. */
static void
say(struct str text)
{
    pthread_mutex_lock(&service.lock);
    if (text.len > 0)
        memcpy(service.said, text.p, text.len);
    service.len = text.len;
    pthread_mutex_unlock(&service.lock);
}

static void
check(enum auth_step step, const struct auth_says *says)
{
    must(step != AUTH_DONE || says->user.len > 0);
    must(step != AUTH_UNSURE || says->reason.len > 0);
}

static void
fuzz(struct arena *a, struct str in)
{
    struct dovecot_request request = {
        .mech = S("PLAIN"), .service = S("smtp"), .has_resp = true};
    const struct auth_mech *mechs;
    struct auth_says says;
    size_t count;
    struct why why;

    if (in.len > sizeof service.said)
        return;
    open_service();
    say(in);

    struct auth_client *c =
        auth_client_new(a, "/", str_from(service.path), NULL, NULL, &why);

    if (auth_client_mechs(c, &mechs, &count))
        for (size_t i = 0; i < count; i++)
            must(mechs[i].name.p != NULL);

    enum auth_step step = auth_client_begin(c, a, &request, &says);

    check(step, &says);
    for (int i = 0; i < 20 && step == AUTH_CHALLENGE; i++) {
        step = auth_client_feed(c, a, S("response"), &says);
        check(step, &says);
    }
    auth_client_cancel(c);

    struct str fields;
    enum rc rc = auth_client_user(c, a, S("anna"), S("lda"), &fields, &why);

    must(rc == OK || rc == TEMP);
    must(rc == OK || fields.p == NULL);
    auth_client_free(c);
}

FUZZ((size_t)64 << 20)
