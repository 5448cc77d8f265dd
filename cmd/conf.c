#include "cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf/config.h"

void
cmd_say(const char *name, const char *fmt, ...)
{
    va_list args;

    fflush(stdout);
    fprintf(stderr, "%s: ", name);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
}

void
cmd_fatal(int status, const char *name, const char *fmt, ...)
{
    va_list args;

    fprintf(stderr, "%s: fatal: ", name);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    exit(status);
}

const struct conf *
cmd_conf(struct arena *life, const char *option, const char *command,
         int status)
{
    const char *dir = cmd_config_dir(option);
    struct config config;
    struct why why;

    if (config_read(life, dir, &config, &why) != OK)
        cmd_fatal(status, command, "%s", why.text);

    auto_close int fd = config_snapshot(&config, NULL, &why);
    const struct conf *conf =
        fd < 0 ? NULL : conf_from_snapshot(life, fd, &why);

    if (conf == NULL)
        cmd_fatal(status, command, "%s", why.text);
    config_free(&config);
    return conf;
}
