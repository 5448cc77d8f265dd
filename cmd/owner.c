#include "owner.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "access/mail.h"
#include "auth/client.h"
#include "sys/priv.h"

static enum rc
find_self(struct user *u, struct why *why)
{
    const struct passwd *pw = getpwuid(geteuid());

    if (pw == NULL)
        return fail(why, "5.1.1", "there is no account of user id %u",
                    geteuid());
    u->user = arena_str(u->life, str_from(pw->pw_name));
    u->dir = arena_cstr(u->life, str_from(pw->pw_dir));
    u->uid = pw->pw_uid;
    u->gid = pw->pw_gid;
    return OK;
}

/* As the broker has it: no root, nobody below virtual_minimum_uid. */
static enum rc
find_ids(struct user *u, struct why *why)
{
    uint64_t uid, gid;

    if (geteuid() != 0) {
        u->uid = geteuid();
        u->gid = getegid();
        return OK;
    }
    if (!str_num(user_field(u, "uid"), &uid) ||
        !str_num(user_field(u, "gid"), &gid) || uid > UINT32_MAX - 1 ||
        gid > UINT32_MAX - 1)
        return fail(why, "5.1.1", "user %.*s has no uid and gid", STR(u->user));
    if (uid == 0 || (int64_t)uid < u->conf->virtual_minimum_uid)
        return fail(why, "5.7.1",
                    "user %.*s: uid %llu is below virtual_minimum_uid",
                    STR(u->user), (unsigned long long)uid);
    u->uid = (uid_t)uid;
    u->gid = (gid_t)gid;
    return OK;
}

/* Where there is but one domain with mailboxes it may be left out. */
static bool
add_domain(struct user *u)
{
    struct str list = str_from(u->conf->virtual_mailbox_domains), one, more;

    if (str_find(u->user, '@') >= 0 || str_find(list, ':') >= 0 ||
        str_find(list, '/') >= 0 || !str_word(&list, " \t\r\n,", &one) ||
        str_word(&list, " \t\r\n,", &more))
        return false;
    u->user = str_from(arena_fmt(u->life, "%.*s@%.*s", STR(u->user), STR(one)));
    return true;
}

/* Fields stay empty where there is no such user. */
static enum rc
ask_authd(struct user *u, const char *what, struct why *why)
{
    struct auth_client *authd = auth_client_new(
        u->life, u->conf->queue_directory, S("private/authd"), NULL, NULL, why);
    struct str given = u->user;
    enum rc rc;

    if (authd == NULL)
        return TEMP;
    rc = auth_client_user(authd, u->life, u->user, str_from(what), &u->fields,
                          why);
    if (rc == OK && u->fields.p == NULL && add_domain(u))
        rc = auth_client_user(authd, u->life, u->user, str_from(what),
                              &u->fields, why);
    if (u->fields.p == NULL)
        u->user = given;
    auth_client_free(authd);
    return rc;
}

static enum rc
find_named(struct user *u, const char *what, struct why *why)
{
    struct why cause;
    enum rc rc = ask_authd(u, what, &cause);

    if (rc != OK)
        return fail(why, "4.3.0", "%s; is Posta running? (posta start)",
                    cause.text);
    if (u->fields.p == NULL)
        return fail(why, "5.1.1", "there is no user %.*s (posta user list)",
                    STR(u->user));
    u->dir = arena_cstr(u->life, user_field(u, "home"));
    return find_ids(u, why);
}

enum rc
owner_find(struct user *u, struct arena *life, const struct conf *conf,
           const char *name, const char *what, struct why *why)
{
    *u = (struct user){.conf = conf, .life = life, .user = str_from(name)};
    return name ? find_named(u, what, why) : find_self(u, why);
}

static enum priv_filter
filter_of(const struct conf *conf)
{
    if (strcmp(conf->sandbox, "off") == 0)
        return PRIV_FILTER_OFF;
    return strcmp(conf->sandbox, "log") == 0 ? PRIV_FILTER_LOG : PRIV_FILTER_ON;
}

/* The folders must be there before rights are given up around them. */
static enum rc
prepare(struct user *u, struct user_folders *folders, struct why *why)
{
    const struct priv_user ids = {.uid = u->uid, .gid = u->gid};
    enum rc rc;

    if (!priv_become(&ids))
        return fail(why, "4.3.0", "cannot become user %u: %m", u->uid);
    rc = user_mail_prepare(u, folders, why);
    priv_return();
    return rc;
}

enum rc
owner_become(struct user *u, const char *what, unsigned may,
             struct user_folders *folders, struct why *why)
{
    struct priv rights = {
        .role = what,
        .user = {.uid = u->uid, .gid = u->gid},
        .may = may,
        .filter = filter_of(u->conf),
    };
    enum rc rc = prepare(u, folders, why);

    rights.more = folders->at;
    rights.more_count = folders->count;
    return rc == OK ? priv_enter(&rights, why) : rc;
}
