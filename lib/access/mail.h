/*
 * mail.h - where a user's mail is, and opening it, for the process of a user.
 *
 * mail_location says where, in Dovecot's form (conf/location.h), or a user's
 * own field "mail". Mail of others is where imap_shared_namespace and
 * imap_public_namespaces say.
 */
#ifndef ACCESS_MAIL_H
#define ACCESS_MAIL_H

#include "access/shares.h"
#include "access/user.h"
#include "conf/location.h"
#include "store/home.h"

#define MAIL_SPACES 50

/* As struct user_program wants it: what he may change is his mail and its
 * index; both are made where they are missing. */
enum rc user_mail_prepare(struct user *u, struct user_folders *folders,
                          struct why *why) MUST_USE;
enum rc user_mail_open(struct user *u, struct home **home,
                       struct why *why) MUST_USE;
/* Can no part of a folder's name have a dot? As where folders stand as ".A.B",
 * and where a dot is the separator. */
bool user_mail_dots_divide(struct user *u);

/* A namespace beside his own. */
struct mail_space {
    struct str prefix; /* "shared/" */
    bool shared;       /* of other users; else public */
    struct location at;
};

struct mail_spaces {
    struct mail_space at[MAIL_SPACES];
    size_t count;
};

/* PERM where a parameter cannot be read. */
enum rc user_spaces(struct user *u, struct mail_spaces *spaces,
                    struct why *why) MUST_USE;

/* Where a home of it is; of that owner, where it is shared. */
enum rc user_space_settings(struct user *u, struct arena *a,
                            const struct mail_space *s, struct str owner,
                            struct home_settings *out,
                            struct why *why) MUST_USE;

/* The user, at mail that is not his. */
struct acl_who user_as_guest(const struct user *u);

/* Before the box is closed: what of them he may change, as far as file rights
 * go. Shared are the homes of those who let him have something (`admitted`);
 * `claimed` are all who say so. Trouble is logged. */
void user_spaces_prepare(struct user *u, const struct mail_spaces *spaces,
                         struct user_folders *folders, struct shares *claimed,
                         struct shares *admitted);

/* The ACLs of an owner's mailboxes have changed, or may have: write down with
 * whom he shares. */
void user_share(struct user *u, struct str owner, const char *root, bool fs);

#endif
