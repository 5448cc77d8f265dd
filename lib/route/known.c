/*
 * Is there such a user? Asked before mail is accepted, so that nobody gets a
 * report about mail that somebody else sent in his name.
 */
#include <stdio.h>

#include "mail/address.h"
#include "mail/dsn.h"
#include "route/router.h"

/* What Posta makes and takes itself. */
static bool
is_reserved(struct str addr)
{
    struct str local = address_local(addr);

    return str_ieq(local, S("postmaster")) ||
           str_ieq(local, S("mailer-daemon")) ||
           str_ieq(local, S("double-bounce"));
}

/* Who is being asked about, and what the answer is made of. */
struct question {
    struct router *router;
    struct arena *arena;
    bool sender;
    int *code;
    struct why *why;
};

static enum rc
refuse(struct question *q, int64_t code, const char *table)
{
    bool show = q->router->s->show_user_unknown_table_name;
    int digit = code < 500 ? 4 : 5;
    char dsn[16];

    *q->code = (int)code;
    snprintf(dsn, sizeof dsn, "%d.1.%d", digit, q->sender ? 0 : 1);
    return fail(q->why, dsn, "User unknown%s%s%s", show ? " in " : "",
                show ? table : "", show ? " table" : "");
}

/* Aliases make an address known whatever becomes of it. */
static enum rc
is_alias(struct question *q, struct str addr, bool *found)
{
    struct router *r = q->router;
    struct maps *maps[] = {r->virtual.maps, r->canonical.maps,
                           q->sender ? r->sender_canonical.maps
                                     : r->rcpt_canonical.maps};
    struct map_found hit = {0};

    for (size_t i = 0; i < COUNT(maps) && hit.value.p == NULL; i++)
        if (router_find(r, q->arena, maps[i], addr, &hit, q->why) != OK)
            return TEMP;
    *found = hit.value.p;
    return OK;
}

/* The reason of an error or retry transport, with a status of its own or not;
 * one about recipients does not fit a sender. */
static enum rc
refuse_by_transport(struct question *q, const struct route *route)
{
    bool retry = str_eq(route->transport, S("retry"));
    const char *usual = q->sender ? "5.1.0" : "5.1.1";
    struct str text = route->nexthop;
    char dsn[10];

    if (!dsn_cut_code(&text, dsn) || strcmp(dsn + 1, ".1.1") == 0)
        strcpy(dsn, usual);
    *q->code = retry ? 450 : 550;
    if (route->class == CLASS_VIRTUAL_ALIAS)
        *q->code = (int)q->router->s->unknown_virtual_alias_reject_code;
    dsn[0] = *q->code < 500 ? '4' : '5';
    return fail(q->why, dsn, "%.*s", STR(text));
}

/* In the table of its class, if the class has one. */
static enum rc
look_in_table(struct question *q, const struct route *route)
{
    const struct route_settings *s = q->router->s;
    const struct {
        struct maps *maps;
        int64_t code;
        const char *name;
    } tables[] = {
        [CLASS_LOCAL] = {q->router->local_rcpt,
                         s->unknown_local_recipient_reject_code,
                         "local recipient"},
        [CLASS_VIRTUAL_MAILBOX] = {q->router->virtual_mailbox,
                         s->unknown_virtual_mailbox_reject_code,
                         "virtual mailbox"},
        [CLASS_RELAY] = {q->router->relay_rcpt,
                         s->unknown_relay_recipient_reject_code,
                         "relay recipient"},
    };
    struct map_found found;

    if (route->class >= COUNT(tables) || tables[route->class].maps == NULL ||
        maps_empty(tables[route->class].maps) ||
        (route->class == CLASS_LOCAL && is_reserved(route->addr)))
        return OK;
    if (router_find(q->router, q->arena, tables[route->class].maps, route->addr,
                    &found, q->why) != OK)
        return TEMP;
    if (found.value.p)
        return OK;
    return refuse(q, tables[route->class].code, tables[route->class].name);
}

static enum rc
ask(struct question *q, struct str sender, struct str addr)
{
    struct route route;
    bool alias;

    *q->code = 451;
    if (route_resolve(q->router, q->arena, sender, addr, &route, q->why) !=
            OK ||
        is_alias(q, route.addr, &alias) != OK)
        return TEMP;
    if (!alias && (str_eq(route.transport, S("error")) ||
                   str_eq(route.transport, S("retry"))))
        return refuse_by_transport(q, &route);

    enum rc rc = alias ? OK : look_in_table(q, &route);

    if (rc == OK)
        *q->code = 0;
    return rc;
}

enum rc
route_known(struct router *r, struct arena *a, struct str sender,
            struct str addr, int *code, struct why *why)
{
    struct question q = {r, a, false, code, why};

    return ask(&q, sender, addr);
}

enum rc
route_known_sender(struct router *r, struct arena *a, struct str addr,
                   int *code, struct why *why)
{
    struct question q = {r, a, true, code, why};

    /* Bounces come from nobody. */
    if (addr.len == 0) {
        *code = 0;
        return OK;
    }
    return ask(&q, S(""), addr);
}
