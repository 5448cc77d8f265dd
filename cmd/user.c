/*
 * posta user: who has a mailbox and may log in.
 */
#include "user.h"

#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/scheme.h"
#include "cmd.h"

static const char usage[] =
    "usage: posta [-c DIR] user COMMAND [options]\n"
    "\n"
    "  list [--json]\n"
    "  add NAME@DOMAIN        a user with a mailbox; asks for a password\n"
    "  password NAME@DOMAIN   a new password\n"
    "  disable, enable NAME@DOMAIN\n"
    "                         may not, may log in; mail still arrives\n"
    "  remove NAME@DOMAIN     the user; the mail stays on the disk\n"
    "  check NAME@DOMAIN      is this the password? 0 yes, 2 no\n"
    "  app-password add NAME@DOMAIN --name LABEL [--scope smtp,imap,pop3]\n"
    "                         make one, and print it this once\n"
    "  app-password list NAME@DOMAIN [--json]\n"
    "  app-password remove NAME@DOMAIN NUMBER|LABEL\n"
    "\n"
    "  --stdin          read the password from standard input, one line\n"
    "  --scheme SCHEME  how the password is kept (default " SCHEME_DEFAULT ")\n"
    "  --rounds N       at what cost (default: the scheme's own)\n"
    "  --service NAME   check: for smtp, imap or pop3 (default: any)\n";

static const struct verb {
    const char *group, *name;
    int args;
    int (*run)(struct user_call *call);
} verbs[] = {
    {NULL,           "list",     0, user_list      },
    {NULL,           "add",      1, user_add       },
    {NULL,           "password", 1, user_password  },
    {NULL,           "disable",  1, user_disable   },
    {NULL,           "enable",   1, user_enable    },
    {NULL,           "remove",   1, user_remove    },
    {NULL,           "check",    1, user_check     },
    {"app-password", "add",      1, user_app_add   },
    {"app-password", "list",     1, user_app_list  },
    {"app-password", "remove",   2, user_app_remove},
};

int
user_error(const char *fmt, ...)
{
    va_list args;

    fputs("posta user: ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    return 1;
}

void
user_note(const char *fmt, ...)
{
    va_list args;

    fputs("note: ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
}

static int
misused(void)
{
    fputs(usage, stderr);
    return USER_USAGE;
}

struct str
user_setting(struct user_call *call, const char *name)
{
    struct str value;
    struct why why;

    if (config_value(&call->config, NULL, name, &value, &why) != OK)
        cmd_fatal(1, "posta", "%s", why.text);
    return value;
}

/* The first passwd-file of auth_password_sources. */
static const char *
users_file(struct user_call *call)
{
    struct str sources = user_setting(call, "auth_password_sources"), word;

    while (str_word(&sources, " \t\r\n,{}", &word))
        if (str_skip(&word, S("passwd-file:")) && word.len > 0)
            return arena_cstr(call->arena, word);
    return arena_fmt(call->arena, "%s/users", call->dir);
}

enum { SCHEME = 256, ROUNDS, STDIN, JSON, LABEL, SCOPE, SERVICE };

static bool
take_rounds(struct user_call *call, const char *text)
{
    uint64_t n;

    if (!str_num(str_from(text), &n) || n == 0 || n > SCHEME_ROUNDS_MAX)
        return user_refuse("--rounds %s: wants a number up to %u", text,
                           SCHEME_ROUNDS_MAX);
    call->rounds = (unsigned)n;
    return true;
}

static bool
take_option(struct user_call *call, int c)
{
    switch (c) {
    case SCHEME:
        call->scheme = optarg;
        return true;
    case ROUNDS:
        return take_rounds(call, optarg);
    case STDIN:
        call->from_stdin = true;
        return true;
    case JSON:
        call->json = true;
        return true;
    case LABEL:
        call->label = optarg;
        return true;
    case SCOPE:
        call->scope = optarg;
        return true;
    case SERVICE:
        call->service = optarg;
        return true;
    default:
        return false;
    }
}

/* -1 to go on, else the exit status. */
static int
options(struct user_call *call, int argc, char **argv)
{
    static const struct option longs[] = {
        {"scheme",  required_argument, NULL, SCHEME },
        {"rounds",  required_argument, NULL, ROUNDS },
        {"stdin",   no_argument,       NULL, STDIN  },
        {"json",    no_argument,       NULL, JSON   },
        {"name",    required_argument, NULL, LABEL  },
        {"scope",   required_argument, NULL, SCOPE  },
        {"service", required_argument, NULL, SERVICE},
        {"help",    no_argument,       NULL, 'h'    },
        {NULL,      0,                 NULL, 0      },
    };
    int c;

    optind = 0;
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (!take_option(call, c))
            return USER_USAGE;
    }
    call->argc = argc - optind;
    call->argv = argv + optind;
    return -1;
}

static const struct verb *
find_verb(struct user_call *call)
{
    for (size_t i = 0; i < COUNT(verbs); i++) {
        int words = verbs[i].group ? 2 : 1;

        if (call->argc != words + verbs[i].args ||
            strcmp(call->argv[words - 1], verbs[i].name) != 0 ||
            (verbs[i].group && strcmp(call->argv[0], verbs[i].group) != 0))
            continue;
        call->argv += words;
        call->argc -= words;
        return &verbs[i];
    }
    return NULL;
}

int
user_main(int argc, char **argv, const char *dir)
{
    struct user_call call = {.arena = arena_new("user", 1u << 30)};
    char real[PATH_MAX];
    struct why why;
    int status = options(&call, argc, argv);
    const struct verb *verb = status < 0 ? find_verb(&call) : NULL;

    if (status >= 0)
        return status;
    if (verb == NULL)
        return misused();
    if (call.scheme && !scheme_known(str_from(call.scheme))) {
        user_error("--scheme %s: there is no such password scheme",
                   call.scheme);
        return USER_USAGE;
    }
    dir = cmd_config_dir(dir);
    call.dir = realpath(dir, real) ? real : dir;
    if (config_read(call.arena, call.dir, &call.config, &why) != OK)
        return user_error("%s", why.text);
    call.users = users_file(&call);
    status = verb->run(&call);
    config_free(&call.config);
    arena_free(call.arena);
    return status;
}
