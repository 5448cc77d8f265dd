/* posta import: copies mail from elsewhere into a user's mailboxes. */
#include "import_work.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "access/mail.h"
#include "base/log.h"
#include "cmd.h"
#include "owner.h"
#include "sys/priv.h"

static int
find_user(struct import *im, struct user *u)
{
    struct why why;
    enum rc rc;

    if (im->options->user == NULL && geteuid() == 0) {
        import_say("-u USER is missing: whose mailboxes it goes to");
        return IMPORT_USAGE;
    }
    rc = owner_find(u, im->life, im->conf, im->options->user, "import", &why);
    if (rc == OK)
        return 0;
    import_say("%s", why.text);
    return rc == TEMP ? IMPORT_LATER : IMPORT_NO_USER;
}

/* 0, or the exit status. */
static int
open_target(struct import *im, struct user *u, const char *root,
            struct str source)
{
    const struct import_options *o = im->options;
    struct why why;

    im->names = names_of(im->conf);
    for (size_t i = 0; i < o->folder_count; i++)
        o->folders[i] = names_told(&im->names, o->folders[i]);
    if (import_state_open(im->life, root, source, !o->dry, &im->state, &why) !=
        OK) {
        import_say("%s", why.text);
        return IMPORT_LATER;
    }
    if (!o->dry && (user_mail_open(u, &im->home, &why) != OK ||
                    import_state_settle(im->state, im->home,
                                        im->names.separator, &why) != OK)) {
        import_say("%s", why.text);
        return IMPORT_STORE;
    }
    im->dots_divide = user_mail_dots_divide(u);
    return 0;
}

/* What it is known by, however it was written: a path from the root on. */
static struct str
file_source(struct import *im, struct str given)
{
    struct str kind, path = given;
    (void)str_cut(&path, ':', &kind);
    char *real = realpath(arena_cstr(im->life, path), NULL);

    if (real)
        given = str_from(arena_fmt(im->life, "%.*s %s", STR(kind), real));
    free(real);
    return given;
}

static int
run(struct import *im, struct user *u)
{
    const char *source = im->options->source;
    struct str known_by;
    struct user_folders folders = {0};
    struct imap_source *imap = NULL;
    struct why why;
    int status;

    if (import_is_imap(im->options)) {
        imap = import_imap_prepare(im, str_from(source));
        if (imap == NULL)
            return IMPORT_USAGE;
        known_by = import_imap_source(imap);
    } else {
        known_by = file_source(im, str_from(source));
    }
    /* Nothing of the source has been read yet. */
    if (owner_become(u, "import", PRIV_READ | PRIV_WRITE | PRIV_NET, &folders,
                     &why) != OK) {
        import_say("%s", why.text);
        return IMPORT_STORE;
    }
    status = open_target(im, u, folders.at[0], known_by);
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
    status = find_user(&im, &u);
    if (status == 0 && !import_find_password(secret, &o))
        status = IMPORT_NO_INPUT;
    if (status == 0)
        status = run(&im, &u);
    arena_wipe(secret);
    arena_free(secret);
    return status;
}
