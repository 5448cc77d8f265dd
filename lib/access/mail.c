#include "access/mail.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "access/names.h"
#include "access/shares.h"
#include "auth/user_quota.h"
#include "base/buf.h"
#include "base/log.h"
#include "daemon/quota_notice.h"
#include "store/quota.h"
#include "sys/disk.h"

/* Fill in % and ~, for him or for another user, who has no home for us. PERM
 * for what is not known. */
static enum rc
expand(struct user *u, struct arena *a, struct str who, struct str text,
       const char **path, struct why *why)
{
    bool self = str_eq(who, u->user);
    struct str dir = str_from(self ? u->dir : "");
    struct buf b = buf_in(a);
    ssize_t at = str_rfind(who, '@');
    struct str name = str_sub(who, 0, at < 0 ? who.len : (size_t)at);
    struct str domain = at < 0 ? S("") : str_sub(who, (size_t)at + 1, who.len);

    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];

        if (c == '~' && i == 0) {
            buf_add(&b, dir);
            continue;
        }
        if (c != '%') {
            buf_addc(&b, c);
            continue;
        }
        switch (++i < text.len ? text.p[i] : 0) {
        case 'u':
            buf_add(&b, who);
            break;
        case 'n':
            buf_add(&b, name);
            break;
        case 'd':
            buf_add(&b, domain);
            break;
        case 'h':
            buf_add(&b, dir);
            break;
        case '%':
            buf_addc(&b, '%');
            break;
        default:
            return fail(why, "5.3.5", "%.*s: only %%u %%n %%d %%h are known",
                        STR(text));
        }
    }
    *path = buf_str(&b).p;
    if (**path != '/')
        return fail(why, "5.3.5",
                    "%.*s comes to \"%s\", which is no full path; user %.*s "
                    "may lack a home",
                    STR(text), *path, STR(who));
    return OK;
}

static enum rc
fill(struct user *u, struct arena *a, struct str who, const struct location *l,
     struct home_settings *out, struct why *why)
{
    enum rc rc = expand(u, a, who, l->root, &out->root, why);

    if (rc == OK && l->index.len > 0)
        rc = expand(u, a, who, l->index, &out->index, why);
    out->fs = l->fs;
    out->separator = names_of(u->conf).separator;
    return rc;
}

static enum rc
find(struct user *u, struct home_settings *out, struct why *why)
{
    struct str text = user_field(u, "mail");
    struct location l;
    struct why what;

    if (text.len == 0)
        text = str_from(u->conf->mail_location);
    *out = (struct home_settings){0};
    if (location_parse(text, &l, &what) == OK &&
        fill(u, u->life, u->user, &l, out, &what) == OK)
        return OK;
    return fail(why, "5.3.5", "mail_location = %.*s: %s", STR(text), what.text);
}

/* The folder itself, not those above it: a wrong path must not become one. */
static enum rc
make(const char *path, struct why *why)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return OK;
    return fail(why, "4.3.0", "cannot make the mail folder %s: %m", path);
}

static enum rc
make_part(const char *path, struct why *why)
{
    if (disk_make_dir(AT_FDCWD, path) || errno == EEXIST)
        return OK;
    return fail(why, "4.3.0", "cannot make the mail folder %s: %m", path);
}

enum rc
user_mail_prepare(struct user *u, struct user_folders *folders, struct why *why)
{
    static const char *const parts[] = {"tmp", "new", "cur"};
    struct home_settings s;
    enum rc rc = find(u, &s, why);

    if (rc == OK)
        rc = make(s.root, why);
    for (size_t i = 0; rc == OK && i < COUNT(parts); i++)
        rc = make_part(arena_fmt(u->life, "%s/%s", s.root, parts[i]), why);
    if (rc == OK && s.index)
        rc = make(s.index, why);
    if (rc != OK)
        return rc;
    user_folder(folders, s.root);
    user_folder(folders, s.index);
    return OK;
}

bool
user_mail_dots_divide(struct user *u)
{
    struct home_settings s;
    struct why why;

    return find(u, &s, &why) != OK || !s.fs || s.separator == '.';
}

/* Somebody must have counted, under the limits of now, to see a crossing. */
static void
watch_quota(struct user *u, const struct home *home)
{
    struct quota_limits limits;
    struct quota_sum sum;
    struct why why;
    bool fs;
    const char *root = home_root(home, &fs);

    quota_notice_to(u->user, root);
    if (user_quota(u->life, str_from(u->conf->quota_rule), u->fields, &limits,
                   &why) == OK &&
        limits.bytes + limits.messages > 0)
        (void)!quota_get(root, fs, &limits, &sum, &why);
}

enum rc
user_mail_open(struct user *u, struct home **home, struct why *why)
{
    struct home_settings s;
    enum rc rc = find(u, &s, why);

    if (rc == OK)
        rc = home_open(&s, home, why);
    if (rc == OK && quota_notice_wanted())
        watch_quota(u, *home);
    return rc;
}

/* ---- namespaces of others */

static enum rc
add_spaces(struct user *u, const char *parameter, const char *text, bool shared,
           struct mail_spaces *spaces, struct why *why)
{
    struct str list = str_from(text);
    struct space_location s;
    struct why what;

    for (;;) {
        if (space_next(&list, names_of(u->conf).separator, &s, &what) != OK)
            return fail(why, "5.3.5", "%s: %s", parameter, what.text);
        if (s.prefix.len == 0)
            return OK;
        if (spaces->count == MAIL_SPACES)
            return fail(why, "5.3.5", "%s: there are more than %d namespaces",
                        parameter, MAIL_SPACES);
        spaces->at[spaces->count++] = (struct mail_space){
            .prefix = arena_str(u->life, s.prefix),
            .shared = shared,
            .at = s.at,
        };
    }
}

enum rc
user_spaces(struct user *u, struct mail_spaces *spaces, struct why *why)
{
    const struct conf *c = u->conf;
    enum rc rc;

    spaces->count = 0;
    rc = add_spaces(u, "imap_shared_namespace", c->imap_shared_namespace, true,
                    spaces, why);
    return rc == OK ? add_spaces(u, "imap_public_namespaces",
                                 c->imap_public_namespaces, false, spaces, why)
                    : rc;
}

/* He becomes part of a path. */
static bool
is_owner(struct str owner)
{
    ssize_t at = str_rfind(owner, '@');

    for (size_t i = 0; i < owner.len; i++)
        if ((unsigned char)owner.p[i] <= ' ' || owner.p[i] == '/')
            return false;
    return owner.len > 0 && owner.p[0] != '.' &&
           !str_starts(str_sub(owner, (size_t)(at + 1), owner.len), S("."));
}

enum rc
user_space_settings(struct user *u, struct arena *a, const struct mail_space *s,
                    struct str owner, struct home_settings *out,
                    struct why *why)
{
    *out = (struct home_settings){0};
    if (s->shared && !is_owner(owner))
        return fail(why, "5.1.1", "that is no name of a user");
    return fill(u, a, s->shared ? owner : u->user, &s->at, out, why);
}

struct acl_who
user_as_guest(const struct user *u)
{
    return (struct acl_who){u->user, false, u->groups, u->ngroups};
}

static void
admit(struct user *u, const struct mail_space *s, struct user_folders *folders,
      const struct shares *claimed, struct shares *admitted)
{
    const struct acl_who who = user_as_guest(u);

    *admitted = (struct shares){
        arena_alloc(u->life, (claimed->count + 1) * sizeof(struct str)), 0};
    for (size_t i = 0; i < claimed->count; i++) {
        struct home_settings hs;
        struct why why;

        if (user_space_settings(u, u->life, s, claimed->owners[i], &hs, &why) !=
                OK ||
            !shares_any(hs.root, hs.fs, &who))
            continue;
        admitted->owners[admitted->count++] = claimed->owners[i];
        user_folder(folders, hs.root);
        user_folder(folders, hs.index);
    }
}

static enum rc
prepare_public(struct user *u, const struct mail_space *s,
               struct user_folders *folders, struct why *why)
{
    struct home_settings hs;
    enum rc rc = user_space_settings(u, u->life, s, S(""), &hs, why);

    if (rc == OK && hs.index)
        rc = make(hs.index, why);
    if (rc != OK)
        return rc;
    user_folder(folders, hs.root);
    user_folder(folders, hs.index);
    return OK;
}

void
user_spaces_prepare(struct user *u, const struct mail_spaces *spaces,
                    struct user_folders *folders, struct shares *claimed,
                    struct shares *admitted)
{
    const struct acl_who who = user_as_guest(u);

    *claimed = *admitted = (struct shares){0};
    for (size_t i = 0; i < spaces->count; i++) {
        const struct mail_space *s = &spaces->at[i];
        enum rc rc;
        struct why why;

        if (!s->shared) {
            rc = prepare_public(u, s, folders, &why);
        } else {
            rc = shares_find(u->life, u->conf->imap_shared_list, &who, claimed,
                             &why);
            user_folder(folders, u->conf->imap_shared_list);
            admit(u, s, folders, claimed, admitted);
        }
        if (rc != OK)
            log_warn("imap(%.*s): namespace %.*s: %s", STR(u->user),
                     STR(s->prefix), why.text);
    }
}

void
user_share(struct user *u, struct str owner, const char *root, bool fs)
{
    struct why why;

    if (*u->conf->imap_shared_namespace && *u->conf->imap_shared_list &&
        shares_publish(u->conf->imap_shared_list, owner, root, fs, &why) != OK)
        log_warn("imap(%.*s): %s", STR(u->user), why.text);
}
