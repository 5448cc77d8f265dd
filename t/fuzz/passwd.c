/* A passwd-file: what is read, what is changed, and that a change changes
 * nothing else. */
#include "auth/passwd_text.h"

#include "fuzz/fuzz.h"

static void
read_fields(struct arena *a, const struct passwd_user *u)
{
    struct str rest = u->extra, name;
    struct passwd_field f, again;
    struct passwd_app app;

    while (passwd_field_next(&rest, &f)) {
        struct buf b = buf_in(a);

        passwd_expand(a, f.value, u->name);
        passwd_nets_allow(f.value, S("2001:db8::1"));
        if (!passwd_app_parse(a, &f, &app))
            continue;
        passwd_app_print(&b, &app);
        name = buf_str(&b);
        struct passwd_app second;

        must(passwd_field_next(&name, &again));
        must(passwd_app_parse(a, &again, &second));
        must(second.number == app.number && second.scope == app.scope);
        must(str_eq(second.label, app.label));
        must(str_eq(second.stored, app.stored));
    }
}

static void
change(struct arena *a, struct str text, struct passwd_user u)
{
    struct passwd_user got;
    struct str out, name = arena_str(a, u.name);
    struct why why;

    u.password = S("{PLAIN}new");
    u.extra = passwd_extra_set(a, u.extra, S("nologin"), (struct str){0});
    if (passwd_text_set(a, text, &u, &out, &why) == OK) {
        must(passwd_text_find(out, name, &got));
        must(str_eq(got.password, S("{PLAIN}new")));
        must(str_eq(got.extra, u.extra));
    }
    must(passwd_text_remove(a, text, name, &out));
    must(!passwd_text_find(out, name, &got));
}

static void
fuzz(struct arena *a, struct str in)
{
    struct str rest = in, line;
    struct passwd_user u;

    if (in.len > 4096)
        return;
    for (int n = 0; n < 20 && passwd_text_next(&rest, &line, &u); n++)
        if (u.name.len > 0) {
            read_fields(a, &u);
            change(a, in, u);
        }
}

FUZZ(64 << 20)
