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

static void
choose(const struct maker *m, enum act *act, enum act wanted)
{
    if (*act != BUILD)
        cmd_fatal(1, m->name, "specify only one of -s -q or -d");
    *act = wanted;
}

static enum act
parse_options(struct making *m, int argc, char **argv, const char **dir)
{
    enum act act = BUILD;

    for (int c; (c = getopt(argc, argv, m->maker->flags)) >= 0;)
        switch (c) {
        case 'b':
            m->body = true;
            break;
        case 'c':
            *dir = optarg;
            break;
        case 'd':
            choose(m->maker, &act, DELETE);
            m->key = optarg;
            break;
        case 'f':
            m->no_fold = true;
            break;
        case 'F':
            m->base64 = true;
            break;
        case 'h':
            m->header = true;
            break;
        case 'i':
            m->add = true;
            break;
        case 'm':
            m->mime = true;
            break;
        case 'n':
            m->without_nul = true;
            break;
        case 'N':
            m->without_nul = false;
            break;
        case 'o':
            m->as_root = true;
            break;
        case 'p':
            m->plain_mode = true;
            break;
        case 'q':
            choose(m->maker, &act, QUERY);
            m->key = optarg;
            break;
        case 'r':
            m->replace = true;
            break;
        case 's':
            choose(m->maker, &act, DUMP);
            break;
        case 'u':
            m->any_bytes = true;
            break;
        case 'U':
            m->check_bytes = true;
            break;
        case 'v':
            m->verbose++;
            break;
        case 'w':
            m->keep = true;
            break;
        default:
            usage(m->maker);
        }
    if ((m->header || m->body || m->mime) &&
        (act != QUERY || strcmp(m->key, "-") != 0))
        cmd_fatal(1, m->maker->name, "specify -b -h or -m only with \"-q -\"");
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
