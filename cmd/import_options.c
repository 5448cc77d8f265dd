/* The command line of posta import, and the password. */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "import.h"
#include "user.h"

static const char usage[] =
    "usage: posta import [-u USER] imaps://HOST[:PORT] --user NAME [options]\n"
    "       posta import [-u USER] mbox:FILE | maildir:PATH [options]\n"
    "\n"
    "Copies mail with its flags, dates and folders. What has been copied is "
    "not\n"
    "copied again: run it as often as you like, also after it was stopped.\n"
    "\n"
    "  -u USER               whose mailboxes it goes to (as root); default: "
    "yours\n"
    "  --user NAME           the login at the other server\n"
    "  --password-file FILE  its first line is the password; else it is asked "
    "for\n"
    "  --folder NAME         only this folder (may be repeated); with mbox: "
    "where\n"
    "                        it goes (INBOX)\n"
    "  --dry-run             only say what would be copied\n"
    "  --insecure            take any certificate, and a server without TLS\n"
    "  --quiet               say nothing but what goes wrong\n"
    "\n"
    "imap://HOST begins with STARTTLS. posta-import(8) tells more.\n";

/* ---- options */

enum { OPT_USER = 256, OPT_FILE, OPT_FOLDER, OPT_DRY, OPT_INSECURE, OPT_QUIET };

static const struct option longs[] = {
    {"user",          required_argument, NULL, OPT_USER    },
    {"password-file", required_argument, NULL, OPT_FILE    },
    {"folder",        required_argument, NULL, OPT_FOLDER  },
    {"dry-run",       no_argument,       NULL, OPT_DRY     },
    {"insecure",      no_argument,       NULL, OPT_INSECURE},
    {"quiet",         no_argument,       NULL, OPT_QUIET   },
    {"help",          no_argument,       NULL, 'h'         },
    {NULL,            0,                 NULL, 0           },
};

static bool
take_option(struct import_options *o, int c)
{
    switch (c) {
    case 'u':
        o->user = optarg;
        return true;
    case OPT_USER:
        o->login = optarg;
        return true;
    case OPT_FILE:
        o->password_file = optarg;
        return true;
    case OPT_FOLDER:
        o->folders[o->folder_count++] = str_from(optarg);
        return true;
    case OPT_DRY:
        o->dry = true;
        return true;
    case OPT_INSECURE:
        o->insecure = true;
        return true;
    case OPT_QUIET:
        o->quiet = true;
        return true;
    default:
        return false;
    }
}

bool
import_is_imap(const struct import_options *o)
{
    return str_istarts(str_from(o->source), S("imap://")) ||
           str_istarts(str_from(o->source), S("imaps://"));
}

/* False is told. */
static bool
check_source(const struct import_options *o)
{
    struct str source = str_from(o->source);
    bool mbox = str_starts(source, S("mbox:"));
    bool imap = import_is_imap(o);

    if (!imap && !mbox && !str_starts(source, S("maildir:")))
        import_say("%s: write imaps://HOST, imap://HOST, mbox:FILE or "
                   "maildir:PATH",
                   o->source);
    else if (imap && o->login == NULL)
        import_say("--user NAME is missing: the login at the other server");
    else if (!imap && (o->login || o->password_file || o->insecure))
        import_say("--user, --password-file and --insecure are for a server; "
                   "-u USER says whose mailboxes it goes to");
    else if (mbox && o->folder_count > 1)
        import_say("a mailbox file goes to one folder: --folder only once");
    else
        return true;
    return false;
}

/* -1: go on; else the exit status. */
int
import_read_options(struct arena *a, int argc, char **argv,
                    struct import_options *o)
{
    int c;

    o->folders = arena_alloc(a, (size_t)argc * sizeof *o->folders);
    optind = 0;
    while ((c = getopt_long(argc, argv, "u:h", longs, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (!take_option(o, c)) {
            fputs(usage, stderr);
            return IMPORT_USAGE;
        }
    }
    if (optind + 1 != argc) {
        fputs(usage, stderr);
        return IMPORT_USAGE;
    }
    o->source = argv[optind];
    return check_source(o) ? -1 : IMPORT_USAGE;
}

/* ---- the password: read with the caller's rights */

static bool
read_password(struct arena *a, struct import_options *o)
{
    char text[1024];
    auto_close int fd = open(o->password_file, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
    struct str rest;

    if (n < 0) {
        import_say("cannot read %s: %m", o->password_file);
        return false;
    }
    rest = (struct str){text, (size_t)n};
    (void)str_cut(&rest, '\n', &o->password);
    o->password = arena_str(a, o->password);
    if (str_ends(o->password, S("\r")))
        o->password.len--;
    explicit_bzero(text, sizeof text);
    if (o->password.len == 0)
        import_say("%s: the first line is empty", o->password_file);
    return o->password.len > 0;
}

bool
import_find_password(struct arena *a, struct import_options *o)
{
    struct user_call call = {.arena = a};

    if (!import_is_imap(o))
        return true;
    if (o->password_file)
        return read_password(a, o);
    return user_ask_password(&call, str_from(o->login), false, &o->password);
}
