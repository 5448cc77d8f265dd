/*
 * postlog - write lines into the mail log, for scripts.
 */
#include "cmd.h"
#include "help.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/conf.h"

static void
say_info(const char *text)
{
    log_info("%s", text);
}

static void
say_warn(const char *text)
{
    log_warn("%s", text);
}

static void
say_error(const char *text)
{
    log_error("%s", text);
}

static void
say_panic(const char *text)
{
    log_panic("%s", text);
}

/* Not log_fatal: the caller's trouble does not end us before our last line. */
static void
say_fatal(const char *text)
{
    log_info("fatal: %s", text);
}

static const struct priority {
    const char *name;
    void (*say)(const char *text);
} priorities[] = {
    {"info",  say_info },
    {"warn",  say_warn },
    {"error", say_error},
    {"fatal", say_fatal},
    {"panic", say_panic},
};

static const struct priority *
find_priority(const char *name)
{
    for (size_t i = 0; i < COUNT(priorities); i++)
        if (strcmp(name, priorities[i].name) == 0)
            return &priorities[i];
    return NULL;
}

static void
say_words(const struct priority *p, char **words)
{
    char text[2048] = "";
    size_t len = 0;

    for (; *words && len < sizeof text; words++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s",
                                len ? " " : "", *words);
    p->say(text);
}

static void
say_input(const struct priority *p)
{
    char line[2048];

    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        p->say(line);
    }
}

/* On a terminal the person who typed it sees it too. */
static void
open_log(struct arena *life, const char *dir, const char *tag)
{
    const struct conf *conf = cmd_conf(life, dir, "postlog", 1);
    int fd = -1;

    if (tag == NULL)
        tag = arena_fmt(life, "%s/postlog", conf->syslog_name);
    if (*conf->maillog_file) {
        fd = open(conf->maillog_file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
                  0644);
        if (fd < 0)
            log_fatal("postlog: cannot open %s: %m", conf->maillog_file);
    }
    log_open(tag, fd, conf->syslog_facility);
}

int
postlog_main(int argc, char **argv)
{
    struct arena *life = arena_new("postlog", 4 << 20);
    const struct priority *p = &priorities[0];
    const char *dir = NULL, *tag = NULL;
    int c;

    while ((c = getopt(argc, argv, "c:ip:t:v")) != -1) {
        switch (c) {
        case 'c':
            dir = optarg;
            break;
        case 't':
            tag = optarg;
            break;
        case 'p':
            if ((p = find_priority(optarg)) == NULL) {
                fprintf(stderr, "postlog: -p %s: no such priority\n", optarg);
                return 1;
            }
            break;
        case 'i':
        case 'v':
            break;
        default:
            fputs(help_text("postlog"), stderr);
            return 1;
        }
    }
    open_log(life, dir, tag);
    if (optind < argc)
        say_words(p, argv + optind);
    else
        say_input(p);
    log_flush();
    arena_free(life);
    return 0;
}
