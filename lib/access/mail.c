#include "access/mail.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/buf.h"

/* Fill in % and ~. PERM for what is not known. */
static enum rc
expand(struct user *u, struct str text, const char **path, struct why *why)
{
    struct buf b = buf_in(u->life);
    ssize_t at = str_rfind(u->user, '@');
    struct str name = str_sub(u->user, 0, at < 0 ? u->user.len : (size_t)at);
    struct str domain =
        at < 0 ? S("") : str_sub(u->user, (size_t)at + 1, u->user.len);

    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];

        if (c == '~' && i == 0) {
            buf_add(&b, str_from(u->dir));
            continue;
        }
        if (c != '%') {
            buf_addc(&b, c);
            continue;
        }
        switch (++i < text.len ? text.p[i] : 0) {
        case 'u':
            buf_add(&b, u->user);
            break;
        case 'n':
            buf_add(&b, name);
            break;
        case 'd':
            buf_add(&b, domain);
            break;
        case 'h':
            buf_add(&b, str_from(u->dir));
            break;
        case '%':
            buf_addc(&b, '%');
            break;
        default:
            return fail(why, "5.3.5",
                        "mail_location = %.*s: only %%u %%n %%d %%h are known",
                        STR(text));
        }
    }
    *path = buf_str(&b).p;
    if (**path != '/')
        return fail(why, "5.3.5",
                    "mail_location = %.*s: comes to \"%s\", which is no full "
                    "path; user %.*s may lack a home",
                    STR(text), *path, STR(u->user));
    return OK;
}

static enum rc
find(struct user *u, struct home_settings *out, struct why *why)
{
    struct str rest = user_field(u, "mail"), word, whole;
    enum rc rc;

    if (rest.len == 0)
        rest = str_from(u->conf->mail_location);
    whole = rest;
    *out = (struct home_settings){0};
    if (!str_iskip(&rest, S("maildir:")))
        return fail(why, "5.3.5",
                    "mail_location = %.*s: must begin with "
                    "maildir:",
                    STR(whole));
    (void)str_cut(&rest, ':', &word);
    rc = expand(u, word, &out->root, why);
    while (rc == OK && rest.len > 0) {
        (void)str_cut(&rest, ':', &word);
        if (str_iskip(&word, S("INDEX=")))
            rc = expand(u, word, &out->index, why);
        else if (str_ieq(word, S("LAYOUT=fs")))
            out->fs = true;
        else if (!str_ieq(word, S("LAYOUT=maildir++")))
            return fail(why, "5.3.5",
                        "mail_location = %.*s: \"%.*s\" is not known",
                        STR(whole), STR(word));
    }
    return rc;
}

/* The folder itself, not those above it: a wrong path must not become one. */
static enum rc
make(const char *path, struct why *why)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return OK;
    return fail(why, "4.3.0", "cannot make the mail folder %s: %m", path);
}

enum rc
user_mail_prepare(struct user *u, const char *folders[2], struct why *why)
{
    static const char *const parts[] = {"tmp", "new", "cur"};
    struct home_settings s;
    enum rc rc = find(u, &s, why);

    if (rc == OK)
        rc = make(s.root, why);
    for (size_t i = 0; rc == OK && i < COUNT(parts); i++)
        rc = make(arena_fmt(u->life, "%s/%s", s.root, parts[i]), why);
    if (rc == OK && s.index)
        rc = make(s.index, why);
    if (rc != OK)
        return rc;
    folders[0] = s.root;
    folders[1] = s.index;
    return OK;
}

bool
user_mail_is_fs(struct user *u)
{
    struct home_settings s;
    struct why why;

    return find(u, &s, &why) == OK && s.fs;
}

enum rc
user_mail_open(struct user *u, struct home **home, struct why *why)
{
    struct home_settings s;
    enum rc rc = find(u, &s, why);

    return rc == OK ? home_open(&s, home, why) : rc;
}
