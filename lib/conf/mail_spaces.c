/* What the parameters of namespaces say (access/mail.h). */
#include <errno.h>
#include <sys/stat.h>

#include "conf/examine.h"
#include "conf/location.h"
#include "conf/value.h"

#define SPACES_MAX 50

static const struct setting *
at(const struct scope *s, const char *name)
{
    return settings_get(s->settings, str_from(name));
}

static bool
names_users(struct str path)
{
    return str_search(path, S("%u")) >= 0 || str_search(path, S("%n")) >= 0;
}

static void
check_shared(struct exam *e, const struct setting *where,
             const struct space_location *l)
{
    if (!names_users(l->at.root) ||
        (l->at.index.len > 0 && !names_users(l->at.index)))
        exam_fatal(e, where,
                   "%.*s would be the same for all users; write %%u where "
                   "their names stand",
                   STR(l->at.root));
    if (str_starts(l->at.root, S("~")) || str_search(l->at.root, S("%h")) >= 0)
        exam_fatal(e, where,
                   "the homes of others are not known; write the full path, "
                   "with %%u where their names stand");
}

/* How many prefixes there are, all in all. */
static size_t
check_spaces(struct exam *e, const struct scope *s, const char *name,
             char separator, struct str *prefixes, size_t count)
{
    struct str list = scope_value(s, name);
    struct space_location l;
    struct why why;
    size_t before = count;

    while (count < SPACES_MAX) {
        if (space_next(&list, separator, &l, &why) != OK) {
            exam_fatal(e, at(s, name), "%s", why.text);
            break;
        }
        if (l.prefix.len == 0)
            break;
        for (size_t i = 0; i < count; i++)
            if (str_eq(prefixes[i], l.prefix))
                exam_fatal(e, at(s, name), "there are two namespaces %.*s",
                           STR(l.prefix));
        prefixes[count++] = l.prefix;
        if (before == 0 && str_eq(str_from(name), S("imap_shared_namespace")))
            check_shared(e, at(s, name), &l);
    }
    return count;
}

static void
check_list(struct exam *e, const struct scope *s, bool shared)
{
    struct str list = scope_value(s, "imap_shared_list");
    const char *path = arena_cstr(s->arena, list);
    struct stat st;

    if (!shared)
        return;
    if (!str_starts(list, S("/"))) {
        exam_fatal(e, at(s, "imap_shared_namespace"),
                   "needs imap_shared_list = /full/path of a folder");
        return;
    }
    if (stat(path, &st) < 0)
        exam_warn(e, at(s, "imap_shared_list"),
                  "%s; make it: install -d -m 1777 %s (or, for virtual users, "
                  "-o with their account -m 700)",
                  strerror(errno), path);
    else if (!S_ISDIR(st.st_mode))
        exam_fatal(e, at(s, "imap_shared_list"), "is no folder");
}

static char
check_separator(struct exam *e, const struct scope *s)
{
    struct str text = scope_value(s, "imap_hierarchy_separator");
    struct why why;

    if (separator_check(text, &why) == OK)
        return *text.p;
    exam_fatal(e, at(s, "imap_hierarchy_separator"), "%s", why.text);
    return '/';
}

/* Of the user's own folders, and of those that he shall have. */
static void
check_private(struct exam *e, const struct scope *s, char separator)
{
    struct str prefix = scope_value(s, "imap_private_prefix");
    struct str list = scope_value(s, "imap_default_folders"), name;
    struct why why;

    if (private_prefix_check(prefix, separator, &why) != OK) {
        exam_fatal(e, at(s, "imap_private_prefix"), "%s", why.text);
        return;
    }
    while (prefix.len > 0 && value_next(&list, &name))
        if (str_skip(&name, prefix))
            exam_fatal(e, at(s, "imap_default_folders"),
                       "names stand without imap_private_prefix there; write "
                       "%.*s instead of %.*s%.*s",
                       STR(name), STR(prefix), STR(name));
}

/* It would be the others' mail. */
static void
check_hidden(struct exam *e, const struct scope *s, const struct str *prefixes,
             size_t count)
{
    struct str prefix = scope_value(s, "imap_private_prefix");

    for (size_t i = 0; i < count; i++)
        if (str_starts(prefix, prefixes[i]))
            exam_fatal(e, at(s, "imap_private_prefix"),
                       "%.*s is another namespace; write another prefix",
                       STR(prefixes[i]));
}

void
exam_mail_spaces(struct exam *e, const struct scope *s)
{
    struct str prefixes[SPACES_MAX];
    char separator = check_separator(e, s);
    size_t count =
        check_spaces(e, s, "imap_shared_namespace", separator, prefixes, 0);

    check_private(e, s, separator);
    if (count > 1)
        exam_fatal(e, at(s, "imap_shared_namespace"),
                   "there can be one namespace of other users");
    check_list(e, s, count > 0);
    count = check_spaces(e, s, "imap_public_namespaces", separator, prefixes,
                         count);
    check_hidden(e, s, prefixes, count);
}
