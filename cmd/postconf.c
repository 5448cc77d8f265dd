/*
 * postconf - show and change main.cf and master.cf.
 */
#include "postconf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd.h"
#include "conf/config.h"

enum { MEMORY = 256 << 20 };

static const struct option {
    char letter;
    unsigned bit;
} options[] = {
    {'a', PC_SASL_SERVER},
    {'A', PC_SASL_CLIENT},
    {'b', PC_BOUNCE_TEXT},
    {'C', PC_CLASS      },
    {'d', PC_DEFAULTS   },
    {'e', PC_EDIT       },
    {'f', PC_FOLD       },
    {'F', PC_FIELDS     },
    {'h', PC_NO_NAME    },
    {'H', PC_NO_VALUE   },
    {'l', PC_LOCKS      },
    {'m', PC_MAPS       },
    {'M', PC_SERVICES   },
    {'n', PC_SET        },
    {'o', PC_OVERRIDE   },
    {'p', PC_MAIN       },
    {'P', PC_PARAMS     },
    {'t', PC_TEMPLATES  },
    {'T', PC_TLS        },
    {'x', PC_EXPAND     },
    {'X', PC_REMOVE     },
    {'#', PC_COMMENT    },
};

/* At most one of each; the first are what postconf can do. */
static const unsigned exclusive[] = {
    PC_SASL_SERVER | PC_SASL_CLIENT | PC_BOUNCE | PC_LOCKS | PC_MAPS | PC_TLS |
        PC_MAIN | PC_MASTER,
    PC_DEFAULTS | PC_SET | PC_CHANGE,
    PC_FOLD | PC_CHANGE,
    PC_EXPAND | PC_CHANGE,
    PC_OVERRIDE | PC_DEFAULTS | PC_CHANGE,
    PC_NO_NAME | PC_NO_VALUE | PC_CHANGE,
};

enum {
    PC_HIDE = PC_NO_NAME | PC_NO_VALUE,
    PC_VIEW = PC_FOLD | PC_EXPAND | PC_OVERRIDE,
};

/* With the one, only the others. */
static const struct {
    unsigned one, others;
} together[] = {
    {PC_SASL_SERVER, 0                                                              },
    {PC_SASL_CLIENT, 0                                                              },
    {PC_BOUNCE_TEXT, 0                                                              },
    {PC_TEMPLATES,   0                                                              },
    {PC_LOCKS,       0                                                              },
    {PC_MAPS,        0                                                              },
    {PC_TLS,         0                                                              },
    {PC_MAIN,        PC_CHANGE | PC_VIEW | PC_HIDE | PC_CLASS | PC_DEFAULTS | PC_SET},
    {PC_SERVICES,    PC_CHANGE | PC_VIEW                                            },
    {PC_FIELDS,      PC_EDIT | PC_VIEW | PC_HIDE                                    },
    {PC_PARAMS,      PC_EDIT | PC_REMOVE | PC_VIEW | PC_HIDE                        },
    {PC_CLASS,       PC_MAIN | PC_DEFAULTS | PC_SET                                 },
};

static const struct {
    struct str name;
    unsigned bits;
} classes[] = {
    {S("builtin"), NAME_BUILTIN},
    {S("service"), NAME_SERVICE},
    {S("user"),    NAME_USER   },
    {S("all"),     NAME_ALL    },
};

void
pc_flush(struct postconf *p)
{
    if (p->out.len > 0)
        fwrite(p->out.p, 1, p->out.len, stdout);
    buf_reset(&p->out);
    if (fflush(stdout) != 0) {
        fprintf(stderr, "postconf: fatal: write error: %s\n", strerror(errno));
        exit(1);
    }
}

static void complain(struct postconf *p, const char *level, const char *fmt,
                     va_list args) PRINTF(3, 0);

static void
complain(struct postconf *p, const char *level, const char *fmt, va_list args)
{
    pc_flush(p);
    fprintf(stderr, "postconf: %s: %s\n", level,
            arena_vfmt(p->arena, fmt, args));
}

void
pc_warn(struct postconf *p, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    complain(p, "warning", fmt, args);
    va_end(args);
}

void
pc_fatal(struct postconf *p, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    complain(p, "fatal", fmt, args);
    va_end(args);
    exit(1);
}

static void
usage(struct postconf *p)
{
    pc_fatal(p, "usage: postconf [-a (server SASL types)]"
                " [-A (client SASL types)] [-b (bounce templates)]"
                " [-c config_dir] [-C param_class] [-d (parameter defaults)]"
                " [-e (edit configuration)] [-f (fold lines)]"
                " [-F (master.cf fields)] [-h (no names)] [-H (no values)]"
                " [-l (lock types)] [-m (map types)] [-M (master.cf)]"
                " [-n (non-default parameters)]"
                " [-o name=value (override parameter value)]"
                " [-p (main.cf, default)] [-P (master.cf parameters)]"
                " [-t (bounce templates)]"
                " [-T compile-version|run-version|public-key-algorithms]"
                " [-x (expand parameter values)] [-X (exclude)]"
                " [-# (comment-out)] [name...]");
}

const char *
pc_path(struct postconf *p, const char *name)
{
    return arena_fmt(p->arena, "%s/%s", p->dir, name);
}

/* "-d -n" */
static const char *
letters(struct postconf *p, unsigned bits)
{
    struct buf b = buf_in(p->arena);

    for (size_t i = 0; i < COUNT(options); i++)
        if (options[i].bit & bits)
            buf_fmt(&b, "%s-%c", b.len ? " " : "", options[i].letter);
    return buf_str(&b).p;
}

static void
check_options(struct postconf *p)
{
    for (size_t i = 0; i < COUNT(exclusive); i++) {
        unsigned both = p->options & exclusive[i];

        if (both & (both - 1))
            pc_fatal(p, "specify one of %s", letters(p, both));
    }
    for (size_t i = 0; i < COUNT(together); i++) {
        unsigned excess = p->options & ~(together[i].one | together[i].others);

        /* That main.cf is meant when nothing else is does not count. */
        if (together[i].one != PC_MAIN)
            excess &= ~(unsigned)PC_MAIN;
        if (p->options & together[i].one && excess)
            pc_fatal(p, "with option %s, do not specify %s",
                     letters(p, together[i].one), letters(p, excess));
    }
}

static void
add_classes(struct postconf *p, const char *list)
{
    struct str rest = str_from(list), word;

    p->classes = 0;
    while (str_word(&rest, ", \t\r\n", &word)) {
        unsigned bits = 0;

        for (size_t i = 0; i < COUNT(classes); i++)
            if (str_ieq(classes[i].name, word))
                bits = classes[i].bits;
        if (bits == 0)
            pc_fatal(p, "unknown -C option value \"%.*s\" in \"%s\"", STR(word),
                     list);
        p->classes |= bits;
    }
}

static void
add_override(struct postconf *p, const char *text)
{
    struct str name, value;
    const char *problem;

    if (!setting_cut(str_from(text), &name, &value, &problem))
        pc_fatal(p, "invalid parameter override: %s: %s", text, problem);
    settings_put(p->extra, name, value, pc_path(p, "main.cf"), 0);
}

static void
take_option(struct postconf *p, int letter, const char **dir)
{
    unsigned bit = 0;

    for (size_t i = 0; i < COUNT(options); i++)
        if (options[i].letter == letter)
            bit = options[i].bit;
    if (letter == 'c')
        *dir = optarg;
    else if (letter == 'C')
        add_classes(p, optarg);
    else if (letter == 'o')
        add_override(p, optarg);
    else if (letter == 'T')
        p->tls = optarg;
    else if (letter == 'q')
        p->quiet = true;
    else if (bit == 0 && letter != 'v') /* Postfix's -v is for its makers */
        usage(p);
    p->options |= bit;
}

static void
take_options(struct postconf *p, int argc, char **argv)
{
    const char *dir = NULL;
    int letter;

    while ((letter = getopt(argc, argv, "+aAbc:C:defFhHlmMno:pPqtT:vxX#")) !=
           -1)
        take_option(p, letter, &dir);
    p->dir = cmd_config_dir(dir);
    p->dir_given = dir || getenv("MAIL_CONFIG");
    p->words = argv + optind;
    p->word_count = (size_t)(argc - optind);
    if (!(p->options & exclusive[0]))
        p->options |= PC_MAIN;
    if (p->options & (PC_MAIN | PC_MASTER) && p->words[0] &&
        strchr(p->words[0], '='))
        p->options |= PC_EDIT;
    check_options(p);
    if (p->options & PC_EDIT && p->word_count == 0)
        pc_fatal(p, "-e requires name=value argument");
}

/* Oldest first. Setting the same value again is no mistake. */
static void
warn_replaced(struct postconf *p, const struct setting *s)
{
    const struct setting *old = s->replaced;

    if (old == NULL)
        return;
    warn_replaced(p, old);
    if (!str_eq(old->value, s->value))
        pc_warn(p, "%s, line %u: overriding earlier entry: %.*s=%.*s", s->file,
                s->line, STR(old->name), STR(old->value));
}

static bool
is_read_only(struct str name)
{
    return str_eq(name, S("process_id")) || str_eq(name, S("process_name")) ||
           str_eq(name, S("service_name"));
}

static void
read_main(struct postconf *p)
{
    const char *path = pc_path(p, "main.cf");
    struct settings *file = settings_new(p->arena);
    struct str text;
    struct why why;

    if (p->dir_given)
        settings_put(file, S("config_directory"), str_from(p->dir), path, 0);
    if (config_read_file(p->arena, path, &text, &why) != OK ||
        settings_parse(file, text, path, &why) != OK)
        pc_fatal(p, "%s", why.text);
    for (size_t i = 0; i < settings_count(file); i++) {
        const struct setting *s = settings_at(file, i);

        warn_replaced(p, s);
        if (is_read_only(s->name))
            pc_warn(p, "%s: read-only parameter assignment: %.*s=%.*s", path,
                    STR(s->name), STR(s->value));
        else
            settings_put(p->main, s->name, s->value, path, s->line);
    }
    settings_free(file);
    for (size_t i = 0; i < settings_count(p->extra); i++) {
        const struct setting *s = settings_at(p->extra, i);

        settings_put(p->main, s->name, s->value, s->file, 0);
    }
}

static void
read_master(struct postconf *p)
{
    const char *path = pc_path(p, "master.cf");
    struct str text;
    struct why why;

    if (config_read_file(p->arena, path, &text, &why) != OK) {
        if (p->options & PC_MASTER)
            pc_fatal(p, "%s", why.text);
        pc_warn(p, "%s", why.text);
    } else if (services_parse(p->arena, text, path, &p->services, &why) != OK) {
        pc_fatal(p, "%s", why.text);
    }
}

static void
say_unused(void *own, const char *file, struct str what)
{
    pc_warn(own, "%s: %.*s", file, STR(what));
}

static void
read_all(struct postconf *p)
{
    p->main = settings_new(p->arena);
    if (!(p->options & PC_DEFAULTS))
        read_main(p);
    read_master(p);
    p->names = names_new(p->arena, &p->services);
    if (!(p->options & PC_DEFAULTS))
        p->used =
            used_find(p->arena, p->names, p->main, &p->services, say_unused, p);
}

static void
warn_main(struct postconf *p)
{
    for (size_t i = 0; i < settings_count(p->main); i++) {
        const struct setting *s = settings_at(p->main, i);

        if (names_get(p->names, s->name) == NULL)
            pc_warn(p, "%s: unused parameter: %.*s=%.*s", s->file, STR(s->name),
                    STR(s->value));
    }
}

static void
warn_master(struct postconf *p)
{
    for (size_t i = 0; i < p->services.count; i++) {
        const struct service *s = &p->services.at[i];

        for (size_t k = 0; k < s->override_count; k++) {
            const struct setting *o = &s->overrides[k];

            if (names_get(p->names, o->name) == NULL &&
                !used_in_service(p->used, s, o->name))
                pc_warn(p, "%s: unused parameter: %.*s=%.*s", o->file,
                        STR(o->name), STR(o->value));
        }
    }
}

static void
show(struct postconf *p)
{
    read_all(p);
    if (p->options & PC_SERVICES)
        pc_show_services(p);
    else if (p->options & PC_FIELDS)
        pc_show_fields(p);
    else if (p->options & PC_PARAMS)
        pc_show_params(p);
    else
        pc_show_main(p);
    pc_flush(p);
    if (p->quiet || p->options & PC_DEFAULTS)
        return;
    if (p->options & PC_MAIN)
        warn_main(p);
    warn_master(p);
}

static void
run(struct postconf *p, int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--explain") == 0) {
        pc_explain(p, argv + 2);
        return;
    }
    if (argc > 1 && strcmp(argv[1], "--man-rows") == 0) {
        pc_man_rows(p);
        return;
    }
    take_options(p, argc, argv);
    if (p->options & PC_BOUNCE) {
        read_all(p);
        pc_show_bounce(p);
    } else if (!(p->options & (PC_MAIN | PC_MASTER)))
        pc_show_other(p);
    else if (!(p->options & PC_CHANGE))
        show(p);
    else if (p->word_count == 0)
        pc_fatal(p, "missing service argument");
    else if (p->options & PC_MASTER)
        pc_edit_master(p);
    else
        pc_edit_main(p);
}

int
postconf_main(int argc, char **argv)
{
    struct postconf p = {
        .arena = arena_new("postconf", MEMORY),
        .classes = NAME_ALL,
    };

    p.out = buf_in(p.arena);
    p.extra = settings_new(p.arena);
    run(&p, argc, argv);
    pc_flush(&p);
    used_free(p.used);
    names_free(p.names);
    settings_free(p.main);
    settings_free(p.extra);
    arena_free(p.arena);
    return 0;
}
