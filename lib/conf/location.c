#include "conf/location.h"

#include "base/utf8.h"

/* Only what can be filled in, and a full path by what it begins with. */
static enum rc
check_path(struct str path, struct why *why)
{
    if (!str_starts(path, S("/")) && !str_starts(path, S("~/")) &&
        !str_eq(path, S("~")) && !str_starts(path, S("%h")))
        return fail(why, "5.3.5", "%.*s is no full path", STR(path));
    for (size_t i = 0; i < path.len; i++)
        if (path.p[i] == '%' &&
            (++i == path.len || !memchr("undh%", path.p[i], 5)))
            return fail(why, "5.3.5", "%.*s: only %%u %%n %%d %%h are known",
                        STR(path));
    return OK;
}

enum rc
location_parse(struct str text, struct location *l, struct why *why)
{
    struct str word;
    enum rc rc;

    *l = (struct location){0};
    if (!str_iskip(&text, S("maildir:")))
        return fail(why, "5.3.5", "%.*s: must begin with maildir:", STR(text));
    (void)str_cut(&text, ':', &l->root);
    rc = check_path(l->root, why);
    while (rc == OK && text.len > 0) {
        (void)str_cut(&text, ':', &word);
        if (str_iskip(&word, S("INDEX="))) {
            l->index = word;
            rc = check_path(word, why);
        } else if (str_ieq(word, S("LAYOUT=fs"))) {
            l->fs = true;
        } else if (!str_ieq(word, S("LAYOUT=maildir++"))) {
            return fail(why, "5.3.5", "\"%.*s\" is not known", STR(word));
        }
    }
    return rc;
}

static bool
is_prefix(struct str text)
{
    if (!str_ends(text, S("/")) || text.len < 2 || text.len > 64 ||
        !utf8_valid(text) || str_ieq(text, S("INBOX/")))
        return false;
    for (size_t i = 0; i + 1 < text.len; i++)
        if ((unsigned char)text.p[i] <= ' ' || strchr("/%*\"\\", text.p[i]))
            return false;
    return true;
}

enum rc
space_next(struct str *list, struct space_location *s, struct why *why)
{
    struct str location;

    *s = (struct space_location){0};
    if (!str_word(list, ", \t\r\n", &s->prefix))
        return OK;
    if (!is_prefix(s->prefix))
        return fail(why, "5.3.5",
                    "\"%.*s\" is no prefix; write a name and \"/\", as Public/",
                    STR(s->prefix));
    if (!str_word(list, ", \t\r\n", &location))
        return fail(why, "5.3.5",
                    "%.*s has no location; write %.*s maildir:/full/path",
                    STR(s->prefix), STR(s->prefix));
    return location_parse(location, &s->at, why);
}
