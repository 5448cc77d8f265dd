/*
 * posta - set up, start, stop and watch the mail system.
 */
#include "cmd.h"
#include "control.h"
#include "import.h"
#include "init.h"
#include "user.h"
#include "who.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: posta [-c DIR] COMMAND [options]\n"
    "\n"
    "  init             write a configuration (see posta init --help)\n"
    "  check            look the configuration over\n"
    "  start, start-fg  start, in the background or not\n"
    "  stop, abort      stop when everything is done, or at once\n"
    "  reload           read the configuration again\n"
    "  status [--json]  does it run, and what does it do\n"
    "  flush            try to deliver everything queued now\n"
    "  who [--json]     sessions of mailbox users\n"
    "  kick USER        end those of that user\n"
    "  logrotate        open maillog_file anew\n"
    "  import           copy mail from elsewhere (see posta import --help)\n"
    "  user             users and their passwords (see posta user --help)\n"
    "  set-permissions  owners and modes of folders and set-gid commands\n"
    "\n"
    "  -c DIR  the folder of main.cf; default: MAIL_CONFIG in the "
    "environment,\n"
    "          else /etc/posta, else /etc/postfix\n";

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv, const char *dir);
} verbs[] = {
    {"init",                  init_main              },
    {"check",                 control_check          },
    {"start",                 control_start          },
    {"start-fg",              control_start_fg       },
    {"stop",                  control_stop           },
    {"abort",                 control_abort          },
    {"reload",                control_reload         },
    {"status",                control_status         },
    {"flush",                 control_flush          },
    {"who",                   who_main               },
    {"kick",                  kick_main              },
    {"logrotate",             control_logrotate      },
    {"set-permissions",       control_set_permissions},
    {"upgrade-configuration", control_upgrade        },
    {"user",                  user_main              },
    {"import",                import_main            },
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
