#include "maker.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd.h"
#include "map/fold.h"

void
maker_say(const struct making *m, const char *fmt, ...)
{
    va_list args;

    if (m->verbose == 0)
        return;
    fprintf(stderr, "%s: ", m->maker->name);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
}

const char *
maker_file(struct making *m, const char *spec, const char *what,
           const char **source)
{
    const char *path = map_file(m->arena, spec, source);

    if (path == NULL)
        cmd_fatal(1, m->maker->name, "table %s: this type does not support %s",
                  spec, what);
    return path;
}

struct str
maker_fold(struct making *m, struct str key)
{
    return m->no_fold ? key : map_fold(m->arena, key);
}

void
maker_lines(struct making *m, void (*line)(void *self, struct str text),
            void *self)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t len;

    (void)m;
    while ((len = getline(&text, &room, stdin)) >= 0) {
        if (len > 0 && text[len - 1] == '\n')
            len--;
        line(self, (struct str){text, (size_t)len});
    }
    free(text);
}

static void NORETURN
usage(const struct maker *m)
{
    cmd_fatal(1, m->name, "usage: %s %s", m->name, m->usage);
}

enum act { BUILD, QUERY, DELETE, DUMP };

/* Options that only say yes. */
static const struct {
    char letter;
    size_t field;
} switches[] = {
    {'b', offsetof(struct making, body)       },
    {'f', offsetof(struct making, no_fold)    },
    {'F', offsetof(struct making, base64)     },
    {'h', offsetof(struct making, header)     },
    {'i', offsetof(struct making, add)        },
    {'m', offsetof(struct making, mime)       },
    {'n', offsetof(struct making, without_nul)},
    {'N', offsetof(struct making, with_nul)   },
    {'o', offsetof(struct making, as_root)    },
    {'p', offsetof(struct making, plain_mode) },
    {'r', offsetof(struct making, replace)    },
    {'u', offsetof(struct making, any_bytes)  },
    {'U', offsetof(struct making, check_bytes)},
    {'w', offsetof(struct making, keep)       },
};

static bool
set_switch(struct making *m, int letter)
{
    for (size_t i = 0; i < COUNT(switches); i++)
        if (switches[i].letter == letter) {
            *(bool *)((char *)m + switches[i].field) = true;
            return true;
        }
    return false;
}

static void
choose(struct making *m, enum act *act, enum act wanted)
{
    if (*act != BUILD)
        cmd_fatal(1, m->maker->name, "specify only one of -s -q or -d");
    *act = wanted;
    m->key = optarg;
}

static enum act
parse_options(struct making *m, int argc, char **argv, const char **dir)
{
    enum act act = BUILD;

    for (int c; (c = getopt(argc, argv, m->maker->flags)) >= 0;)
        if (c == 'c')
            *dir = optarg;
        else if (c == 'd')
            choose(m, &act, DELETE);
        else if (c == 'q')
            choose(m, &act, QUERY);
        else if (c == 's')
            choose(m, &act, DUMP);
        else if (c == 'v')
            m->verbose++;
        else if (!set_switch(m, c))
            usage(m->maker);
    if ((m->header || m->body || m->mime) &&
        (act != QUERY || strcmp(m->key, "-") != 0))
        cmd_fatal(1, m->maker->name, "specify -b -h or -m only with \"-q -\"");
    m->without_nul = m->without_nul && !m->with_nul;
    return act;
}

/* "name" is "hash:name", or what default_database_type says. */
static char **
with_types(struct making *m, int argc, char **argv)
{
    char **specs = arena_alloc(m->arena, ((size_t)argc + 1) * sizeof *specs);

    for (int i = 0; i < argc; i++) {
        const char *type = m->conf ? m->conf->default_database_type : "hash";

        specs[i] = strchr(argv[i], ':')
                       ? argv[i]
                       : arena_fmt(m->arena, "%s:%s", type, argv[i]);
    }
    return specs;
}

const struct conf *
maker_conf(struct arena *a, const char *dir, const char *tool)
{
    const char *main_cf = arena_fmt(a, "%s/main.cf", cmd_config_dir(dir));

    if (dir == NULL && access(main_cf, F_OK) != 0)
        return NULL;
    return cmd_conf(a, dir, tool, 1);
}

int
maker_main(const struct maker *maker, int argc, char **argv)
{
    struct making m = {.maker = maker};
    const char *dir = NULL;

    log_command(maker->name);
    m.arena = arena_new("tables to make", (size_t)8 << 30);

    enum act act = parse_options(&m, argc, argv, &dir);

    if (optind == argc && act != BUILD)
        usage(maker);
    m.conf = maker_conf(m.arena, dir, maker->name);
    if (optind == argc)
        usage(maker);

    char **specs = with_types(&m, argc - optind, argv + optind);

    if (act == DELETE)
        return maker_delete(&m, specs);
    if (act == QUERY)
        return maker_query(&m, specs);
    for (; *specs; specs++)
        if (act == DUMP)
            maker_dump(&m, *specs);
        else
            maker_build(&m, *specs);
    return 0;
}
