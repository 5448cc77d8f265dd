#include "master.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"

static bool
allowed(const struct conf *conf)
{
    struct str rest = str_from(conf->maillog_file_prefixes), word;

    while (str_word(&rest, ", \t\r\n", &word))
        if (str_starts(str_from(conf->maillog_file), word))
            return true;
    return false;
}

/* In octal, as chmod takes it. */
static bool
mode_of(const char *text, mode_t *mode)
{
    unsigned value = 0;

    for (const char *c = text; *c; c++) {
        if (*c < '0' || *c > '7' || value > 0777)
            return false;
        value = value * 8 + (unsigned)(*c - '0');
    }
    *mode = (mode_t)value;
    return text[0] != '\0' && value <= 0777;
}

/* -1 with a problem. */
static int
open_file(const struct plan *plan, struct problems *p)
{
    const struct conf *conf = plan->conf;
    const char *path = conf->maillog_file;
    mode_t mode;

    if (!allowed(conf)) {
        problem(p,
                "%s/main.cf: maillog_file = %s: begins with none of "
                "maillog_file_prefixes = %s",
                plan->config.dir, path, conf->maillog_file_prefixes);
        return -1;
    }
    if (!mode_of(conf->maillog_file_permissions, &mode)) {
        problem(p,
                "%s/main.cf: maillog_file_permissions = %s: must be an octal "
                "mode such as 0640",
                plan->config.dir, conf->maillog_file_permissions);
        return -1;
    }
    int fd =
        str_eq(str_from(path), S("/dev/stdout"))
            ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10)
            : open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY,
                   mode);

    if (fd < 0)
        problem(p, "%s/main.cf: maillog_file = %s: cannot open it: %m",
                plan->config.dir, path);
    return fd;
}

bool
logfile_open(const struct plan *plan, struct problems *p)
{
    const struct conf *conf = plan->conf;
    char tag[64];
    int fd = -1;

    if (conf->maillog_file[0] != '\0') {
        fd = open_file(plan, p);
        if (fd < 0)
            return false;
    }
    snprintf(tag, sizeof tag, "%s/master", conf->syslog_name);
    log_open(tag, fd, conf->syslog_facility);
    if (master.log >= 0)
        close(master.log);
    master.log = fd;
    return true;
}
