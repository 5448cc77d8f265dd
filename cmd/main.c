/*
 * The name a command is called by picks its function.
 */
#include "cmd.h"
#include "help.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    bool setgid;
} commands[] = {
#define COMMAND(name, function, setgid) {name, function, setgid},
#include "commands.def"
};

const char *
cmd_config_dir(const char *option)
{
    const char *env = getauxval(AT_SECURE) ? NULL : getenv("MAIL_CONFIG");

    if (option)
        return option;
    if (env && *env)
        return env;

    /* A site that came from Postfix keeps its folder. */
    return access("/etc/posta/main.cf", R_OK) != 0 &&
                   access("/etc/postfix/main.cf", R_OK) == 0
               ? "/etc/postfix"
               : "/etc/posta";
}

int
cmd_run_self(char **argv)
{
    pid_t pid;
    int status;

    if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ) != 0 ||
        waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return 71;
    return WEXITSTATUS(status);
}

static const struct command *
find(const char *path)
{
    const char *name = strrchr(path, '/');

    name = name ? name + 1 : path;
    for (size_t i = 0; i < COUNT(commands); i++)
        if (strcmp(name, commands[i].name) == 0)
            return &commands[i];
    return NULL;
}

int
main(int argc, char **argv)
{
    const struct command *c = argc > 0 ? find(argv[0]) : NULL;

    if (c == NULL) {
        fprintf(stderr, "posta: call me as one of:");
        for (size_t i = 0; i < COUNT(commands); i++)
            fprintf(stderr, " %s", commands[i].name);
        fprintf(stderr, "\n");
        return 64;
    }
    if (getauxval(AT_SECURE) && !c->setgid) {
        fprintf(stderr,
                "%s: this file is set-gid for postdrop and postqueue "
                "only\n",
                c->name);
        return 77;
    }
    if (argc == 2 && strcmp(argv[1], "--help") == 0 && help_text(c->name)) {
        fputs(help_text(c->name), stdout);
        return 0;
    }
    return c->run(argc, argv);
}
