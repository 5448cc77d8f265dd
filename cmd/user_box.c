/* The mailbox of a user: its folder, and its line in virtual_mailbox_maps. */
#include "user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "conf/replace.h"

/* A table that is made from a text file. */
struct table_file {
    const char *spec, *path; /* path NULL: there is none */
    bool compiled;           /* postmap makes the table */
};

static struct table_file
first_table(struct user_call *call, const char *name)
{
    static const struct {
        struct str type;
        bool compiled;
    } types[] = {
        {S("texthash:"), false},
        {S("hash:"),     true },
        {S("btree:"),    true },
        {S("lmdb:"),     true },
        {S("cdb:"),      true },
    };
    struct str list = user_setting(call, name), spec, path;
    struct table_file t = {0};

    while (str_word(&list, " \t\r\n,", &spec))
        for (size_t i = 0; i < COUNT(types); i++) {
            path = spec;
            if (!str_skip(&path, types[i].type))
                continue;
            t.spec = arena_cstr(call->arena, spec);
            t.path = arena_cstr(call->arena, path);
            t.compiled = types[i].compiled;
            return t;
        }
    return t;
}

static bool
compile(struct user_call *call, const struct table_file *t)
{
    char *argv[] = {"postmap", "-c", (char *)(uintptr_t)call->dir,
                    (char *)(uintptr_t)t->spec, NULL};

    return !t->compiled || cmd_run_self(argv) == 0 ||
           user_refuse("postmap %s failed", t->spec);
}

/* The key of a line of a table; empty in comments and continuations. */
static struct str
key_of(struct str line)
{
    struct str word;

    if (line.len == 0 || is_space(line.p[0]) || line.p[0] == '#' ||
        !str_word(&line, " \t\r", &word))
        return S("");
    return word;
}

static bool
has_key(struct str text, struct str key)
{
    struct str line;

    while (text.len > 0) {
        str_cut(&text, '\n', &line);
        if (str_ieq(key_of(line), key))
            return true;
    }
    return false;
}

static bool
is_mailbox_domain(struct user_call *call, struct str name)
{
    struct str list = user_setting(call, "virtual_mailbox_domains"), word;

    str_cut(&name, '@', NULL);
    while (str_word(&list, " \t\r\n,", &word))
        if (str_ieq(word, name) || str_find(word, ':') >= 0 || word.p[0] == '/')
            return true;
    return false;
}

/* Open the folder, or make it and give it to the owner. No component below
 * the base may be a link: they belong to a user, we are root. */
static int
enter(int dir, const char *name, mode_t mode, uid_t uid, gid_t gid)
{
    bool made = mkdirat(dir, name, mode) == 0;

    if (!made && errno != EEXIST)
        return -1;
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0 && made && geteuid() == 0 &&
        (fchown(fd, uid, gid) < 0 || fchmod(fd, mode) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool
make_folder(struct user_call *call, const struct passwd_user *u)
{
    const char *base =
        arena_cstr(call->arena, user_setting(call, "virtual_mailbox_base"));
    struct str domain = u->name, local;
    uint64_t uid = (uint64_t)-1, gid = (uint64_t)-1;

    str_cut(&domain, '@', &local);
    (void)(str_num(u->uid, &uid) && str_num(u->gid, &gid));
    auto_close int top = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    auto_close int middle = top < 0
                                ? -1
                                : enter(top, arena_cstr(call->arena, domain),
                                        0755, (uid_t)uid, (gid_t)gid);
    auto_close int box = middle < 0
                             ? -1
                             : enter(middle, arena_cstr(call->arena, local),
                                     0700, (uid_t)uid, (gid_t)gid);

    return box >= 0 || user_refuse("cannot make the folder %.*s: %s",
                                   STR(u->home), strerror(errno));
}

static bool
add_line(struct user_call *call, const struct table_file *t, struct str name)
{
    struct str text, domain = name, local;
    struct replace r;
    struct why why;
    struct buf b = buf_in(call->arena);

    str_cut(&domain, '@', &local);
    if (replace_begin(call->arena, t->path, &r, &text, &why) != OK)
        return user_refuse("%s", why.text);
    if (has_key(text, name)) {
        replace_cancel(&r);
        return true;
    }
    buf_add(&b, text);
    if (text.len > 0 && text.p[text.len - 1] != '\n')
        buf_addc(&b, '\n');
    buf_fmt(&b, "%.*s %.*s/%.*s/Maildir/\n", STR(name), STR(domain),
            STR(local));
    return (replace_commit(&r, buf_str(&b), &why) == OK ||
            user_refuse("%s", why.text)) &&
           compile(call, t);
}

bool
user_mailbox_add(struct user_call *call, struct passwd_user *u)
{
    struct table_file t = first_table(call, "virtual_mailbox_maps");

    if (!is_mailbox_domain(call, u->name)) {
        user_note("the domain of %.*s is not in virtual_mailbox_domains: the "
                  "user can log in, but has no mailbox here",
                  STR(u->name));
        return true;
    }
    if (t.path == NULL) {
        user_note("virtual_mailbox_maps names no file that can be changed "
                  "here: add the mailbox of %.*s yourself",
                  STR(u->name));
        return true;
    }
    return make_folder(call, u) && add_line(call, &t, u->name);
}

/* Other names that would lead to nobody. */
static void
tell_aliases(struct user_call *call, struct str name)
{
    struct table_file t = first_table(call, "virtual_alias_maps");
    struct str text, line, key, word;
    struct why why;

    if (t.path == NULL ||
        config_read_file(call->arena, t.path, &text, &why) != OK)
        return;
    while (text.len > 0) {
        str_cut(&text, '\n', &line);
        key = key_of(line);
        while (key.len > 0 && str_word(&line, " \t\r,", &word))
            if (str_ieq(word, name) && !str_eq(word, key))
                user_note("%.*s in %s still leads to %.*s", STR(key), t.path,
                          STR(name));
    }
}

bool
user_mailbox_remove(struct user_call *call, struct str name)
{
    struct table_file t = first_table(call, "virtual_mailbox_maps");
    struct str text, line;
    struct replace r;
    struct why why;
    struct buf b = buf_in(call->arena);

    tell_aliases(call, name);
    if (t.path == NULL)
        return true;
    if (replace_begin(call->arena, t.path, &r, &text, &why) != OK)
        return user_refuse("%s", why.text);
    if (!has_key(text, name)) {
        replace_cancel(&r);
        return true;
    }
    while (text.len > 0) {
        str_cut(&text, '\n', &line);
        if (!str_ieq(key_of(line), name)) {
            buf_add(&b, line);
            buf_addc(&b, '\n');
        }
    }
    return (replace_commit(&r, buf_str(&b), &why) == OK ||
            user_refuse("%s", why.text)) &&
           compile(call, &t);
}
