/*
 * posta - set up, start, stop and watch the mail system.
 */
#include "cmd.h"
#include "control.h"
#include "import.h"
#include "index.h"
#include "init.h"
#include "user.h"
#include "who.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define USAGE     64    /* sysexits */
#define READS_OWN "..." /* the verb reads its options itself */

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv, const char *dir);
    const char *args; /* what may follow, as shown */
    const char *meaning;
} verbs[] = {
#define VERB(name, function, args, meaning) {name, function, args, meaning},
#include "verbs.def"
};

static void
usage(FILE *to)
{
    fputs("usage: posta [-c DIR] COMMAND [options]\n\n", to);
    for (size_t i = 0; i < COUNT(verbs); i++)
        fprintf(to, "  %s%*s%s\n", verbs[i].name,
                24 - (int)strlen(verbs[i].name), "", verbs[i].meaning);
    fputs("\n"
          "  -c DIR  the folder of main.cf; default: MAIL_CONFIG in the "
          "environment,\n"
          "          else /etc/posta, else /etc/postfix\n"
          "\nposta COMMAND --help tells what options it has.\n",
          to);
}

static void
usage_of(FILE *to, const struct verb *v)
{
    fprintf(to, "usage: posta [-c DIR] %s%s%s\n%c%s.\n", v->name,
            *v->args ? " " : "", v->args, toupper((unsigned char)*v->meaning),
            v->meaning + 1);
}

/* Is that what the verb takes? Words in brackets may be left out. */
static bool
args_fit(const struct verb *v, int argc, char **argv)
{
    char option[32];

    if (*v->args == '\0')
        return argc == 1;
    if (*v->args != '[')
        return argc == 2 && argv[1][0] != '-';
    snprintf(option, sizeof option, "[%s]", argc > 1 ? argv[1] : "");
    return argc == 1 || (argc == 2 && strcmp(option, v->args) == 0);
}

static int
run(const struct verb *v, int argc, char **argv, const char *dir)
{
    if (strcmp(v->args, READS_OWN) == 0)
        return v->run(argc, argv, dir);
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        usage_of(stdout, v);
        return 0;
    }
    if (!args_fit(v, argc, argv)) {
        usage_of(stderr, v);
        return USAGE;
    }
    return v->run(argc, argv, dir);
}

int
posta_main(int argc, char **argv)
{
    const char *dir = NULL;
    int c;

    while ((c = getopt(argc, argv, "+c:Dvh-:")) != -1) {
        if (c == 'c') {
            dir = optarg;
        } else if (c == 'h' || (c == '-' && strcmp(optarg, "help") == 0)) {
            usage(stdout);
            return 0;
        } else if (c != 'D' && c != 'v') {
            usage(stderr);
            return USAGE;
        }
    }
    if (optind < argc)
        for (size_t i = 0; i < COUNT(verbs); i++)
            if (strcmp(argv[optind], verbs[i].name) == 0)
                return run(&verbs[i], argc - optind, argv + optind, dir);
    usage(stderr);
    return USAGE;
}
