/* Who is there, and is this the password? */
#include "user.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "auth/scheme.h"
#include "json.h"
#include "mail/date.h"

struct last_use
user_last_use_open(struct user_call *call)
{
    const char *path = arena_fmt(call->arena, "%.*s/auth",
                                 STR(user_setting(call, "queue_directory")));
    auto_close int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct last_use l = {.fd = -1};
    struct why why;

    if (dir >= 0 && last_use_open(dir, "last-use", false, &l, &why) != OK)
        l.fd = -1;
    return l;
}

struct str
user_last_use(struct user_call *call, const struct last_use *l, struct str name,
              unsigned app)
{
    struct last_used used;

    if (!last_use_get(l, name, app, &used))
        return S("never");
    return date_format_internet(call->arena, used.when / 1000);
}

static bool
is_disabled(const struct passwd_user *u)
{
    struct str value;

    return passwd_field_find(u->extra, S("nologin"), &value) ||
           passwd_field_find(u->extra, S("user_disabled"), &value);
}

static unsigned
count_apps(struct user_call *call, const struct passwd_user *u)
{
    struct str rest = u->extra;
    struct passwd_field f;
    struct passwd_app app;
    unsigned n = 0;

    while (passwd_field_next(&rest, &f))
        n += passwd_app_parse(call->arena, &f, &app);
    return n;
}

static void
show_json(struct user_call *call, const struct passwd_user *u,
          const struct last_use *l, bool first)
{
    struct str scheme, hash, used = user_last_use(call, l, u->name, 0);

    if (!scheme_cut(u->password, "CRYPT", &scheme, &hash))
        scheme = S("");
    printf("%s\n{\"user\": ", first ? "" : ",");
    json_text(u->name);
    printf(", \"scheme\": ");
    json_text(scheme);
    printf(", \"disabled\": %s, \"app_passwords\": %u, \"last_use\": ",
           is_disabled(u) ? "true" : "false", count_apps(call, u));
    if (str_eq(used, S("never")))
        printf("null");
    else
        json_text(used);
    printf(", \"home\": ");
    json_text(u->home);
    putchar('}');
}

static void
show_line(struct user_call *call, const struct passwd_user *u,
          const struct last_use *l)
{
    struct str scheme, hash;

    if (!scheme_cut(u->password, "CRYPT", &scheme, &hash))
        scheme = S("damaged");
    printf("%-36.*s %-9s %-14.*s %4u  %.*s\n", STR(u->name),
           is_disabled(u) ? "disabled" : "enabled", STR(scheme),
           count_apps(call, u), STR(user_last_use(call, l, u->name, 0)));
}

int
user_list(struct user_call *call)
{
    struct last_use l = user_last_use_open(call);
    struct passwd_file *file;
    struct passwd_user u;
    struct why why;
    bool first = true;

    if (passwd_file_open(call->users, &file, &why) != OK)
        return user_error("%s", why.text);
    if (call->json)
        putchar('[');
    else
        printf("%-36s %-9s %-14s %4s  %s\n", "user", "login", "password",
               "apps", "last used");
    for (size_t pos = 0; passwd_file_next(file, &pos, &u); first = false)
        if (call->json)
            show_json(call, &u, &l, first);
        else
            show_line(call, &u, &l);
    if (call->json)
        printf("%s]\n", first ? "" : "\n");
    passwd_file_close(file);
    last_use_close(&l);
    return 0;
}

/* Is it one of the application passwords for those services? */
static bool
is_app(struct user_call *call, const struct passwd_user *u, unsigned scope,
       struct str password)
{
    struct str rest = u->extra;
    struct passwd_field f;
    struct passwd_app app;
    struct why why;

    while (passwd_field_next(&rest, &f))
        if (passwd_app_parse(call->arena, &f, &app) && (app.scope & scope) &&
            scheme_verify(call->arena, app.stored, "CRYPT", password, &why) ==
                OK) {
            printf("right: application password %u, %.*s\n", app.number,
                   STR(app.label));
            return true;
        }
    return false;
}

int
user_check(struct user_call *call)
{
    unsigned scope = ~0u;
    struct passwd_user u;
    struct str name, password;
    struct why why;

    if (call->service &&
        (scope = passwd_scope_of(str_from(call->service))) == 0) {
        user_error("--service %s: smtp, imap or pop3 are services",
                   call->service);
        return USER_USAGE;
    }
    if (!user_name(call, call->argv[0], &name) || !user_find(call, name, &u) ||
        !user_ask_password(call, name, false, &password))
        return 1;
    if (is_disabled(&u))
        user_note("%.*s may not log in", STR(name));
    enum rc rc =
        scheme_verify(call->arena, u.password, "CRYPT", password, &why);

    if (rc == OK) {
        printf("right\n");
        return 0;
    }
    if (is_app(call, &u, scope, password))
        return 0;
    if (rc == TEMP)
        return user_error("%.*s: %s", STR(name), why.text);
    printf("wrong\n");
    return USER_WRONG;
}
