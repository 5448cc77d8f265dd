/*
 * source.h - where passwords and users are looked for: the lists
 * auth_password_sources and auth_user_sources.
 */
#ifndef AUTHD_SOURCE_H
#define AUTHD_SOURCE_H

#include "auth/mech.h"
#include "auth/passwd_file.h"
#include "base/arena.h"
#include "check.h"
#include "conf/conf.h"

/* What its passwords can serve beside PLAIN and LOGIN. */
enum {
    SOURCE_HOLDS_SHA1 = 1 << 0,   /* SCRAM-SHA-1 */
    SOURCE_HOLDS_SHA256 = 1 << 1, /* SCRAM-SHA-256 */
    SOURCE_HOLDS_CRAM = 1 << 2,   /* CRAM-MD5 */
};

enum source_type {
    SOURCE_PASSWD_FILE,
    SOURCE_STATIC,
    SOURCE_PAM,
    SOURCE_SHADOW,
    SOURCE_PASSWD,
    SOURCE_LDAP,
    SOURCE_OAUTH,
};

/* Who answers: authd itself, or which of the two it asks. */
enum source_asks { SOURCE_HERE, SOURCE_WORKER, SOURCE_ROOT };

struct source_kind {
    const char *name;
    enum source_type type;
    enum source_asks asks;
    bool passwords, tokens, users; /* what it knows */
};

struct source {
    const struct source_kind *kind;
    struct str spec;      /* as it stands in the list */
    const char *argument; /* what follows the colon, "" where nothing does */
    void *own;            /* of the process that works with it */

    struct passwd_file *file; /* SOURCE_PASSWD_FILE; NULL while unreadable */
    int64_t failed;           /* when it could not be read, ms; or 0 */
    bool told;                /* the trouble stands in the log */
    unsigned holds;           /* SOURCE_ bits of what its lines hold */
    /* Rounds that most lines have for SCRAM, by SHA-1 and SHA-256; 0: none. */
    unsigned rounds[2];

    struct passwd_user user; /* SOURCE_STATIC: what all users have */
    bool nopassword;
};

struct sources {
    struct source *at;
    size_t count;
};

/*
 * The list. PERM where a word of it makes no sense. Files are not opened. With
 * `users` types that know no users are left out, else those that know no
 * passwords are an error.
 */
enum rc sources_parse(struct arena *life, const char *list, bool users,
                      struct sources *s, struct why *why) MUST_USE;

/* The source of that text, or NULL. */
struct source *sources_find(const struct sources *s, struct str spec);

/* Open the passwd-files. What cannot be read is logged, and tried again. */
void sources_open(struct sources *s);

/*
 * Look whether the file has changed; what could not be read is tried again once
 * a second. False where there is nothing to look into; *locked: because only
 * root can read it.
 */
bool source_refresh(struct source *s, int64_t now_ms, bool *locked);

/* Is there anybody in it for whom that mechanism could work? */
bool source_serves(const struct source *s, const struct sasl_mech *m);

/*
 * Rounds that a mechanism of SCRAM has for most users of the first source with
 * any: users who do not exist are to look like them. 0: there are none.
 */
unsigned sources_rounds(const struct sources *s, const struct sasl_mech *m);

/* What of a user's line says that he may not log in. */
bool source_is_disabled(const struct passwd_user *u);

/*
 * The fields of a user, as a list of rec_field behind what is there. For an
 * OK line of the password's source (`password`), or of what is known of the
 * user: uid, gid, home and the userdb_ fields.
 */
void source_put_fields(struct buf *list, const struct passwd_user *u,
                       struct str name, bool password);

#endif
