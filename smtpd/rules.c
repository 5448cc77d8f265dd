#include "rules.h"

#include <stdarg.h>
#include <stdio.h>

#include "smtpd.h"

#include "base/log.h"

#define DEPTH_MAX 100 /* classes and tables that name each other */

struct rules {
    struct rule_list stages[STAGES];
    struct hash *classes; /* name to struct rule_list */
};

static const struct {
    const char *param;
    const char *class;
} stages[STAGES] = {
    [STAGE_CLIENT] = {"smtpd_client_restrictions",      CLASS_OF_CLIENT   },
    [STAGE_HELO] = {"smtpd_helo_restrictions",        CLASS_OF_HELO     },
    [STAGE_SENDER] = {"smtpd_sender_restrictions",      CLASS_OF_SENDER   },
    [STAGE_RELAY] = {"smtpd_relay_restrictions",       CLASS_OF_RECIPIENT},
    [STAGE_RCPT] = {"smtpd_recipient_restrictions",   CLASS_OF_RECIPIENT},
    [STAGE_DATA] = {"smtpd_data_restrictions",        CLASS_OF_DATA     },
    [STAGE_END] = {"smtpd_end_of_data_restrictions", CLASS_OF_END      },
    [STAGE_ETRN] = {"smtpd_etrn_restrictions",        CLASS_OF_ETRN     },
};

/* ---- running ---- */

static const char *format_reply(struct ask *q, int code, const char *dsn,
                                const char *fmt, va_list args) PRINTF(4, 0);

static const char *
format_reply(struct ask *q, int code, const char *dsn, const char *fmt,
             va_list args)
{
    char *text = arena_vfmt(q->s->line, fmt, args);

    return arena_fmt(q->s->line, "%d %s %s", code, dsn, text);
}

static enum verdict
refuse(struct ask *q, const char *text)
{
    struct deferral *d = &q->s->if_reject;

    if (q->warn) {
        log_decision(q->s, "reject_warning", text);
        return DUNNO;
    }
    /* A look-up failed that might have let it pass. */
    if (d->active && text[0] == '5')
        text = arena_fmt(q->s->line, "%d %s %s", d->code, d->dsn, d->text);
    log_decision(q->s, "reject", text);
    q->reply = text;
    return REFUSE;
}

enum verdict
rules_refuse(struct ask *q, int code, const char *dsn, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    const char *text = format_reply(q, code, dsn, fmt, args);
    va_end(args);
    return refuse(q, text);
}

/* The first of a kind is kept: for the command, or, where the client or HELO
 * is judged ahead of commands, for the session. */
static void
defer_if(struct ask *q, struct deferral *d, int code, const char *dsn,
         const char *text)
{
    bool early = q->stage <= STAGE_HELO;
    if (q->warn) {
        log_decision(q->s, "reject_warning",
                     arena_fmt(q->s->line, "%d %s %s", code, dsn, text));
        return;
    }
    if (d->active)
        return;
    *d = (struct deferral){
        .active = true,
        .code = code,
        .text = arena_cstr(early ? q->s->life : q->s->line, str_from(text)),
    };
    snprintf(d->dsn, sizeof d->dsn, "%s", dsn);
}

enum verdict
rules_defer_if_permit(struct ask *q, int code, const char *dsn, const char *fmt,
                      ...)
{
    va_list args;

    va_start(args, fmt);
    defer_if(q, &q->s->if_permit, code, dsn, arena_vfmt(q->s->line, fmt, args));
    va_end(args);
    return DUNNO;
}

enum verdict
rules_defer_if_reject(struct ask *q, int code, const char *dsn, const char *fmt,
                      ...)
{
    va_list args;

    va_start(args, fmt);
    defer_if(q, &q->s->if_reject, code, dsn, arena_vfmt(q->s->line, fmt, args));
    va_end(args);
    return DUNNO;
}

enum verdict
rules_tempfail(struct ask *q, const char *action, int code, const char *dsn,
               const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    char *text = arena_vfmt(q->s->line, fmt, args);
    va_end(args);
    if (strcmp(action, "defer") == 0)
        return rules_refuse(q, code, dsn, "%s", text);
    return rules_defer_if_permit(q, code, dsn, "%s", text);
}

enum verdict
rules_lookup_failed(struct ask *q, const struct why *why)
{
    log_warn("%s", why->text);
    return rules_refuse(q, 451, "4.3.0", "<%.*s>: Temporary lookup failure",
                        STR(q->name));
}

enum verdict
rules_run_list(struct ask *q, const struct rule_list *l)
{
    if (++q->depth > DEPTH_MAX) {
        q->depth--;
        log_warn("restrictions name each other without end");
        return rules_refuse(q, 451, "4.3.5", "Server configuration error");
    }

    enum verdict v = DUNNO;

    for (size_t i = 0; i < l->count && v == DUNNO; i++) {
        const struct rule *r = &l->at[i];

        /* It holds for the one that follows. */
        if (strcmp(r->what->name, "warn_if_reject") == 0) {
            bool before = q->warn;

            if (++i == l->count)
                break;
            q->warn = true;
            v = l->at[i].what->run(q, &l->at[i]);
            q->warn = before;
            continue;
        }
        v = r->what->run(q, r);
    }
    q->depth--;
    return v;
}

static struct str
stage_name(const struct session *s, enum stage stage)
{
    switch (stage) {
    case STAGE_CLIENT:
        return s->client.shown;
    case STAGE_HELO:
        return s->helo;
    case STAGE_SENDER:
        return subject_shown(s, OF_SENDER);
    case STAGE_RELAY:
    case STAGE_RCPT:
        return subject_shown(s, OF_RCPT);
    case STAGE_DATA:
        return S("DATA");
    case STAGE_END:
        return S("END-OF-MESSAGE");
    default:
        return s->etrn;
    }
}

enum verdict
rules_run(struct session *s, enum stage stage, const char **text)
{
    const struct rule_list *l = rules_list(s->server->rules, stage);
    struct ask q = {
        .s = s,
        .stage = stage,
        .name = stage_name(s, stage),
        .class = stages[stage].class,
    };
    enum verdict v = rules_run_list(&q, l);

    *text = q.reply;
    return v;
}

enum verdict
rules_settle(struct session *s, const char **text)
{
    struct deferral d = s->if_permit;
    struct ask q = {.s = s};

    if (!d.active)
        return DUNNO;
    rules_refuse(&q, d.code, d.dsn, "%s", d.text);
    *text = q.reply;
    return REFUSE;
}

/* ---- parsing ---- */

/* Where a list is parsed, for messages and memory. */
struct parsing {
    struct server *server;
    struct arena *arena;
    const char *param; /* or the table that said it */
    bool from_table;   /* no tables and servers in it */
    struct why why;
};

bool
rules_word(struct str *rest, struct str *word)
{
    size_t depth = 0, i = 0;

    while (rest->len > 0 && strchr(" ,\t\r\n", rest->p[0]))
        *rest = str_sub(*rest, 1, rest->len);
    if (rest->len == 0)
        return false;
    for (; i < rest->len; i++) {
        char c = rest->p[i];

        if (c == '{')
            depth++;
        else if (c == '}' && depth > 0)
            depth--;
        else if (depth == 0 && strchr(" ,\t\r\n", c))
            break;
    }
    *word = str_sub(*rest, 0, i);
    *rest = str_sub(*rest, i, rest->len);
    return true;
}

static bool
is_table(struct str word)
{
    return str_find(word, ':') > 0;
}

/* A class may name itself: it is there before its list is parsed. */
static const struct rule_list *
find_class(const struct parsing *p, struct str word)
{
    struct str name = arena_lower(p->arena, word);

    return hash_get(p->server->rules->classes, name);
}

static bool
take_argument(struct parsing *p, struct rule *r, struct str *rest)
{
    static const char *const wanted[] = {
        [ARG_TABLE] = "type:name of a table",
        [ARG_DOMAIN] = "the domain of a list",
        [ARG_SERVICE] = "the address of a policy server",
        [ARG_SECONDS] = "a number of seconds",
    };
    enum rule_argument argument = r->what->argument;
    uint64_t n;

    if (argument == ARG_NONE)
        return true;
    if (!rules_word(rest, &r->text) ||
        (argument == ARG_TABLE && !is_table(r->text)) ||
        (argument == ARG_SECONDS && !str_num(r->text, &n)))
        return fail(&p->why, "4.3.5",
                    "%s: restriction %s must be followed by %s", p->param,
                    r->what->name, wanted[argument]) == OK;
    r->text = arena_str(p->arena, r->text);
    if (argument == ARG_TABLE)
        r->maps = maps_open(r->text.p, NULL);
    if (argument == ARG_SERVICE)
        r->policy = policy_open(p->arena, p->server, r->text, &p->why);
    return argument != ARG_SERVICE || r->policy != NULL;
}

/* A bare type:name asks the table about what the list is about. */
static bool
parse_table(struct parsing *p, struct str word, struct rule *r)
{
    enum stage stage = STAGE_RCPT;
    bool clients = strcmp(p->param, "local_header_rewrite_clients") == 0;

    for (size_t i = 0; i < STAGES; i++)
        if (strcmp(p->param, stages[i].param) == 0)
            stage = (enum stage)i;
    r->what = clients ? restriction_find(S("check_address_map"))
                      : restriction_of_table(stage);
    r->text = arena_str(p->arena, word);
    r->maps = maps_open(r->text.p, NULL);
    return true;
}

static bool
is_unknown(struct parsing *p, struct str word)
{
    if (p->from_table)
        return fail(&p->why, "4.3.5",
                    "access table %s: unknown smtpd restriction: \"%.*s\"",
                    p->param, STR(word)) != OK;
    if (restriction_is_postfix(word))
        return fail(&p->why, "4.3.5",
                    "%s: Posta does not do restriction %.*s; take it out",
                    p->param, STR(word)) != OK;
    return fail(&p->why, "4.3.5",
                "%s: unknown smtpd restriction: \"%.*s\"; look for a typing "
                "error, or define it with smtpd_restriction_classes",
                p->param, STR(word)) != OK;
}

static bool
parse_rule(struct parsing *p, struct str word, struct rule *r, struct str *rest)
{
    bool tables = !p->from_table;

    *r = (struct rule){.what = restriction_find(word)};
    if (r->what && (tables || (r->what->argument != ARG_TABLE &&
                               r->what->argument != ARG_SERVICE)))
        return take_argument(p, r, rest);
    r->list = find_class(p, word);
    if (r->list) {
        r->what = &restriction_class;
        r->text = word;
        return true;
    }
    if (tables && is_table(word))
        return parse_table(p, word, r);
    return !is_unknown(p, word);
}

static void
warn_unreachable(const struct parsing *p, const struct rule_list *l)
{
    for (size_t i = 0; i + 1 < l->count; i++) {
        const char *name = l->at[i].what->name;
        bool last = strcmp(name, "permit") == 0 ||
                    strcmp(name, "reject") == 0 || strcmp(name, "defer") == 0;

        if (last &&
            (i == 0 || strcmp(l->at[i - 1].what->name, "warn_if_reject") != 0))
            log_warn("%s: restriction `%s' after `%s' is ignored", p->param,
                     l->at[i + 1].what->name, name);
    }
}

static bool
parse_list(struct parsing *p, struct str text, struct rule_list *list)
{
    struct str rest = text, word;
    size_t words = 0;

    while (rules_word(&rest, &word))
        words++;
    *list = (struct rule_list){
        .at = arena_alloc(p->arena, (words + 1) * sizeof(struct rule))};
    rest = text;
    while (rules_word(&rest, &word)) {
        if (!parse_rule(p, word, &list->at[list->count], &rest))
            return false;
        list->count++;
    }
    if (!p->from_table)
        warn_unreachable(p, list);
    return true;
}

struct rule_list *
rules_parse(struct server *server, const char *param, const char *text)
{
    struct arena *life = server->daemon->life;
    struct rule_list *list = arena_make(life, struct rule_list);
    struct parsing p = {.server = server, .arena = life, .param = param};

    if (!parse_list(&p, str_from(text), list))
        log_fatal("%s", p.why.text);
    return list;
}

static bool
has(const struct rule_list *l, const char *name, unsigned depth)
{
    for (size_t i = 0; i < l->count && depth < DEPTH_MAX; i++) {
        const struct rule *r = &l->at[i];

        /* What is only warned about does not count. */
        if (strcmp(r->what->name, "warn_if_reject") == 0)
            i++;
        else if (strcmp(r->what->name, name) == 0 ||
                 (r->list && has(r->list, name, depth + 1)))
            return true;
    }
    return false;
}

/* Without one of these in the way anybody could send to anywhere. */
static bool
is_closed(const struct rule_list *l)
{
    static const char *const doors[] = {
        "reject_unauth_destination",
        "defer_unauth_destination",
        "reject",
        "defer",
        "defer_if_permit",
    };

    for (size_t i = 0; i < COUNT(doors); i++)
        if (has(l, doors[i], 0))
            return true;
    return false;
}

/* The classes of the site: each list stands in main.cf under its name. */
static void
open_classes(struct server *server, struct rules *rules)
{
    const struct conf *c = server->conf;
    struct arena *life = server->daemon->life;
    struct str names = str_from(c->smtpd_restriction_classes), name;

    rules->classes = hash_new();
    while (rules_word(&names, &name))
        *hash_put(rules->classes, arena_lower(life, name)) =
            arena_make(life, struct rule_list);
    names = str_from(c->smtpd_restriction_classes);
    while (rules_word(&names, &name)) {
        const char *param = arena_cstr(life, name);
        const char *text = conf_get(c, param);

        if (text == NULL)
            log_fatal("restriction class `%s' needs a definition", param);
        *(struct rule_list *)hash_get(rules->classes, arena_lower(life, name)) =
            *rules_parse(server, param, text);
    }
}

void
rules_load(struct server *server)
{
    const struct conf *c = server->conf;
    struct rules *rules = arena_make(server->daemon->life, struct rules);
    const char *texts[STAGES] = {
        [STAGE_CLIENT] = c->smtpd_client_restrictions,
        [STAGE_HELO] = c->smtpd_helo_restrictions,
        [STAGE_SENDER] = c->smtpd_sender_restrictions,
        [STAGE_RELAY] = c->smtpd_relay_restrictions,
        [STAGE_RCPT] = c->smtpd_recipient_restrictions,
        [STAGE_DATA] = c->smtpd_data_restrictions,
        [STAGE_END] = c->smtpd_end_of_data_restrictions,
        [STAGE_ETRN] = c->smtpd_etrn_restrictions,
    };

    server->rules = rules;
    open_classes(server, rules);
    for (size_t i = 0; i < STAGES; i++)
        rules->stages[i] = *rules_parse(server, stages[i].param, texts[i]);
    if (!is_closed(&rules->stages[STAGE_RELAY]) &&
        !is_closed(&rules->stages[STAGE_RCPT]))
        log_fatal("in parameter smtpd_relay_restrictions or "
                  "smtpd_recipient_restrictions, specify at least one working "
                  "instance of: reject_unauth_destination, "
                  "defer_unauth_destination, reject, defer or "
                  "defer_if_permit");
}

const struct rule_list *
rules_list(const struct rules *rules, enum stage stage)
{
    return &rules->stages[stage];
}

enum verdict
rules_run_text(struct ask *q, const char *table, struct str text)
{
    struct rule_list list;
    struct parsing p = {
        .server = q->s->server,
        .arena = q->s->line,
        .param = table,
        .from_table = true,
    };

    if (parse_list(&p, text, &list))
        return rules_run_list(q, &list);
    log_warn("%s", p.why.text);
    return rules_refuse(q, 451, "4.3.5", "Server configuration error");
}
