/* Names, and lines of the passwd-file. */
#include "user.h"

#include <stdio.h>

#include "auth/sasl.h"
#include "auth/saslprep.h"
#include "auth/scheme.h"
#include "conf/replace.h"

/* The only domain with mailboxes; empty where there are none or several. */
static struct str
only_domain(struct user_call *call)
{
    struct str list = user_setting(call, "virtual_mailbox_domains"), word, one;

    if (!str_word(&list, " \t\r\n,", &one) || str_find(one, '/') >= 0 ||
        str_find(one, ':') >= 0 || str_word(&list, " \t\r\n,", &word))
        return S("");
    return one;
}

/* What may stand in a mailbox's path and in a line of either file. */
static bool
good_part(struct str part, const char *also)
{
    for (size_t i = 0; i < part.len; i++)
        if (!is_alnum(part.p[i]) && str_find(str_from(also), part.p[i]) < 0 &&
            (unsigned char)part.p[i] < 0x80)
            return false;
    return part.len > 0 && part.p[0] != '.' && part.p[0] != '-';
}

bool
user_name(struct user_call *call, const char *given, struct str *name)
{
    struct str domain = arena_lower(call->arena, str_from(given)), local;
    bool full = str_cut(&domain, '@', &local);

    if (!full)
        domain = only_domain(call);
    if (domain.len == 0)
        return user_refuse("%s: wants a name with its domain, NAME@DOMAIN",
                           given);
    *name =
        str_from(arena_fmt(call->arena, "%.*s@%.*s", STR(local), STR(domain)));
    if (!good_part(local, ".-_+") || !good_part(domain, ".-") ||
        name->len > SASL_NAME_MAX || !saslprep(call->arena, *name, true, name))
        return user_refuse("%s: a name is of letters, digits, dot, dash, plus "
                           "and underscore",
                           given);
    return true;
}

bool
user_find(struct user_call *call, struct str name, struct passwd_user *u)
{
    struct passwd_file *file;
    struct why why;
    bool found;

    if (passwd_file_open(call->users, &file, &why) != OK)
        return user_refuse("%s", why.text);
    found = passwd_file_find(file, name, u);
    if (found) {
        struct str *const fields[] = {&u->name,  &u->password, &u->uid,
                                      &u->gid,   &u->gecos,    &u->home,
                                      &u->shell, &u->extra};

        for (size_t i = 0; i < COUNT(fields); i++)
            *fields[i] = arena_str(call->arena, *fields[i]);
    }
    passwd_file_close(file);
    if (!found)
        user_error("%s has no user %.*s", call->users, STR(name));
    return found;
}

int
user_edit(struct user_call *call, struct str name, user_change *change,
          void *own)
{
    struct passwd_user u;
    struct replace r;
    struct str text, out;
    struct why why;

    if (replace_begin(call->arena, call->users, &r, &text, &why) != OK)
        return user_error("%s", why.text);
    if (!passwd_text_find(text, name, &u)) {
        replace_cancel(&r);
        return user_error("%s has no user %.*s", call->users, STR(name));
    }
    if (!change(call, &u, own)) {
        replace_cancel(&r);
        return 1;
    }
    if (passwd_text_set(call->arena, text, &u, &out, &why) != OK) {
        replace_cancel(&r);
        return user_error("%s", why.text);
    }
    if (replace_commit(&r, out, &why) != OK)
        return user_error("%s", why.text);
    return 0;
}

/* Ask for a new password and hash it. */
static bool
new_password(struct user_call *call, struct str name, struct str *stored)
{
    const char *scheme = call->scheme ? call->scheme : SCHEME_DEFAULT;
    struct str password;
    struct why why;

    if (!user_ask_password(call, name, true, &password))
        return false;
    enum rc rc = scheme_make(call->arena, str_from(scheme), password,
                             call->rounds, stored, &why);

    explicit_bzero((char *)(uintptr_t)password.p, password.len);
    return rc == OK || user_refuse("%s", why.text);
}

/* The ids that mailboxes belong to: "static:5000", else those of the first
 * user. */
static struct str
owner_of(struct user_call *call, const char *name, struct str text, bool group)
{
    struct str maps = user_setting(call, name), line;
    struct passwd_user u;

    if (str_skip(&maps, S("static:")))
        return maps;
    while (passwd_text_next(&text, &line, &u))
        if (u.name.len > 0 && u.uid.len > 0 && u.gid.len > 0)
            return group ? u.gid : u.uid;
    return S("");
}

/* A user as `posta init` makes them. */
static struct passwd_user
new_user(struct user_call *call, struct str name, struct str text)
{
    struct str domain = name, local;

    str_cut(&domain, '@', &local);
    return (struct passwd_user){
        .name = name,
        .uid = owner_of(call, "virtual_uid_maps", text, false),
        .gid = owner_of(call, "virtual_gid_maps", text, true),
        .home =
            str_from(arena_fmt(call->arena, "%.*s/%.*s/%.*s",
                               STR(user_setting(call, "virtual_mailbox_base")),
                               STR(domain), STR(local)))};
}

/* What the file becomes. The mailbox is made first, so that nobody can log in
 * who has none. */
static bool
add_user(struct user_call *call, struct str text, struct str name,
         struct str stored, struct str *out)
{
    struct passwd_user u;
    struct why why;

    if (passwd_text_find(text, name, &u))
        return user_refuse("%.*s is there already; \"posta user password\" "
                           "sets a new password",
                           STR(name));
    u = new_user(call, name, text);
    u.password = stored;
    if (!user_mailbox_add(call, &u))
        return false;
    return passwd_text_set(call->arena, text, &u, out, &why) == OK ||
           user_refuse("%s", why.text);
}

int
user_add(struct user_call *call)
{
    struct str name, text, stored, out;
    struct replace r;
    struct why why;

    if (!user_name(call, call->argv[0], &name) ||
        !new_password(call, name, &stored))
        return 1;
    if (replace_begin(call->arena, call->users, &r, &text, &why) != OK)
        return user_error("%s", why.text);
    if (!add_user(call, text, name, stored, &out)) {
        replace_cancel(&r);
        return 1;
    }
    if (replace_commit(&r, out, &why) != OK)
        return user_error("%s", why.text);
    printf("%.*s is added\n", STR(name));
    return 0;
}

static bool
set_password(struct user_call *call, struct passwd_user *u, void *own)
{
    (void)call;
    u->password = *(struct str *)own;
    return true;
}

int
user_password(struct user_call *call)
{
    struct passwd_user u;
    struct str name, stored;

    if (!user_name(call, call->argv[0], &name) || !user_find(call, name, &u) ||
        !new_password(call, name, &stored))
        return 1;
    int status = user_edit(call, name, set_password, &stored);

    if (status == 0)
        printf("%.*s has a new password\n", STR(name));
    return status;
}

static bool
set_disabled(struct user_call *call, struct passwd_user *u, void *own)
{
    bool disabled = *(bool *)own;

    u->extra = disabled
                   ? passwd_extra_set(call->arena, u->extra, S("nologin"),
                                      (struct str){NULL, 0})
                   : passwd_extra_remove(call->arena, u->extra, S("nologin"));
    return true;
}

static int
switch_login(struct user_call *call, bool disabled)
{
    struct str name;

    if (!user_name(call, call->argv[0], &name))
        return 1;
    int status = user_edit(call, name, set_disabled, &disabled);

    if (status == 0)
        printf("%.*s may %slog in\n", STR(name), disabled ? "not " : "");
    return status;
}

int
user_disable(struct user_call *call)
{
    return switch_login(call, true);
}

int
user_enable(struct user_call *call)
{
    return switch_login(call, false);
}

int
user_remove(struct user_call *call)
{
    struct replace r;
    struct str name, text, out;
    struct passwd_user u;
    struct why why;

    if (!user_name(call, call->argv[0], &name))
        return 1;
    if (replace_begin(call->arena, call->users, &r, &text, &why) != OK)
        return user_error("%s", why.text);
    if (!passwd_text_find(text, name, &u) ||
        !passwd_text_remove(call->arena, text, name, &out)) {
        replace_cancel(&r);
        return user_error("%s has no user %.*s", call->users, STR(name));
    }
    if (replace_commit(&r, out, &why) != OK)
        return user_error("%s", why.text);
    if (!user_mailbox_remove(call, name))
        return 1;
    printf("%.*s is removed; the mail stays in %.*s\n", STR(name), STR(u.home));
    return 0;
}
