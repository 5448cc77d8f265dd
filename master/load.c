#include "master.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "conf/check.h"

#define PLAN_MAX ((size_t)64 << 20)

void
problem(struct problems *p, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    *vec_add(&p->lines) = arena_vfmt(p->arena, fmt, args);
    va_end(args);
}

void
problem_warn(struct problems *p, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    *vec_add(&p->warnings) = arena_vfmt(p->arena, fmt, args);
    va_end(args);
}

/* Programs stand beside master, wherever that is: a main.cf taken over from
 * elsewhere cannot make it start somebody else's. */
static const char *
program_path(struct arena *life, const char *program)
{
    char exe[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe);
    ssize_t slash =
        len < 0 ? -1 : str_rfind((struct str){exe, (size_t)len}, '/');

    must(slash >= 0);
    return arena_fmt(life, "%.*s/%s", (int)slash, exe, program);
}

const char *
plan_program(const struct plan *plan, const struct role *role)
{
    return program_path(plan->life, role->program);
}

static struct str
join_args(struct arena *life, char **args)
{
    struct buf b = buf_in(life);

    for (; args && *args; args++) {
        buf_add(&b, str_from(*args));
        buf_addc(&b, '\0');
    }
    return buf_str(&b);
}

static const char *
where(const struct plan *plan, const struct service *s)
{
    return arena_fmt(plan->life, "%s, line %u: service %s", s->file, s->line,
                     s->name);
}

/* Roles that a port may name and nobody here can play. */
static void
check_nothing(const struct plan *plan, const struct service *s,
              const struct role *role, struct problems *p)
{
    if (role->kind == NOTHING && s->type == SERVICE_INET)
        problem_warn(p, "%s: Posta has no %s; this port is not served",
                     where(plan, s), role->name);
}

static void
check_type(const struct plan *plan, const struct plan_row *row,
           struct problems *p)
{
    bool inet = row->row->type == SERVICE_INET;

    if (row->role->listens && row->row->type == SERVICE_DGRAM)
        problem(p, "%s: %s cannot be of type unix-dgram; use unix or inet",
                where(plan, row->row), row->role->name);
    else if (inet && !row->role->listens && row->role->program)
        problem(p, "%s: %s does not listen on a port; use type unix",
                where(plan, row->row), row->role->name);
    else if (inet && (row->role->listens & PACKETS))
        problem(p, "%s: %s serves this machine only; use type unix",
                where(plan, row->row), row->role->name);
}

static void
check_rights(const struct plan *plan, const struct plan_row *row,
             struct problems *p)
{
    struct priv rights;
    struct why why;
    const char *program = plan_program(plan, row->role);

    if (role_rights(row->role, plan->conf, &rights, &why) != OK)
        problem(p, "%s", why.text);
    if (access(program, X_OK) < 0)
        problem(p, "%s: cannot execute %s: %m; it should stand beside master",
                where(plan, row->row), program);
}

/* Postfix's postscreen hands clients on to the smtpd of a row of type pass: it
 * is that one that gets the port, with its settings. */
static const struct service *
behind_postscreen(const struct plan *plan, const struct service *s,
                  struct problems *p)
{
    for (size_t i = 0; i < plan->config.services.count; i++) {
        const struct service *other = &plan->config.services.at[i];

        if (other->type != SERVICE_PASS || strcmp(other->command, "smtpd") != 0)
            continue;
        problem_warn(p,
                     "%s: Posta has no postscreen yet; smtpd serves this port "
                     "with the settings of line %u",
                     where(plan, s), other->line);
        return other;
    }
    problem(p,
            "%s: Posta has no postscreen yet, and there is no row of type "
            "pass with command smtpd; write smtpd instead",
            where(plan, s));
    return s;
}

static int
snapshot(const struct plan *plan, const struct service *s, struct problems *p)
{
    struct why why;
    int fd = config_snapshot(&plan->config, s, &why);

    if (fd < 0 && p->lines.len == 0) /* else it has been said */
        problem(p, "%s", why.text);
    return fd;
}

/* As Postfix does when all processes of a port are busy. */
static int
stressed_snapshot(const struct plan *plan, const struct service *s,
                  struct problems *p)
{
    struct service copy = *s;
    size_t n = s->override_count;

    copy.overrides = arena_alloc(plan->life, (n + 1) * sizeof *copy.overrides);
    if (n > 0)
        memcpy(copy.overrides, s->overrides, n * sizeof *copy.overrides);
    copy.overrides[n] = (struct setting){
        .name = S("stress"), .value = S("yes"), .file = s->file};
    copy.override_count = n + 1;
    return snapshot(plan, &copy, p);
}

static unsigned
limit_of(const struct plan *plan, const struct service *s)
{
    int64_t limit = s->limit < 0 && plan->conf
                        ? plan->conf->default_process_limit
                        : s->limit;

    return limit > 0 && limit < BOARD_PLACES ? (unsigned)limit : BOARD_PLACES;
}

void
plan_add_row(struct plan *plan, const struct service *s, struct problems *p)
{
    bool gate = strcmp(s->command, "postscreen") == 0;
    const struct service *settings = gate ? behind_postscreen(plan, s, p) : s;
    const struct role *role = role_find(gate ? "smtpd" : s->command);

    if (role == NULL) {
        problem(p, "%s: unknown command %s", where(plan, s), s->command);
        return;
    }
    check_nothing(plan, s, role, p);
    if (role->kind == NOTHING)
        return;
    struct plan_row *row = vec_add(&plan->rows);

    *row = (struct plan_row){.row = s,
                             .settings = settings,
                             .role = role,
                             .limit = limit_of(plan, settings),
                             .args = join_args(plan->life, settings->args),
                             .stressed = -1};
    row->snapshot = snapshot(plan, settings, p);
    if (role->listens && s->type == SERVICE_INET)
        row->stressed = stressed_snapshot(plan, settings, p);
    if (role->program)
        check_rights(plan, row, p);
    check_type(plan, row, p);
    if (role->listens)
        address_find(plan, row, p);
}

static bool
same_line(const char *a, const char *b)
{
    return str_eq(str_from(a), str_from(b));
}

/* What is wrong for all services is said once. */
static void
drop_repeated(struct problems *p)
{
    size_t kept = 0;

    for (size_t i = 0; i < p->lines.len; i++) {
        bool again = false;

        for (size_t k = 0; k < kept && !again; k++)
            again = same_line(p->lines.at[k], p->lines.at[i]);
        if (!again)
            p->lines.at[kept++] = p->lines.at[i];
    }
    p->lines.len = kept;
}

static void
check_qmgr(const struct plan *plan, struct problems *p)
{
    unsigned count = 0;

    for (size_t i = 0; i < plan->rows.len; i++)
        count += plan->rows.at[i].role->kind == SINGLE;
    if (count != 1)
        problem(p,
                "%s/master.cf: %u rows with command qmgr, there must be one: "
                "\"qmgr unix n - n 300 1 qmgr\"",
                plan->config.dir, count);
    if (plan->rows.len > BOARD_CREWS)
        problem(p, "%s/master.cf: more than %d services", plan->config.dir,
                BOARD_CREWS);
}

static void
take_report(void *own, bool fatal, const char *line)
{
    if (fatal)
        problem(own, "%s", line);
    else
        problem_warn(own, "%s", line);
}

static bool
load_main(struct plan *plan, const char *dir, struct problems *p)
{
    const struct check check = {take_report, p};
    struct why why;
    bool read = config_read(plan->life, dir, &plan->config, &why) == OK;

    if (read) {
        config_check(&plan->config, &check);
        auto_close int fd = config_snapshot(&plan->config, NULL, &why);

        if (fd >= 0)
            plan->conf = conf_from_snapshot(plan->life, fd, &why);
    }
    if (plan->conf == NULL && p->lines.len == 0)
        problem(p, "%s", why.text);
    return plan->conf != NULL;
}

struct plan *
plan_load(const char *dir, struct problems *p)
{
    struct arena *life = arena_new("configuration", PLAN_MAX);
    struct plan *plan = arena_make(life, struct plan);

    plan->life = life;
    if (!load_main(plan, dir, p))
        return plan;
    for (size_t i = 0; i < plan->config.services.count; i++)
        plan_add_row(plan, &plan->config.services.at[i], p);
    plan_add_implied(plan, p);
    identities_find(plan, p);
    check_qmgr(plan, p);
    drop_repeated(p);
    return plan;
}

static void
close_snapshot(int fd)
{
    if (fd >= 0)
        close(fd);
}

void
plan_free(struct plan *plan)
{
    if (plan == NULL)
        return;
    for (size_t i = 0; i < plan->rows.len; i++) {
        close_snapshot(plan->rows.at[i].snapshot);
        close_snapshot(plan->rows.at[i].stressed);
        vec_free(&plan->rows.at[i].addresses);
    }
    vec_free(&plan->rows);
    config_free(&plan->config);
    arena_free(plan->life);
}
