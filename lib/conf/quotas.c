/* Rules of quotas: the parameter's, and those in the files of users. */
#include "conf/quotas.h"

#include "conf/config.h"
#include "conf/examine.h"
#include "conf/value.h"
#include "mail/quota_rule.h"

static const struct setting *
at(const struct scope *s, const char *name)
{
    return settings_get(s->settings, str_from(name));
}

static bool
is_limited(const struct scope *s)
{
    return scope_value(s, "quota_rule").len > 0;
}

/* "userdb_quota_rule2=*:storage=1G", of a line of a passwd-file. */
static bool
take_rule(struct str word, struct str *rule)
{
    struct str name;

    *rule = word;
    return str_cut(rule, '=', &name) && str_skip(&name, S("userdb_")) &&
           quota_rule_names(name);
}

static void
check_line(struct exam *e, const struct scope *s, const char *path,
           unsigned number, struct str line, bool *used)
{
    struct quota_limits limits;
    struct str word, rule;

    while (str_word(&line, ": \t\r", &word)) {
        /* A rule has colons, and is the last of the fields with some. */
        if (!str_starts(word, S("userdb_quota_rule")))
            continue;
        word.len = (size_t)(line.p + line.len - word.p);
        for (size_t i = 0; i < word.len; i++)
            if (is_space(word.p[i]))
                word.len = i;
        if (!take_rule(word, &rule))
            continue;
        *used = true;
        if (is_limited(s) && !quota_rule_read(rule, &limits))
            exam_warn(e, NULL, "%s, line %u: quota_rule %.*s cannot be read",
                      path, number, STR(rule));
    }
}

static void
check_file(struct exam *e, const struct scope *s, const char *path)
{
    struct str text, line;
    struct why why;
    unsigned number = 0;
    bool used = false;

    if (config_read_file(s->arena, path, &text, &why) != OK)
        return;
    while (text.len > 0) {
        (void)str_cut(&text, '\n', &line);
        number++;
        if (!str_starts(line, S("#")))
            check_line(e, s, path, number, line, &used);
    }
    if (used && !is_limited(s))
        exam_warn(
            e, NULL,
            "users in %s have quota_rule, but nobody is limited as main.cf "
            "says quota_rule =; leave that out, or write *:storage=0",
            path);
}

static bool
has_fields(struct str text)
{
    struct str line;

    while (text.len > 0) {
        (void)str_cut(&text, '\n', &line);
        if (!str_starts(line, S("#")) &&
            memmem(line.p, line.len, "quota_rule", 10) != NULL)
            return true;
    }
    return false;
}

struct str
quotas_default(struct arena *a, struct str sources)
{
    struct str word, text;
    struct why why;

    while (value_next(&sources, &word)) {
        if (!str_skip(&word, S("passwd-file:")) && !str_skip(&word, S("ldap:")))
            text = word;
        else if (config_read_file(a, arena_cstr(a, word), &text, &why) != OK)
            continue;
        if (has_fields(text))
            return S("*:storage=0");
    }
    return S("");
}

static void
exam_warnings(struct exam *e, const struct scope *s, bool limited)
{
    struct str list = scope_value(s, "quota_warning"), word;
    struct quota_line line;

    if (list.len > 0 && !limited)
        exam_warn(e, at(s, "quota_warning"),
                  "nobody is warned, as quota_rule limits nobody");
    while (str_word(&list, " \t\r\n,", &word))
        if (!quota_line_read(word, &line))
            exam_fatal(e, at(s, "quota_warning"),
                       "write storage=95%%, messages=1000 or -storage=90%%; "
                       "users get a message, no command is run");
}

void
exam_quotas(struct exam *e, const struct scope *s)
{
    struct str rule = scope_value(s, "quota_rule");
    struct str list = scope_value(s, "auth_user_sources"), word;
    struct quota_limits limits;

    exam_warnings(e, s, rule.len > 0);
    if (rule.len > 0 && !quota_rule_read(rule, &limits))
        exam_fatal(e, at(s, "quota_rule"),
                   "write *:storage=1G, *:messages=1000, or both as "
                   "*:storage=1G:messages=1000");
    while (value_next(&list, &word))
        if (str_skip(&word, S("passwd-file:")))
            check_file(e, s, arena_cstr(s->arena, word));
}
