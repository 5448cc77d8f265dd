#include "expand.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/log.h"
#include "mail/address.h"
#include "scope.h"

struct target *
scope_add(struct expansion *x, const struct scope *s, enum target_kind kind,
          struct str text)
{
    struct targets *t = x->targets;
    struct arena *a = x->job->arena;

    if (t->count == t->room) {
        size_t room = t->room ? 2 * t->room : 4;

        t->at =
            arena_grow(a, t->at, t->room * sizeof *t->at, room * sizeof *t->at);
        t->room = room;
    }
    struct target *target = &t->at[t->count++];

    *target = (struct target){
        .kind = kind,
        .text = text,
        .who = s->who,
        .rights = s->rights,
        .sender = s->sender,
        .delivered = s->delivered,
        .list = s->list,
    };
    return target;
}

struct target *
scope_fail(struct expansion *x, const struct scope *s, const struct why *why)
{
    struct target *t = scope_add(x, s, TARGET_FAIL, S(""));

    t->why = arena_make(x->job->arena, struct why);
    *t->why = *why;
    return t;
}

static void
fail_with(struct expansion *x, const struct scope *s, const char *dsn,
          const char *text)
{
    struct why why;

    (void)!fail(&why, dsn, "%s", text);
    scope_fail(x, s, &why);
}

/* user@domain as user+ext@domain. */
static struct str
with_extension(struct job *j, struct str addr, struct str extension)
{
    struct str local, domain;

    if (extension.len == 0 || !address_split(addr, &local, &domain))
        return addr;
    return str_from(arena_fmt(j->arena, "%.*s%c%.*s@%.*s", STR(local),
                              j->conf->recipient_delimiter[0], STR(extension),
                              STR(domain)));
}

/* Some transport for this user: from a table, or for all. */
static enum rc
transport_of(struct job *j, struct maps *maps, const char *all, struct str user,
             struct str *transport, struct why *why)
{
    struct why cause;

    *transport = (struct str){0};
    if (!maps_empty(maps)) {
        job_return(j);
        if (maps_get(maps, user, j->arena, transport, &cause) != OK)
            return fail(why, "4.3.0", "%s", cause.text);
    }
    if (transport->p == NULL)
        *transport = str_from(all);
    return OK;
}

/* To another transport: as it is, where the address is the recipient's, else
 * as a new message. */
static void
pass(struct expansion *x, const struct scope *s, const struct who *w,
     struct str transport)
{
    bool same = s->depth == 0;
    struct target *t =
        scope_add(x, s, same ? TARGET_PASS : TARGET_FORWARD, w->addr);

    t->transport = transport;
}

static void follow_address(struct expansion *x, const struct scope *s,
                           struct str addr, bool past_forward);

/* The catch-all for unknown users; never for one that it leads to itself. */
static bool
luser_relay(struct expansion *x, const struct scope *s, const struct who *w)
{
    struct job *j = x->job;
    struct who_names names = {.who = w};
    struct scope in = *s;
    struct str addr;
    struct why why;

    if (*j->conf->luser_relay == '\0' || s->relayed)
        return false;
    if (who_expand(j->arena, j->conf->luser_relay, &names, &addr, &why) != OK) {
        log_warn("luser_relay: %s", why.text);
        fail_with(x, s, "4.3.5", "mail system configuration error");
        return true;
    }
    in.up = s;
    in.depth = s->depth + 1;
    in.who = *w;
    in.unmatched = S("");
    in.relayed = true;
    follow_address(x, &in, addr, false);
    return true;
}

static void
unknown(struct expansion *x, const struct scope *s, const struct who *w)
{
    struct job *j = x->job;
    struct str transport;
    struct why why;

    if (transport_of(j, j->set->fallback_transports,
                     j->conf->fallback_transport, w->user, &transport,
                     &why) != OK) {
        scope_fail(x, s, &why);
    } else if (transport.len) {
        pass(x, s, w, transport);
    } else if (luser_relay(x, s, w)) {
        return;
    } else if (str_ieq(w->user, S("postmaster")) ||
               str_ieq(w->user, S("mailer-daemon"))) {
        log_warn("required alias not found: %.*s", STR(w->user));
        scope_add(x, s, TARGET_DISCARD, w->addr);
    } else {
        (void)!fail(&why, "5.1.1", "unknown user: \"%.*s\"", STR(w->local));
        scope_fail(x, s, &why)->who = *w;
    }
}

struct str
expand_mailbox(struct job *j, const struct account *user)
{
    const char *spool = j->conf->mail_spool_directory;
    bool maildir = str_ends(str_from(spool), S("/"));

    if (*j->conf->home_mailbox)
        return str_from(
            arena_fmt(j->arena, "%s/%s", user->home, j->conf->home_mailbox));
    return str_from(arena_fmt(j->arena, "%s%s%.*s%s", spool, maildir ? "" : "/",
                              STR(user->name), maildir ? "/" : ""));
}

static void
add_mailbox(struct expansion *x, const struct scope *s, const struct who *w,
            const struct account *user, struct str command)
{
    struct target *t = command.len ? scope_add(x, s, TARGET_COMMAND, command)
                                   : scope_add(x, s, TARGET_MAILBOX,
                                               expand_mailbox(x->job, user));

    t->who = *w;
    t->user = user;
    t->rights = user;
}

static void
follow_mailbox(struct expansion *x, const struct scope *s, const struct who *w)
{
    struct job *j = x->job;
    const struct account *user;
    struct str transport, command = {0};
    struct why why;

    if (transport_of(j, j->set->mailbox_transports, j->conf->mailbox_transport,
                     w->user, &transport, &why) != OK) {
        scope_fail(x, s, &why);
        return;
    }
    if (transport.len) {
        pass(x, s, w, transport);
        return;
    }
    if (job_find_user(j, w->user, &user, &why) != OK) {
        scope_fail(x, s, &why);
        return;
    }
    if (user == NULL) {
        unknown(x, s, w);
        return;
    }
    if (transport_of(j, j->set->mailbox_commands, j->conf->mailbox_command,
                     w->user, &command, &why) != OK)
        scope_fail(x, s, &why);
    else
        add_mailbox(x, s, w, user, command);
}

/* Is somebody else to get it as a message of its own? (expand.h) */
static bool
is_forward(const struct scope *s, const struct who *w)
{
    if (s->owner.p && !str_ieq(s->owner, w->user))
        return true;
    return s->from == FROM_INCLUDE || (s->split && !str_ieq(s->name, w->user) &&
                                       !str_ieq(s->name, w->local));
}

static void
follow_user(struct expansion *x, const struct scope *s, struct str addr,
            bool past_forward)
{
    struct job *j = x->job;
    struct who w = who_parse(j->arena, addr, j->conf->recipient_delimiter);

    if (past_forward) {
        follow_mailbox(x, s, &w);
        return;
    }
    if (alias_expand(x, s, &w, w.local) ||
        (w.extension.len && alias_expand(x, s, &w, w.user)))
        return;
    if (is_forward(s, &w)) {
        scope_add(x, s, TARGET_FORWARD, addr);
        return;
    }
    if (!forward_expand(x, s, &w))
        follow_mailbox(x, s, &w);
}

/* Is it delivered by this very service? */
static enum rc
is_ours(struct job *j, const struct scope *s, struct str addr, bool *ours,
        struct str *resolved, struct why *why)
{
    struct route route;
    enum rc rc =
        route_resolve(j->set->router, j->arena, s->sender, addr, &route, why);

    if (rc != OK)
        return rc;
    *ours = str_eq(route.transport, str_from(j->d->service));
    *resolved = route.addr;
    return OK;
}

static void
follow_address(struct expansion *x, const struct scope *s, struct str addr,
               bool past_forward)
{
    struct job *j = x->job;
    struct str full = route_complete(j->set->router, j->arena, addr), resolved;
    struct why why;
    bool ours;

    if (full.len == 0 || full.len > ADDRESS_MAX) {
        fail_with(x, s, "5.1.3", "bad address syntax");
        return;
    }
    job_return(j);
    if (is_ours(j, s, full, &ours, &resolved, &why) != OK) {
        scope_fail(x, s, &why);
        return;
    }
    struct str found = with_extension(j, ours ? resolved : full, s->unmatched);

    if (ours)
        follow_user(x, s, found, past_forward);
    else
        scope_add(x, s, TARGET_FORWARD, found);
}

static void
add_named(struct expansion *x, const struct scope *s, enum target_kind kind,
          struct str text)
{
    const struct settings *set = x->job->set;
    bool file = kind == TARGET_FILE;

    if (!(s->from & (file ? set->files_from : set->commands_from)))
        fail_with(x, s, "5.7.1",
                  file ? "mail to file is restricted"
                       : "mail to command is restricted");
    else if (++x->own <= SCOPE_OWN_MAX)
        scope_add(x, s, kind, text);
    else if (x->own == SCOPE_OWN_MAX + 1)
        fail_with(x, s, "5.4.6", "too many files and commands");
}

void
scope_follow(struct expansion *x, const struct scope *s, const struct alias *d)
{
    if (++x->steps > SCOPE_STEPS_MAX) {
        if (x->steps == SCOPE_STEPS_MAX + 1)
            fail_with(x, s, "5.4.6", "too many destinations");
        return;
    }
    switch (d->kind) {
    case ALIAS_FILE:
        add_named(x, s, TARGET_FILE, d->text);
        break;
    case ALIAS_COMMAND:
        add_named(x, s, TARGET_COMMAND, d->text);
        break;
    case ALIAS_INCLUDE:
        include_expand(x, s, d->text);
        break;
    case ALIAS_ADDRESS:
    case ALIAS_MAILBOX:
        follow_address(x, s, d->text, d->kind == ALIAS_MAILBOX);
        break;
    }
}

/* The destinations of one text, each an arena copy of its own. */
struct list {
    struct alias *at;
    size_t count, room;
};

static void
add_text(struct arena *a, struct list *l, struct str text)
{
    struct alias d;

    while (l->count < SCOPE_STEPS_MAX && alias_next(a, &text, &d)) {
        if (l->count == l->room) {
            size_t room = l->room ? 2 * l->room : 4;

            l->at = arena_grow(a, l->at, l->room * sizeof d, room * sizeof d);
            l->room = room;
        }
        l->at[l->count++] = d;
    }
}

static bool
follow_list(struct expansion *x, struct scope *s, const struct list *l)
{
    if (l->count > 1)
        s->split = true;
    for (size_t i = 0; i < l->count; i++)
        scope_follow(x, s, &l->at[i]);
    return l->count > 0;
}

bool
scope_follow_text(struct expansion *x, struct scope *s, struct str text)
{
    struct list l = {0};

    add_text(x->job->arena, &l, text);
    return follow_list(x, s, &l);
}

bool
scope_follow_lines(struct expansion *x, struct scope *s, struct str text)
{
    struct list l = {0};
    struct str line;

    while (text.len > 0) {
        str_cut(&text, '\n', &line);
        if (!str_starts(line, S("#")))
            add_text(x->job->arena, &l, line);
    }
    return follow_list(x, s, &l);
}

void
expand_recipient(struct job *j, const struct rec_rcpt *rcpt,
                 struct targets *targets)
{
    struct expansion x = {.job = j, .targets = targets, .included = hash_new()};
    struct scope s = {
        .sender = j->msg.sender,
        .delivered = rcpt->addr,
        .who = who_parse(j->arena, rcpt->addr, j->conf->recipient_delimiter),
    };

    follow_user(&x, &s, rcpt->addr, false);
    hash_free(x.included);
    if (targets->count == 0)
        scope_add(&x, &s, TARGET_DISCARD, rcpt->addr);
}
