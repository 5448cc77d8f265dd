#include "detail.h"

#include "base/log.h"
#include "mail/address.h"
#include "room.h"
#include "store/folders.h"

/* As the sender wrote it: names of folders know capitals. */
static struct str
folder_name(const struct detail *d)
{
    struct str local, domain;

    address_split(d->addr, &local, &domain);
    return str_sub(local, local.len - d->extension.len, local.len);
}

static bool
make(struct job *j, struct home *home, const struct detail *d, struct str name)
{
    struct why why;
    enum rc rc = folder_make(home, name, &why);

    if (rc == OK && j->conf->lda_mailbox_autosubscribe)
        rc = folder_subscribe(home, name, true, &why);
    if (rc != OK)
        log_warn("%.*s: folder %.*s: %s", STR(d->addr), STR(name), why.text);
    return rc == OK;
}

/* NULL: there is none. */
static const char *
find(struct job *j, struct home *home, const struct detail *d)
{
    struct str name = folder_name(d);
    const char *path;
    struct why why;

    if (home_path(home, j->arena, name, &path, &why) != OK ||
        str_eq(str_from(path), S(".")))
        return NULL;
    if (!folder_is_at(home, path) &&
        !(j->conf->lda_mailbox_autocreate && make(j, home, d, name)))
        return NULL;
    return arena_fmt(j->arena, "%s%s/", d->path, path);
}

const char *
detail_path(struct job *j, const struct detail *d)
{
    struct home_settings s = {.separator = '.', .bare = true};
    const char *path = NULL;
    struct home *home;
    struct why why;

    if (!j->conf->lmtp_save_to_detail_mailbox || d->extension.len == 0 ||
        !str_ends(str_from(d->path), S("/")) ||
        job_become(j, d->user, &why) != OK)
        return d->path;
    s.root = arena_cstr(j->arena,
                        str_sub(str_from(d->path), 0, strlen(d->path) - 1));
    s.fs = room_is_fs(j, d->owner);
    /* Who has no Maildir yet has no folders. */
    if (home_open(&s, &home, &why) != OK)
        return d->path;
    path = find(j, home, d);
    home_close(home);
    return path ? path : d->path;
}
