#include "who.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "cmd.h"
#include "ipc/message.h"
#include "json.h"

#define PATIENCE_MS 10000

static const char *const services[] = {"imap", "pop3"};

/* A broker's answer to one question; its status, -1 where nobody answers. */
static int
ask(struct arena *a, const struct conf *conf, const char *service,
    const char *verb, const char *args, struct buf *into)
{
    static struct packet packet;
    const char *path =
        arena_fmt(a, "%s/private/%s-users", conf->queue_directory, service);
    auto_close int fd = sock_connect_unix(path, SOCK_SEQPACKET);
    struct link link = {.fd = fd, .self = SIDE(TOOL), .peer = SIDE(BROKER)};
    struct msg_ask_broker m = {.verb = str_from(verb), .args = str_from(args)};
    struct msg_broker_says says = {0};

    if (fd < 0 || !sock_timeout(fd, PATIENCE_MS) || !send_ask_broker(&link, &m))
        return -1;
    while (!says.last) {
        if (link_expect(&link, &packet, MSG_broker_says) != LINK_OK ||
            !read_broker_says(&packet, &says))
            return -1;
        buf_add(into, says.text);
    }
    return (int)says.status;
}

static int
not_running(void)
{
    fprintf(stderr,
            "posta: nobody answers for sessions of users: %s; `posta status` "
            "says whether the mail system runs\n",
            strerror(errno));
    return 69;
}

/* One line of an answer: user, service, client, encrypted, since, process. */
static void
show(struct str line, bool json)
{
    struct str word[6];
    uint64_t since = 0;
    char when[32] = "";

    for (size_t i = 0; i < COUNT(word); i++) {
        if (line.len == 0)
            return;
        (void)str_cut(&line, '\t', &word[i]);
    }
    (void)!str_num(word[4], &since);
    time_t t = (time_t)since;

    if (json) {
        printf("{\"user\": ");
        json_text(word[0]);
        printf(", \"service\": \"%.*s\", \"client\": \"%.*s\", \"tls\": %s, "
               "\"since\": %llu, \"pid\": %.*s}\n",
               STR(word[1]), STR(word[2]),
               str_eq(word[3], S("1")) ? "true" : "false",
               (unsigned long long)since, STR(word[5]));
        return;
    }
    strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", localtime(&t));
    printf("%-32.*s %-8.*s %-40.*s %-4s %s %8.*s\n", STR(word[0]), STR(word[1]),
           STR(word[2]), str_eq(word[3], S("1")) ? "TLS" : "-", when,
           STR(word[5]));
}

int
who_main(int argc, char **argv, const char *dir)
{
    struct arena *a = arena_new("who", 64 << 20);
    const struct conf *conf = cmd_conf(a, dir, "posta", 1);
    bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
    struct buf all = buf_in(a);
    struct str line, rest;
    bool any = false;

    for (size_t i = 0; i < COUNT(services); i++)
        any |= ask(a, conf, services[i], "who", "", &all) == 0;
    if (!any)
        return not_running();
    if (!json)
        printf("%-32s %-8s %-40s %-4s %-19s %8s\n", "user", "service", "client",
               "", "since", "process");
    for (rest = buf_str(&all); str_cut(&rest, '\n', &line);)
        show(line, json);
    arena_free(a);
    return 0;
}

int
kick_main(int argc, char **argv, const char *dir)
{
    (void)argc;
    struct arena *a = arena_new("kick", 1 << 20);
    unsigned ended = 0;
    bool any = false;
    const struct conf *conf = cmd_conf(a, dir, "posta", 1);

    for (size_t i = 0; i < COUNT(services); i++) {
        struct buf count = buf_in(a);
        uint64_t n = 0;

        /* A broker that answers may have nobody of that name. */
        if (ask(a, conf, services[i], "kick", argv[1], &count) < 0)
            continue;
        any = true;
        if (str_num(str_trim(buf_str(&count)), &n))
            ended += (unsigned)n;
    }
    arena_free(a);
    if (!any)
        return not_running();
    if (ended == 0) {
        fprintf(stderr, "posta: %s has no session\n", argv[1]);
        return 1;
    }
    printf("%u session%s of %s ended\n", ended, ended == 1 ? "" : "s", argv[1]);
    return 0;
}
