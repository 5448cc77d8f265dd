/*
 * posta - set up, start, stop and watch the mail system.
 */
#include "cmd.h"
#include "init.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: posta [-c DIR] COMMAND [options]\n"
    "\n"
    "  init          write a configuration (see posta init --help)\n"
    "\n"
    "  -c DIR        the folder of main.cf; default: MAIL_CONFIG in the\n"
    "                environment, else /etc/posta, else /etc/postfix\n";

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv, const char *dir);
} verbs[] = {
    {"init", init_main},
};

int
posta_main(int argc, char **argv)
{
    const char *dir = NULL;
    int c;

    while ((c = getopt(argc, argv, "+c:Dvh-:")) != -1) {
        if (c == 'c') {
            dir = optarg;
        } else if (c == 'h' || (c == '-' && strcmp(optarg, "help") == 0)) {
            fputs(usage, stdout);
            return 0;
        } else if (c != 'D' && c != 'v') {
            fputs(usage, stderr);
            return 1;
        }
    }
    if (optind < argc)
        for (size_t i = 0; i < COUNT(verbs); i++)
            if (strcmp(argv[optind], verbs[i].name) == 0)
                return verbs[i].run(argc - optind, argv + optind, dir);
    fputs(usage, stderr);
    return 1;
}
