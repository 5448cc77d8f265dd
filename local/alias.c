/* Aliases: names in alias_maps. */
#include "base/log.h"
#include "scope.h"

/*
 * How often the name stands above. Twice is allowed: an alias of a user who
 * lists that alias in his .forward file ends in his mailbox.
 */
static bool
is_loop(const struct scope *s, struct str name)
{
    unsigned times = 0;

    for (; s; s = s->up)
        if (s->from == FROM_ALIAS && str_eq(s->name, name))
            times++;
    return times > 1;
}

/* The rights that the alias's files and commands have: those of the table's
 * owner; NULL (default_privs) where that is root. */
static enum rc
rights_of(const struct alias_table *table, const struct account **rights,
          struct why *why)
{
    uid_t owner;

    *rights = NULL;
    if (!map_owner(table->map, &owner) || owner == 0)
        return OK;
    if (account_find_uid(owner, rights, why) != OK)
        return TEMP;
    if (*rights)
        return OK;
    log_warn("cannot find alias database owner for %s", table->name);
    return fail(why, "4.3.0", "cannot find alias database owner");
}

/* Only whole names are asked of patterns: not a user without his extension,
 * not owner-NAME, which many a pattern for NAME would match. */
static enum rc
look_up(struct job *j, struct str name, bool whole,
        const struct alias_table **table, struct str *value, struct why *why)
{
    *value = (struct str){0};
    job_return(j);
    for (size_t i = 0; i < j->set->naliases; i++) {
        *table = &j->set->aliases[i];
        if (!whole && map_is_pattern((*table)->map))
            continue;

        enum rc rc = map_get((*table)->map, name, j->arena, value, why);

        if (rc != OK)
            return fail(why, "4.3.0", "alias database unavailable");
        if (value->p)
            break;
    }
    return OK;
}

/* owner-NAME: troubles of a list go to it instead of the sender. */
static enum rc
find_owner(struct job *j, struct scope *s, struct why *why)
{
    const struct alias_table *table;
    struct alias first = {
        ALIAS_ADDRESS,
        str_from(arena_fmt(j->arena, "owner-%.*s", STR(s->name)))};
    struct str value;

    if (!j->conf->owner_request_special)
        return OK;
    if (look_up(j, first.text, false, &table, &value, why) != OK)
        return TEMP;
    if (value.p == NULL) {
        if (j->conf->reset_owner_alias)
            s->owner = (struct str){0};
        return OK;
    }
    if (j->conf->expand_owner_alias)
        alias_next(j->arena, &value, &first);
    s->sender = route_complete(j->set->router, j->arena, first.text);
    s->owner = s->sender;
    s->list = true;
    return OK;
}

static enum rc
enter(struct expansion *x, struct scope *in, const struct scope *s,
      const struct who *w, const struct alias_table *table, struct why *why)
{
    struct job *j = x->job;
    bool keep = j->set->keep_extension & FROM_ALIAS;

    if (is_loop(s, in->name) || in->depth > SCOPE_DEPTH_MAX) {
        log_warn("alias database loop for %.*s", STR(in->name));
        return fail(why, "5.4.6", "alias database loop for %.*s",
                    STR(in->name));
    }
    in->from = FROM_ALIAS;
    in->split = s->split;
    in->unmatched = keep && !str_eq(in->name, w->local) ? w->extension : S("");
    if (!j->conf->frozen_delivered_to)
        in->delivered = w->addr;
    enum rc rc = rights_of(table, &in->rights, why);

    return rc == OK ? find_owner(j, in, why) : rc;
}

bool
alias_expand(struct expansion *x, const struct scope *s, const struct who *w,
             struct str name)
{
    const struct alias_table *table = NULL;
    struct scope in = *s;
    struct str value;
    struct why why;

    /* An alias in its own expansion is the user of that name. */
    if (s->name.p && str_ieq(s->name, name))
        return false;
    if (look_up(x->job, name, str_eq(name, w->local), &table, &value, &why) !=
        OK) {
        scope_fail(x, s, &why);
        return true;
    }
    if (value.p == NULL)
        return false;
    in.up = s;
    in.depth = s->depth + 1;
    in.name = name;
    in.who = *w;
    if (enter(x, &in, s, w, table, &why) != OK) {
        scope_fail(x, s, &why);
    } else if (!scope_follow_text(x, &in, value)) {
        log_warn("no recipient in alias lookup result for %.*s", STR(name));
        (void)!fail(&why, "4.3.0", "alias %.*s is empty", STR(name));
        scope_fail(x, s, &why);
    }
    return true;
}
