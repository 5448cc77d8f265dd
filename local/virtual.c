#include "virtual.h"

#include "base/log.h"
#include "box.h"
#include "detail.h"

static enum rc
look_up(struct job *j, struct maps *maps, struct str addr,
        struct map_found *found, struct why *why)
{
    const struct map_order order = {.delimiters = j->conf->recipient_delimiter,
                                    .at_domain = true};
    struct why cause;

    if (maps_get_address(maps, addr, &order, j->arena, found, &cause) != OK)
        return fail(why, "4.3.5", "mail system configuration error");
    return OK;
}

/* Tables may be made of patterns; no address leads out of the base folder. */
static bool
climbs(struct str path)
{
    struct str part;

    while (path.len > 0) {
        str_cut(&path, '/', &part);
        if (str_eq(part, S("..")))
            return true;
    }
    return false;
}

static enum rc
find_path(struct job *j, struct str addr, struct virtual_box *box,
          struct why *why)
{
    struct map_found found;
    enum rc rc = look_up(j, j->set->virtual_mailboxes, addr, &found, why);

    if (rc != OK)
        return rc;
    struct str value = found.value;

    if (value.p == NULL)
        return fail(why, "5.1.1", "unknown user: \"%.*s\"", STR(addr));
    if (climbs(value)) {
        log_warn("recipient %.*s: bad path %.*s in virtual_mailbox_maps",
                 STR(addr), STR(value));
        return fail(why, "4.3.5", "mail system configuration error");
    }
    box->path = arena_fmt(j->arena, "%s/%.*s", j->conf->virtual_mailbox_base,
                          STR(value));
    box->extension = str_sub(found.extension, 1, found.extension.len);
    return OK;
}

/* A user or group id: uid names it in the log, with the parameter. */
static enum rc
find_id(struct job *j, struct maps *maps, const char *what, int64_t least,
        struct str addr, unsigned *id, struct why *why)
{
    struct map_found found;
    uint64_t n;
    enum rc rc = look_up(j, maps, addr, &found, why);

    if (rc != OK)
        return rc;
    struct str value = found.value;

    if (value.p == NULL) {
        log_warn("recipient %.*s: not found in virtual_%s_maps", STR(addr),
                 what);
        return fail(why, "4.3.5", "mail system configuration error");
    }
    if (!str_num(value, &n) || n < (uint64_t)least || n >= UINT32_MAX) {
        log_warn("recipient %.*s: bad %s %.*s in virtual_%s_maps", STR(addr),
                 what, STR(value), what);
        return fail(why, "4.3.5", "mail system configuration error");
    }
    *id = (unsigned)n;
    return OK;
}

static enum rc
find_owner(struct job *j, struct str addr, struct priv_user *user,
           struct why *why)
{
    enum rc rc;

    if (j->d->unprivileged) {
        *user = (struct priv_user){.uid = j->set->queue_owner,
                                   .gid = j->set->queue_group};
        return OK;
    }
    rc = find_id(j, j->set->virtual_uids, "uid", j->conf->virtual_minimum_uid,
                 addr, &user->uid, why);
    if (rc != OK)
        return rc;
    return find_id(j, j->set->virtual_gids, "gid", 1, addr, &user->gid, why);
}

enum rc
virtual_find(struct job *j, struct str addr, struct virtual_box *box,
             struct why *why)
{
    enum rc rc;

    *box = (struct virtual_box){.owner = arena_lower(j->arena, addr)};
    job_return(j);
    rc = find_path(j, box->owner, box, why);
    if (rc == OK)
        rc = find_owner(j, box->owner, &box->user, why);
    return rc;
}

static enum rc
deliver(struct job *j, const struct rec_rcpt *rcpt,
        const struct virtual_box *box, struct why *why)
{
    const struct detail detail = {
        .path = box->path,
        .user = &box->user,
        .owner = box->owner,
        .addr = rcpt->addr,
        .extension = box->extension,
    };
    struct box_place place = {
        .path = detail_path(j, &detail),
        .user = &box->user,
        .owner = box->owner,
        .delivered = rcpt->addr,
        .claiming = j->msg.flags & DELIVER_CLAIM,
    };
    struct why cause;
    enum rc rc = box_deliver(j, rcpt, &place, &cause);

    if (rc == OK || str_ends(str_from(box->path), S("/")))
        *why = cause;
    else
        rc = fail(why, cause.dsn, "delivery failed to mailbox %s: %s",
                  box->path, cause.text);
    return rc;
}

static enum rc
deliver_rcpt(struct job *j, const struct rec_rcpt *rcpt, struct why *why)
{
    struct virtual_box *box = arena_make(j->arena, struct virtual_box);
    enum rc rc;

    if (job_was_delivered_to(j, rcpt->addr))
        return fail(why, "5.4.6", "mail forwarding loop for %.*s",
                    STR(rcpt->addr));
    rc = virtual_find(j, rcpt->addr, box, why);
    if (rc != OK)
        return rc;
    if (!job_is_probe(j))
        return deliver(j, rcpt, box, why);
    job_say(why, "2.0.0", "delivers to %s",
            str_ends(str_from(box->path), S("/")) ? "maildir" : "mailbox");
    return OK;
}

void
deliver_virtual(struct job *j, const struct rec_rcpt *rcpt,
                struct rec_result *result)
{
    struct why why;
    enum rc rc = deliver_rcpt(j, rcpt, &why);

    job_log(j, rcpt, rcpt->addr, rc, &why);
    job_result(j, rcpt, rc, &why, result);
}
