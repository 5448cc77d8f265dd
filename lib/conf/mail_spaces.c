/* What the parameters of namespaces say (access/mail.h). */
#include <errno.h>
#include <sys/stat.h>

#include "conf/examine.h"
#include "conf/location.h"

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
             struct str *prefixes, size_t count)
{
    struct str list = scope_value(s, name);
    struct space_location l;
    struct why why;
    size_t before = count;

    while (count < SPACES_MAX) {
        if (space_next(&list, &l, &why) != OK) {
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

void
exam_mail_spaces(struct exam *e, const struct scope *s)
{
    struct str prefixes[SPACES_MAX];
    size_t count = check_spaces(e, s, "imap_shared_namespace", prefixes, 0);

    if (count > 1)
        exam_fatal(e, at(s, "imap_shared_namespace"),
                   "there can be one namespace of other users");
    check_list(e, s, count > 0);
    (void)check_spaces(e, s, "imap_public_namespaces", prefixes, count);
}
