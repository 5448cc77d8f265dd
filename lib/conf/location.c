#include "conf/location.h"

#include "base/utf8.h"

#define PREFIX_MAX 64

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

enum rc
separator_check(struct str text, struct why *why)
{
    if (str_eq(text, S("/")) || str_eq(text, S(".")))
        return OK;
    return fail(why, "5.3.5", "cannot divide names; write / or .");
}

/* A part of a prefix: no part can have "/", which divides them on disk. */
static bool
is_part(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.p[i] <= ' ' || strchr("/%*\"\\", text.p[i]))
            return false;
    return text.len > 0 && utf8_valid(text);
}

/* Names, each with the separator behind it. */
static bool
is_prefix(struct str text, char separator)
{
    struct str part;

    if (text.len == 0 || text.len > PREFIX_MAX)
        return false;
    while (text.len > 0)
        if (!str_cut(&text, separator, &part) || !is_part(part))
            return false;
    return true;
}

enum rc
private_prefix_check(struct str prefix, char separator, struct why *why)
{
    struct str bare = prefix, rest = prefix;

    if (prefix.len == 0)
        return OK;
    if (str_ends(bare, S("/")) || str_ends(bare, S(".")))
        bare.len--;
    if (prefix.p[prefix.len - 1] != separator)
        return fail(why, "5.3.5",
                    "does not end with imap_hierarchy_separator, which is "
                    "\"%c\"; write %.*s%c, or change the separator",
                    separator, STR(bare), separator);
    if (!is_prefix(prefix, separator))
        return fail(why, "5.3.5",
                    "is no prefix; write a name and \"%c\", as INBOX%c",
                    separator, separator);
    if (str_iskip(&rest, S("INBOX")) && *rest.p == separator &&
        !str_starts(prefix, S("INBOX")))
        return fail(why, "5.3.5", "is in small letters; write INBOX%.*s",
                    STR(rest));
    return OK;
}

/* One name, and not INBOX, below which own folders may be. */
static bool
is_space_prefix(struct str text, char separator)
{
    return is_prefix(text, separator) &&
           str_find(text, separator) == (ssize_t)text.len - 1 &&
           !str_ieq(str_sub(text, 0, text.len - 1), S("INBOX"));
}

enum rc
space_next(struct str *list, char separator, struct space_location *s,
           struct why *why)
{
    struct str location;

    *s = (struct space_location){0};
    if (!str_word(list, ", \t\r\n", &s->prefix))
        return OK;
    if (!is_space_prefix(s->prefix, separator))
        return fail(why, "5.3.5",
                    "\"%.*s\" is no prefix; write a name and \"%c\", as "
                    "Public%c",
                    STR(s->prefix), separator, separator);
    if (!str_word(list, ", \t\r\n", &location))
        return fail(why, "5.3.5",
                    "%.*s has no location; write %.*s maildir:/full/path",
                    STR(s->prefix), STR(s->prefix));
    return location_parse(location, &s->at, why);
}
