/*
 * Application passwords: one for each program, so that a lost telephone costs
 * one password and not all. They are made here, with 100 random bits, so a
 * fast hash keeps them as well as a slow one would.
 */
#include "user.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "auth/scheme.h"
#include "json.h"
#include "mail/date.h"
#include "tls/digest.h"

#define APP_SCHEME "SSHA256"
#define GROUPS     4
#define GROUP      5

/* The number of the next one, so that none is given twice. */
#define NEXT "posta_app_next"

struct made {
    struct passwd_app app;
    bool found;
};

/* "k3f9x-…": 32 letters that are not mistaken for each other. */
static struct str
make_password(struct arena *a)
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
    struct buf b = buf_in(a);
    uint8_t random[GROUPS * GROUP];

    digest_random(random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++) {
        if (i > 0 && i % GROUP == 0)
            buf_addc(&b, '-');
        buf_addc(&b, letters[random[i] % 32]);
    }
    explicit_bzero(random, sizeof random);
    return buf_str(&b);
}

static unsigned
next_number(struct user_call *call, const struct passwd_user *u, size_t *count)
{
    struct str rest = u->extra, text;
    struct passwd_field f;
    struct passwd_app app;
    uint64_t next = 1;

    if (passwd_field_find(u->extra, S(NEXT), &text) && !str_num(text, &next))
        next = 1;
    for (*count = 0; passwd_field_next(&rest, &f);)
        if (passwd_app_parse(call->arena, &f, &app)) {
            ++*count;
            if (app.number >= next)
                next = app.number + 1u;
        }
    return (unsigned)next;
}

static bool
add(struct user_call *call, struct passwd_user *u, void *own)
{
    struct made *m = own;
    struct buf field = buf_in(call->arena);
    struct str name, value;
    size_t count;

    m->app.number = next_number(call, u, &count);
    if (count >= PASSWD_APPS_MAX)
        return user_refuse("%.*s has %d application passwords already",
                           STR(u->name), PASSWD_APPS_MAX);
    passwd_app_print(&field, &m->app);
    value = buf_str(&field);
    str_cut(&value, '=', &name);
    u->extra = passwd_extra_set(call->arena, u->extra, name, value);
    value = str_from(arena_fmt(call->arena, "%u", m->app.number + 1));
    u->extra = passwd_extra_set(call->arena, u->extra, S(NEXT), value);
    return true;
}

int
user_app_add(struct user_call *call)
{
    struct made m = {.app = {.created = time(NULL)}};
    struct str name, password = make_password(call->arena);
    struct why why;

    if (call->label == NULL || *call->label == '\0' ||
        strlen(call->label) > 100) {
        user_error("--name LABEL is missing: what the password is for");
        return USER_USAGE;
    }
    m.app.label = str_from(call->label);
    if (!passwd_scope_parse(
            str_from(call->scope ? call->scope : "smtp,imap,pop3"),
            &m.app.scope)) {
        user_error("--scope %s: wants a list of smtp, imap, pop3 and sieve",
                   call->scope);
        return USER_USAGE;
    }
    if (!user_name(call, call->argv[0], &name))
        return 1;
    if (scheme_make(call->arena, S(APP_SCHEME), password, 0, &m.app.stored,
                    &why) != OK)
        return user_error("%s", why.text);
    int status = user_edit(call, name, add, &m);

    if (status == 0)
        printf("%.*s\n", STR(password));
    explicit_bzero((char *)(uintptr_t)password.p, password.len);
    return status;
}

static struct str
scope_text(struct user_call *call, unsigned scope)
{
    struct buf b = buf_in(call->arena);

    passwd_scope_print(&b, scope);
    return buf_str(&b);
}

static void
show_json(struct user_call *call, const struct passwd_app *app, struct str used,
          bool first)
{
    printf("%s\n{\"number\": %u, \"name\": ", first ? "" : ",", app->number);
    json_text(app->label);
    printf(", \"scope\": ");
    json_text(scope_text(call, app->scope));
    printf(", \"created\": ");
    json_text(date_format_internet(call->arena, app->created));
    printf(", \"last_use\": ");
    if (str_eq(used, S("never")))
        printf("null");
    else
        json_text(used);
    putchar('}');
}

static void
show_line(struct user_call *call, const struct passwd_app *app, struct str used)
{
    struct str created = date_format_internet(call->arena, app->created);
    struct buf label = buf_in(call->arena);

    for (size_t i = 0; i < app->label.len; i++)
        buf_addc(&label,
                 (unsigned char)app->label.p[i] < 0x20 ? '?' : app->label.p[i]);
    printf("%6u  %-24.*s %-15.*s %.*s  %.*s\n", app->number,
           STR(buf_str(&label)), STR(scope_text(call, app->scope)),
           STR(created), STR(used));
}

int
user_app_list(struct user_call *call)
{
    struct last_use l = user_last_use_open(call);
    struct passwd_user u;
    struct passwd_field f;
    struct passwd_app app;
    struct str name;
    bool first = true;

    if (!user_name(call, call->argv[0], &name) || !user_find(call, name, &u))
        return 1;
    if (call->json)
        putchar('[');
    else
        printf("%6s  %-24s %-15s %-20s  %s\n", "number", "name", "scope",
               "made", "last used");
    while (passwd_field_next(&u.extra, &f))
        if (passwd_app_parse(call->arena, &f, &app)) {
            struct str used = user_last_use(call, &l, name, app.number);

            if (call->json)
                show_json(call, &app, used, first);
            else
                show_line(call, &app, used);
            first = false;
        }
    if (call->json)
        printf("%s]\n", first ? "" : "\n");
    last_use_close(&l);
    return 0;
}

/* By its number or its name. */
static bool
take_out(struct user_call *call, struct passwd_user *u, void *own)
{
    struct str which = str_from(own), rest = u->extra, found = S("");
    struct passwd_field f;
    struct passwd_app app;
    uint64_t number = 0;
    size_t matches = 0;

    (void)!str_num(which, &number);
    while (passwd_field_next(&rest, &f))
        if (passwd_app_parse(call->arena, &f, &app) &&
            (app.number == number || str_eq(app.label, which))) {
            matches++;
            found = f.name;
        }
    if (matches > 1)
        return user_refuse("%s is the name of several: say the number",
                           (const char *)own);
    if (matches == 0)
        return user_refuse("%.*s has no application password %s", STR(u->name),
                           (const char *)own);
    u->extra = passwd_extra_remove(call->arena, u->extra, found);
    return true;
}

int
user_app_remove(struct user_call *call)
{
    struct str name;

    if (!user_name(call, call->argv[0], &name))
        return 1;
    int status = user_edit(call, name, take_out, call->argv[1]);

    if (status == 0)
        printf("application password %s is removed\n", call->argv[1]);
    return status;
}
