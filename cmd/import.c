/* posta import: copies mail from elsewhere into a user's mailboxes. */
#include "import_work.h"

#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/mail.h"
#include "auth/client.h"
#include "base/buf.h"
#include "base/log.h"
#include "cmd.h"
#include "sys/priv.h"

static bool
find_self(struct import *im, struct user *u)
{
    const struct passwd *pw = getpwuid(geteuid());

    if (pw == NULL) {
        import_say("there is no account of user id %u", geteuid());
        return false;
    }
    if (geteuid() == 0) {
        import_say("-u USER is missing: whose mailboxes it goes to");
        return false;
    }
    *u = (struct user){
        .user = arena_str(im->life, str_from(pw->pw_name)),
        .dir = arena_cstr(im->life, str_from(pw->pw_dir)),
        .uid = pw->pw_uid,
        .gid = pw->pw_gid,
    };
    return true;
}

/* As the broker has it: no root, nobody below virtual_minimum_uid. */
static bool
find_ids(struct import *im, struct user *u)
{
    uint64_t uid, gid;

    if (geteuid() != 0) {
        u->uid = geteuid();
        u->gid = getegid();
        return true;
    }
    if (!str_num(user_field(u, "uid"), &uid) ||
        !str_num(user_field(u, "gid"), &gid) || uid > UINT32_MAX - 1 ||
        gid > UINT32_MAX - 1) {
        import_say("user %.*s has no uid and gid", STR(u->user));
        return false;
    }
    if (uid == 0 || (int64_t)uid < im->conf->virtual_minimum_uid) {
        import_say("user %.*s: uid %llu is below virtual_minimum_uid",
                   STR(u->user), (unsigned long long)uid);
        return false;
    }
    u->uid = (uid_t)uid;
    u->gid = (gid_t)gid;
    return true;
}

static int
find_named(struct import *im, struct user *u)
{
    struct str name = str_from(im->options->user), fields;
    struct auth_client *authd;
    struct why why;
    enum rc rc = TEMP;

    authd = auth_client_new(im->life, im->conf->queue_directory,
                            S("private/authd"), NULL, NULL, &why);
    if (authd)
        rc =
            auth_client_user(authd, im->life, name, S("import"), &fields, &why);
    if (rc != OK) {
        import_say("%s; is Posta running? (posta start)", why.text);
        return IMPORT_LATER;
    }
    auth_client_free(authd);
    if (fields.p == NULL) {
        import_say("there is no user %.*s (posta user list)", STR(name));
        return IMPORT_NO_USER;
    }
    *u = (struct user){
        .conf = im->conf, .life = im->life, .user = name, .fields = fields};
    u->dir = arena_cstr(im->life, user_field(u, "home"));
    return find_ids(im, u) ? 0 : IMPORT_NO_USER;
}

static enum priv_filter
filter_of(const struct conf *conf)
{
    if (strcmp(conf->sandbox, "off") == 0)
        return PRIV_FILTER_OFF;
    return strcmp(conf->sandbox, "log") == 0 ? PRIV_FILTER_LOG : PRIV_FILTER_ON;
}

/* Ids for good, and no files to change but his mail. Nothing of the source has
 * been read yet. */
static bool
become(struct import *im, const struct user *u,
       const struct user_folders *folders)
{
    struct priv rights = {
        .role = "import",
        .user = {.uid = u->uid, .gid = u->gid},
        .may = PRIV_READ | PRIV_WRITE | PRIV_NET,
        .more = folders->at,
        .more_count = folders->count,
        .filter = filter_of(im->conf),
    };
    struct why why;

    if (priv_enter(&rights, &why) == OK)
        return true;
    import_say("%s", why.text);
    return false;
}

/* As that user, until back_to_root is called; false with errno. */
static bool
act_as(uid_t uid, gid_t gid)
{
    return seteuid(0) == 0 && setegid(gid) == 0 && seteuid(uid) == 0;
}

/* The folders must be there before rights are given up around them. */
static bool
prepare(struct user *u, struct user_folders *folders)
{
    bool root = geteuid() == 0;
    struct why why;
    enum rc rc;

    if (root && (setgroups(0, NULL) < 0 || !act_as(u->uid, u->gid))) {
        import_say("cannot become user %u: %m", u->uid);
        return false;
    }
    rc = user_mail_prepare(u, folders, &why);
    if (root && !act_as(0, 0)) {
        import_say("cannot become root again: %m");
        return false;
    }
    if (rc != OK)
        import_say("%s", why.text);
    return rc == OK;
}

/* 0, or the exit status. */
static int
open_target(struct import *im, struct user *u, const char *root)
{
    const struct import_options *o = im->options;
    struct why why;
    struct str source =
        str_from(arena_fmt(im->life, "%s%s%s", o->login ? o->login : "",
                           o->login ? " " : "", o->source));

    if (import_state_open(im->life, root, source, !o->dry, &im->state, &why) !=
        OK) {
        import_say("%s", why.text);
        return IMPORT_LATER;
    }
    if (!o->dry && user_mail_open(u, &im->home, &why) != OK) {
        import_say("%s", why.text);
        return IMPORT_STORE;
    }
    im->dots_divide = !user_mail_is_fs(u);
    return 0;
}

static int
run(struct import *im, struct user *u)
{
    const char *source = im->options->source;
    struct user_folders folders = {0};
    struct imap_source *imap = NULL;
    struct why why;
    int status;

    if (import_is_imap(im->options)) {
        imap = import_imap_prepare(im, str_from(source));
        if (imap == NULL)
            return IMPORT_USAGE;
    }
    if (!prepare(u, &folders) || !become(im, u, &folders))
        return IMPORT_STORE;
    status = open_target(im, u, folders.at[0]);
    if (status != 0)
        return status;
    if (imap)
        status = import_imap(im, imap);
    else if (str_starts(str_from(source), S("mbox:")))
        status = import_mbox(im, source + strlen("mbox:"));
    else
        status = import_maildir(im, source + strlen("maildir:"), folders.at[0]);
    if (im->home) {
        if (home_sync(im->home, &why) != OK)
            import_say("%s", why.text);
        home_close(im->home);
    }
    if (status == IMPORT_PARTLY)
        import_say("%zu could not be copied", im->failed);
    return status;
}

int
import_main(int argc, char **argv, const char *dir)
{
    struct arena *secret = arena_new("password", 1 << 20);
    struct import_options o = {0};
    struct import im = {
        .life = arena_new("import", (size_t)256 << 20),
        .work = arena_new("batch", (size_t)64 << 20),
        .options = &o,
        .terminal = isatty(STDERR_FILENO),
    };
    struct user u = {0};
    int status = import_read_options(im.life, argc, argv, &o);

    if (status >= 0)
        return status;
    signal(SIGPIPE, SIG_IGN);
    log_open("posta import", STDERR_FILENO, "mail");
    im.terminal = im.terminal && !o.quiet;
    im.conf = cmd_conf(im.life, dir, "posta import", IMPORT_STORE);
    if (o.user)
        status = find_named(&im, &u);
    else
        status = find_self(&im, &u) ? 0 : IMPORT_USAGE;
    u.conf = im.conf;
    u.life = im.life;
    if (status == 0 && !import_find_password(secret, &o))
        status = IMPORT_NO_INPUT;
    if (status == 0)
        status = run(&im, &u);
    arena_wipe(secret);
    arena_free(secret);
    return status;
}
