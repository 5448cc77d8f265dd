/*
 * postalias - make and ask tables of aliases, "name: destinations"; newaliases
 * does it for those of alias_database.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "cmd.h"
#include "mail/address.h"
#include "maker.h"

/* Where the name ends: at the first colon outside of quotes and comments. */
static ssize_t
find_colon(struct str line)
{
    bool quoted = false;
    unsigned comments = 0;

    for (size_t i = 0; i < line.len; i++) {
        char c = line.p[i];

        if (c == '\\')
            i++;
        else if (c == '"' && comments == 0)
            quoted = !quoted;
        else if (c == '(' && !quoted)
            comments++;
        else if (c == ')' && !quoted && comments > 0)
            comments--;
        else if (c == ':' && !quoted && comments == 0)
            return (ssize_t)i;
    }
    return -1;
}

/* Blanks outside of quotes as one each, and none before a comma. */
static struct str
tidy(struct arena *a, struct str s)
{
    struct buf out = buf_in(a);
    bool quoted = false, blank = false;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];

        if (!quoted && is_space(c)) {
            blank = true;
            continue;
        }
        if (blank && c != ',')
            buf_addc(&out, ' ');
        blank = false;
        buf_addc(&out, c);
        if (c == '\\' && i + 1 < s.len)
            buf_addc(&out, s.p[++i]);
        else if (c == '"')
            quoted = !quoted;
    }
    return buf_str(&out);
}

static const char *
parse(struct arena *a, struct str line, struct str *key, struct str *value)
{
    ssize_t colon = find_colon(line);

    if (colon < 0)
        return "need name:value pair";
    *key = address_unquote(a, str_sub(line, 0, (size_t)colon));
    *value = tidy(a, str_trim(str_sub(line, (size_t)colon + 1, line.len)));
    if (key->len == 0 || value->len == 0)
        return "need name:value pair";
    return str_find(*key, '@') >= 0 ? "name must be local" : NULL;
}

/* What sendmail's tools and NIS look for. */
static void
extra(struct table *t, const struct conf *conf)
{
    char host[256] = "localhost";
    const char *now = arena_fmt(t->arena, "%010lld", (long long)time(NULL));

    if (conf == NULL && gethostname(host, sizeof host - 1) < 0)
        log_warn("gethostname: %m");
    table_put(t, S("@"), S("@"), TABLE_REPLACE);
    table_put(t, S("YP_LAST_MODIFIED"), str_from(now), TABLE_REPLACE);
    table_put(t, S("YP_MASTER_NAME"), str_from(conf ? conf->myhostname : host),
              TABLE_REPLACE);
}

int
postalias_main(int argc, char **argv)
{
    static const struct maker postalias = {
        .name = "postalias",
        .flags = "c:d:finNopq:rsuvw",
        .usage = "[-Nfinoprsuvw] [-c config_dir] [-d key] [-q key] "
                 "[map_type:]file...",
        .separator = ":\t",
        .parse = parse,
        .extra = extra,
    };

    return maker_main(&postalias, argc, argv);
}

/* sendmail's options that mean something here; the folder of -C, or NULL. */
static const char *
newaliases_options(int argc, char **argv, bool *verbose)
{
    const char *dir = NULL;

    bool good = true;

    for (int c; (c = getopt(argc, argv, "C:v")) >= 0;)
        if (c == 'v')
            *verbose = true;
        else if (c == 'C')
            dir = optarg;
        else
            good = false;
    if (!good || optind != argc)
        cmd_fatal(75, "newaliases",
                  "usage: newaliases [-v] [-C config_dir]; it makes the tables "
                  "of alias_database");
    optind = 1;
    return dir;
}

int
newaliases_main(int argc, char **argv)
{
    struct arena *a = arena_new("newaliases", 64 << 20);
    bool verbose = false;
    const char *dir = newaliases_options(argc, argv, &verbose);
    const struct conf *conf = maker_conf(a, dir, "newaliases");
    struct str rest =
        str_from(conf ? conf->alias_database : "hash:/etc/aliases");
    char **args = arena_alloc(a, (rest.len + 6) * sizeof *args);
    struct str word;
    int count = 0, options;

    args[count++] = arena_cstr(a, S("postalias"));
    if (verbose)
        args[count++] = arena_cstr(a, S("-v"));
    if (dir) {
        args[count++] = arena_cstr(a, S("-c"));
        args[count++] = arena_cstr(a, str_from(dir));
    }
    options = count;
    while (str_word(&rest, ", \t\r\n", &word))
        args[count++] = arena_cstr(a, word);
    if (count > options)
        return postalias_main(count, args);
    fprintf(stderr, "newaliases: alias_database is empty: nothing to make\n");
    return 0;
}
