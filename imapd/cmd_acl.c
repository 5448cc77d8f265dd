/* SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS: RFC 4314 3. */
#include <string.h>

#include "auth/saslprep.h"
#include "mail/imap_text.h"
#include "rights.h"
#include "store/acl_file.h"

#define RIGHTS_ANY                                                             \
    (RIGHT_LOOKUP | RIGHT_READ | RIGHT_INSERT | RIGHT_CREATE | RIGHT_REMOVE |  \
     RIGHT_ADMIN)

/* ---- what others ask */

unsigned
rights_flags(unsigned rights)
{
    unsigned flags = 0;

    if (rights & RIGHT_SEEN)
        flags |= FLAG_SEEN;
    if (rights & RIGHT_DELETED)
        flags |= FLAG_DELETED;
    if (rights & RIGHT_WRITE)
        flags |= FLAG_ALL & ~(unsigned)(FLAG_SEEN | FLAG_DELETED);
    return flags;
}

bool
rights_let(struct session *s, unsigned rights)
{
    if (s->read_only) {
        reply_no(s, "[READ-ONLY] The mailbox is open for reading only");
        return false;
    }
    if ((s->rights & rights) == rights)
        return true;
    reply_no(s, "[NOPERM] You have not the right to do that");
    return false;
}

static void
say_rights(struct session *s, struct str name, unsigned rights)
{
    struct buf b = buf_in(s->command);

    buf_add(&b, S("* MYRIGHTS "));
    put_mailbox(s, &b, name);
    buf_addc(&b, ' ');
    rights_put(&b, rights, true);
    buf_add(&b, S("\r\n"));
    conn_put(s->conn, buf_str(&b));
}

void
rights_tell(struct session *s, const struct space_folder *f)
{
    struct spot spot = f->spot;
    struct why why;

    if ((spot.shut || space_find(s, f->f.name, &spot, &why) == OK) &&
        spot.rights & RIGHTS_ANY && folder_is_at(spot.home, spot.path))
        say_rights(s, f->f.name, spot.rights);
}

/* ---- who is meant */

/* Group and override are Dovecot's words, too. The user's own name is that of
 * the owner where he is it. False where it is answered. */
static bool
take_id(struct session *s, struct str sent, struct acl_id *id)
{
    struct str name;

    *id = (struct acl_id){.negative = str_skip(&sent, S("-"))};
    if (!saslprep(s->command, sent, true, &name)) {
        reply_bad(s, "This is no identifier");
        return false;
    }
    if (str_eq(name, S("anyone")))
        id->kind = ACL_ANYONE;
    else if (str_eq(name, S("authenticated")))
        id->kind = ACL_AUTHENTICATED;
    else if (str_eq(name, S("owner")))
        id->kind = ACL_OWNER;
    else if (str_skip(&name, S("!$")))
        id->kind = ACL_GROUP_OVERRIDE;
    else if (str_skip(&name, S("$")))
        id->kind = ACL_GROUP;
    else
        id->kind = ACL_USER;
    if (id->kind == ACL_USER || id->kind == ACL_GROUP ||
        id->kind == ACL_GROUP_OVERRIDE)
        id->name = name;
    if (name.len > 0)
        return true;
    reply_bad(s, "This is no identifier");
    return false;
}

static void
put_id(struct session *s, struct buf *b, const struct acl_id *id)
{
    static const char *const words[] = {
        [ACL_ANYONE] = "anyone", [ACL_AUTHENTICATED] = "authenticated",
        [ACL_GROUP] = "$",       [ACL_OWNER] = "owner",
        [ACL_USER] = "",         [ACL_GROUP_OVERRIDE] = "!$",
    };

    imap_put_astring(
        b, str_from(arena_fmt(s->command, "%s%s%.*s", id->negative ? "-" : "",
                              words[id->kind], STR(id->name))));
}

/* Is that entry about the owner, who asks? */
static bool
is_self(const struct session *s, const struct spot *spot,
        const struct acl_id *id)
{
    return spot->kind == SPACE_PRIVATE &&
           (id->kind == ACL_OWNER ||
            (id->kind == ACL_USER && str_eq(id->name, s->imap->user->user)));
}

/* The mailbox, if the user has all these rights; answered where not. */
static bool
take_spot(struct session *s, struct str sent, unsigned rights, struct str *name,
          struct spot *spot)
{
    struct why why;
    enum rc rc;

    if (!take_mailbox(s, sent, name)) {
        reply_no(s, "[CANNOT] This is no mailbox name");
        return false;
    }
    rc = space_find(s, *name, spot, &why);
    if (rc == OK && !folder_is_at(spot->home, spot->path))
        rc = fail(&why, "5.2.0", "there is no folder of that name");
    if (rc == OK)
        rc = space_check(spot, rights, &why);
    if (rc == OK)
        return true;
    reply_why(s, &why);
    return false;
}

/* ---- the commands */

void
do_myrights(struct session *s, const struct command *c)
{
    struct spot spot;
    struct str name;

    if (!take_spot(s, c->one.name, 0, &name, &spot))
        return;
    if (!(spot.rights & RIGHTS_ANY)) {
        reply_no(s, "[NONEXISTENT] there is no folder of that name");
        return;
    }
    say_rights(s, name, spot.rights);
    reply_ok(s, "Rights told");
}

/* What an entry says, with what the owner keeps. */
static void
put_entry(struct session *s, struct buf *b, const struct spot *spot,
          const struct acl_entry *e)
{
    struct acl_id id = e->id;
    unsigned rights = e->rights;

    if (is_self(s, spot, &id)) {
        id.kind = ACL_USER;
        id.name = s->imap->user->user;
        rights = id.negative ? rights & ~(unsigned)RIGHTS_KEPT
                             : rights | RIGHTS_KEPT;
    }
    buf_addc(b, ' ');
    put_id(s, b, &id);
    buf_addc(b, ' ');
    rights_put(b, rights, true);
}

/* Both his name and "owner" may have entries: the name is what counts. */
static const struct acl_entry *
self_entry(const struct session *s, const struct acl *acl)
{
    const struct acl_id name = {ACL_USER, false, s->imap->user->user};
    const struct acl_id owner = {.kind = ACL_OWNER};
    const struct acl_entry *e = acl_find(acl, &name);

    return e ? e : acl_find(acl, &owner);
}

void
do_getacl(struct session *s, const struct command *c)
{
    struct buf b = buf_in(s->command);
    const struct acl_entry *self = NULL;
    struct text_stamp stamp;
    struct spot spot;
    struct acl acl;
    struct str name;
    struct why why;

    if (!take_spot(s, c->one.name, RIGHT_ADMIN, &name, &spot))
        return;
    if (acl_load(spot.home, s->command, spot.path, &acl, &stamp, &why) != OK) {
        reply_why(s, &why);
        return;
    }
    buf_add(&b, S("* ACL "));
    put_mailbox(s, &b, name);
    if (spot.kind == SPACE_PRIVATE) {
        const struct acl_entry every = {.id = {.kind = ACL_OWNER},
                                        .rights = RIGHTS_ALL};

        self = self_entry(s, &acl);
        put_entry(s, &b, &spot, self ? self : &every);
    }
    for (size_t i = 0; i < acl.count; i++)
        if (acl.at[i].id.negative || !is_self(s, &spot, &acl.at[i].id))
            put_entry(s, &b, &spot, &acl.at[i]);
    buf_add(&b, S("\r\n"));
    say_wide(s, s->command, buf_str(&b));
    reply_ok(s, "ACL told");
}

/* RFC 4314 3.4: c and d stand alone, as no rights are tied together. */
void
do_listrights(struct session *s, const struct command *c)
{
    struct buf b = buf_in(s->command);
    struct acl_id id;
    struct spot spot;
    struct str name;

    if (!take_spot(s, c->acl.mailbox, RIGHT_ADMIN, &name, &spot) ||
        !take_id(s, c->acl.identifier, &id))
        return;
    buf_add(&b, S("* LISTRIGHTS "));
    put_mailbox(s, &b, name);
    buf_addc(&b, ' ');
    imap_put_astring(&b, c->acl.identifier);
    if (is_self(s, &spot, &id) && !id.negative)
        buf_add(&b, S(" la r s w i p k x t e c d\r\n"));
    else
        buf_add(&b, S(" \"\" l r s w i p k x t e a c d\r\n"));
    say_wide(s, s->command, buf_str(&b));
    reply_ok(s, "Rights listed");
}

static bool
change(struct session *s, const struct spot *spot,
       const struct acl_change *change)
{
    struct why why;
    enum rc rc = acl_change(spot->home, spot->path, change, &why);

    if (space_explain(s, spot, rc, &why) != OK) {
        reply_why(s, &why);
        return false;
    }
    space_shared(s, spot);
    return true;
}

void
do_setacl(struct session *s, const struct command *c)
{
    struct acl_change how = {.how = ACL_SET};
    struct spot spot;
    struct str name;
    char wrong;

    if (!rights_parse(c->acl.rights, &how.rights, &wrong)) {
        reply_bad(s, "The %c right is not known", wrong);
        return;
    }
    if (!take_spot(s, c->acl.mailbox, RIGHT_ADMIN, &name, &spot) ||
        !take_id(s, c->acl.identifier, &how.id))
        return;
    if (c->acl.change)
        how.how = c->acl.change == '+' ? ACL_ADD : ACL_REMOVE;
    if (is_self(s, &spot, &how.id) && !how.id.negative)
        how.before = RIGHTS_ALL;
    if (change(s, &spot, &how))
        reply_ok(s, "ACL set");
}

void
do_deleteacl(struct session *s, const struct command *c)
{
    struct acl_change how = {.how = ACL_DROP};
    struct spot spot;
    struct str name;

    if (!take_spot(s, c->acl.mailbox, RIGHT_ADMIN, &name, &spot) ||
        !take_id(s, c->acl.identifier, &how.id))
        return;
    if (change(s, &spot, &how))
        reply_ok(s, "ACL entry deleted");
}
