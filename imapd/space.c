#include "space.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "notify.h"
#include "space_own.h"
#include "store/acl_file.h"
#include "sys/io.h"

#define TIDY_MS   60000
#define UNUSED_MS (5 * TIDY_MS) /* then a home is closed */

/* ---- the process */

enum rc
space_prepare(struct imap *imap, struct user *u, struct user_folders *folders,
              struct why *why)
{
    struct spaces *p = arena_make(u->life, struct spaces);
    enum rc rc = user_spaces(u, &p->all, why);

    imap->spaces = p;
    imap->names = names_of(u->conf);
    if (rc == OK)
        user_spaces_prepare(u, &p->all, folders, &p->claimed, &p->admitted);
    return rc;
}

static void
close_home(struct imap *imap, struct space_home *h)
{
    outside_hear_no_more(imap, h->home);
    home_close(h->home);
    free((char *)(uintptr_t)h->owner.p);
    free(h);
}

/* Spots of a command that goes on in steps name homes, and so does the roster,
 * which is told what happens there. */
static bool
is_at_work(const struct imap *imap)
{
    if (imap->roster)
        return true;
    for (size_t i = 0; i < imap->sessions.len; i++)
        if (imap->sessions.at[i]->task.step)
            return true;
    return false;
}

/* Homes that nobody needs any more. */
static void
tidy(void *self)
{
    struct imap *imap = self;
    struct spaces *p = imap->spaces;
    int64_t now = io_now();

    for (size_t i = p->homes.len; i > 0; i--) {
        struct space_home *h = p->homes.at[i - 1];

        if (home_in_use(h->home) || is_at_work(imap))
            h->used = now;
        if (now - h->used < UNUSED_MS)
            continue;
        close_home(imap, h);
        vec_drop(&p->homes, i - 1);
    }
    p->tidy = p->homes.len == 0
                  ? NULL
                  : loop_after(imap->user->loop, TIDY_MS, tidy, imap);
}

/* So who logs in next to see what has just been shared with him is not served
 * by a process that is not let in there. */
void
space_shares_changed(struct imap *imap)
{
    /* Two changes may have left the folder the same time. */
    imap->spaces->stamp = (struct text_stamp){0};
    (void)space_shares(imap);
    roster_folders_changed(imap);
}

void
space_begin(struct imap *imap)
{
    const char *root;
    bool fs;

    imap->spaces->arena = arena_new("shares", (size_t)16 << 20);
    root = home_root(imap->home, &fs);
    user_share(imap->user, imap->user->user, root, fs);
    if (*imap->user->conf->imap_shared_list)
        outside_add_list(imap, imap->user->conf->imap_shared_list);
    (void)space_shares(imap);
}

/* ---- homes */

static bool
has(const struct shares *s, struct str owner)
{
    for (size_t i = 0; i < s->count; i++)
        if (str_eq(s->owners[i], owner))
            return true;
    return false;
}

/* Whoever was not there when the box was closed around us cannot be served: a
 * process that begins now can. */
static void
renew_for(struct imap *imap, const struct shares *now)
{
    for (size_t i = 0; i < now->count; i++)
        if (!has(&imap->spaces->claimed, now->owners[i])) {
            user_renew(imap->user);
            return;
        }
}

const struct shares *
space_shares(struct imap *imap)
{
    const char *folder = imap->user->conf->imap_shared_list;
    const struct acl_who who = user_as_guest(imap->user);
    struct spaces *p = imap->spaces;
    struct text_stamp stamp;
    struct why why;

    if (*folder == '\0' || !text_stat(AT_FDCWD, folder, &stamp) ||
        text_stamp_eq(&stamp, &p->stamp))
        return &p->shares;
    arena_reset(p->arena);
    if (shares_find(p->arena, folder, &who, &p->shares, &why) != OK)
        log_warn("imap(%.*s): %s", STR(imap->user->user), why.text);
    p->stamp = stamp;
    renew_for(imap, &p->shares);
    return &p->shares;
}

void
space_hear(struct imap *imap)
{
    outside_hear(imap, imap->home);
    for (size_t i = 0; i < imap->spaces->homes.len; i++)
        if (!imap->spaces->homes.at[i]->shut)
            outside_hear(imap, imap->spaces->homes.at[i]->home);
}

static struct space_home *
find_home(struct spaces *p, const struct mail_space *space, struct str owner)
{
    for (size_t i = 0; i < p->homes.len; i++)
        if (p->homes.at[i]->space == space &&
            str_eq(p->homes.at[i]->owner, owner))
            return p->homes.at[i];
    return NULL;
}

static struct space_home *
add_home(struct imap *imap, const struct mail_space *space, struct str owner,
         struct home *home)
{
    struct spaces *p = imap->spaces;
    struct space_home *h = calloc(1, sizeof *h);

    must(h != NULL);
    *h = (struct space_home){.space = space, .home = home};
    h->owner =
        (struct str){strndup(owner.p ? owner.p : "", owner.len), owner.len};
    must(h->owner.p);
    *vec_add(&p->homes) = h;
    if (p->tidy == NULL)
        p->tidy = loop_after(imap->user->loop, TIDY_MS, tidy, imap);
    return h;
}

/* What the user's process is not let into, though he may have rights there by
 * what ACLs say. */
static enum rc
no_way(struct imap *imap, const char *path, struct why *why)
{
    log_warn("imap(%.*s): %s: %m; all who may do something there by their ACL "
             "need the rights to read and change it: chgrp to a group of "
             "theirs, chmod g+rwxs on folders, g+rw on files",
             STR(imap->user->user), path);
    return fail(why, "5.7.1", "The mail server is not let in there");
}

/* What was shared after this process was started. */
static enum rc
open_shut(struct imap *imap, const struct mail_space *space, struct str owner,
          const struct home_settings *hs, struct space_home **out,
          struct why *why)
{
    const struct acl_who who = user_as_guest(imap->user);
    struct home_settings bare = *hs;
    struct home *home;
    enum rc rc;

    if (!shares_any(hs->root, hs->fs, &who))
        return fail(why, "5.2.0", "there is no such folder");
    user_renew(imap->user);
    bare.bare = true;
    rc = home_open(&bare, &home, why);
    if (rc != OK)
        return rc;
    *out = add_home(imap, space, owner, home);
    (*out)->shut = true;
    return OK;
}

static enum rc
open_home(struct imap *imap, const struct mail_space *space, struct str owner,
          const struct home_settings *hs, struct space_home **out,
          struct why *why)
{
    struct home *home;
    struct stat st;
    enum rc rc;

    if (space->shared && !has(&imap->spaces->admitted, owner))
        return open_shut(imap, space, owner, hs, out, why);
    /* It is not for a guest to make it. */
    if (stat(hs->root, &st) < 0 && (errno == ENOENT || errno == ENOTDIR))
        return fail(why, "5.2.0", "there is no such folder");
    if (access(hs->root, R_OK | X_OK) < 0)
        return no_way(imap, hs->root, why);
    rc = home_open(hs, &home, why);
    if (rc != OK && access(hs->root, W_OK) < 0 && errno == EACCES)
        return no_way(imap, hs->root, why);
    if (rc == OK)
        *out = add_home(imap, space, owner, home);
    return rc;
}

enum rc
space_home_seen(struct imap *imap, const struct mail_space *space,
                struct str owner, struct space_home **out, struct why *why)
{
    struct space_home *h = find_home(imap->spaces, space, owner);
    struct home_settings hs;
    enum rc rc = OK;

    if (h == NULL) {
        struct arena *a = arena_new("space", 1 << 16);

        rc = user_space_settings(imap->user, a, space, owner, &hs, why);
        if (rc == OK)
            rc = open_home(imap, space, owner, &hs, &h, why);
        arena_free(a);
    }
    if (rc != OK)
        return rc;
    h->used = io_now();
    *out = h;
    return OK;
}

enum rc
space_home(struct imap *imap, const struct mail_space *space, struct str owner,
           struct space_home **out, struct why *why)
{
    enum rc rc = space_home_seen(imap, space, owner, out, why);

    if (rc == OK && (*out)->shut)
        rc = fail(why, "4.3.0",
                  "This was shared after you had logged in: log in again");
    return rc;
}

/* ---- one mailbox */

/* A prefix without its separator. */
static struct str
bare(const struct mail_space *space)
{
    return str_sub(space->prefix, 0, space->prefix.len - 1);
}

static enum rc
none(struct why *why)
{
    return fail(why, "5.2.0", "there is no folder of that name");
}

struct acl_who
space_who(const struct session *s, const struct spot *spot)
{
    struct acl_who who = user_as_guest(s->imap->user);

    who.owner = spot->kind == SPACE_PRIVATE;
    return who;
}

/* What counts where no line of the mailbox's own is about the user. */
static enum rc
fall_back(struct arena *a, const struct spot *spot, const struct acl_who *who,
          unsigned *rights, struct why *why)
{
    struct text_stamp stamp;
    struct acl acl;
    enum rc rc = OK;

    *rights = 0;
    if (spot->kind != SPACE_PUBLIC)
        return OK;
    rc = acl_load(spot->home, a, ".", &acl, &stamp, why);
    if (rc == OK)
        *rights = acl_rights(&acl, who, 0);
    return rc;
}

enum rc
space_rights(struct session *s, struct arena *a, struct spot *spot,
             struct why *why)
{
    const struct acl_who who = space_who(s, spot);
    struct arena *work = arena_new("rights", (size_t)4 << 20);
    unsigned otherwise;
    struct acl acl;
    enum rc rc = home_path(spot->home, a, spot->name, &spot->path, why);

    spot->rights = 0;
    if (rc == OK)
        rc = fall_back(work, spot, &who, &otherwise, why);
    if (rc == OK)
        rc = acl_load(spot->home, work, spot->path, &acl, &spot->stamp, why);
    if (rc == OK)
        spot->rights = acl_rights(&acl, &who, otherwise);
    arena_free(work);
    if (rc == OK)
        return OK;
    if (strcmp(why->dsn, "5.1.1") != 0)
        log_warn("imap(%.*s): %.*s: %s", STR(s->imap->user->user),
                 STR(spot->name), why->text);
    return rc;
}

#define IS_SPACE "that is the name of a namespace"

/* Dovecot's words, which those who look for help find. */
enum rc
space_private_name(const struct imap *imap, struct str name, struct str *inner,
                   struct why *why)
{
    if (names_inner(&imap->names, name, inner))
        return OK;
    if (names_is_prefix(&imap->names, name))
        return fail(why, "5.1.1", IS_SPACE);
    return fail(why, "5.1.1",
                "Client tried to access nonexistent namespace. (Mailbox name "
                "should probably be prefixed with: %.*s)",
                STR(imap->names.prefix));
}

static enum rc
find_private(struct session *s, struct str name, struct spot *spot,
             struct why *why)
{
    spot->home = s->imap->home;
    spot->kind = SPACE_PRIVATE;
    return space_private_name(s->imap, name, &spot->name, why);
}

/* Take an owner and the separator off; where that is a dot, he may have some
 * himself, and the longest name counts. */
static bool
take_owner(struct session *s, struct str *rest, struct str *owner)
{
    const struct shares *shares = space_shares(s->imap);
    struct str name = *rest, below;

    *owner = S("");
    for (size_t i = 0; i < shares->count; i++) {
        below = name;
        if (shares->owners[i].len <= owner->len ||
            !str_skip(&below, shares->owners[i]) || below.len < 2 ||
            below.p[0] != s->imap->names.separator)
            continue;
        *owner = shares->owners[i];
        *rest = str_sub(below, 1, below.len);
    }
    return owner->len > 0;
}

/* "anna/Work" of "shared/anna/Work". */
static enum rc
find_shared(struct session *s, const struct mail_space *space, struct str rest,
            struct spot *spot, struct why *why)
{
    struct space_home *h;
    struct str owner;
    enum rc rc;

    if (!take_owner(s, &rest, &owner))
        return none(why);
    rc = space_home(s->imap, space, owner, &h, why);
    if (rc != OK)
        return rc;
    spot->home = h->home;
    spot->kind = SPACE_SHARED;
    spot->name = rest;
    return OK;
}

static enum rc
find_public(struct session *s, const struct mail_space *space, struct str rest,
            struct spot *spot, struct why *why)
{
    struct space_home *h;
    enum rc rc;

    if (str_ieq(rest, S("INBOX")))
        return fail(why, "5.1.1", "there is no INBOX in that namespace");
    rc = space_home(s->imap, space, S(""), &h, why);
    if (rc != OK)
        return rc;
    spot->home = h->home;
    spot->kind = SPACE_PUBLIC;
    spot->name = rest;
    return OK;
}

enum rc
space_find(struct session *s, struct str name, struct spot *spot,
           struct why *why)
{
    const struct mail_spaces *all = &s->imap->spaces->all;
    const struct mail_space *space = NULL;
    struct str rest = name;
    enum rc rc;

    *spot = (struct spot){.path = ""};
    for (size_t i = 0; space == NULL && i < all->count; i++) {
        if (str_eq(name, bare(&all->at[i])))
            return fail(why, "5.1.1", IS_SPACE);
        if (str_skip(&rest, all->at[i].prefix))
            space = &all->at[i];
    }
    if (space == NULL)
        rc = find_private(s, name, spot, why);
    else if (space->shared)
        rc = find_shared(s, space, rest, spot, why);
    else
        rc = find_public(s, space, rest, spot, why);
    return rc == OK ? space_rights(s, s->command, spot, why) : rc;
}

enum rc
space_check(const struct spot *spot, unsigned rights, struct why *why)
{
    if ((spot->rights & rights) == rights)
        return OK;
    /* What is not there has the rights that a new one would have: it must not
     * look otherwise than what he may not see. */
    if (spot->rights & RIGHT_LOOKUP && folder_is_at(spot->home, spot->path))
        return fail(why, "5.7.1", "You have not the right to do that");
    return none(why);
}

/* The first of the things that a process needs that it may not have. */
static bool
is_shut(struct arena *a, const struct spot *spot, const char **path)
{
    static const char *const parts[] = {"", "/new", "/cur", "/tmp"};
    bool fs;
    const char *root = home_root(spot->home, &fs);

    *path = root;
    if (access(root, R_OK | W_OK | X_OK) < 0 && errno == EACCES)
        return true;
    for (size_t i = 0; i < COUNT(parts); i++) {
        *path = arena_fmt(a, "%s/%s%s", root, spot->path, parts[i]);
        if (access(*path, R_OK | W_OK | X_OK) < 0 && errno == EACCES)
            return true;
    }
    return false;
}

enum rc
space_explain(struct session *s, const struct spot *spot, enum rc rc,
              struct why *why)
{
    const char *path;

    if (rc == TEMP && spot->kind != SPACE_PRIVATE &&
        is_shut(s->command, spot, &path))
        return no_way(s->imap, path, why);
    return rc;
}

enum rc
space_find_open(struct session *s, struct str name, unsigned rights,
                struct spot *spot, struct mailbox **box, struct why *why)
{
    enum rc rc = space_find(s, name, spot, why);

    *box = NULL;
    if (rc == OK)
        rc = space_check(spot, rights, why);
    if (rc != OK)
        return rc;
    rc = rights == RIGHT_INSERT
             ? mailbox_open_to_add(spot->home, spot->name, box, why)
             : mailbox_open(spot->home, spot->name, box, why);
    return space_explain(s, spot, rc, why);
}

enum rc
space_open(struct session *s, struct str name, unsigned rights,
           struct mailbox **box, struct why *why)
{
    struct spot spot;

    return space_find_open(s, name, rights, &spot, box, why);
}

/* The nearest folder above it that there is: false where there is none. */
static bool
find_parent(struct session *s, const struct spot *spot, struct spot *parent)
{
    ssize_t at;

    *parent = *spot;
    while ((at = str_rfind(parent->name, s->imap->names.separator)) > 0) {
        parent->name = str_sub(parent->name, 0, (size_t)at);
        if (folder_exists(spot->home, s->command, parent->name))
            return true;
    }
    return false;
}

enum rc
space_check_new(struct session *s, const struct spot *spot, const char **from,
                struct why *why)
{
    struct acl_who who = space_who(s, spot);
    struct spot parent;
    enum rc rc;

    *from = NULL;
    if (find_parent(s, spot, &parent)) {
        rc = space_rights(s, s->command, &parent, why);
        *from = parent.path;
    } else if (spot->kind == SPACE_PUBLIC) {
        rc = fall_back(s->command, spot, &who, &parent.rights, why);
        *from = ".";
    } else {
        rc = OK;
        parent.rights = who.owner ? RIGHTS_ALL : 0;
    }
    if (rc != OK || parent.rights & RIGHT_CREATE)
        return rc;
    return fail(why, "5.7.1", "You have not the right to make that mailbox");
}

bool
space_look(struct session *s)
{
    unsigned before = s->rights;
    struct arena *command = s->command;
    struct spot spot;
    struct why why;

    if (!s->guest)
        return false;
    /* IDLE may go on for days. */
    s->command = arena_new("rights", 1 << 20);
    s->rights = space_find(s, s->selected, &spot, &why) == OK ? spot.rights : 0;
    arena_free(s->command);
    s->command = command;
    return s->rights != before;
}

void
space_shared(struct session *s, const struct spot *spot)
{
    const struct spaces *p = s->imap->spaces;
    struct str owner = s->imap->user->user;
    bool fs;
    const char *root = home_root(spot->home, &fs);

    if (spot->kind == SPACE_PUBLIC)
        return;
    for (size_t i = 0; i < p->homes.len; i++)
        if (p->homes.at[i]->home == spot->home)
            owner = p->homes.at[i]->owner;
    user_share(s->imap->user, owner, root, fs);
}

enum rc
space_root(struct session *s, struct str name, struct home **home,
           struct why *why)
{
    const struct mail_spaces *all = &s->imap->spaces->all;
    struct space_home *h;

    for (size_t i = 0; i < all->count; i++) {
        const struct mail_space *space = &all->at[i];
        struct str rest = name;
        bool good = space->shared ? str_skip(&rest, space->prefix) &&
                                        has(space_shares(s->imap), rest)
                                  : str_eq(name, bare(space));

        if (!good)
            continue;
        enum rc rc = space_home(s->imap, space, rest, &h, why);

        if (rc == OK)
            *home = h->home;
        return rc;
    }
    return none(why);
}

struct str
space_prefix(const struct imap *imap, struct str name)
{
    const struct mail_spaces *all = &imap->spaces->all;

    for (size_t i = 0; i < all->count; i++)
        if (str_starts(name, all->at[i].prefix))
            return all->at[i].prefix;
    return str_starts(name, imap->names.prefix) ? imap->names.prefix : S("");
}

const struct mail_space *
space_next_of(const struct imap *imap, unsigned kind, size_t *pos)
{
    const struct mail_spaces *all = &imap->spaces->all;

    while (*pos < all->count) {
        const struct mail_space *space = &all->at[(*pos)++];

        if (kind == (space->shared ? SPACE_SHARED : SPACE_PUBLIC))
            return space;
    }
    return NULL;
}
