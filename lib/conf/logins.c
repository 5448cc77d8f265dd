/* What the parameters of authd say, and the files they name. */
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/examine.h"
#include "conf/value.h"
#include "sys/priv.h"

#define MODULE "authd-ldap.so"

/* As in authd: the types of sources, and whether a file's path follows. */
static const struct type {
    struct str name;
    bool file, passwords, users;
} types[] = {
    {S("passwd-file"), true,  true,  true },
    {S("static"),      false, true,  true },
    {S("pam"),         false, true,  false},
    {S("shadow"),      false, true,  false},
    {S("passwd"),      false, false, true },
    {S("ldap"),        true,  true,  true },
    {S("oauth"),       true,  true,  false},
};

static const struct setting *
at(const struct scope *s, const char *name)
{
    return settings_get(s->settings, str_from(name));
}

static bool
may_read(const struct stat *st, const struct priv_user *u)
{
    if (st->st_uid == u->uid)
        return st->st_mode & S_IRUSR;
    if (st->st_gid == u->gid)
        return st->st_mode & S_IRGRP;
    for (size_t i = 0; i < u->ngroups; i++)
        if (st->st_gid == u->groups[i])
            return st->st_mode & S_IRGRP;
    return st->st_mode & S_IROTH;
}

/* Secrets: for auth_owner, and for nobody else. */
static void
check_file(struct exam *e, const struct scope *s, const struct setting *where,
           const char *path)
{
    const char *owner = arena_cstr(s->arena, scope_value(s, "auth_owner"));
    struct priv_user u;
    struct why why;
    struct stat st;

    if (stat(path, &st) < 0) {
        /* Whoever has not set it may have no logins at all. */
        if (where)
            exam_warn(e, where, "%s: %s", path, strerror(errno));
        return;
    }
    if (st.st_mode & S_IROTH)
        exam_warn(e, where,
                  "everybody may read the passwords in %s: chmod o-rwx %s",
                  path, path);
    if (geteuid() == 0 && priv_find_user(owner, &u, &why) == OK &&
        !may_read(&st, &u))
        exam_warn(e, where,
                  "auth_owner (%s) cannot read %s, so changes are noticed "
                  "late: chgrp %u %s; chmod 640 %s",
                  owner, path, u.gid, path, path);
}

/* It stands where authd does. */
static bool
has_module(const struct scope *s)
{
    char exe[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);
    struct str dir = scope_value(s, "daemon_directory");

    while (len > 0 && exe[len - 1] != '/')
        len--;
    exe[len > 0 ? len : 0] = '\0';
    const char *const paths[] = {
        arena_fmt(s->arena, "%.*s/" MODULE, STR(dir)),
        arena_fmt(s->arena, "%s" MODULE, exe),
        arena_fmt(s->arena, "%s../lib/postfix/sbin/" MODULE, exe),
    };

    for (size_t i = 0; i < COUNT(paths); i++)
        if (access(paths[i], R_OK) == 0)
            return true;
    return false;
}

static void
check_source(struct exam *e, const struct scope *s, const char *name,
             struct str word)
{
    const struct setting *where = at(s, name);
    struct str argument = word, type;

    str_cut(&argument, ':', &type);
    for (size_t i = 0; i < COUNT(types); i++) {
        if (!str_eq(types[i].name, type))
            continue;
        if (types[i].file && !str_starts(argument, S("/")))
            exam_fatal(e, where, "%s: write %.*s:/full/path", name, STR(type));
        else if (types[i].file)
            check_file(e, s, where, arena_cstr(s->arena, argument));
        if (strcmp(name, "auth_password_sources") == 0 && !types[i].passwords)
            exam_fatal(e, where, "%.*s knows no passwords", STR(type));
        if (str_eq(type, S("ldap")) && !has_module(s))
            exam_warn(e, where, "the module %s is not there; install it",
                      MODULE);
        return;
    }
    exam_fatal(e, where, "%.*s: there is no source of that type", STR(word));
}

static void
check_sources(struct exam *e, const struct scope *s, const char *name)
{
    struct str list = scope_value(s, name), word;

    while (value_next(&list, &word))
        check_source(e, s, name, word);
    if (list.len > 0)
        exam_fatal(e, at(s, name), "%s: a brace is not closed", name);
}

static void
check_format(struct exam *e, const struct scope *s)
{
    struct str f = scope_value(s, "auth_username_format");

    for (size_t i = 0; i < f.len; i++) {
        if (f.p[i] != '%')
            continue;
        i += i + 1 < f.len && (f.p[i + 1] == 'L' || f.p[i + 1] == 'U');
        if (++i == f.len || !strchr("und%", f.p[i])) {
            exam_fatal(e, at(s, "auth_username_format"),
                       "only %%u, %%n and %%d, with L or U between");
            return;
        }
    }
}

static void
check_mechanisms(struct exam *e, const struct scope *s)
{
    static const struct str known[] = {
        S("EXTERNAL"),
        S("SCRAM-SHA-256-PLUS"),
        S("SCRAM-SHA-1-PLUS"),
        S("SCRAM-SHA-256"),
        S("SCRAM-SHA-1"),
        S("CRAM-MD5"),
        S("PLAIN"),
        S("LOGIN"),
        S("OAUTHBEARER"),
        S("XOAUTH2"),
    };
    struct str list = scope_value(s, "auth_mechanisms"), word;

    while (str_word(&list, ", \t\r\n", &word)) {
        bool found = false;

        for (size_t i = 0; i < COUNT(known); i++)
            found = found || str_ieq(word, known[i]);
        if (!found)
            exam_warn(e, at(s, "auth_mechanisms"), "%.*s is not known",
                      STR(word));
    }
}

void
exam_logins(struct exam *e, const struct scope *s)
{
    check_sources(e, s, "auth_password_sources");
    if (at(s, "auth_user_sources")) /* the default: the same again */
        check_sources(e, s, "auth_user_sources");
    check_format(e, s);
    check_mechanisms(e, s);
}
